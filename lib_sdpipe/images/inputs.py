"""Pictures that were part of a request, as lossless files that are named by their content."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16")


def encode_input(image: Image.Image) -> tuple[str, bytes]:
    """PNG bytes without any text, and their sha256. Speed over size: most inputs are used once."""
    plain = image if image.mode in _PNG_MODES else image.convert("RGBA" if "A" in image.getbands() else "RGB")
    plain = plain.copy()
    plain.info = {key: value for key, value in plain.info.items() if key == "transparency"}
    buffer = io.BytesIO()
    plain.save(buffer, "PNG", compress_level=4)
    data = buffer.getvalue()
    return hashlib.sha256(data).hexdigest(), data
