"""Where a page finds thumbnails, and the key in that address.

Started with `--api-auth` alone, a host has an open page beside a closed API: the page has nothing to show at the door. What it
shows to everybody it may also load, so its addresses carry a key for one image each, which only the page hands out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import quote

API_PREFIX = "/sdpipe/v1"

_secret = secrets.token_bytes(32)


def build_thumbnail_address(run_id: str, name: str) -> str:
    """Relative to the page, so that it holds behind `--subpath`; good as long as this process lives."""
    return f"{API_PREFIX[1:]}/thumbnails/{quote(run_id, safe='')}/{quote(name, safe='')}?key={_key(run_id, name)}"


def build_bin_thumbnail_address(apply_id: str, operation: str) -> str:
    """Of an image in the bin, by its cull and its operation in it."""
    return f"{API_PREFIX[1:]}/bin/thumbnails/{quote(apply_id, safe='')}/{quote(operation, safe='')}?key={_key(apply_id, operation)}"


def is_thumbnail_key(run_id: str, name: str, key: str) -> bool:
    """Also for a cull and an operation: no cull has the id of a run."""
    return hmac.compare_digest(_key(run_id, name).encode("ascii"), key.encode("utf-8", "surrogatepass"))


def _key(run_id: str, name: str) -> str:
    text = f"{run_id}\0{name}".encode("utf-8", "surrogatepass")
    return hmac.new(_secret, text, hashlib.sha256).hexdigest()[:32]
