"""Addresses of downloads that the page has prepared. None can be guessed: who has one was shown it by the page."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.workspace.page_address import API_PREFIX

_MOST_KEPT = 200
_SECONDS = 6 * 3600.0
_lock = threading.Lock()


class Download(Protocol):
    @property
    def file_name(self) -> str: ...

    @property
    def media_type(self) -> str: ...

    def iter_bytes(self) -> Iterator[bytes]: ...


_kept: OrderedDict[str, tuple[float, Download]] = OrderedDict()


def keep_download(download: Download) -> str:
    """Its address, relative to the page; good for some hours, as long as this process lives."""
    key = secrets.token_urlsafe(24)
    with _lock:
        _forget_old()
        _kept[key] = (time.monotonic(), download)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return f"{API_PREFIX[1:]}/downloads/{key}"


def find_download(key: str) -> Download:
    """Raises UnknownNameError."""
    with _lock:
        _forget_old()
        found = _kept.get(key)
    if found is None:
        raise UnknownNameError("this download is not kept any more; ask for it again on the page")
    return found[1]


def is_download_key(key: str) -> bool:
    with _lock:
        return key in _kept


def _forget_old() -> None:
    while _kept:
        key, (made_at, _) = next(iter(_kept.items()))
        if time.monotonic() - made_at < _SECONDS:
            return
        del _kept[key]
