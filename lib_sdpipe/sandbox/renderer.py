"""Pictures in place of a diffusion model: a landscape whose layout comes from the seed and whose colours and motif come
from the words. The same scene gives the same pixels; another size shows the same motif. Knows nothing of the host.
"""

from __future__ import annotations

import colorsys
import hashlib
import re
from dataclasses import dataclass

import numpy as np

_THEMES: dict[str, str] = {
    "night": "night moon midnight dark stars starry",
    "water": "sea water lake ocean river beach boat fish harbor coast",
    "trees": "forest tree trees wood woods jungle garden park",
    "city": "city town street building castle tower skyline village house",
    "peaks": "mountain mountains alps peak snow cliff rock canyon",
    "face": "face portrait woman man girl boy person cat dog robot knight wizard 1girl 1boy",
}
_LAYOUT_SIZE = 64


@dataclass(frozen=True)
class Scene:
    """All that a picture depends on, apart from its size."""

    prompt: str
    negative_prompt: str = ""
    seed: int = 0
    subseed: int = 0
    subseed_strength: float = 0.0
    detail: str = ""


def draw(scene: Scene, width: int, height: int) -> np.ndarray:
    """Return height x width x 3 floats from 0 to 1."""
    layout, palette = _layout(scene), _Palette(scene)
    x = np.linspace(0.0, 1.0, width, dtype=np.float32) * np.float32(width / height)
    y = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    image = _sky(x, y, layout, palette)
    horizon = 0.42 + 0.18 * layout[0]
    layers = 4
    for k in range(layers):
        ridge = _ridge(x, layout[8 + 10 * k: 18 + 10 * k], horizon + k * (1.0 - horizon) / layers, palette, k, layers)
        _paint(image, np.clip((y - ridge) * height * 0.7, 0.0, 1.0), palette.land(k / (layers - 1)))
    if "water" in palette.themes:
        _water(image, x, y, horizon + 0.22, layout, palette)
    if "face" in palette.themes:
        _head(image, x, y, focus(scene), palette, width / height)
    return np.clip(image + _grain(x, y, scene.detail), 0.0, 1.0).astype(np.float32)


def focus(scene: Scene) -> tuple[float, float, float, float]:
    """Where the subject is: centre and radii relative to width and height."""
    layout = _layout(scene)
    return 0.3 + 0.4 * layout[5], 0.35 + 0.25 * layout[6], 0.16 + 0.05 * layout[7], 0.2 + 0.06 * layout[7]


def unfinished(image: np.ndarray, seed: int, done: float) -> np.ndarray:
    """The picture as it looks when sampling stopped after `done` (0 to 1) of its steps."""
    if done >= 1.0:
        return image
    height, width = image.shape[:2]
    noise = _rng("noise", seed).random((height // 8 + 1, width // 8 + 1, 3), dtype=np.float32)
    noise = noise.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    return (image * np.float32(done) + noise * np.float32(1.0 - done)).astype(np.float32)


def blend(init: np.ndarray, drawn: np.ndarray, strength: float) -> np.ndarray:
    """img2img: the more denoising, the less of the input remains."""
    part = np.float32(min(max(strength, 0.0), 1.0) ** 0.8)
    return (init * (1 - part) + drawn * part).astype(np.float32)


def refine(init: np.ndarray, seed: int, strength: float) -> np.ndarray:
    """What a detailer does inside its mask: the same motif with more contrast and fine concentric lines."""
    height, width = init.shape[:2]
    y, x = np.mgrid[-1:1:height * 1j, -1:1:width * 1j].astype(np.float32)
    phase = _rng("refine", seed).random(dtype=np.float32) * 6.28
    rings = np.sin(np.hypot(x, y) * 42 + phase)[..., None] * 0.10
    sharper = (init - init.mean(axis=(0, 1))) * (1.0 + strength) + init.mean(axis=(0, 1)) + 0.12
    return np.clip(sharper + rings * (0.5 + strength), 0.0, 1.0).astype(np.float32)


def _rng(*parts: object) -> np.random.Generator:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def _layout(scene: Scene) -> np.ndarray:
    base = _rng("layout", scene.seed).random(_LAYOUT_SIZE)
    if scene.subseed_strength > 0:
        other = _rng("layout", scene.subseed).random(_LAYOUT_SIZE)
        base = base * (1 - scene.subseed_strength) + other * scene.subseed_strength
    return base


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"<[^>]*>|:\d+(\.\d+)?", " ", text.lower()))


class _Palette:
    def __init__(self, scene: Scene) -> None:
        words = _words(scene.prompt)
        self.themes = {name for name, known in _THEMES.items() if set(known.split()) & set(words)}
        values = _rng("palette", words, _words(scene.negative_prompt)).random(6)
        self._hue, self._spread = 0.5 + 0.55 * values[0], 0.06 + 0.16 * values[1]  # skies are not green
        self._saturation = 0.35 + 0.35 * values[2]
        self._dark = 0.45 if "night" in self.themes else 1.0

    def colour(self, hue: float, saturation: float, value: float) -> np.ndarray:
        rgb = colorsys.hsv_to_rgb((self._hue + hue) % 1.0, min(saturation, 1.0), min(value, 1.0))
        return np.array(rgb, dtype=np.float32)

    def sky(self) -> tuple[np.ndarray, np.ndarray]:
        top = self.colour(0.0, self._saturation + 0.15, 0.72 * self._dark)
        return top, self.colour(self._spread, self._saturation * 0.55, 0.98 * (0.4 + 0.6 * self._dark))

    def sun(self) -> np.ndarray:
        night = "night" in self.themes
        return np.array(colorsys.hsv_to_rgb(0.09 + 0.05 * self._spread, 0.06 if night else 0.3, 1.0), dtype=np.float32)

    def skin(self) -> np.ndarray:
        return np.array(colorsys.hsv_to_rgb(0.05 + 0.12 * self._spread, self._saturation * 0.7, 0.93), dtype=np.float32)

    def land(self, near: float) -> np.ndarray:
        return self.colour(0.55 + self._spread * near, self._saturation * (0.4 + 0.7 * near),
                           (0.78 - 0.5 * near) * (0.5 + 0.5 * self._dark))


