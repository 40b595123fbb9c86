"""`python -m lib_sdpipe VERB`."""

import sys

from lib_sdpipe.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
