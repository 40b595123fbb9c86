"""What the person typed to reach us, so that what we print can be typed again."""

from __future__ import annotations

import os
import sys


def program_name() -> str:
    """`sdpipe`, `python -m lib_sdpipe`, or what install.py says in SDPIPE_PROGRAM."""
    if os.environ.get("SDPIPE_PROGRAM"):
        return os.environ["SDPIPE_PROGRAM"]
    return "python -m lib_sdpipe" if os.path.basename(sys.argv[0]) == "__main__.py" else "sdpipe"
