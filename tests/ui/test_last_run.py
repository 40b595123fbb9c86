"""The accordion's last run: of this tab, of whoever asks, and without waiting for anybody's queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.record.facts import RunOptions  # noqa: E402
from lib_sdpipe.store.layout import Layout  # noqa: E402
from lib_sdpipe.ui.last_run import read_last_run  # noqa: E402
from lib_sdpipe.ui.panel import build_panel  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402


def test_it_is_the_newest_of_its_tab_and_leads_there(empty: Any) -> None:
    older = empty.add_run("older", ago=90, config={"endpoint": "txt2img"}, images={"planned": 4, "returned": 2, "saved": 2})
    empty.add_run("other tab", ago=60, config={"endpoint": "img2img"})
    empty.add_run("a program", ago=50, config={"endpoint": "txt2img"}, source="api")
    page = read_last_run("txt2img", Host(empty.layout), None)
    assert "older" in page and "2 of 4 images" in page and "Completed" in page and older in page
    assert 'data-sdpipe-ask="open"' in page and "data-sdpipe-runs-tab" in page and "data-sdpipe-running" not in page
    empty.add_run("now", ago=5, status="running", finished_at=None, config={"endpoint": "txt2img"})
    assert "data-sdpipe-running" in read_last_run("txt2img", Host(empty.layout), None)


def test_where_each_user_sees_own_runs_it_is_the_users_own(empty: Any) -> None:
    empty.add_run("mine", ago=90, config={"endpoint": "txt2img"}, user="ann")
    empty.add_run("theirs", ago=60, config={"endpoint": "txt2img"}, user="bea")
    host = Host(empty.layout)
    assert "theirs" in read_last_run("txt2img", host, "ann")
    host.own_only = True
    assert "mine" in read_last_run("txt2img", host, "ann")


def test_a_label_cannot_become_an_element_and_a_damaged_run_is_passed_over(empty: Any) -> None:
    run = empty.store.read_run(empty.add_run("x", ago=90, config={"endpoint": "txt2img"}))
    empty.store.write_run(run.copy(update={"label": "<script>alert(1)</script>"}))
    broken = empty.add_run("broken", ago=60, config={"endpoint": "txt2img"})
    empty.layout.run_file(broken).write_text("{", encoding="utf-8")
    page = read_last_run("txt2img", Host(empty.layout), None)
    assert "&lt;script&gt;" in page and "<script" not in page


def test_without_a_library_there_is_none(tmp_path: Path) -> None:
    assert "No run of this tab" in read_last_run("txt2img", Host(Layout(tmp_path / "runs", tmp_path / "cache")), None)
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    assert "No run of this tab" in read_last_run("txt2img", Host(Layout(tmp_path / "runs", tmp_path / "cache")), None)
    assert not (tmp_path / "cache").exists()


def test_it_waits_in_nobodys_queue_and_is_no_argument_of_the_script(empty: Any) -> None:
    with gr.Blocks() as page:
        controls = build_panel("img2img", RunOptions(), "", False, Host(empty.layout))
    events = page.get_config_file()["dependencies"]
    assert len(events) == 2 and len(controls) == 8
    assert all(event["queue"] is False and not event["inputs"] for event in events)
