"""What a chain goes on from: recorded images, and pictures that somebody hands over."""

from __future__ import annotations

import os
from pathlib import Path

from lib_sdpipe.errors import UsageError
from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.inputs import encode_input
from lib_sdpipe.images.opening import open_image
from lib_sdpipe.images.read import open_regular
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.workspace import Workspace

_LARGEST_BYTES = 64 << 20
_MOST_PIXELS = 64_000_000


def read_source(workspace: Workspace, link: ImageLink) -> Manifest:
    """Raises UnknownNameError, RecordError."""
    workspace.check_sees(link.run_id or "")
    return RunStore(workspace.layout).read_manifest(link.run_id or "", link.name or "")


def keep_picture(workspace: Workspace, path: Path) -> Json:
    """Store a picture as an input of the library; the reference by which requests name it. Raises UsageError for what is none."""
    try:
        with open_regular(path) as file, open_image(file) as image:
            if os.fstat(file.fileno()).st_size > _LARGEST_BYTES or image.width * image.height > _MOST_PIXELS:
                raise UsageError(f"{path.name}: larger than {_LARGEST_BYTES >> 20} MB or {_MOST_PIXELS:,} pixels")
            image.load()
            sha256, data = encode_input(image)
    except DECODER_FAULTS as fault:
        raise UsageError(f"{path.name}: cannot be read as a picture ({fault})") from fault
    RunStore(workspace.layout).write_input(sha256, data)
    return {"$input": sha256}
