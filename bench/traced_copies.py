"""Of recorded pictures, each halved, saved as JPEG of quality 70 and stripped: how many are traced to where they come from.

A third are photographs-like gradients with noise and shapes, a third drawings on flat backgrounds, a third soft paintings.
Beside them, near-identical siblings: pictures of one batch that differ in a detail, of which a copy must come back ambiguous.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from lib_sdpipe.images.read import read_image
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Batch, ImageFacts, Manifest
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.tracer import Tracer

_KINDS = ("photographs", "drawings", "paintings")
_SIZES = ((512, 512), (512, 768), (768, 512), (640, 448))


def trace_copies(folder: Path, number: int, seed: int) -> dict[str, Any]:
    """Counts of copies found, given to a wrong image, ambiguous, not found; and of siblings that came back ambiguous with both."""
    rng = random.Random(seed)
    layout = find_layout(folder / "runs", folder / "cache")
    store, index, library = RunStore(layout), Index(layout.index_file), Library(layout)
    counts = {kind: dict.fromkeys(("found", "wrong", "ambiguous", "not-found"), 0) for kind in _KINDS}
    siblings = {"pairs": 0, "ambiguous with both": 0, "found": 0, "wrong": 0}
    pictures = {}
    for place in range(number):
        picture = draw(rng, place)
        run_id = f"20250101_{place // 3600:02d}{place // 60 % 60:02d}{place % 60:02d}_a"
        _record(store, index, folder, run_id, 1, picture)
        if place % 20 == 0:
            _record(store, index, folder, run_id, 2, sibling_of(picture, rng))
        pictures[run_id] = picture
    tracer = Tracer(index, store, library)
    for place, (run_id, picture) in enumerate(pictures.items()):
        copy = folder / "copy.jpg"
        picture.resize((picture.width // 2, picture.height // 2), Image.LANCZOS).save(copy, "JPEG", quality=70)
        trace = tracer.trace(copy)
        names = [(match.candidate.run_id, match.candidate.name) for match in trace.matches]
        is_right = (run_id, "txt2img_001") in names
        if place % 20 == 0:
            siblings["pairs"] += 1
            both = {(run_id, "txt2img_001"), (run_id, "txt2img_002")}
            siblings["ambiguous with both" if set(names) == both else "found" if is_right else "wrong"] += 1
        else:
            counts[_KINDS[place % 3]][trace.status if not names or is_right else "wrong"] += 1
    index.close()
    total = {word: sum(count[word] for count in counts.values()) for word in counts[_KINDS[0]]}
    return {"pictures": sum(total.values()), **total, "by kind": counts, "siblings": siblings}


def draw(rng: random.Random, place: int) -> Image.Image:
    width, height = rng.choice(_SIZES)
    return (_photograph, _drawing, _painting)[place % 3](np.random.default_rng(rng.getrandbits(32)), rng, width, height)


def sibling_of(picture: Image.Image, rng: random.Random) -> Image.Image:
    """The same but for a small mark, as two pictures of a batch with a weak variation seed."""
    other = picture.copy()
    x, y = rng.randrange(other.width - 12), rng.randrange(other.height - 12)
    ImageDraw.Draw(other).ellipse((x, y, x + 8, y + 8), fill=_colour(rng))
    return other


def _record(store: RunStore, index: Index, folder: Path, run_id: str, number: int, picture: Image.Image) -> None:
    path = folder / f"{run_id}-{number}.png"
    picture.save(path)
    facts, _ = read_image(str(path))
    if number == 1:
        store.create_run_folder(run_id)
    manifest = Manifest(
        run_id=run_id, name=f"txt2img_{number:03d}", stage="txt2img", role="final", path=str(path), actual_seed=number,
        batch=Batch(index=number - 1, size=2, iteration=0, count=1), image=ImageFacts(**vars(facts)),
    )
    store.write_manifest(manifest)
    index.pictures.add(manifest)


def _photograph(noise: np.random.Generator, rng: random.Random, width: int, height: int) -> Image.Image:
    """A sky and a ground, things in them, grain over all."""
    top, bottom = np.array(_colour(rng)), np.array(_colour(rng))
    share = np.linspace(0, 1, height)[:, None, None] + noise.normal(0, 0.05, (1, width, 1)).cumsum(axis=1) / 8
    picture = Image.fromarray((top * (1 - share) + bottom * share).clip(0, 255).astype(np.uint8))
    _add_shapes(picture, rng, rng.randint(3, 12))
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4)))
    grain = noise.normal(0, rng.uniform(2, 12), (height, width, 1))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))


def _drawing(noise: np.random.Generator, rng: random.Random, width: int, height: int) -> Image.Image:
    """Flat background, often white or black, and a few flat shapes in the middle."""
    background = rng.choice(((255, 255, 255), (0, 0, 0), _colour(rng)))
    picture = Image.new("RGB", (width, height), background)
    _add_shapes(picture, rng, rng.randint(2, 6), margin=0.2)
    return picture


def _painting(noise: np.random.Generator, rng: random.Random, width: int, height: int) -> Image.Image:
    edge = rng.randint(4, 9)
    return Image.fromarray(noise.integers(0, 256, (edge, edge, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)


def _add_shapes(picture: Image.Image, rng: random.Random, number: int, margin: float = 0.0) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(number):
        xs = sorted(rng.uniform(margin, 1 - margin) * picture.width for _ in range(2))
        ys = sorted(rng.uniform(margin, 1 - margin) * picture.height for _ in range(2))
        getattr(draw, rng.choice(("ellipse", "rectangle")))((xs[0], ys[0], xs[1] + 1, ys[1] + 1), fill=_colour(rng))


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)
