"""The Runs tab on the gradio at hand: it builds, and its handlers answer. No browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.record.facts import RunOptions  # noqa: E402
from lib_sdpipe.store.layout import Layout  # noqa: E402
from lib_sdpipe.ui import tab_events  # noqa: E402
from lib_sdpipe.ui.panel import build_panel  # noqa: E402
from lib_sdpipe.ui.tab import build_tab  # noqa: E402
from lib_sdpipe.ui.tab_events import Chosen, Cursor, TabEvents  # noqa: E402

LIST = ("notice", "head", "pause", "runs", "newest", "older", "cursor")
VIEW = ("run", "gallery", "image", "details", "manifest", "chosen")


class Host:
    """A host that remembers what it was told."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.paused = False
        self.refusal: str | None = None
        self.recording_fault: str | None = None

    def layout(self) -> Layout:
        return self._layout

    def fault(self) -> str | None:
        return self.recording_fault

    def is_paused(self) -> bool:
        return self.paused

    def set_paused(self, paused: bool) -> str | None:
        if self.refusal is None:
            self.paused = paused
        return self.refusal


@pytest.fixture
def host(sample: Any) -> Host:
    return Host(sample.layout)


@pytest.fixture
def events(host: Host) -> TabEvents:
    return TabEvents(host)


def _look(events: TabEvents, cursor: Cursor = Cursor(), chosen: Chosen = Chosen(), again: bool = False) -> dict[str, Any]:  # noqa: B008
    answer = (events.refresh if again else events.look)(cursor, chosen)
    return dict(zip((*LIST, *VIEW), answer, strict=True))


def _open(events: TabEvents, chosen: Chosen = Chosen(), **choice: Any) -> dict[str, Any]:  # noqa: B008
    return dict(zip(("notice", *VIEW), events.open(json.dumps(choice), chosen), strict=True))


def _run_id(host: Host, label: str) -> str:
    return next(path.name for path in host.layout().runs.iterdir() if path.name.endswith(label))


def _labels(page: str) -> list[str]:
    return re.findall(r'class="sdpipe-run-label" dir="auto">([^<]*)<', page)


def test_the_tab_builds_and_every_element_of_it_is_ours(host: Host) -> None:
    tab = build_tab(host)
    ids = [block.elem_id for block in tab.blocks.values() if getattr(block, "elem_id", None)]
    assert all(name.startswith("sdpipe_") for name in ids)
    assert len(ids) == len(set(ids))
    assert "sdpipe_run_gallery" in ids


def test_nothing_of_the_tab_is_stored_in_the_hosts_ui_config(host: Host) -> None:
    assert all(block.do_not_save_to_config for block in build_tab(host).blocks.values())


def test_building_the_tab_reads_nothing(tmp_path: Path) -> None:
    build_tab(Host(Layout(tmp_path / "runs", tmp_path / "runs" / ".sdpipe")))
    assert list(tmp_path.iterdir()) == []


def test_no_event_waits_behind_generate_or_stands_in_the_api(host: Host) -> None:
    config = build_tab(host).get_config_file()
    assert config["dependencies"]
    assert all(dependency["queue"] is False for dependency in config["dependencies"])


def test_the_panel_keeps_the_order_of_the_scripts_arguments() -> None:
    with gr.Blocks():
        controls = build_panel("txt2img", RunOptions(), paused=True)
    names = ["record", "write_run_id", "keep_images", "keep_stages", "keep_inputs", "label"]
    assert [control.elem_id for control in controls[1:]] == [f"sdpipe_txt2img_{name}" for name in names]


def test_the_first_look_lists_a_page_and_opens_the_newest_run(events: TabEvents) -> None:
    page = _look(events)
    assert "44 runs" in page["head"]
    labels = _labels(page["runs"])
    assert labels[0] == "now" and len(labels) == tab_events.PAGE_SIZE
    assert page["newest"]["interactive"] is False and page["older"]["interactive"] is True
    assert page["chosen"].run_id.endswith("_now") and not page["chosen"].pinned
    assert "No image yet" in page["details"]


