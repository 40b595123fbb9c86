"""The handlers of the Compare section, asked as the page asks them. No browser."""

from __future__ import annotations

import json
import re
import struct
from html import unescape
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from PIL import Image  # noqa: E402
from PIL.PngImagePlugin import PngInfo  # noqa: E402

from lib_sdpipe.index.index import open_index  # noqa: E402
from lib_sdpipe.ui.compare.events import CompareEvents  # noqa: E402
from lib_sdpipe.ui.frame import Frame  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402
from tests.images.pictures import chunk  # noqa: E402
from tests.ui.sample_library import SampleLibrary  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402

OUTPUTS = ("notice", "typed", "views", "difference", "texts")


class Section:
    """The handlers behind a frame."""

    def __init__(self, library: SampleLibrary, hides_folders: bool = False) -> None:
        self.host = Host(library.layout)
        with gr.Blocks():
            self.frame = Frame(self.host, hides_folders)
        self.events = CompareEvents(self.frame)

    def compare(self, user: str | None = None, **data: Any) -> dict[str, Any]:
        answer = self.frame.answer(self.events.compare, 4, data, user)
        return dict(zip(OUTPUTS, answer, strict=True))

    def type(self, text: str) -> dict[str, Any]:
        return dict(zip(OUTPUTS, self.frame.answer(self.events.compare_typed, 4, {}, None, [text]), strict=True))

    def pixels(self, **data: Any) -> str:
        for _ in range(50):
            notice, found = self.frame.answer(self.events.look_at_pixels, 1, data, None)
            again = re.search('data-sdpipe-pixels-again="([^"]*)"', str(found))
            if again is None:
                return notice + str(found)
            data = json.loads(unescape(again.group(1)))
        raise AssertionError("it never ends")


@pytest.fixture
def library(empty: SampleLibrary) -> SampleLibrary:
    return empty


@pytest.fixture
def pair(library: SampleLibrary) -> tuple[str, str]:
    """Two runs, one made from an image of the other."""
    first = library.add_run("first", 100, config={"steps": 20, "prompt": "a cat"}, models=[{"kind": "checkpoint", "name": "a"}])
    library.add_image(first, "txt2img_001", 7)
    library.add_image(first, "txt2img_002", 8)
    second = library.add_run("second", 50, config={"steps": 30, "prompt": "a dog"}, models=[{"kind": "checkpoint", "name": "b"}])
    library.add_image(second, "img2img_001", 7, prompt="a rocky coast", parent={"run_id": first, "name": "txt2img_001", "by": "pixels"})
    library.add_image(second, "txt2img_001", 7)
    return first, second


def _image(run_id: str, name: str) -> dict[str, str]:
    return {"run": run_id, "name": name}


def test_two_images_stand_beside_each_other(library: SampleLibrary, pair: tuple[str, str]) -> None:
    shown = Section(library).compare(images=[_image(pair[0], "txt2img_001"), _image(pair[1], "img2img_001")])
    assert shown["notice"] == ""
    assert re.findall('<img src="([^?]*)', shown["views"]) == [
        f"sdpipe/v1/pictures/{pair[0]}/txt2img_001", f"sdpipe/v1/pictures/{pair[1]}/img2img_001",
    ]
    assert "rocky" in shown["texts"] and "<del>" in shown["texts"]
    assert shown["difference"] == "" and len(shown["typed"]["value"].split()) == 2
    assert shown["typed"]["value"] == f"{pair[0]}/txt2img_001  {pair[1]}/img2img_001"


def test_one_image_is_offered_its_parent_and_its_run(library: SampleLibrary, pair: tuple[str, str]) -> None:
    views = Section(library).compare(images=[_image(pair[1], "img2img_001")])["views"]
    offers = [json.loads(unescape(data)) for data in re.findall('data-sdpipe-with="([^"]*)"', views)]
    own = _image(pair[1], "img2img_001")
    assert offers == [{"images": [own, _image(pair[0], "txt2img_001")]}, {"images": [own, _image(pair[1], "txt2img_001")]}]


