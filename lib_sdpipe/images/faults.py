"""What Pillow's decoders let out for damaged files, besides the errors they document."""

from __future__ import annotations

import struct
import zlib

from PIL import UnidentifiedImageError

DECODER_FAULTS = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError,
    RuntimeError, struct.error, zlib.error,
)
