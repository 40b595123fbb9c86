"""Where a page finds pictures, and the key in that address.

Started with `--api-auth` alone, a host has an open page beside a closed API: the page has nothing to show at the door. What it
shows to everybody it may also load, so its addresses carry a key for one picture each, which only the page hands out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from urllib.parse import quote

API_PREFIX = "/sdpipe/v1"
# What routes of pictures are called, before the ids of one.
THUMBNAILS, PICTURES, INPUTS, INPUT_THUMBNAILS = "thumbnails", "pictures", "inputs", "input-thumbnails"
FILES, FILE_THUMBNAILS, BIN_THUMBNAILS = "files", "file-thumbnails", "bin-thumbnails"
PICTURE_KINDS = (THUMBNAILS, PICTURES, INPUTS, INPUT_THUMBNAILS, FILES, FILE_THUMBNAILS, BIN_THUMBNAILS)

_secret = secrets.token_bytes(32)


def build_thumbnail_address(run_id: str, name: str) -> str:
    """Relative to the page, so that it holds behind `--subpath`; good as long as this process lives."""
    return _build(THUMBNAILS, run_id, name)


def build_file_address(file: int, stamp: str, is_small: bool = True) -> str:
    """The same of an image file that nothing recorded, by the index's id."""
    return _build(FILE_THUMBNAILS if is_small else FILES, str(file), stamp)


def build_file_stamp(root: str | None, path: str | None, size: int | None, time: float | None) -> str:
    """What tells a file from another one that later has its id, and from what it is itself once it was changed."""
    text = f"{root}\0{path}\0{size}\0{time}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def build_picture_address(run_id: str, name: str) -> str:
    """The same of the image itself, in full size."""
    return _build(PICTURES, run_id, name)


def build_input_address(sha256: str, is_small: bool = False) -> str:
    """The same of a picture that was part of a request."""
    return _build(INPUT_THUMBNAILS if is_small else INPUTS, sha256)


def build_bin_thumbnail_address(apply_id: str, operation: str) -> str:
    """The same of an image in the bin, by its cull and its operation in it."""
    return _build(BIN_THUMBNAILS, apply_id, operation)


def is_picture_key(kind: str, ids: Iterable[str], key: str) -> bool:
    return hmac.compare_digest(_key(kind, *ids).encode("ascii"), key.encode("utf-8", "surrogatepass"))


def _build(kind: str, *ids: str) -> str:
    return f"{API_PREFIX[1:]}/{kind}/{'/'.join(quote(each, safe='', errors='surrogatepass') for each in ids)}?key={_key(kind, *ids)}"


def _key(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(_secret, text, hashlib.sha256).hexdigest()[:32]
