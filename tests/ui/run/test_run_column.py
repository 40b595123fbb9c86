"""The handlers of the open run: what is sent, what is not sent again, and what whoever asks may not see."""

from __future__ import annotations

import json
import os
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from PIL import Image, PngImagePlugin  # noqa: E402

from lib_sdpipe.store.layout import Layout  # noqa: E402
from lib_sdpipe.ui.run import reading  # noqa: E402
from lib_sdpipe.ui.run.events import Chosen  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402
from lib_sdpipe.workspace.watch import LibraryWatch  # noqa: E402
from tests.ui.sample_library import draw_picture  # noqa: E402
from tests.ui.test_tab import VIEW, Host, Tab  # noqa: E402


@pytest.fixture
def host(sample: Any) -> Host:
    return Host(sample.layout)


@pytest.fixture
def tab(host: Host) -> Tab:
    return Tab(host)


def _open(tab: Tab, chosen: Chosen = Chosen(), **choice: Any) -> dict[str, Any]:  # noqa: B008
    return tab.view(tab.run.open, chosen, **choice)


def _run_id(layout: Layout, label: str) -> str:
    return next(path.name for path in layout.runs.iterdir() if path.name.endswith(label))


def _tiles(page: dict[str, Any]) -> list[str]:
    return re.findall(r'class="sdpipe-tile"[^>]*><button [^>]*aria-label="([^"]*)"', page["strip"])


def _is_unchanged(page: dict[str, Any], *names: str) -> bool:
    return all(isinstance(page[name], dict) and "value" not in page[name] for name in names)


def test_opening_a_run_shows_its_thumbnails_and_its_first_final_image(tab: Tab, host: Host) -> None:
    page = _open(tab, run=_run_id(host.layout(), "harbour_studies"))
    assert _tiles(page) == ["txt2img_001", "txt2img_002", "txt2img_003", "txt2img_004", "grid_001"]
    assert "sdpipe/v1/pictures/" in page["picture"] and "txt2img_001" in page["details"]
    assert "+ 3" in page["lineage"] and page["chosen"].pinned


def test_a_card_of_the_lineage_opens_the_parent_in_its_run(tab: Tab, host: Host) -> None:
    child = _open(tab, run=_run_id(host.layout(), "_img2img"))
    name, run_id = re.findall(r'"name": "([^"]+)", "run": "([^"]+)"', unescape(child["lineage"]))[0]
    parent = _open(tab, child["chosen"], run=run_id, name=name)
    assert parent["chosen"].run_id == _run_id(host.layout(), "harbour_studies") and parent["chosen"].name == name == "txt2img_001"


def test_what_comes_out_the_same_is_not_sent_again(tab: Tab, host: Host) -> None:
    opened = _open(tab, run=_run_id(host.layout(), "harbour_studies"))
    assert _is_unchanged(_open(tab, opened["chosen"], run=opened["chosen"].run_id), *VIEW[:-1])
    other = _open(tab, opened["chosen"], run=opened["chosen"].run_id, name="txt2img_003")
    assert _is_unchanged(other, "run") and "txt2img_003" in other["details"] and other["chosen"].name == "txt2img_003"


