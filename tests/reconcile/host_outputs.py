"""What a host saves, press by press, with the truth about which files belong together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import os

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.reconcile.adopt.found import FoundImage

SIZE = (64, 48)


def infotext(seed: int, prompt: str = "a cat", more: str = "", size: tuple[int, int] = SIZE) -> str:
    return (
        f"{prompt}\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: {size[0]}x{size[1]},"
        f" Model hash: 2179a1da82, Model: tiny{more}, Version: v1.10.1"
    )


@dataclass
class Host:
    """Its clock is in seconds; `truth` has the paths of each press."""

    now: float = 1_700_000_000.0
    files: list[FoundImage] = field(default_factory=list)
    truth: list[frozenset[str]] = field(default_factory=list)
    day: str = "2023-11-14"

    def __post_init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def generate(
        self, seed: int, count: int = 1, prompt: str = "a cat", seconds: float = 4.0, grid: bool = True, hires: int = 0,
        ending: str | None = None, more: str = "", tab: str = "txt2img", subseed: int | None = None,
    ) -> list[str]:
        """One press. `hires`: images at once, each with its picture from before; `ending`: of a companion saved with each image."""
        made: list[str] = []
        texts = [self._text(seed, place, prompt, more, subseed) for place in range(count)]
        if hires:
            for begin in range(0, count, hires):
                batch = range(begin, min(begin + hires, count))
                made += [self._save(f"{tab}-images", f"{seed + i}-before-highres-fix", texts[i], SIZE) for i in batch]
                self.now += seconds
                made += [self._save(f"{tab}-images", str(seed + i), texts[i], (128, 96)) for i in batch]
        for place in range(0 if hires else count):
            self.now += seconds
            name = str(seed if subseed is not None else seed + place)
            if ending in ("-ad-before", "-before-face-restoration", "-before-color-correction"):
                made.append(self._save(f"{tab}-images", name + ending, texts[0 if ending == "-ad-before" else place], SIZE))
            made.append(self._save(f"{tab}-images", name, texts[place], SIZE))
            if ending in ("-mask", "-mask-composite"):
                made.append(self._save(f"{tab}-images", name + ending, texts[place], SIZE))
        if grid and count > 1:
            self.now += 0.5
            made.append(self._save(f"{tab}-grids", "grid", texts[0], self._grid_size(count, (128, 96) if hires else SIZE)))
        self.truth.append(frozenset(made))
        return made

    def extras(self, source: str, size: tuple[int, int] = (256, 192)) -> str:
        """The Extras tab's picture, with the text of what it was made from."""
        self.now += 2
        text = next(one.infotext for one in self.files if one.path == source)
        folder = "extras-images"
        name = f"{self._number(folder, ''):05d}.png"
        self._add(folder, name, text, size, extras="Postprocess upscale by: 4, Postprocess upscaler: Lanczos")
        self.truth.append(frozenset({f"{folder}/{name}"}))
        return f"{folder}/{name}"

    def alone(self, folder: str, name: str, text: str | None, **more: object) -> str:
        """A file that belongs to nothing else."""
        self.now += 1
        self._add(folder, name, text, SIZE, **more)
        self.truth.append(frozenset({f"{folder}/{name}"}))
        return f"{folder}/{name}"

    def wait(self, seconds: float) -> Host:
        self.now += seconds
        return self

    def write(self, root: Path) -> None:
        """The files on the disk."""
        for one in self.files:
            path = root / one.path
            path.parent.mkdir(parents=True, exist_ok=True)
            info = PngInfo()
            if one.infotext is not None:
                info.add_text("parameters", one.infotext)
            if one.extras is not None:
                info.add_text("postprocessing", one.extras)
            Image.new("RGB", (one.width or 1, one.height or 1), (len(one.name), 1, 2)).save(path, pnginfo=info)
            os.utime(path, (one.mtime, one.mtime))

    def _text(self, seed: int, place: int, prompt: str, more: str, subseed: int | None) -> str:
        if subseed is None:
            return infotext(seed + place, prompt, more)
        return infotext(seed, prompt, f", Variation seed: {subseed + place}, Variation seed strength: 0.3{more}")

    def _save(self, folder: str, decoration: str, text: str, size: tuple[int, int]) -> str:
        folder = f"{folder}/{self.day}"
        if decoration == "grid":
            name = f"grid-{self._number(folder, 'grid'):04d}.png"
        else:
            name = f"{self._number(folder, ''):05d}-{decoration}.png"
        self._add(folder, name, text, size)
        self.now += 0.01
        return f"{folder}/{name}"

    def _add(self, folder: str, name: str, text: str | None, size: tuple[int, int], **more: object) -> None:
        self.files.append(FoundImage(  # type: ignore[arg-type]
            "outputs", folder, name, 1000 + len(self.files), self.now, "PNG", *size, infotext=text, **more,
        ))

    def _number(self, folder: str, kind: str) -> int:
        number = self._numbers.get(folder + kind, -1) + 1
        self._numbers[folder + kind] = number
        return number

    @staticmethod
    def _grid_size(count: int, size: tuple[int, int]) -> tuple[int, int]:
        rows = round(math.sqrt(count))
        return math.ceil(count / rows) * size[0], rows * size[1]
