"""Runs whose lines could not be worked off when they came: kept in order, with their pictures, and done when it is possible."""

from __future__ import annotations

from typing import Callable

from PIL import Image

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.record.extras import Extras

# What is owed may wait for days: pictures beyond this are let go, records never.
_MOST_PICTURE_BYTES = 256 * 1024 * 1024
# Told from files later, or done without.
_NOT_KEPT = ("before", "written")

Line = tuple[Json, Extras]


class OwedRuns:
    """Hands lines on to `do`. `is_of_folder` tells a fault of the runs folder, which passes, from one of this line alone."""

    def __init__(self, do: Callable[[Json, Extras], None], is_of_folder: Callable[[BaseException], bool]) -> None:
        self._do = do
        self._is_of_folder = is_of_folder
        self._held: dict[str, list[Line]] = {}
        self._failed_ends: list[Json] = []
        self._picture_bytes = 0

    def run_ids(self) -> set[str]:
        return {*self._held, *(line["run_id"] for line in self._failed_ends)}

    def handle(self, line: Json, extras: Extras) -> None:
        """Do it, or keep it behind what the run is waiting for. Raises what `do` raises."""
        run_id = line.get("run_id", "")
        if run_id in self._held:
            self._hold(run_id, line, extras)
            return
        try:
            self._do(line, extras)
        except BaseException as fault:
            if run_id and self._is_of_folder(fault):
                self._hold(run_id, line, extras)
            elif line["kind"] == "end":
                self._failed_ends.append(line)
            raise

    def settle(self) -> None:
        """Do what is owed, as far as it can be done; raises the first fault that stands in the way of any."""
        first_fault: Exception | None = None
        held, self._held, self._picture_bytes = self._held, {}, 0
        ends, self._failed_ends = self._failed_ends, []
        for line, extras in [*(one for lines in held.values() for one in lines), *((end, Extras()) for end in ends)]:
            try:
                self.handle(line, extras)
            except Exception as fault:  # one line's trouble must not cost the others their turn; the first is raised at the end
                first_fault = first_fault or fault
        if first_fault is not None:
            raise first_fault

    def _hold(self, run_id: str, line: Json, extras: Extras) -> None:
        pictures: dict[str, Image.Image] = {}
        for key, picture in extras.pictures.items():
            size = picture.width * picture.height * 4
            if key not in _NOT_KEPT and self._picture_bytes + size <= _MOST_PICTURE_BYTES:
                self._picture_bytes += size
                pictures[key] = picture
        self._held.setdefault(run_id, []).append((line, Extras(pictures, extras.environment)))