def _paint(image: np.ndarray, alpha: np.ndarray, colour: np.ndarray) -> None:
    image += alpha[..., None].astype(np.float32) * (colour - image)


def _sky(x: np.ndarray, y: np.ndarray, layout: np.ndarray, palette: _Palette) -> np.ndarray:
    top, bottom = palette.sky()
    part = np.clip(y / 0.7, 0.0, 1.0)[..., None]
    image = np.repeat(top * (1 - part) + bottom * part, len(x), axis=1).astype(np.float32)
    distance = np.hypot(x - x[-1] * (0.15 + 0.7 * layout[1]), y - (0.12 + 0.25 * layout[2])).astype(np.float32)
    radius = 0.045 + 0.06 * layout[3]
    _paint(image, np.exp(-(distance / (radius * 3)) ** 2) * 0.45, palette.sun())
    _paint(image, np.clip((radius - distance) * len(y) * 0.7, 0.0, 1.0), palette.sun())
    bands = np.sin(x * 5 + layout[4] * 9 + np.sin(y * 23 + layout[3] * 7) * 1.3) * np.sin(y * 41 + x * 2)
    _paint(image, np.clip(bands - 0.55, 0.0, 1.0) * 0.5 * (y < 0.5), np.ones(3, dtype=np.float32))
    return image


def _ridge(x: np.ndarray, knobs: np.ndarray, base: float, palette: _Palette, k: int, layers: int) -> np.ndarray:
    phases = knobs[:4] * 6.283
    height = sum(np.sin(x * f * (0.8 + 0.4 * knobs[4]) + phases[i]) / f for i, f in enumerate((3.0, 7.0, 13.0, 29.0)))
    line = base - height * (0.10 + 0.06 * knobs[5])
    cells = x * (9 + 14 * knobs[6])
    index = np.floor(cells).astype(np.int64)
    tall = np.modf(np.abs(np.sin(index * 12.9898 + knobs[7] * 78.233)) * 437.585)[0]
    if "peaks" in palette.themes and k < 2:
        line = line - (1 - np.abs((cells * 0.35) % 1.0 * 2 - 1)) * 0.16
    if "city" in palette.themes and k == layers - 2:
        line = line - (0.05 + 0.2 * tall) * (tall > 0.25)
    if "trees" in palette.themes and k >= layers - 2:
        line = line - (1 - np.abs(cells % 1.0 * 2 - 1)) * (0.04 + 0.13 * tall)
    return line.astype(np.float32)


def _water(image: np.ndarray, x: np.ndarray, y: np.ndarray, level: float, layout: np.ndarray,
           palette: _Palette) -> None:
    inside = np.clip((y - level) * len(y) * 0.7, 0.0, 1.0)
    waves = np.sin(np.sqrt(np.maximum(y - level, 0) + 0.05) * 130 + np.sin(x * 6 + layout[4] * 6) * 2)
    top, bottom = palette.sky()
    _paint(image, np.broadcast_to(inside * 0.85, image.shape[:2]), top * 0.6 + bottom * 0.25)
    _paint(image, np.clip(waves - 0.8, 0.0, 1.0) * inside * 1.6, palette.sun())


def _head(image: np.ndarray, x: np.ndarray, y: np.ndarray, where: tuple[float, float, float, float],
          palette: _Palette, aspect: float) -> None:
    cx, cy, rx, ry = where
    u, v = (x / aspect - cx) / rx, (y - cy) / ry
    sharp = len(y) * 0.12
    _paint(image, np.clip((1.0 - np.hypot(u / 2.1, (v - 2.6) / 1.6)) * sharp, 0.0, 1.0), palette.land(0.7))
    _paint(image, np.clip((1.0 - np.hypot(u, v)) * sharp, 0.0, 1.0), palette.skin())
    for side in (-0.36, 0.36):
        _paint(image, np.clip((0.13 - np.hypot(u - side, v + 0.1)) * sharp, 0.0, 1.0), palette.land(1.0))
    mouth = np.clip((0.06 - np.abs(v - 0.5 + 0.25 * u * u)) * sharp, 0.0, 1.0) * (np.abs(u) < 0.36)
    _paint(image, mouth, palette.skin() * 0.6)


def _grain(x: np.ndarray, y: np.ndarray, detail: str) -> np.ndarray:
    a, b, c, d = _rng("grain", detail).random(4)
    wave = np.sin(x * (60 + 90 * a) + c * 6.283) * np.sin(y * (60 + 90 * b) + d * 6.283)
    return (wave * 0.012)[..., None].astype(np.float32)
