"""The Runs tab on the gradio at hand: it builds, and its handlers answer. No browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.record.facts import RunOptions  # noqa: E402
from lib_sdpipe.store.layout import Layout  # noqa: E402
from lib_sdpipe.ui.ask import MOST_PICKED, Ask, parse_ask  # noqa: E402
from lib_sdpipe.ui.browse import events as browse_events  # noqa: E402
from lib_sdpipe.ui.browse.events import BrowseEvents, Listed  # noqa: E402
from lib_sdpipe.ui.frame import Frame  # noqa: E402
from lib_sdpipe.ui.host import TabHost  # noqa: E402
from lib_sdpipe.ui.panel import build_panel  # noqa: E402
from lib_sdpipe.ui.run.events import Chosen, RunEvents  # noqa: E402
from lib_sdpipe.ui.tab import build_tab  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402

LIST = BrowseEvents.OUTPUTS
VIEW = ("run", "picture", "strip", "lineage", "details", "about", "chosen")


class Host:
    """A host that remembers what it was told."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.paused = False
        self.refusal: str | None = None
        self.recording_fault: str | None = None
        self.own_only = False
        self.connected: list[tuple[str, bool, bool]] = []
        self.opened: list[Path] | None = None

    def layout(self) -> Layout:
        return self._layout

    def records(self) -> bool:
        return True

    def shows_own_runs_only(self) -> bool:
        return self.own_only

    def send_targets(self) -> tuple[str, ...]:
        return ("txt2img", "img2img", "inpaint", "extras")

    def connect_send_button(self, target: str, button: Any, image: Any, text: Any) -> None:
        self.connected.append((target, image is not None, text is not None))

    def fault(self) -> str | None:
        return self.recording_fault

    def is_paused(self) -> bool:
        return self.paused

    def set_paused(self, paused: bool) -> str | None:
        if self.refusal is None:
            self.paused = paused
        return self.refusal

    def can_open_folders(self) -> bool:
        return self.opened is not None

    def open_folder(self, folder: Path) -> str | None:
        assert self.opened is not None
        self.opened.append(folder)
        return None


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is waited for."""
    monkeypatch.setattr(browse_events, "_PATIENCE_SECONDS", 60.0)


@pytest.fixture
def host(sample: Any) -> Host:
    return Host(sample.layout)


class Tab:
    """The handlers, asked as the page asks them: through the frame, by name."""

    def __init__(self, host: TabHost, hides_folders: bool = False) -> None:
        with gr.Blocks():
            self.frame = Frame(host, hides_folders)
        self.browse, self.run = BrowseEvents(self.frame), RunEvents(self.frame)

    def list(self, work: Any, *values: Any) -> dict[str, Any]:
        return self._ask(LIST, work, values, {})

    def view(self, work: Any, *values: Any, **data: Any) -> dict[str, Any]:
        return self._ask(VIEW, work, values, data)

    def act(self, work: Any, **data: Any) -> str:
        """The notice of what changes nothing on the page."""
        return str(self.frame.answer(work, 0, data, None)[0])

    def pause(self, paused: bool) -> tuple[Any, ...]:
        return self.frame.answer(self.browse.pause, 1, {}, None, (paused,))

    def _ask(self, names: tuple[str, ...], work: Any, values: tuple[Any, ...], data: dict[str, Any]) -> dict[str, Any]:
        return dict(zip(("notice", *names), self.frame.answer(work, len(names), data, None, values), strict=True))


@pytest.fixture
def tab(host: Host) -> Tab:
    return Tab(host)


def _look(tab: Tab, before: Listed = Listed(), chosen: Chosen = Chosen(), again: bool = False) -> dict[str, Any]:  # noqa: B008
    listed = tab.list(tab.browse.look, before)
    return {**tab.view(tab.run.refresh if again else tab.run.look, chosen), **listed}


def _open(tab: Tab, chosen: Chosen = Chosen(), **choice: Any) -> dict[str, Any]:  # noqa: B008
    return tab.view(tab.run.open, chosen, **choice)


def _run_id(host: Host, label: str) -> str:
    return next(path.name for path in host.layout().runs.iterdir() if path.name.endswith(label))


def _labels(page: str) -> list[str]:
    return re.findall(r'class="sdpipe-run-label" dir="auto">([^<]*)<', page)


def test_the_tab_builds_and_every_element_of_it_is_ours(host: Host) -> None:
    tab = build_tab(host)
    ids = [block.elem_id for block in tab.blocks.values() if getattr(block, "elem_id", None)]
    assert all(name.startswith("sdpipe_") for name in ids)
    assert len(ids) == len(set(ids))
    assert {"sdpipe_run", "sdpipe_picture", "sdpipe_strip", "sdpipe_lineage", "sdpipe_details", "sdpipe_about"} <= set(ids)


def test_nothing_of_the_tab_is_stored_in_the_hosts_ui_config(host: Host) -> None:
    assert all(block.do_not_save_to_config for block in build_tab(host).blocks.values())


def test_building_the_tab_reads_nothing(tmp_path: Path) -> None:
    build_tab(Host(Layout(tmp_path / "runs", tmp_path / "runs" / ".sdpipe")))
    assert list(tmp_path.iterdir()) == []


def test_no_event_waits_behind_generate_or_stands_in_the_api(host: Host) -> None:
    config = build_tab(host).get_config_file()
    assert config["dependencies"]
    assert all(dependency["queue"] is False for dependency in config["dependencies"])


def test_the_panel_keeps_the_order_of_the_scripts_arguments(host: Host) -> None:
    with gr.Blocks():
        controls = build_panel("txt2img", RunOptions(), "", True, host)
    names = ["record", "write_run_id", "keep_images", "keep_stages", "keep_inputs", "label", "then"]
    assert [control.elem_id for control in controls[1:]] == [f"sdpipe_txt2img_{name}" for name in names]


def test_the_first_look_lists_a_page_and_opens_the_newest_run(tab: Tab) -> None:
    page = _look(tab)
    assert "44 runs" in page["head"]
    labels = _labels(page["runs"])
    assert labels[0] == "now" and len(labels) == browse_events.RUNS_A_PAGE
    assert page["newest"]["interactive"] is False and page["older"]["interactive"] is True
    assert page["chosen"].run_id.endswith("_now") and not page["chosen"].pinned
    assert "No image yet" in page["picture"]




@pytest.mark.parametrize("run", ["20990101_000000_gone"])
def test_an_unknown_run_becomes_a_sentence_and_changes_nothing(tab: Tab, run: str) -> None:
    page = _open(tab, run=run)
    assert 'role="alert"' in page["notice"]
    assert all("value" not in page[name] for name in VIEW)


@pytest.mark.parametrize("run", ["../../etc", "", "x" * 5000, 5, None, {"run": "x"}])
def test_a_choice_that_names_nothing_changes_nothing(tab: Tab, run: Any) -> None:
    page = _open(tab, run=run)
    assert page["notice"] == ""
    assert all("value" not in page[name] for name in VIEW)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "[" * 100_000, '"x"', None, 7, '{"a": "' + "x" * (1 << 20) + '"}'])
def test_what_is_no_json_object_asks_for_nothing(text: Any) -> None:
    assert parse_ask(text) == {}


def test_picks_are_images_of_runs_each_once_and_bounded(host: Host) -> None:
    one = {"run": "20251225_143022_a", "name": "txt2img_001"}
    data = {"picked": [one, one, {"run": "../x", "name": "y"}, {"name": "z"}, 7, {"run": one["run"], "name": 3}]}
    ask = Ask(data, Workspace(host.layout()))
    assert [(link.run_id, link.name) for link in ask.picked()] == [("20251225_143022_a", "txt2img_001")]
    many = [{"run": one["run"], "name": f"txt2img_{number:05}"} for number in range(MOST_PICKED + 9)]
    assert len(Ask({"picked": many}, ask.workspace).picked()) == MOST_PICKED


def test_refresh_reads_the_open_run_again_also_when_it_was_deleted(empty: Any) -> None:
    tab = Tab(Host(empty.layout))
    run_id = empty.add_run("gone", ago=5)
    pinned = _open(tab, run=run_id)["chosen"]
    empty.layout.run_file(run_id).unlink()
    empty.layout.run_folder(run_id).rmdir()
    page = _look(tab, chosen=pinned, again=True)
    assert "there is no run" in page["run"] and page["chosen"].run_id is None and not page["chosen"].pinned
    assert "Press Generate" in page["runs"]


def test_a_library_that_does_not_exist_yet_is_empty_and_stays_unwritten(tmp_path: Path) -> None:
    page = _look(Tab(Host(Layout(tmp_path / "runs", tmp_path / "cache"))))
    assert page["notice"] == "" and "Press Generate" in page["runs"]
    assert list(tmp_path.iterdir()) == []


def test_a_runs_folder_that_cannot_be_listed_becomes_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    page = _look(Tab(Host(Layout(tmp_path / "runs", tmp_path / "cache"))))
    assert "not a readable runs folder" in page["notice"]


def test_pausing_tells_the_host_and_flips_back_where_it_refuses(tab: Tab, host: Host) -> None:
    notice, box = tab.pause(True)
    assert host.paused and notice == "" and box["value"] is True
    host.refusal = "The settings are frozen."
    notice, box = tab.pause(False)
    assert "The settings are frozen." in notice and box["value"] is True


def test_a_recording_fault_is_shown_by_every_answer(tab: Tab, host: Host) -> None:
    host.recording_fault = "disk <full>"
    notices = [tab.list(tab.browse.show_newest, Listed())["notice"], tab.view(tab.run.look, Chosen())["notice"], tab.pause(False)[0]]
    assert all("A recording fault: disk &lt;full&gt;" in notice for notice in notices)


def test_folders_stay_unnamed_where_the_host_hides_them(host: Host, tmp_path: Path) -> None:
    page = _look(Tab(host, hides_folders=True))
    assert str(host.layout().runs) not in "".join(text for text in page.values() if isinstance(text, str))
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    broken = _look(Tab(Host(Layout(tmp_path / "runs", tmp_path / "cache")), hides_folders=True))
    assert "the runs folder" in broken["notice"] and str(tmp_path) not in broken["notice"]
