"""Trace: what somebody drops is found again however it was changed, with words for how sure that is."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

gr = pytest.importorskip("gradio")

from lib_sdpipe.index.children import Child  # noqa: E402
from lib_sdpipe.manifest.records import ImageFacts, ImageLink, Manifest  # noqa: E402
from lib_sdpipe.reconcile.differences import Difference, find_differences  # noqa: E402
from lib_sdpipe.reconcile.trace import Candidate, Match  # noqa: E402
from lib_sdpipe.ui.frame import Frame  # noqa: E402
from lib_sdpipe.ui.gradio_versions import find_uploaded  # noqa: E402
from lib_sdpipe.ui.trace import markup  # noqa: E402
from lib_sdpipe.ui.trace.events import TraceEvents, View  # noqa: E402
from lib_sdpipe.ui.trace.present import present_match, present_sureness  # noqa: E402
from tests.pace import assert_quick  # noqa: E402
from tests.reconcile.truth import Truth  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    made = Truth(tmp_path_factory.mktemp("library"))
    for number in range(2):
        made.record(f"20260101_12000{number}_cats", 3)
    made.record("20260101_120002_twins", 1)
    one, other = (made.store.read_manifest(run, "txt2img_001") for run in ("20260101_120000_cats", "20260101_120002_twins"))
    with Image.open(made.outputs / str(one.path)) as picture:  # two runs made the very same picture
        picture.load()
        text = (other.infotext or "").replace("a cat", "a twin")
        info = PngInfo()
        info.add_text("parameters", text)
        picture.save(made.outputs / str(other.path), pnginfo=info)
    other.image = ImageFacts(**{**(one.image or ImageFacts()).to_json(), "sha256": "0" * 64})
    made.store.write_manifest(other)
    made.check()
    return made


class Section:
    def __init__(self, truth: Truth) -> None:
        with gr.Blocks():
            self.frame = Frame(Host(truth.layout))
        self.events = TraceEvents(self.frame)

    def drop(self, file: Path) -> str:
        value = SimpleNamespace(name=str(file), orig_name=file.name) if gr.__version__.startswith("3.") else str(file)
        return self._wait(self.frame.answer(self.events.drop, TraceEvents.COUNT, {}, None, (value,)))

    def trace(self, **data: Any) -> str:
        return self._wait(self.frame.answer(self.events.trace_picked, TraceEvents.COUNT, data, None))

    def _wait(self, answer: tuple[Any, ...]) -> str:
        self.notice, _, page, view = answer
        until = time.monotonic() + 20
        while isinstance(page, str) and "data-sdpipe-tracing" in page:
            assert time.monotonic() < until
            time.sleep(0.02)
            _, _, page, view = self.frame.answer(self.events.look, TraceEvents.COUNT, {}, None, (view,))
        return page if isinstance(page, str) else ""


@pytest.fixture
def section(truth: Truth) -> Section:
    return Section(truth)


def take(truth: Truth, name: str = "txt2img_002") -> tuple[Manifest, Path]:
    manifest = truth.store.read_manifest("20260101_120001_cats", name)
    return manifest, truth.outputs / str(manifest.path)


def test_a_renamed_copy_is_certainly_it(truth: Truth, section: Section, tmp_path: Path) -> None:
    manifest, file = take(truth)
    (tmp_path / "holiday.png").write_bytes(file.read_bytes())
    page = section.drop(tmp_path / "holiday.png")
    assert "It is this image" in page and "byte for byte" in page
    assert manifest.run_id in page and f"thumbnails/{manifest.run_id}/txt2img_002" in page and "holiday.png" in page


def test_one_without_its_text_is_told_so(truth: Truth, section: Section, tmp_path: Path) -> None:
    _, file = take(truth)
    with Image.open(file) as picture:
        picture.save(tmp_path / "posted.png")
    page = section.drop(tmp_path / "posted.png")
    assert "It is this image" in page and "the same pixels" in page and "Removed" in page


def test_one_with_other_pixels_is_known_by_its_text(truth: Truth, section: Section, tmp_path: Path) -> None:
    manifest, _ = take(truth)
    truth.write_picture(tmp_path / "edited.png", manifest.infotext, 4711)
    page = section.drop(tmp_path / "edited.png")
    assert "It is probably this image" in page and "Run ID" in page and "Changed" in page


def test_twins_are_shown_side_by_side(truth: Truth, section: Section, tmp_path: Path) -> None:
    one = truth.store.read_manifest("20260101_120000_cats", "txt2img_001")
    with Image.open(truth.outputs / str(one.path)) as picture:
        picture.save(tmp_path / "which.png")
    page = section.drop(tmp_path / "which.png")
    assert "It is one of these" in page and "2 recorded images fit equally well" in page
    assert "20260101_120000_cats" in page and "20260101_120002_twins" in page and "Compare the first of these" in page


def test_what_is_not_known_is_not_found(section: Section, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), (1, 200, 3)).save(tmp_path / "stranger.png")
    assert "Not found" in section.drop(tmp_path / "stranger.png")


def test_a_recorded_image_is_traced_by_its_id_and_nothing_else_is_named(truth: Truth, section: Section, tmp_path: Path) -> None:
    manifest, file = take(truth)
    assert "It is this image" in section.trace(picked=[{"run": manifest.run_id, "name": manifest.name}])
    assert "It is this image" in section.trace(root="outputs", path=manifest.path)
    for data in ({}, {"picked": ["x"]}, {"root": "outputs", "path": "../runs/library.json"}, {"root": None, "path": str(file)},
                 {"run": "20200101_000000_gone", "name": "txt2img_001"}):
        assert section.trace(**data) == "" and section.notice


def write_png_head(file: Path, width: int, height: int) -> None:
    """A PNG that says it is this large, with hardly anything in it."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height", "said"), [
    (20_000, 15_000, "pixels than can be looked at"), (12_000, 9_000, "pixels are more than can be"), (100, 100, "not a readable"),
])
def test_a_bomb_is_answered_by_a_sentence_before_it_goes_off(section: Section, tmp_path: Path, width: int, height: int, said: str) -> None:
    write_png_head(tmp_path / "bomb.png", width, height)
    assert said in assert_quick(lambda: section.drop(tmp_path / "bomb.png"), seconds=2)


