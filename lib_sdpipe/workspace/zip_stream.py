"""A zip file piece by piece, as it is sent: nothing of it is written to the disk, and no image is in memory as a whole."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_STEP = 1 << 18
# What a zip can say: 1980 to 2107.
_FIRST_SECOND = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16
_PACKED = (".json", ".txt")


@dataclass(frozen=True)
class Entry:
    """One file of the zip: its name there, its bytes as they are asked for, when it was changed (seconds since 1970; None: no word).

    `most_bytes` is a bound where it is known.
    """

    name: str
    read: Callable[[], Iterable[bytes]]
    changed_at: float | None = None
    most_bytes: int | None = None


def iter_zip(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The bytes of the zip. Entries are asked for one after the other, each after the one before was read to its end."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, _date(entry.changed_at))
            info.external_attr = _PLAIN_FILE
            info.compress_type = zipfile.ZIP_DEFLATED if entry.name.endswith(_PACKED) else zipfile.ZIP_STORED
            is_large = entry.most_bytes is None or entry.most_bytes > 1 << 30
            with archive.open(info, "w", force_zip64=is_large) as out:
                for piece in entry.read():
                    out.write(piece)
                    if pipe.size >= _STEP:
                        yield pipe.take()
            yield pipe.take()
    yield pipe.take()


class _Pipe:
    """What zipfile writes into; it cannot go back, so zipfile writes sizes behind the data."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return data


def _date(seconds: float | None) -> tuple[int, int, int, int, int, int]:
    try:
        found = time.localtime(seconds)[:6] if seconds is not None else _FIRST_SECOND
    except (ValueError, OverflowError, OSError):
        return _FIRST_SECOND
    return found if 1980 <= found[0] <= 2107 else _FIRST_SECOND
