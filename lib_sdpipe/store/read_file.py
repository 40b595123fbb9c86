"""The first look at one image file: what its head says, and whose run the text in it names."""

from __future__ import annotations

import re

from lib_sdpipe.images.head import read_head
from lib_sdpipe.index.files import CANNOT_BE_READ, FileHead
from lib_sdpipe.index.texts import infotext_digest

# A run id holds no comma and no quote (manifest/names.py).
_RUN_ID = re.compile(r"\bRun ID: ([^,\"\n]{1,200})")


def read_file_head(path: str, size: int) -> FileHead | None:
    """None for a file that is gone by now."""
    try:
        head = read_head(path, size)
    except FileNotFoundError:
        return None
    except OSError as fault:
        return FileHead(None, None, None, f"{CANNOT_BE_READ} ({fault.strerror})", None, None, None)
    # What Extras wrote stands in a section of its own; the other text there is the source's.
    own = head.texts.get("extras") or head.texts.get("postprocessing") or head.infotext
    named = _RUN_ID.search(own) if own else None
    return FileHead(
        head.format, head.width, head.height, head.problem, head.infotext, infotext_digest(head.infotext),
        named.group(1) if named is not None else None,
    )