def test_what_is_no_picture_or_too_large_a_file_is_answered_by_a_sentence(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.png").write_bytes(b"<html>404</html>")
    assert "no picture of a kind" in section.drop(tmp_path / "page.png")
    monkeypatch.setattr("lib_sdpipe.workspace.traced.MOST_BYTES", 100)
    assert "no picture of a kind" in section.drop(tmp_path / "gone.png")
    (tmp_path / "page.png").write_bytes(bytes(200))
    assert "larger than" in section.drop(tmp_path / "page.png")


def test_only_what_was_dropped_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    assert find_uploaded(None) is None and find_uploaded(3) is None
    sent = SimpleNamespace(name=str(tmp_path / "uploads" / "x" / "a.png"), orig_name=str(tmp_path / "uploads" / "y" / "a.png"))
    assert find_uploaded(sent) == Path(sent.name)
    if gr.__version__.startswith("3."):
        assert find_uploaded(SimpleNamespace(name=sent.name, orig_name="/home/somebody/private.png")) is None


def test_each_evidence_says_how_sure_it_is() -> None:
    kinds = [present_sureness(by, 1).kind for by in ("file", "pixels", "near-pixels", "run-id", "perceptual", "infotext", None)]
    assert kinds == ["certain", "certain", "certain", "likely", "likely", "possible", "none"]
    assert present_sureness("pixels", 3).kind == "possible"
    assert "12 of 256 steps" in present_sureness("perceptual", 1, 12).evidence


def test_what_has_changed_is_judged_by_the_record() -> None:
    recorded = ImageFacts(width=8, height=8, format="PNG", bytes=10, sha256="a", pixel_sha256="p")
    manifest = Manifest(image=recorded.to_json(), infotext="a cat")

    def verdicts(now: dict[str, Any], text: str | None, by: str | None) -> dict[str, str]:
        facts = ImageFacts(**{**recorded.to_json(), **now})
        return {one.what: one.verdict for one in find_differences(manifest, facts, text, by)}

    assert set(verdicts({}, "a cat", "file").values()) == {"same"}
    stripped = {"bytes": "other", "size": "same", "format": "same", "pixels": "same", "text": "gone"}
    assert verdicts({"sha256": "b"}, None, "pixels") == stripped
    changed = verdicts({"sha256": "b", "width": 4, "pixel_sha256": "q", "format": "JPEG"}, "a dog", "perceptual")
    assert changed == {"bytes": "other", "size": "other", "format": "other", "pixels": "other", "text": "other"}
    assert verdicts({"sha256": "b", "pixel_sha256": "q"}, "a cat", "near-pixels")["pixels"] == "nearly"
    assert {one.verdict for one in find_differences(Manifest(), ImageFacts(), "new", None)} == {"unknown", "new"}


def test_nothing_that_a_file_says_becomes_html() -> None:
    candidate = Candidate(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, 1, HOSTILE)
    manifest = Manifest(prompt=HOSTILE, model=HOSTILE, stage=HOSTILE, role=HOSTILE, timestamp=HOSTILE, infotext=HOSTILE,
                        parent={"run_id": HOSTILE, "name": HOSTILE, "by": HOSTILE})
    children = [Child(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, HOSTILE)]
    differences = [Difference("format", "other", HOSTILE, HOSTILE), Difference("text", "other", HOSTILE, HOSTILE)]
    view = present_match(Match(candidate, [candidate]), manifest, None, True, children, differences)
    dropped = markup.DroppedView(HOSTILE, [HOSTILE], HOSTILE, HOSTILE)
    for matches in ([view], [view, view], []):
        html = markup.show_traced(dropped, present_sureness("file", len(matches)), matches, [HOSTILE] * len(matches), 3)
        assert "<img src=x" not in html
    assert "<img src=x" not in markup.show_fault(HOSTILE) + markup.show_working(HOSTILE)
    assert view.parents[0][0] == ImageLink(run_id=HOSTILE, name=HOSTILE)


def test_a_page_that_has_asked_nothing_is_left_alone(section: Section) -> None:
    answer = section.frame.answer(section.events.look, TraceEvents.COUNT, {}, None, (View(),))
    assert answer[-1] == View() and not isinstance(answer[2], str)
