"""Where two versions of a file differ: what undo keeps of a metadata edit instead of the whole file. Pure."""

from __future__ import annotations

from typing import Sequence

from lib_sdpipe.reconcile.acts import ByteRange

# A stretch this long that both versions have is taken for the same one.
_PROBE_BYTES = 256
_MOST_CUTS = 32
_PROBES = 8
_STEP_BYTES = 1 << 16


def find_ranges(old: bytes, new: bytes) -> tuple[ByteRange, ...]:
    """The ranges of `new` that differ from `old`, in order; with `restore_ranges` they lead back.

    An edit leaves long stretches as they are and may shift them. Correct for any two versions; short where those are few.
    """
    found: list[ByteRange] = []
    waiting = [(0, len(old), 0, len(new))]
    cuts = 0
    while waiting:
        old_start, old_end, new_start, new_end = _trim(old, new, *waiting.pop())
        if old_start == old_end and new_start == new_end:
            continue
        anchor = _find_anchor(old, new, old_start, old_end, new_start, new_end) if cuts < _MOST_CUTS else None
        if anchor is None:
            found.append(ByteRange(new_start, new_end - new_start, old[old_start:old_end]))
            continue
        cuts += 1
        in_old, in_new = anchor
        waiting += [(in_old, old_end, in_new, new_end), (old_start, in_old, new_start, in_new)]
    return tuple(sorted(found, key=lambda one: one.offset))


def restore_ranges(new: bytes, ranges: Sequence[ByteRange]) -> bytes:
    """The old version; raises ValueError for ranges that are not in order inside `new`."""
    parts, position = [], 0
    for one in ranges:
        if one.offset < position or one.length < 0 or one.offset + one.length > len(new):
            raise ValueError("ranges that do not fit the file")
        parts += [new[position:one.offset], one.old]
        position = one.offset + one.length
    return b"".join([*parts, new[position:]])


def _trim(old: bytes, new: bytes, old_start: int, old_end: int, new_start: int, new_end: int) -> tuple[int, int, int, int]:
    """Without what both have at the beginning and at the end."""
    same = _common(old, new, old_start, new_start, min(old_end - old_start, new_end - new_start), 1)
    old_start, new_start = old_start + same, new_start + same
    same = _common(old, new, old_end, new_end, min(old_end - old_start, new_end - new_start), -1)
    return old_start, old_end - same, new_start, new_end - same


def _common(old: bytes, new: bytes, in_old: int, in_new: int, limit: int, way: int) -> int:
    """How many bytes are the same from here on forwards (`way` 1) or backwards (-1)."""
    same, step = 0, _STEP_BYTES
    while step and same < limit:
        size = min(step, limit - same)
        a, b = (in_old + same, in_new + same) if way > 0 else (in_old - same - size, in_new - same - size)
        if old[a:a + size] == new[b:b + size]:
            same += size
        else:
            step = 0 if size == 1 else size // 2
    return same


def _find_anchor(old: bytes, new: bytes, old_start: int, old_end: int, new_start: int, new_end: int) -> tuple[int, int] | None:
    """A place in both from which a long stretch is the same."""
    room = old_end - old_start - _PROBE_BYTES
    if room < 0 or new_end - new_start < _PROBE_BYTES:
        return None
    for number in range(_PROBES):
        at = old_start + room * (2 * number + 1) // (2 * _PROBES)
        found = new.find(old[at:at + _PROBE_BYTES], new_start, new_end)
        if found >= 0:
            return at, found
    return None