def test_two_runs_are_compared_with_their_environments(library: SampleLibrary, pair: tuple[str, str]) -> None:
    section = Section(library)
    environments = [library.store.write_environment({"packages": {"torch": version}}) for version in ("2.1", "2.3")]
    for run_id, digest in zip(pair, environments):
        library.store.write_run(library.store.read_run(run_id).copy(update={"environment": digest}))
    shown = section.type(f"{pair[0]} {pair[1]}")
    texts = shown["texts"]
    assert shown["notice"] == "" and shown["views"] == ""
    for text in ("torch", "2.1", "2.3", "Steps", "+10", "txt2img, per image", "±0 %", "Not in A", "Not in B"):
        assert text in texts, text
    assert f"thumbnails/{pair[0]}/txt2img_001" in texts
    assert _image(pair[0], "txt2img_001") in json.loads(unescape(re.findall('data-sdpipe-with="([^"]*images[^"]*)"', texts)[0]))["images"]


def test_one_run_is_offered_the_newest_others(library: SampleLibrary, pair: tuple[str, str]) -> None:
    shown = Section(library).type(pair[0])
    assert unescape(shown["views"]).count('{"runs": ') == 1 and pair[1] in shown["views"]


def test_what_is_gone_is_told_and_hides_nothing_else(library: SampleLibrary, pair: tuple[str, str]) -> None:
    names = [(pair[0], "txt2img_009"), (pair[0], "txt2img_001"), (pair[1], "txt2img_001")]
    shown = Section(library).compare(images=[_image(*name) for name in names])
    assert "no manifest txt2img_009" in shown["notice"] and shown["views"].count("<figure") == 2


def test_nonsense_is_answered_with_a_sentence(library: SampleLibrary, pair: tuple[str, str]) -> None:
    section = Section(library)
    assert "neither a run nor an image" in section.type("no such thing")["notice"]
    assert "Nothing to compare yet" in section.compare(images="x", runs={})["views"]
    assert "Nothing to compare yet" in section.type("")["views"]
    assert section.pixels(images=[1]) == ""


def test_more_than_four_are_cut_and_it_is_said(library: SampleLibrary, pair: tuple[str, str]) -> None:
    for number in range(3, 7):
        library.add_image(pair[0], f"txt2img_00{number}", number)
    shown = Section(library).compare(picked=[_image(pair[0], f"txt2img_00{number}") for number in range(1, 7)])
    assert "At most 4 images" in shown["notice"] and shown["views"].count("<figure") == 4


def test_the_pixels_are_compared(library: SampleLibrary, pair: tuple[str, str]) -> None:
    section, same = Section(library), [_image(pair[0], "txt2img_001"), _image(pair[1], "txt2img_001")]
    assert "none: the two show the same" in section.pixels(images=same)
    page = section.pixels(images=[_image(pair[0], "txt2img_001"), _image(pair[0], "txt2img_002")], number=3)
    assert "of 262,144)" in page and "data:image/png;base64," in page and "Where A and D differ" in page


def test_pictures_of_one_shape_are_enlarged_and_others_refused(library: SampleLibrary, pair: tuple[str, str]) -> None:
    library.add_image(pair[0], "txt2img_003", 7, size=(256, 256))
    library.add_image(pair[0], "txt2img_004", 7, size=(256, 512))
    section, first = Section(library), _image(pair[0], "txt2img_001")
    assert "B was enlarged from 256×256 to 512×512" in section.pixels(images=[first, _image(pair[0], "txt2img_003")])
    assert "The two have different shapes" in section.pixels(images=[first, _image(pair[0], "txt2img_004")])


def test_a_missing_or_broken_file_is_said_by_its_letter(library: SampleLibrary, pair: tuple[str, str]) -> None:
    library.add_image(pair[0], "txt2img_003", 9, file=False)
    broken = library.add_image(pair[0], "txt2img_004", 10)
    file = library.outputs / str(broken.path)
    file.write_bytes(file.read_bytes()[:-300])
    section, first = Section(library), _image(pair[0], "txt2img_001")
    assert "no picture of B to compare" in section.pixels(images=[first, _image(pair[0], "txt2img_003")])
    said = section.pixels(images=[first, _image(pair[0], "txt2img_004")], number=2)
    assert "C cannot be read as an image" in said and str(library.outputs) not in said
    assert "not where it was recorded" in section.compare(images=[first, _image(pair[0], "txt2img_003")])["views"]


