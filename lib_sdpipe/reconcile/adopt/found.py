"""One image file that no manifest names, and what grouping goes by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from lib_sdpipe.manifest.file_names import HostName, parse_host_name
from lib_sdpipe.manifest.foreign import Foreign
from lib_sdpipe.manifest.infotext import Infotext, parse_infotext

# File systems round times, and a copied folder keeps their order only so far.
CLOCK_SECONDS = 2.0
_STRENGTH = "Variation seed strength"


@dataclass(frozen=True, eq=False)
class FoundImage:
    """One file, equal to itself only. `folder` is in `root`, `mtime` in seconds since 1970. `infotext` verbatim, None without a
    host's; `extras`: what the Extras tab wrote, its infotext is then the source's. `run_id`: the Run ID in its own text.
    Digests are None where nobody read it.
    """

    root: str
    folder: str
    name: str
    bytes: int
    mtime: float
    format: str | None = None
    width: int | None = None
    height: int | None = None
    infotext: str | None = None
    extras: str | None = None
    foreign: Foreign | None = None
    run_id: str | None = None
    sha256: str | None = None
    pixel_sha256: str | None = None
    perceptual_hash: str | None = None
    beside: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @cached_property
    def host_name(self) -> HostName:
        return parse_host_name(self.name)

    @property
    def kind(self) -> str:
        """`image`, `grid`, `companion`, `input`, `extras`, `foreign`, or `unknown` without any text of a generator."""
        name = self.host_name
        if self.extras is not None:
            return "extras"
        if self.foreign is not None:
            return "foreign"
        if name.is_input:
            return "input"
        if self.infotext is None:
            return "unknown"
        return "grid" if name.grid is not None else "companion" if name.role is not None else "image"

    @property
    def order(self) -> tuple[float, str, str, int, str]:
        """In the order of saving, as far as it is known."""
        number = self.host_name.number
        return self.mtime, self.root, self.folder, number if number is not None else -1, self.name

    @property
    def parsed(self) -> Infotext:
        """Parsed anew each time: it takes more memory than the text."""
        return parse_infotext(self.infotext or "")

    @cached_property
    def settings(self) -> Settings:
        return build_settings(self.parsed)


@dataclass(frozen=True)
class Settings:
    """`key`: equal for the images of one batch. `count`: the seed, which goes up by one in a batch, or the variation seed where
    that does. `request`: prompts, seed and model, equal for an image and what was made from it.
    """

    key: bytes
    count: int | None
    seed: int | None
    request: bytes


def build_settings(infotext: Infotext) -> Settings:
    counted = "Variation seed" if _STRENGTH in infotext.parameters else "Seed"
    same = [(key, value) for key, value in infotext.parameters.items() if key != counted]
    prompts = (infotext.prompt, infotext.negative_prompt)
    said = infotext.parameters
    request = (*prompts, said.get("Seed"), said.get("Model hash") or said.get("Model"))
    return Settings(_digest((prompts, same)), infotext.integer(counted), infotext.seed, _digest(request))


def _digest(value: object) -> bytes:
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=16).digest()
