"""File names as the hosts make them: a number, what the user's pattern adds, and the ending of a companion."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Endings the hosts and ADetailer give to companions of an image. Longest first: `-mask-composite` ends in neither other.
_ROLE_SUFFIXES = (
    (re.compile(r"-before-highres-fix$"), "before-highres-fix"),
    (re.compile(r"-before-face-restoration$"), "before-face-restoration"),
    (re.compile(r"-before-color-correction$"), "before-color-correction"),
    (re.compile(r"-mask-composite$"), "mask-composite"),
    (re.compile(r"-mask$"), "mask"),
    (re.compile(r"-ad-before$"), "before-adetailer"),
    (re.compile(r"-ad-preview(-\w+)?$"), "preview"),
)
# `00012-1234567`, `grid-0003`, `xyz_grid-0000-1234567`.
_NUMBERED = re.compile(r"(?:(grid|xyz_grid|prompt_matrix)-(?=\d{4}))?(\d{4,9})(?:-(.*))?", re.DOTALL | re.ASCII)
# The picture that img2img began with is saved under the md5 of its pixels.
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class HostName:
    """`grid`: `grid`, `xyz_grid` or `prompt_matrix`, where it says that it is one. `number`: the host's, counted in each folder.

    `rest` is what is left without number and ending: an image and its companions have the same.
    """

    grid: str | None
    number: int | None
    rest: str
    role: str | None

    @property
    def is_input(self) -> bool:
        return _MD5.fullmatch(self.rest) is not None and self.number is None


def role_of_stem(stem: str) -> str | None:
    """The role that the ending of a name says; None for an image itself."""
    return _split_role(stem)[1]


def parse_host_name(name: str) -> HostName:
    """`name` of a file, with its suffix."""
    stem, role = _split_role(name.rpartition(".")[0] or name)
    match = _NUMBERED.fullmatch(stem)
    if match is None:
        return HostName(None, None, stem, role)
    return HostName(match.group(1), int(match.group(2)), match.group(3) or "", role)


def _split_role(stem: str) -> tuple[str, str | None]:
    for pattern, role in _ROLE_SUFFIXES:
        match = pattern.search(stem)
        if match is not None:
            return stem[:match.start()], role
    return stem, None
