"""Any file of a recorded picture leads back to it, by the best evidence that is left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.read import UnreadableImageError, read_image
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.reconcile.trace import Trace
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.tracer import Tracer
from tests.images.test_digest import painting

RUN = "20251225_143022_a"
TEXT = "a cat\nSteps: 20, Sampler: Euler, Seed: {seed}, Size: 256x256, Run ID: {run_id}"


class Place:
    """A library and what is recorded in it."""

    def __init__(self, folder: Path) -> None:
        self.layout = find_layout(folder / "runs")
        self.store = RunStore(self.layout)
        self.folder = folder
        self.index = Index(self.layout.index_file)

    def record(self, name: str, picture: Image.Image, run_id: str = RUN, seed: int = 1, **values: Any) -> Path:
        path = self.folder / f"{run_id}-{name}.png"
        infotext = TEXT.format(seed=seed, run_id=run_id)
        save(picture, path, infotext)
        self.store.create_run_folder(run_id)
        manifest = Manifest(**{
            "run_id": run_id, "name": name, "stage": "txt2img", "role": "final", "path": str(path), "actual_seed": seed,
            "infotext": infotext, "image": ImageFacts(**vars(read_image(str(path))[0])), **values,
        })
        self.store.write_manifest(manifest)
        self.index.pictures.add(manifest)
        return path

    def trace(self, path: Path) -> Trace:
        return Tracer(self.index, self.store, Library(self.layout)).trace(path)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    for number in range(1, 5):
        made.record(f"txt2img_{number:03d}", painting(number), seed=number)
    return made


def save(picture: Image.Image, path: Path, infotext: str | None) -> None:
    chunks = PngInfo()
    if infotext is not None:
        chunks.add_text("parameters", infotext)
    picture.save(path, pnginfo=chunks)


def answer(trace: Trace) -> tuple[str, str | None, list[tuple[str, str]]]:
    return trace.status, trace.by, [(match.candidate.run_id, match.candidate.name) for match in trace.matches]


def test_each_evidence_where_no_better_one_is_left(place: Place, tmp_path: Path) -> None:
    expected = [(RUN, "txt2img_002")]
    renamed = tmp_path / "renamed.png"
    shutil.copy(tmp_path / f"{RUN}-txt2img_002.png", renamed)
    assert answer(place.trace(renamed)) == ("found", "file", expected)
    save(painting(2), renamed, None)
    assert answer(place.trace(renamed)) == ("found", "pixels", expected)
    nudged = Image.eval(painting(2), lambda value: min(value + 1, 255))
    save(nudged, renamed, None)
    assert answer(place.trace(renamed)) == ("found", "near-pixels", expected)
    save(painting(77), renamed, TEXT.format(seed=2, run_id=RUN))
    assert answer(place.trace(renamed)) == ("found", "run-id", expected)
    small = tmp_path / "small.jpg"
    painting(2).resize((128, 128), Image.LANCZOS).save(small, quality=70)
    assert answer(place.trace(small)) == ("found", "perceptual", expected)
    painting(2).resize((200, 131)).save(small, quality=70)
    assert place.trace(small).status == "not-found", "of other proportions"
    save(painting(77), renamed, None)
    assert answer(place.trace(renamed)) == ("not-found", None, [])


def test_the_infotext_alone_is_the_last_evidence(place: Place, tmp_path: Path) -> None:
    text = "an older host's text\nSteps: 20, Sampler: Euler, Seed: 9"
    place.record("txt2img_009", painting(9), infotext=text)
    save(painting(77), tmp_path / "other.png", text)
    assert answer(place.trace(tmp_path / "other.png")) == ("found", "infotext", [(RUN, "txt2img_009")])


def test_near_identical_siblings_are_ambiguous_with_both(place: Place, tmp_path: Path) -> None:
    other = painting(3).copy()
    ImageDraw.Draw(other).ellipse((40, 40, 46, 46), fill=(255, 0, 0))
    place.record("txt2img_005", other, seed=5)
    small = tmp_path / "small.jpg"
    for picture in (painting(3), other):
        picture.resize((128, 128), Image.LANCZOS).save(small, quality=70)
        status, by, names = answer(place.trace(small))
        assert (status, by, sorted(names)) == ("ambiguous", "perceptual", [(RUN, "txt2img_003"), (RUN, "txt2img_005")])


def test_the_same_picture_made_twice_is_told_apart_by_its_path_and_its_text(place: Place, tmp_path: Path) -> None:
    again = place.record("txt2img_001", painting(1), run_id="20251226_143022_b")
    stripped = tmp_path / "stripped.png"
    save(painting(1), stripped, None)
    assert place.trace(stripped).status == "ambiguous"
    assert answer(place.trace(again)) == ("found", "file", [("20251226_143022_b", "txt2img_001")])
    save(painting(1), stripped, TEXT.format(seed=1, run_id="20251226_143022_b") + ", Edited: yes")
    assert answer(place.trace(stripped)) == ("found", "pixels", [("20251226_143022_b", "txt2img_001")])


def test_an_upscaled_image_and_its_source_are_one_match(place: Place, tmp_path: Path) -> None:
    large = painting(4).resize((512, 512), Image.LANCZOS)
    place.record("upscale_001", large, stage="upscale", stage_history=[{"run_id": RUN, "name": "txt2img_004", "stage": "txt2img"}])
    small = tmp_path / "small.jpg"
    for edge, names in ((250, ["txt2img_004", "upscale_001"]), (500, ["upscale_001", "txt2img_004"])):
        large.resize((edge, edge), Image.LANCZOS).save(small, quality=70)
        trace = place.trace(small)
        assert [(m.candidate.name, [each.name for each in m.also]) for m in trace.matches] == [(names[0], names[1:])]


def test_a_flat_drawing_that_jpeg_shifts_is_compared_with_its_file(place: Place, tmp_path: Path) -> None:
    flat = Image.new("RGB", (256, 256), (255, 0, 90))
    ImageDraw.Draw(flat).rectangle((60, 60, 200, 150), fill=(0, 255, 3))
    path = place.record("txt2img_006", flat)
    other = flat.copy()
    ImageDraw.Draw(other).ellipse((90, 160, 150, 220), fill=(255, 120, 90))
    shifted = Image.eval(flat, lambda value: max(0, min(255, value + (2 if value < 128 else -2))))
    copies = {"same": shifted, "other": Image.eval(other, lambda value: max(0, min(255, value + (2 if value < 128 else -2))))}
    for name, picture in copies.items():
        picture.resize((128, 128), Image.BOX).save(tmp_path / f"{name}.png")
    assert answer(place.trace(tmp_path / "same.png")) == ("found", "perceptual", [(RUN, "txt2img_006")])
    assert place.trace(tmp_path / "other.png").status == "not-found"
    path.unlink()
    assert place.trace(tmp_path / "same.png").status == "not-found", "nothing to compare with"


def test_an_input_picture_that_the_host_saved_is_named_only_where_nothing_else_shows_it(place: Place, tmp_path: Path) -> None:
    place.record("img2img_001", painting(1), role="init", seed=98)
    alone = place.record("img2img_002", painting(50), role="init", seed=99)
    save(painting(1), tmp_path / "stripped.png", None)
    assert answer(place.trace(tmp_path / "stripped.png")) == ("found", "pixels", [(RUN, "txt2img_001")])
    assert answer(place.trace(alone)) == ("found", "file", [(RUN, "img2img_002")])
    painting(50).resize((128, 128)).save(tmp_path / "small.jpg")
    assert place.trace(tmp_path / "small.jpg").status == "not-found"


def test_a_record_that_is_gone_still_names_the_image(place: Place, tmp_path: Path) -> None:
    for path in place.layout.manifests(RUN).iterdir():
        path.unlink()
    assert answer(place.trace(tmp_path / f"{RUN}-txt2img_001.png")) == ("found", "file", [(RUN, "txt2img_001")])


def test_what_is_no_image_is_said(place: Place, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(UnreadableImageError, match="x.png"):
        place.trace(tmp_path / "x.png")
    with pytest.raises(OSError):
        place.trace(tmp_path / "missing.png")


def test_where_the_library_cannot_be_written_the_index_lies_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder can be made in here")
    places = [tmp_path / "file" / "index.sqlite3", tmp_path / "cache" / "index.sqlite3"]
    with open_index(places) as index:
        assert index.search.find("").total == 0
    assert os.path.exists(places[1])
    with pytest.raises(SdPipeError, match="SDPIPE_CACHE"):
        with open_index(places[:1]):
            pass