def test_an_image_without_a_run_is_compared_by_its_own_text(library: SampleLibrary, pair: tuple[str, str]) -> None:
    info = PngInfo()
    info.add_text("parameters", "a lighthouse\nNegative prompt: fog\nSteps: 33, Sampler: Heun, CFG scale: 7, Seed: 5, Size: 512x512")
    Image.new("RGB", (512, 512), "red").save(library.outputs / "old.png", pnginfo=info)
    images = [_image(pair[0], "txt2img_001"), {"root": "outputs", "path": "old.png"}]
    shown = Section(library).compare(images=images)
    assert "The index does not know this file yet" in shown["views"] and "without a run" in shown["views"]
    with open_index(library.layout.index_places) as index:
        Workspace(library.layout).look(index)
        index.search.complete()
    shown = Section(library).compare(images=images)
    assert shown["views"].count("<img ") == 2 and "Heun" in shown["texts"] and "+9" in shown["texts"]
    assert "Largest difference" in Section(library).pixels(images=images)


@pytest.mark.parametrize("path", [
    "../secret.png", "/etc/passwd", "..\\secret.png", "%2e%2e/secret.png", "secret.txt", "link.png", "a\0.png",
])
def test_no_file_outside_the_roots_is_compared(library: SampleLibrary, pair: tuple[str, str], path: str) -> None:
    outside = library.outputs.parent / "secret.png"
    Image.new("RGB", (512, 512)).save(outside)
    (library.outputs / "secret.txt").write_text("secret")
    (library.outputs / "link.png").symlink_to(outside)
    shown = Section(library).compare(images=[_image(pair[0], "txt2img_001"), {"root": "outputs", "path": path}])
    assert shown["views"].count("<figure") == 0 and shown["notice"]
    assert "Largest difference" not in Section(library).pixels(images=[_image(pair[0], "txt2img_001"), {"root": "outputs", "path": path}])


def test_a_record_that_names_another_file_of_the_disk_shows_nothing_of_it(library: SampleLibrary, pair: tuple[str, str]) -> None:
    outside = library.outputs.parent / "secret.png"
    Image.new("RGB", (512, 512)).save(outside)
    library.add_image(pair[0], "txt2img_003", 9, path=str(outside), root=None)
    library.add_image(pair[0], "txt2img_004", 9, path="../secret.png")
    for name in ("txt2img_003", "txt2img_004"):
        assert "no picture of B" in Section(library).pixels(images=[_image(pair[0], "txt2img_001"), _image(pair[0], name)])


def test_a_giant_is_shown_by_its_thumbnail_and_not_decoded(library: SampleLibrary, pair: tuple[str, str]) -> None:
    giant = library.add_image(pair[0], "txt2img_003", 9)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 15_000, 8, 2, 0, 0, 0))
    (library.outputs / str(giant.path)).write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    section, images = Section(library), [_image(pair[0], "txt2img_001"), _image(pair[0], "txt2img_003")]
    shown = section.compare(images=images)
    assert f"pictures/{pair[0]}/txt2img_003" not in shown["views"] and f"thumbnails/{pair[0]}/txt2img_003" in shown["views"]
    assert "Too large for a page" in shown["views"]
    assert "pixels" in section.pixels(images=images)


def test_who_sees_own_runs_compares_no_others(library: SampleLibrary, pair: tuple[str, str]) -> None:
    library.store.write_run(library.store.read_run(pair[1]).copy(update={"user": "anna"}))
    section = Section(library)
    section.host.own_only = True
    images = [_image(pair[0], "txt2img_001"), _image(pair[1], "txt2img_001")]
    assert section.compare("anna", images=images)["views"].count("<figure") == 2
    assert section.compare("bert", images=images)["views"].count("<figure") == 0
    assert section.compare("bert", runs=list(pair))["texts"] == "" and section.compare("anna", runs=list(pair))["texts"] != ""
