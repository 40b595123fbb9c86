"""The Bin section as the page asks it: nothing is done that was not shown, and what was done can be taken back from here."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from lib_sdpipe.errors import NotAllowedError, UnknownNameError, UsageError
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.background import Background
from lib_sdpipe.ui.bin.events import BinEvents, View, read_chosen
from lib_sdpipe.workspace import Workspace
from tests.ui.sample_library import MALICIOUS, SampleLibrary


class Frame:
    """As much of the frame as the section needs."""

    hides_folders = False

    def __init__(self) -> None:
        self.background = Background()

    def readable(self, sentence: str) -> str:
        return sentence


class Page:
    """One browser page on the section."""

    def __init__(self, library: SampleLibrary, events: BinEvents, user: str | None = None, viewer: str | None = None) -> None:
        self.workspace, self.events, self.user, self.view = Workspace(library.layout, viewer=viewer), events, user, View()
        self.html = ""

    def do(self, what: str, **data: Any) -> str:
        """Ask, and look until nothing runs any more."""
        self._ask({"do": what, **data})
        until = time.monotonic() + 20
        while self.work and "data-sdpipe-working" in self.work:
            assert time.monotonic() < until
            time.sleep(0.02)
            self._ask({"do": "look"})
        self._ask({"do": "look", "again": True})
        return self.html

    def button(self, label: str) -> dict[str, Any]:
        """What the button asks that begins like this."""
        import json

        found = re.search(rf'data-sdpipe-with="([^"]*)"[^>]*>{re.escape(label)}', self.html)
        assert found, f"no button {label!r} in {self.html}"
        data: dict[str, Any] = json.loads(unescape(found.group(1)))
        return data

    def press(self, label: str) -> str:
        data = self.button(label)
        return self.do(**{"what": data.pop("do"), **data})

    def _ask(self, data: dict[str, Any]) -> None:
        self.work, html, self.view = self.events.do(Ask(data, self.workspace, self.user), self.view)
        self.html = html if isinstance(html, str) else self.html


@pytest.fixture
def library(empty: SampleLibrary) -> SampleLibrary:
    return empty


@pytest.fixture
def events() -> BinEvents:
    return BinEvents(Frame())  # type: ignore[arg-type]


@pytest.fixture
def page(library: SampleLibrary, events: BinEvents) -> Page:
    return Page(library, events)


def files(library: SampleLibrary) -> list[str]:
    return sorted(path.name for path in library.outputs.glob("*.png"))


def image(run_id: str, number: int) -> dict[str, str]:
    return {"run": run_id, "name": f"txt2img_{number:03d}"}


def test_images_are_shown_then_moved_then_restored(page: Page, library: SampleLibrary, run_id: str) -> None:
    before = files(library)
    page.do("preview", picked=[image(run_id, 1), image(run_id, 2)])
    assert "Move 2 images (" in page.html and files(library) == before
    page.press("Move 2 images to the bin")
    assert "2 images moved to the bin." in page.html and len(files(library)) == 1
    assert page.html.count("data-sdpipe-binned=") == 2 and "bin-thumbnails/" in page.html
    page.press("Undo")
    assert "2 images restored." in page.html and files(library) == before


def test_what_is_cancelled_is_not_done_and_no_preview_is_done_twice(page: Page, library: SampleLibrary, run_id: str) -> None:
    page.do("preview", picked=[image(run_id, 1)])
    deed = page.button("Move 1 image to the bin")
    page.press("Cancel")
    assert "Move 1 image" not in page.html and len(files(library)) == 3
    with pytest.raises(UnknownNameError, match="look at it before it is done"):
        page.do("cull", preview=deed["preview"])
    page.do("preview", picked=[image(run_id, 1)])
    deed = page.button("Move 1 image to the bin")
    page.press("Move 1 image to the bin")
    with pytest.raises(UnknownNameError):
        page.do("cull", preview=deed["preview"])


def test_some_of_a_cull_come_back_together(page: Page, library: SampleLibrary, run_id: str) -> None:
    page.do("preview", runs=[run_id])
    assert "these runs are hidden in lists: harbour" in page.html
    page.press("Move 3 images to the bin")
    chosen = [{"cull": cull, "op": op} for cull, op in re.findall(r'"cull": "([^"]+)", "op": "([^"]+)"', unescape(page.html))]
    page.do("restore-chosen", chosen=chosen[:2])
    assert "2 images restored." in page.html and len(files(library)) == 2
    with pytest.raises(UsageError, match="tick images"):
        page.do("restore-chosen", chosen=[{"cull": 3}, "x", None])


def test_the_bin_is_emptied_only_after_its_count_and_size_were_shown(page: Page, library: SampleLibrary, run_id: str) -> None:
    page.do("preview", picked=[image(run_id, 1)])
    page.press("Move 1 image to the bin")
    page.do("purge-preview", days=30)
    assert "Nothing of that age is set aside." in page.html
    page.do("purge-preview", days=0)
    assert re.search(r"Delete 1 file \([^)]+ kB\) for good\?|Delete 1 file \(\d+ B\) for good\?", page.html)
    page.press("Delete 1 file for good")
    assert "1 file deleted for good" in page.html and "The bin is empty." in page.html
    for days in (-1, True, "0", None, 1e9):
        with pytest.raises(UsageError):
            page.do("purge-preview", days=days)


def test_what_stays_is_told_with_the_reason(page: Page, library: SampleLibrary, run_id: str) -> None:
    page.do("preview", picked=[image(run_id, 1), image(run_id, 9), {"root": "outputs", "path": "../x.png"}])
    assert "has no manifest txt2img_009" in page.html and "SDPipe moves nothing" in page.html
    (library.outputs / f"{run_id}-txt2img_001.png").write_bytes(b"painted over meanwhile")
    page.press("Move 1 image to the bin")
    assert "0 images moved" in page.html and "changed since it was shown" in page.html


def test_a_preview_and_its_deed_are_the_users_who_asked(library: SampleLibrary, events: BinEvents, run_id: str) -> None:
    ann, bob = Page(library, events, "ann"), Page(library, events, "bob")
    ann.do("preview", picked=[image(run_id, 1)])
    deed = ann.button("Move 1 image to the bin")
    with pytest.raises(UnknownNameError):
        bob.do("cull", preview=deed["preview"])
    ann.press("Move 1 image to the bin")
    bob.do("look")
    assert "moved to the bin" in ann.html and "moved to the bin" not in bob.html


def test_who_sees_own_runs_only_is_offered_no_emptying(library: SampleLibrary, events: BinEvents, run_id: str) -> None:
    page = Page(library, events, "ann", viewer="ann")
    page.do("look")
    assert "Empty the bin" not in page.html
    with pytest.raises(NotAllowedError):
        page.do("purge-preview", days=0)


def test_texts_of_a_library_cannot_become_elements(page: Page, library: SampleLibrary) -> None:
    (library.outputs / "<b>").mkdir()
    name = "<img src=x onerror=alert(1)>.png"
    (library.outputs / "<b>" / name).write_bytes(b"\x89PNG")
    run_id = library.add_run(MALICIOUS, ago=5, error={"stage": MALICIOUS, "type": "<b>", "message": "<b>"})
    page.do("preview", images=[{"root": "outputs", "path": f"<b>/{name}"}, {"root": MALICIOUS, "path": "x.png"}], runs=[run_id])
    page.do("cull", **{key: value for key, value in page.button("Move").items() if key != "do"})
    assert "onerror" in page.html
    assert not re.search(r"<(script|b>|img src=x)", page.html)


def test_only_what_is_an_image_or_a_run_is_chosen() -> None:
    data = {
        "picked": [{"run": "20251225_143022_a", "name": "txt2img_001"}, {"run": "../x", "name": "y"}, {"run": "20251225_143022_a"}, 3, None,
                   {"root": "outputs", "path": "a.png"}, {"root": None, "path": "/etc/passwd"}, {"run": ["x"], "name": {}}],
        "images": "x", "runs": ["20251225_143022_a", "../..", 3, "20251225_143022_a"],
    }
    images, runs = read_chosen(data)
    assert [str(key) for key in images] == ["20251225_143022_a/txt2img_001", "outputs: a.png"] and runs == ["20251225_143022_a"]


def test_an_unknown_ask_and_a_library_that_is_not_there_yet_show_an_empty_bin(tmp_path: Path, events: BinEvents) -> None:
    from lib_sdpipe.store.layout import Layout

    work, html, _ = events.do(Ask({"do": "rm -rf"}, Workspace(Layout(tmp_path / "runs", tmp_path / "cache"))), View())
    assert work == "" and "The bin is empty." in html
