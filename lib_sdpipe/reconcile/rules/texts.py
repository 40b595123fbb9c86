"""What can be done where only the text of an image differs."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase

# Formats whose text can be changed without touching their pixels (images/edit.py).
_EDITABLE = ("PNG", "JPEG", "WEBP")


def text_operations(case: PictureCase) -> tuple[str, ...]:
    file = case.file
    can_write = file is not None and file.format in _EDITABLE and case.infotext and case.infotext != file.infotext
    return ("accept", "write-infotext") if can_write else ("accept",)