def test_a_run_is_read_once_as_long_as_nothing_changes_in_it(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = empty.add_run("settled", ago=60)
    for number in (1, 2):
        empty.add_image(run_id, f"txt2img_00{number}", number)
    for folder in (empty.layout.run_folder(run_id), empty.layout.manifests(run_id)):
        os.utime(folder, (1, 1))
    read: list[str] = []
    original = Workspace.view_run
    monkeypatch.setattr(Workspace, "view_run", lambda self, run_id: read.append(run_id) or original(self, run_id))
    tab = Tab(Host(empty.layout))
    chosen = _open(tab, run=run_id)["chosen"]
    for name in ("txt2img_002", "txt2img_001"):
        chosen = _open(tab, chosen, run=run_id, name=name)["chosen"]
    assert len(read) == 1
    empty.add_image(run_id, "txt2img_003", 3)
    assert len(_tiles(_open(tab, Chosen(), run=run_id))) == 3 and len(read) == 2


def test_absent_pictures_say_so(tab: Tab, host: Host) -> None:
    page = _open(tab, run=_run_id(host.layout(), "stopped"))
    assert _tiles(page) == ["txt2img_001", "txt2img_002, file missing", "txt2img_003, not saved"]
    missing = _open(tab, page["chosen"], run=page["chosen"].run_id, name="txt2img_002")
    assert "file missing" in missing["picture"] and "not where it was recorded" in missing["details"]


def test_a_missing_file_is_told_where_one_of_its_name_lies(empty: Any) -> None:
    run_id = empty.add_run("moved", ago=60)
    manifest = empty.add_image(run_id, "txt2img_001", 1)
    (empty.outputs / "sorted").mkdir()
    os.replace(empty.outputs / manifest.path, empty.outputs / "sorted" / manifest.path)
    Workspace(empty.layout).find("", 5, None, lambda what, count: None)
    assert f"outputs: sorted/{manifest.path}" in _open(Tab(Host(empty.layout)), run=run_id)["details"]


def test_an_image_of_a_root_that_is_away_says_that_its_drive_may_be_offline(empty: Any) -> None:
    run_id = empty.add_run("away", ago=60)
    empty.add_image(run_id, "txt2img_001", 1)
    os.replace(empty.outputs, empty.outputs.with_name("unplugged"))
    page = _open(Tab(Host(empty.layout)), run=run_id)
    assert "offline" in page["strip"] and "its drive may be offline" in page["details"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_file_that_is_no_image_is_never_shown(empty: Any, tmp_path: Path, inside: bool) -> None:
    secret = (empty.outputs if inside else tmp_path) / "secret.txt"
    secret.write_text("password", encoding="utf-8")
    run_id = empty.add_run("sly", ago=5)
    empty.add_image(run_id, "txt2img_001", 1, file=False, root=None, path=str(secret))
    page = _open(Tab(Host(empty.layout)), run=run_id)
    assert "sdpipe/v1/pictures" not in page["picture"]
    assert ("cannot be read" if inside else "outside the roots") in page["picture"]


def test_damaged_files_become_sentences(tab: Tab, host: Host) -> None:
    page = _open(tab, run=_run_id(host.layout(), "damaged"))
    assert "txt2img_002.json: not readable JSON" in page["run"]
    assert str(host.layout().runs) not in page["run"]
    assert page["chosen"].name == "txt2img_001"
    assert "not readable JSON" in _open(tab, run=_run_id(host.layout(), "broken_run_file"))["run"]


def test_a_newer_run_takes_the_place_of_one_that_nobody_chose(empty: Any) -> None:
    tab = Tab(Host(empty.layout))
    first = empty.add_run("first", ago=60)
    seen = tab.view(tab.run.look, Chosen())["chosen"]
    second = empty.add_run("second", ago=5)
    assert seen.run_id == first
    assert tab.view(tab.run.look, seen)["chosen"].run_id == second
    pinned = _open(tab, run=first)["chosen"]
    assert _is_unchanged(tab.view(tab.run.look, pinned), *VIEW)


def test_a_running_run_that_is_open_grows_and_only_what_has_grown_is_sent(empty: Any) -> None:
    tab = Tab(Host(empty.layout))
    run_id = empty.add_run("now", ago=5, status="running", finished_at=None)
    seen = tab.view(tab.run.look, Chosen())["chosen"]
    empty.add_image(run_id, "txt2img_001", 1)
    grown = tab.view(tab.run.look, seen)
    assert _tiles(grown) == ["txt2img_001"]
    assert _is_unchanged(tab.view(tab.run.look, grown["chosen"]), *VIEW[:-1])
    empty.add_image(run_id, "txt2img_002", 2)
    again = tab.view(tab.run.look, grown["chosen"])
    assert len(_tiles(again)) == 2 and _is_unchanged(again, "details")


def test_a_run_that_takes_long_to_read_is_read_less_often(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(reading.time, "monotonic", lambda: clock[0])
    original = Workspace.view_run

    def slow(workspace: Workspace, run_id: str) -> Any:
        clock[0] += 2.0
        return original(workspace, run_id)

    monkeypatch.setattr(Workspace, "view_run", slow)
    tab = Tab(Host(empty.layout))
    run_id = empty.add_run("now", ago=5, status="running", finished_at=None)
    seen = tab.view(tab.run.look, Chosen())["chosen"]
    empty.add_image(run_id, "txt2img_001", 1)
    clock[0] += 10
    assert _is_unchanged(tab.view(tab.run.look, seen), *VIEW)
    clock[0] += 11
    assert _tiles(tab.view(tab.run.look, seen)) == ["txt2img_001"]


def test_fans_unfold_and_parts_open_and_close(tab: Tab, host: Host) -> None:
    opened = _open(tab, run=_run_id(host.layout(), "harbour_studies"))
    wide = tab.view(tab.run.unfold, opened["chosen"], level=1)
    assert "+ 3" not in wide["lineage"] and "Show less" in wide["lineage"] and wide["chosen"].level == 1
    part = tab.view(tab.run.about, wide["chosen"], part="manifest")
    text = re.search(r'aria-label="Manifest">(.*?)</pre>', part["about"], re.S)
    assert text is not None and json.loads(unescape(text[1]))["name"] == "txt2img_001"
    assert 'aria-expanded="true"' in part["about"]
    closed = tab.view(tab.run.about, part["chosen"], part="")
    assert "<pre" not in closed["about"]
    for odd in ("../x", "nothing", "x" * 900):
        assert _is_unchanged(tab.view(tab.run.about, closed["chosen"], part=odd), "about")


def test_the_environment_is_read_when_somebody_asks_for_it(empty: Any) -> None:
    sha256 = empty.store.write_environment({"host": {"name": "Forge <b>"}, "options": {"eta": 1}})
    run_id = empty.add_run("here", ago=5, environment=sha256)
    gone = empty.add_run("gone", ago=4, environment="7" * 64)
    never = empty.add_run("never", ago=3, environment=None)
    odd = empty.add_run("odd", ago=3, environment="../../library")
    tab = Tab(Host(empty.layout))
    pages = {run: tab.view(tab.run.about, _open(tab, run=run)["chosen"], part="environment")["about"] for run in (run_id, gone, never, odd)}
    assert "Forge &lt;b&gt;" in pages[run_id] and "Settings of the WebUI (1)" in pages[run_id]
    assert "cannot be read" in pages[gone] and "was not recorded" in pages[never] and "cannot be read" in pages[odd]


def test_turning_the_thumbnails_leaves_the_chosen_image_alone(empty: Any) -> None:
    run_id = empty.add_run("many", ago=60)
    for number in range(1, 71):
        empty.add_image(run_id, f"txt2img_{number:03}", number, (4, 4))
    tab = Tab(Host(empty.layout))
    opened = _open(tab, run=run_id)
    turned = tab.view(tab.run.turn_strip, opened["chosen"], page=1)
    assert _tiles(turned)[0] == "txt2img_061" and _is_unchanged(turned, "picture", "details", "lineage")
    back = _open(tab, turned["chosen"], run=run_id, name="txt2img_002")
    assert _tiles(back)[1] == "txt2img_002"


def test_folders_open_only_where_the_host_says_so(empty: Any) -> None:
    run_id = empty.add_run("here", ago=60)
    empty.add_image(run_id, "txt2img_001", 1)
    host = Host(empty.layout)
    tab = Tab(host)
    assert "Open folder" not in "".join(str(part) for part in _open(tab, run=run_id).values())
    assert "only on the computer" in tab.act(tab.run.open_folder, run=run_id)
    host.opened = []
    assert "Open folder" in _open(tab, run=run_id)["picture"]
    assert tab.act(tab.run.open_folder, run=run_id, name="txt2img_001") == "" and tab.act(tab.run.open_folder, run=run_id) == ""
    assert host.opened == [empty.outputs, empty.layout.run_folder(run_id)]
    for odd in ({}, {"run": "../x"}, {"run": run_id, "name": "../../x"}, {"run": "20990101_000000_gone"}):
        assert "alert" in tab.act(tab.run.open_folder, **odd)
    assert len(host.opened) == 2


def test_what_others_made_of_an_image_is_not_shown_where_each_user_sees_own_runs(empty: Any) -> None:
    mine = empty.add_run("mine", ago=60, user="ann")
    link = {"run_id": mine, "name": "txt2img_001"}
    empty.add_image(mine, "txt2img_001", 1)
    theirs = empty.add_run("theirs", ago=50, stage="img2img", user="bea", parent=link)
    empty.add_image(theirs, "img2img_001", 2, parent={**link, "by": "pixels"}, config={"init_images": [{"$image": link}]})
    Workspace(empty.layout).find("", 5, None, lambda what, count: None)
    host = Host(empty.layout)
    tab = Tab(host)
    assert theirs in _open(tab, run=mine)["lineage"]
    host.own_only = True
    page = dict(zip(("notice", *VIEW), tab.frame.answer(tab.run.open, 7, {"run": mine}, "ann", (Chosen(),)), strict=True))
    assert page["notice"] == "" and theirs not in page["lineage"]
    page = dict(zip(("notice", *VIEW), tab.frame.answer(tab.run.open, 7, {"run": theirs}, "bea", (Chosen(),)), strict=True))
    assert "not yours" in page["lineage"] and f"thumbnails/{mine}" not in "".join(str(part) for part in page.values())
    page = dict(zip(("notice", *VIEW), tab.frame.answer(tab.run.open, 7, {"run": theirs}, "ann", (Chosen(),)), strict=True))
    assert "there is no run" in page["notice"] and _is_unchanged(page, *VIEW)


def test_a_picture_that_fills_a_browsers_memory_is_shown_small_at_first(empty: Any) -> None:
    run_id = empty.add_run("huge", ago=60)
    empty.add_image(run_id, "txt2img_001", 1, image={"width": 20_000, "height": 15_000, "bytes": len(draw_picture(1, (512, 512)))})
    page = _open(Tab(Host(empty.layout)), run=run_id)["picture"]
    assert f'<img src="sdpipe/v1/thumbnails/{run_id}' in page and f'href="sdpipe/v1/pictures/{run_id}' in page


def test_an_image_without_a_run_is_shown_with_what_its_file_tells(empty: Any) -> None:
    picture = Image.new("RGB", (64, 48), (10, 90, 200))
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a <b>harbour</b>\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 64x48")
    (empty.outputs / "old").mkdir()
    picture.save(empty.outputs / "old" / "one.png", pnginfo=info)
    host = Host(empty.layout)
    tab = Tab(host)
    unknown = _open(tab, root="outputs", path="old/one.png")
    assert "not in the index yet" in unknown["picture"] and "42" in unknown["details"]
    LibraryWatch(empty.layout).ask(patience=60)
    page = _open(tab, unknown["chosen"], root="outputs", path="old/one.png")
    assert "sdpipe/v1/files/" in page["picture"]
    details = unknown["details"]
    assert "a &lt;b&gt;harbour" in details and "Euler a" in details and "the infotext in the image" in details and "one.png" in details
    assert "Without a run" in unknown["run"] and _is_unchanged(page, "run") and "sdpipe/v1/files/" in page["details"]
    found = tab.view(tab.run.about, page["chosen"], part="answer")
    assert "sources_tried" in found["about"]
    host.opened = []
    assert tab.act(tab.run.open_folder, root="outputs", path="old/one.png") == "" and host.opened == [empty.outputs / "old"]
    back = _open(tab, found["chosen"], run=empty.add_run("next", ago=5))
    assert back["chosen"].file is None and "next" in back["run"]


@pytest.mark.parametrize("place", [
    {"root": "outputs", "path": "../secret.png"}, {"root": "outputs", "path": "link.png"}, {"root": "runs", "path": "library.json"},
    {"root": "nowhere", "path": "a.png"}, {"root": "outputs", "path": "a\0.png"}, {"root": "outputs", "path": "gone.png"},
])
def test_what_lies_outside_the_roots_or_is_no_image_is_not_opened(empty: Any, tmp_path: Path, place: dict[str, str]) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    os.symlink(tmp_path / "secret.png", empty.outputs / "link.png")
    page = _open(Tab(Host(empty.layout)), **place)
    assert "no image in the roots" in page["notice"] and _is_unchanged(page, *VIEW)
