"""Actions: what is offered fits what there is; what is sent is filled first; a download says what is in it before it is fetched."""

from __future__ import annotations

import json
import re
import threading
from html import unescape
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.errors import SdPipeError  # noqa: E402
from lib_sdpipe.ui.actions import events as module  # noqa: E402
from lib_sdpipe.ui.actions.events import ActionEvents  # noqa: E402
from lib_sdpipe.ui.actions.markup import FileLink, ImageTexts, Ready, show_actions, show_download, show_picked_actions  # noqa: E402
from lib_sdpipe.ui.ask import Ask  # noqa: E402
from lib_sdpipe.ui.background import Background  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402
from lib_sdpipe.workspace.downloads import find_download  # noqa: E402
from tests.ui.sample_library import MALICIOUS, SampleLibrary  # noqa: E402

TARGETS = ("txt2img", "img2img", "inpaint", "extras")
LINK = {"run": "20250101_000000_a", "name": "txt2img_001"}
TEXTS = ImageTexts("a\nSteps: 2", "a", "7")


class FrameStub:
    def __init__(self) -> None:
        self.background = Background()

    class host:  # noqa: N801
        @staticmethod
        def send_targets() -> tuple[str, ...]:
            return TARGETS

    @staticmethod
    def readable(sentence: str) -> str:
        return sentence


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    return SampleLibrary(tmp_path / "library")


@pytest.fixture
def events() -> ActionEvents:
    return ActionEvents(FrameStub())  # type: ignore[arg-type]


def asks(html: str) -> list[tuple[str, Any]]:
    found = re.findall(r'data-sdpipe-ask="(\w+)" data-sdpipe-with="(.*?)"', html)
    return [(name, json.loads(unescape(data))) for name, data in found]


def test_what_is_offered_fits_what_there_is() -> None:
    everything = show_actions(LINK, TEXTS, TARGETS, FileLink("sdpipe/v1/x", "a.png"))
    assert asks(everything) == [*(("send", {**LINK, "to": target}) for target in TARGETS), ("share", LINK)]
    assert everything.count("data-sdpipe-copy-text") == 3 and 'download="a.png"' in everything
    assert [data["to"] for _, data in asks(show_actions(LINK, TEXTS, TARGETS, None))] == ["txt2img"]
    assert [data.get("to") for _, data in asks(show_actions(LINK, ImageTexts(), TARGETS, FileLink("x", "a.png")))] == [*TARGETS[1:], None]
    assert asks(show_actions(LINK, TEXTS, (), None)) == [] and show_actions(LINK, ImageTexts(), (), None) == ""
    assert show_picked_actions().count("data-sdpipe-send-picked") == 2


def test_texts_from_files_stay_text() -> None:
    hostile = '"><script>1</script>'
    for html in (
        show_actions({"root": hostile, "path": hostile}, ImageTexts(MALICIOUS, hostile, hostile), TARGETS, FileLink(hostile, hostile)),
        show_download(Ready(hostile, hostile, hostile, hostile, [hostile])),
    ):
        assert "<script" not in html and "<img" not in html


def test_an_image_and_its_text_are_laid_out_before_the_hosts_button_is_pressed(events: ActionEvents, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 1, (64, 64))
    text, image, mark = events.send(Ask({"run": run_id, "name": "txt2img_001", "to": "img2img"}, Workspace(library.layout)))
    assert text == manifest.infotext and 'data-sdpipe-ready="sdpipe_send_to_img2img"' in mark and image.get("value")
    again = events.send(Ask({"run": run_id, "name": "txt2img_001", "to": "txt2img"}, Workspace(library.layout)))
    assert "value" not in again[1] and again[2] != mark


def test_an_image_of_which_nothing_is_known_goes_alone(events: ActionEvents, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 1, (64, 64), infotext=None, prompt=None, negative_prompt=None, config={}, model=None,
                      model_hash=None, actual_seed=None, requested_seed=None, image=None)
    ask = Ask({"run": run_id, "name": "txt2img_001", "to": "extras"}, Workspace(library.layout))
    text, _, mark = events.send(ask)
    assert text == "" and "sdpipe_send_image_to_extras" in mark
    with pytest.raises(SdPipeError, match="no settings"):
        events.send(Ask({**ask.data, "to": "txt2img"}, ask.workspace))


@pytest.mark.parametrize("data", [
    {}, {"to": "img2img"}, {"run": "20250101_000000_none", "name": "txt2img_001", "to": "img2img"}, {"run": 7, "name": [], "to": "img2img"},
    {"run": "../../etc", "name": "passwd", "to": "img2img"}, {"root": "outputs", "path": "../../../etc/passwd", "to": "img2img"},
    {"run": "20250101_000000_none", "name": "txt2img_001", "to": "settings"}, {"picked": {}, "to": "img2img"},
])
def test_what_the_page_may_not_ask_for_is_a_sentence(events: ActionEvents, library: SampleLibrary, data: dict[str, Any]) -> None:
    for work in (events.send, events.share):
        with pytest.raises(SdPipeError):
            work(Ask(data, Workspace(library.layout)))


def test_a_download_says_what_is_in_it_first(events: ActionEvents, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    for number in (1, 2):
        library.add_image(run_id, f"txt2img_00{number}", number, (64, 64))
    library.add_image(run_id, "txt2img_003", 3, file=False)
    workspace = Workspace(library.layout)
    (card,) = events.zip(Ask({"run": run_id}, workspace))
    assert f"{run_id}.zip" in card and "6 files" in card and "kB" in card and "txt2img_003" in card
    (picked,) = events.zip(Ask({"picked": [{"run": run_id, "name": "txt2img_001"}]}, workspace))
    assert "2 files" in picked and "sdpipe_images.zip" in picked
    (one,) = events.share(Ask({"run": run_id, "name": "txt2img_001"}, workspace))
    assert "image.png" in one and "read back" in one
    (many,) = events.share(Ask({"picked": [{"run": run_id, "name": f"txt2img_00{number}"} for number in (1, 2, 3)]}, workspace))
    assert "images.zip" in many and "about" in many and "1 of the picked images have no file" in many
    for html in (card, picked, one, many):
        key = re.search(r"sdpipe/v1/downloads/([\w-]+)", html)
        assert key is not None and b"".join(find_download(key.group(1)).iter_bytes())
    assert events.close(Ask({}, workspace)) == ("",)


def test_a_download_of_thousands_is_prepared_beside_the_page(
    events: ActionEvents, library: SampleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 1, (64, 64))
    may_go_on, workspace = threading.Event(), Workspace(library.layout)
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.02)
    view = workspace.view_run
    monkeypatch.setattr(workspace, "view_run", lambda run_id: may_go_on.wait(10) and view(run_id))
    (card,) = events.zip(Ask({"run": run_id}, workspace, "ann"))
    asked = json.loads(unescape(re.findall(r'data-sdpipe-pending="(.*?)"', card)[0]))
    assert "Preparing" in events.look(Ask(asked, workspace, "ann"))[0]
    assert events.look(Ask(asked, workspace, "bob")) == ("",) and events.look(Ask({**asked, "id": "x"}, workspace, "ann")) == ("",)
    may_go_on.set()
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 10)
    assert f"{run_id}.zip" in events.look(Ask(asked, workspace, "ann"))[0]
    assert events.look(Ask(asked, workspace, "ann")) == ("",) and events.look(Ask({"lane": "../x"}, workspace)) == ("",)
