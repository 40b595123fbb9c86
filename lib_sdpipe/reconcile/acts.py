"""What a repair does to files: one file an act, with all that the way back needs. Pure; the journal keeps them as JSON."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any, Iterator, Union

from lib_sdpipe.errors import RecordError

ACT_KINDS = ("write", "patch", "move", "copy")
# Far more than any record or metadata edit has; a journal's bytes are unpacked no further.
LARGEST_KEPT_BYTES = 256 * 1024 * 1024
_LARGEST_NUMBER = 1 << 63


@dataclass(frozen=True)
class Place:
    """A file as records name it: POSIX path in a root, or absolute where `root` is None."""

    root: str | None
    path: str

    def __str__(self) -> str:
        return f"{self.root}: {self.path}" if self.root is not None else self.path


@dataclass(frozen=True)
class Content:
    """A plain file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Other:
    """Something that is no plain file or cannot be read; `what` says it in words, such as "a folder"."""

    what: str


# None: nothing is there.
State = Union[Content, Other, None]


@dataclass(frozen=True)
class Stamp:
    """What a file has besides its bytes, as far as undo restores it. `mode` is permissions only."""

    mode: int
    mtime_ns: int


@dataclass(frozen=True)
class ByteRange:
    """`length` bytes at `offset` of the new file stand where the old one had `old`."""

    offset: int
    length: int
    old: bytes


@dataclass(frozen=True)
class Act:
    """`write`: a record of ours; `patch`: an image's metadata; `move`: to `to`, nothing changed; `copy`: from `source`, where nothing was.

    `stamp` is that of the file before. A write keeps all its old bytes (`old`, packed), a patch only the ranges that differ.
    """

    kind: str
    place: Place
    before: Content | None
    after: Content | None
    stamp: Stamp | None = None
    old: str | None = None
    ranges: tuple[ByteRange, ...] = ()
    to: Place | None = None
    source: Place | None = None

    def transitions(self) -> Iterator[tuple[Place, Content | None, Content | None]]:
        """(place, before, after) of every place the act changes."""
        yield self.place, self.before, self.after
        if self.to is not None:
            yield self.to, None, self.before

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind, "place": _place_to_json(self.place)}
        document["before"], document["after"] = _content_to_json(self.before), _content_to_json(self.after)
        if self.stamp is not None:
            document["stamp"] = {"mode": self.stamp.mode, "mtime_ns": self.stamp.mtime_ns}
        if self.old is not None:
            document["old"] = self.old
        if self.ranges:
            document["ranges"] = [[one.offset, one.length, pack_bytes(one.old)] for one in self.ranges]
        for name, place in (("to", self.to), ("source", self.source)):
            if place is not None:
                document[name] = _place_to_json(place)
        return document


def parse_act(document: Any) -> Act:
    """Raises RecordError for what `to_json` never writes."""
    try:
        act = _parse_act(document)
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        raise RecordError(f"an act that cannot be read ({type(fault).__name__}: {fault})") from fault
    is_whole = {
        "write": act.after is not None and (act.before is None) == (act.old is None),
        "patch": None not in (act.before, act.after) and bool(act.ranges),
        "move": act.before is not None and act.after is None and act.to is not None,
        "copy": act.before is None and act.after is not None and act.source is not None,
    }.get(act.kind, False)
    if not is_whole or (act.before is not None and act.stamp is None):
        raise RecordError(f"an act of kind {act.kind!r} that is not whole")
    return act


def _parse_act(document: Any) -> Act:
    old = document.get("old")
    return Act(
        document["kind"], parse_place(document["place"]), _parse_content(document["before"]), _parse_content(document["after"]),
        _parse_stamp(document.get("stamp")),
        _checked(old) if old is not None else None,
        tuple(ByteRange(_whole(offset), _whole(length), unpack_bytes(text)) for offset, length, text in document.get("ranges", [])),
        parse_place(document["to"]) if "to" in document else None,
        parse_place(document["source"]) if "source" in document else None,
    )


def parse_place(document: Any) -> Place:
    """Raises TypeError or ValueError."""
    root, path = document
    if not isinstance(path, str) or not (root is None or isinstance(root, str)):
        raise TypeError("a place is [root or null, path]")
    return Place(root, path)


def _place_to_json(place: Place) -> list[str | None]:
    return [place.root, place.path]


def _content_to_json(content: Content | None) -> dict[str, Any] | None:
    return {"bytes": content.bytes, "sha256": content.sha256} if content is not None else None


def _parse_content(document: Any) -> Content | None:
    if document is None:
        return None
    if not isinstance(document["sha256"], str):
        raise TypeError("a sha256 is text")
    return Content(_whole(document["bytes"]), document["sha256"])


def _whole(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{number!r} is no whole number")
    if not -_LARGEST_NUMBER <= number < _LARGEST_NUMBER:
        raise ValueError("a number that no disk can have")
    return number


def _parse_stamp(document: Any) -> Stamp | None:
    if document is None:
        return None
    stamp = Stamp(_whole(document["mode"]), _whole(document["mtime_ns"]))
    if not 0 <= stamp.mode <= 0o7777:
        raise ValueError("permissions that no file can have")
    return stamp


def _checked(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("packed bytes are text")
    return text


def pack_bytes(data: bytes) -> str:
    """Bytes as they stand in a journal."""
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def unpack_bytes(text: str) -> bytes:
    """Raises ValueError for what is damaged."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(base64.b64decode(text, validate=True), LARGEST_KEPT_BYTES)
    except zlib.error as fault:
        raise ValueError(f"packed bytes are damaged ({fault})") from fault
    if not unpacker.eof:
        raise ValueError("more bytes than any repair keeps, or fewer than it kept")
    return data