def test_older_and_newest_turn_the_pages(events: TabEvents) -> None:
    first = _look(events)
    older = dict(zip(LIST, events.show_older(first["cursor"], first["chosen"]), strict=True))
    assert len(_labels(older["runs"])) == 14
    assert older["newest"]["interactive"] is True and older["older"]["interactive"] is False
    newest = dict(zip(LIST, events.show_newest(first["chosen"]), strict=True))
    assert newest["runs"] == first["runs"]


def test_a_page_of_runs_never_opens_more_than_its_own_run_files(events: TabEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = tab_events.Workspace.summarize
    monkeypatch.setattr(tab_events.Workspace, "summarize", lambda self, run_id: read.append(run_id) or original(self, run_id))
    events.show_newest(Chosen())
    assert len(read) == tab_events.PAGE_SIZE


def test_opening_a_run_shows_its_thumbnails_and_its_first_final_image(events: TabEvents, host: Host) -> None:
    page = _open(events, run=_run_id(host, "harbour_studies"))
    pictures = page["gallery"]["value"]
    assert [caption for _, caption in pictures] == ["txt2img_001", "txt2img_002", "txt2img_003", "txt2img_004", "grid_001"]
    assert all(Path(picture).is_file() for picture, _ in pictures)
    assert page["image"]["value"].endswith(".png")
    assert json.loads(page["manifest"])["name"] == "txt2img_001"
    assert page["chosen"].pinned


def test_a_lineage_button_opens_the_parent_in_its_run(events: TabEvents, host: Host) -> None:
    child = _open(events, run=_run_id(host, "_img2img"))
    run_id, name = re.findall(r'data-sdpipe-run="([^"]+)" data-sdpipe-name="([^"]+)"', child["details"])[0]
    parent = _open(events, child["chosen"], run=run_id, name=name)
    assert parent["chosen"].run_id == _run_id(host, "harbour_studies")
    assert json.loads(parent["manifest"])["name"] == name == "txt2img_001"


def test_a_thumbnail_shows_its_image_and_leaves_the_gallery_alone(events: TabEvents, host: Host) -> None:
    opened = _open(events, run=_run_id(host, "harbour_studies"))
    answer = events.select(opened["chosen"], SimpleNamespace(index=2))
    assert len(answer) == 1 + TabEvents.IMAGE
    assert json.loads(answer[3])["name"] == "txt2img_003"
    again = _open(events, answer[-1], tile=0)
    assert "value" not in again["gallery"] and json.loads(again["manifest"])["name"] == "txt2img_001"


def test_absent_pictures_get_a_placeholder_and_say_so(events: TabEvents, host: Host) -> None:
    page = _open(events, run=_run_id(host, "stopped"))
    captions = [caption for _, caption in page["gallery"]["value"]]
    assert captions == ["txt2img_001", "txt2img_002 · file missing", "txt2img_003 · not saved"]
    missing = events.select(page["chosen"], SimpleNamespace(index=1))
    assert missing[1]["visible"] is False and "not where it was recorded" in missing[2]


def test_a_file_that_is_no_image_is_never_handed_to_the_page(empty: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("password", encoding="utf-8")
    run_id = empty.add_run("sly", ago=5)
    empty.add_image(run_id, "txt2img_001", 1, file=False, root=None, path=str(secret))
    page = _open(TabEvents(Host(empty.layout)), run=run_id)
    assert page["image"]["value"] is None
    assert not isinstance(page["gallery"]["value"][0][0], str)
    assert page["gallery"]["value"][0][1] == "txt2img_001 · cannot be read"


def test_damaged_files_become_sentences(events: TabEvents, host: Host) -> None:
    page = _open(events, run=_run_id(host, "damaged"))
    assert "txt2img_002.json: not readable JSON" in page["run"]
    assert str(host.layout().runs) not in page["run"]
    assert json.loads(page["manifest"])["name"] == "txt2img_001"
    assert "not readable JSON" in _open(events, run=_run_id(host, "broken_run_file"))["run"]


@pytest.mark.parametrize("run", ["20990101_000000_gone", "../../etc", "", "x" * 5000])
def test_an_unknown_run_becomes_a_sentence_and_changes_nothing(events: TabEvents, run: str) -> None:
    page = _open(events, run=run)
    assert 'role="alert"' in page["notice"]
    assert all("value" not in page[name] for name in VIEW)


@pytest.mark.parametrize("choice", ["", "null", "[]", "{", '{"run": 5}', '{"tile": "x"}', '{"tile": 99}'])
def test_a_choice_that_names_nothing_changes_nothing(events: TabEvents, choice: str) -> None:
    notice, *view = events.open(choice, Chosen())
    assert notice == ""
    assert all("value" not in update for update in view)


def test_a_newer_run_takes_the_place_of_one_that_nobody_chose(empty: Any) -> None:
    events = TabEvents(Host(empty.layout))
    first = empty.add_run("first", ago=60)
    seen = _look(events)
    second = empty.add_run("second", ago=5)
    assert seen["chosen"].run_id == first
    assert _look(events, seen["cursor"], seen["chosen"])["chosen"].run_id == second
    pinned = _open(events, run=first)["chosen"]
    after = _look(events, seen["cursor"], pinned)
    assert "value" not in after["chosen"] and "value" not in after["gallery"]


def test_a_running_run_that_is_open_grows(empty: Any) -> None:
    events = TabEvents(Host(empty.layout))
    run_id = empty.add_run("now", ago=5, status="running", finished_at=None)
    seen = _look(events)
    empty.add_image(run_id, "txt2img_001", 1)
    grown = _look(events, seen["cursor"], seen["chosen"])
    assert [caption for _, caption in grown["gallery"]["value"]] == ["txt2img_001"]
    same = _look(events, grown["cursor"], grown["chosen"])
    assert all("value" not in same[name] for name in ("gallery", "image", "details", "manifest"))


def test_refresh_reads_the_open_run_again_also_when_it_was_deleted(empty: Any) -> None:
    events = TabEvents(Host(empty.layout))
    run_id = empty.add_run("gone", ago=5)
    pinned = _open(events, run=run_id)["chosen"]
    empty.layout.run_file(run_id).unlink()
    empty.layout.run_folder(run_id).rmdir()
    page = _look(events, chosen=pinned, again=True)
    assert "there is no run" in page["run"] and page["chosen"] == Chosen()
    assert "Press Generate" in page["runs"]


def test_a_library_that_does_not_exist_yet_is_empty_and_stays_unwritten(tmp_path: Path) -> None:
    page = _look(TabEvents(Host(Layout(tmp_path / "runs", tmp_path / "cache"))))
    assert page["notice"] == "" and "Press Generate" in page["runs"]
    assert list(tmp_path.iterdir()) == []


def test_a_runs_folder_that_cannot_be_listed_becomes_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    page = _look(TabEvents(Host(Layout(tmp_path / "runs", tmp_path / "cache"))))
    assert "not a readable runs folder" in page["notice"]


def test_pausing_tells_the_host_and_flips_back_where_it_refuses(events: TabEvents, host: Host) -> None:
    notice, box = events.pause(True)
    assert host.paused and notice == "" and box["value"] is True
    host.refusal = "The settings are frozen."
    notice, box = events.pause(False)
    assert "The settings are frozen." in notice and box["value"] is True


def test_a_recording_fault_is_shown_by_every_answer(events: TabEvents, host: Host) -> None:
    host.recording_fault = "disk <full>"
    for answer in (events.look(Cursor(), Chosen()), events.show_newest(Chosen()), events.open("", Chosen()), events.pause(False)):
        assert "A recording fault: disk &lt;full&gt;" in answer[0]


def test_folders_stay_unnamed_where_the_host_hides_them(host: Host, tmp_path: Path) -> None:
    page = _look(TabEvents(host, hides_folders=True))
    assert str(host.layout().runs) not in "".join(text for text in page.values() if isinstance(text, str))
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    broken = _look(TabEvents(Host(Layout(tmp_path / "runs", tmp_path / "cache")), hides_folders=True))
    assert "the runs folder" in broken["notice"] and str(tmp_path) not in broken["notice"]
