"""The Repair section's handlers, asked as the page asks them: check, look, choose, plan, do, take back. No browser."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.reconcile.findings import CODES  # noqa: E402
from lib_sdpipe.store.filelock import hold_lock  # noqa: E402
from lib_sdpipe.store.library import Library  # noqa: E402
from lib_sdpipe.ui.frame import Frame  # noqa: E402
from lib_sdpipe.ui.repair.desk import Desk  # noqa: E402
from lib_sdpipe.ui.repair.events import RepairEvents, View  # noqa: E402
from lib_sdpipe.ui.repair.page import RepairPage  # noqa: E402
from tests.reconcile.truth import DAMAGES, Truth, damage_missing, damage_moved, damage_orphaned  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402


class Section:
    """One page on the section; several can share a frame."""

    def __init__(self, truth: Truth, frame: Frame | None = None, hides_folders: bool = False, events: RepairEvents | None = None) -> None:
        if frame is None:
            with gr.Blocks():
                frame = Frame(Host(truth.layout), hides_folders)
        self.frame, self.view = frame, View()
        self.events = events or RepairEvents(frame)
        self.notice, self.page, self.file = "", "", None

    def ask(self, do: str, **data: Any) -> str:
        """What is asked, and the page once all long work has ended."""
        self.press(do, **data)
        until = time.monotonic() + 20
        while "data-sdpipe-working" in self.work:
            assert time.monotonic() < until
            time.sleep(0.01)
            self._take(self.frame.answer(self.events.do, RepairEvents.COUNT, {"do": "look"}, None, (self.view,)), keep_notice=True)
        return self.page

    def press(self, do: str, **data: Any) -> None:
        self._take(self.frame.answer(self.events.do, RepairEvents.COUNT, {"do": do, **data}, None, (self.view,)))

    def _take(self, answer: tuple[Any, ...], keep_notice: bool = False) -> None:
        notice, work, page, file, view = answer
        self.notice = self.notice if keep_notice else notice
        self.work = work if isinstance(work, str) else getattr(self, "work", "")
        self.page = page if isinstance(page, str) else self.page
        self.file = file if isinstance(file, dict) and file.get("value") else self.file
        self.view = view if isinstance(view, View) else self.view

    def asked(self, do: str) -> list[dict[str, Any]]:
        """What the page's buttons of one kind would ask."""
        found = [json.loads(unescape(text)) for text in re.findall(r'data-sdpipe-with="([^"]*)"', self.page)]
        return [data for data in found if data.get("do") == do]


def make(base: Path, *damages: Any, runs: int = 4) -> Truth:
    truth = Truth(base)
    for number in range(runs):
        truth.record(f"20260101_1200{number:02d}_cats", 5, kept=number % 3 == 0)
    truth.check()
    for damage in damages:
        damage(truth)
    return truth


def test_from_check_to_repair_and_all_the_way_back(tmp_path: Path) -> None:
    truth = make(tmp_path, *DAMAGES, runs=30)
    before, section = truth.tree(), Section(truth)
    page = section.ask("check")
    for code in {code for code, _, _ in truth.expected}:
        assert f'"code": "{code}"' in unescape(page)
    assert truth.tree() == before, "a check touches nothing"
    for code, operation in (("missing-image", "mark-lost"), ("duplicated-image", "quarantine"), ("modified-image", "accept")):
        section.ask("choose", code=code, operation=operation)
    section.ask("plan")
    assert truth.tree() == before, "neither does a plan"
    (apply,) = section.asked("apply")
    page = section.ask("apply", plan=apply["plan"])
    assert "operations done" in page and "not done" not in page
    repaired = truth.found()
    assert "moved-image" not in {code for code, _, _ in repaired} and truth.tree() != before
    undo = section.asked("undo-preview")[0]
    section.ask("undo-preview", apply=undo["apply"])
    (back,) = section.asked("undo")
    page = section.ask("undo", plan=back["plan"])
    assert "operations taken back" in page and truth.tree() == before


def test_what_was_looked_at_twice_and_taken_back_once_is_not_offered_again(tmp_path: Path) -> None:
    section = Section(make(tmp_path, damage_moved))
    section.ask("check")
    section.ask("plan")
    section.ask("apply", plan=section.asked("apply")[0]["plan"])
    undo = section.asked("undo-preview")[0]
    for _ in range(2):
        section.ask("undo-preview", apply=undo["apply"])
    section.ask("undo", plan=section.asked("undo")[0]["plan"])
    assert section.asked("undo") == [] and "operation taken back" in section.page


def test_every_byte_is_read_where_somebody_asks_for_it(tmp_path: Path) -> None:
    truth = make(tmp_path)
    section = Section(truth)
    assert "Everything fits" in section.ask("check")
    file = next(truth.outputs.rglob("*.png"))
    data, stat = bytearray(file.read_bytes()), file.stat()
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)  # as a disk does it: the size and the time stay
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "Everything fits" in section.ask("check")
    assert section.asked("check")[-1] == {"do": "check", "deep": True}
    assert "Everything fits" not in section.ask("check", deep=True)


def test_adopting_can_be_reached_where_its_images_are_folded(tmp_path: Path) -> None:
    section = Section(make(tmp_path, damage_orphaned))
    assert "Choose a folder to adopt" in section.ask("check")
    section.ask("open", code="orphaned-image")
    assert section.asked("adopt") and "Choose a folder to adopt" not in section.page


def test_what_was_left_out_is_not_done_and_what_was_shown_is_all_that_is(tmp_path: Path) -> None:
    truth = make(tmp_path, damage_moved, damage_moved, damage_moved)
    section = Section(truth)
    section.ask("check")
    section.ask("open", code="moved-image")
    first = section.asked("leave")[0]
    section.ask("leave", key=first["key"], code="moved-image")
    section.ask("plan")
    (apply,) = section.asked("apply")
    damage_moved(truth)  # after the plan was shown: not a part of it
    page = section.ask("apply", plan=apply["plan"])
    assert "2 operations done" in page
    assert sum(code == "moved-image" for code, _, _ in truth.found()) == 2


def test_a_file_that_changed_after_the_plan_is_left_and_said(tmp_path: Path) -> None:
    truth = make(tmp_path, damage_moved)
    section = Section(truth)
    section.ask("check")
    section.ask("plan")
    (apply,) = section.asked("apply")
    (moved,) = (truth.outputs / "best").iterdir()
    moved.write_bytes(moved.read_bytes() + b"x")
    page = section.ask("apply", plan=apply["plan"])
    assert "1 not done" in page and "What was not done, and why" in page


def test_a_plan_that_is_not_kept_is_not_applied(tmp_path: Path) -> None:
    section = Section(make(tmp_path, damage_moved))
    section.ask("check")
    for plan in ("never", "", "../../plan"):
        section.ask("apply", plan=plan)
        assert "not kept any more" in section.notice
    section.ask("undo", plan="never")
    assert "not kept any more" in section.notice


def test_a_second_page_sees_the_same_and_its_plan_is_not_changed_under_it(tmp_path: Path) -> None:
    truth = make(tmp_path, damage_moved, damage_missing)
    first = Section(truth)
    second = Section(truth, first.frame, events=first.events)
    first.ask("check")
    assert "Moved images" in second.ask("look")
    first.ask("plan")
    second.ask("look")
    mine = second.asked("apply")
    assert mine == first.asked("apply")
    first.ask("choose", code="missing-image", operation="mark-lost")
    first.ask("plan")
    second.ask("look")
    assert second.asked("apply") == mine != first.asked("apply")


def test_while_one_checks_another_is_told_and_can_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = make(tmp_path)
    first = Section(truth)
    second = Section(truth, first.frame, events=first.events)
    began, rest = threading.Event(), time.sleep

    def slowly(*arguments: Any) -> Any:
        began.set()
        for _ in range(10_000):
            rest(0.001)
            arguments[3]()

    monkeypatch.setattr("lib_sdpipe.workspace.repairs.tally_findings", slowly)
    first.press("check")
    assert began.wait(5)
    second.press("check")
    assert "Check is running" in second.notice
    second.press("look")
    second.ask("stop")
    assert "was stopped" in second.work and "Nothing was changed" in second.work


def test_work_that_ends_while_a_page_looks_is_shown_with_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page asks no more once it is told that the work has ended."""
    section, may_end = Section(make(tmp_path, damage_moved)), threading.Event()
    look, show_work = Desk._look, RepairPage.show_work

    def slowly(desk: Desk, *arguments: Any) -> None:
        assert may_end.wait(5)
        look(desk, *arguments)

    def ends_first(page: RepairPage, desk: Desk) -> str:
        may_end.set()
        while desk.is_busy:
            time.sleep(0.001)
        return show_work(page, desk)

    monkeypatch.setattr(Desk, "_look", slowly)
    section.press("check")
    assert "data-sdpipe-working" in section.work and "Moved images" not in section.page
    monkeypatch.setattr(RepairPage, "show_work", ends_first)
    section.press("look")
    assert "data-sdpipe-working" not in section.work and "Moved images" in section.page


def test_what_is_shown_just_before_the_work_has_ended_gets_its_buttons_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = Section(make(tmp_path, damage_moved))
    says, may_end, changed = threading.Event(), threading.Event(), Desk.changed

    def slowly(desk: Desk) -> None:
        changed(desk)
        if threading.current_thread() is not threading.main_thread():
            says.set()
            assert may_end.wait(5)

    monkeypatch.setattr(Desk, "changed", slowly)
    section.press("check")
    assert says.wait(5)
    section.press("look")
    assert "Moved images" in section.page and " disabled" in section.page
    may_end.set()
    section.ask("look")
    assert " disabled" not in section.page


def test_a_sentence_stays_while_the_page_only_looks(tmp_path: Path) -> None:
    section = Section(make(tmp_path, runs=1))
    section.press("apply", plan="never")
    assert "not kept any more" in section.notice
    answer = section.frame.answer(section.events.do, RepairEvents.COUNT, {"do": "look", "quietly": True}, None, (section.view,))
    assert not isinstance(answer[0], str)
    section.press("look")
    assert section.notice == ""


def test_while_another_process_repairs_it_says_so(tmp_path: Path) -> None:
    truth = make(tmp_path, damage_moved)
    section = Section(truth)
    section.ask("check")
    section.ask("plan")
    (apply,) = section.asked("apply")
    with hold_lock(truth.layout.locks / "repair", holder="`apply`, process 1"):
        section.ask("apply", plan=apply["plan"])
    assert "process 1" in section.work
    assert "1 operation done" in section.ask("apply", plan=apply["plan"])


def test_older_images_are_adopted_after_their_runs_were_shown(tmp_path: Path) -> None:
    truth = make(tmp_path, damage_orphaned)
    section = Section(truth)
    section.ask("check")
    section.ask("open", code="orphaned-image")
    (adopt,) = [asked for asked in section.asked("adopt") if asked["path"]]
    page = section.ask("adopt", root=adopt["root"], path=adopt["path"])
    assert "an old cat" in page and "_adopted" in page
    (apply,) = section.asked("apply")
    section.ask("apply", plan=apply["plan"])
    assert truth.found() == {}


def test_only_roots_are_adopted_from(tmp_path: Path) -> None:
    section = Section(make(tmp_path))
    for root, path in (("runs", ""), ("nowhere", ""), (None, "/etc")):
        section.ask("adopt", root=root, path=path)
        assert "no such image root" in section.notice


def test_findings_of_a_folder_that_is_not_chosen_are_not_listed(tmp_path: Path) -> None:
    section = Section(make(tmp_path, damage_moved))
    section.ask("look")
    section.ask("root", name="outputs")
    assert "Everything fits." in section.ask("check")
    section.ask("root", name="outputs")
    assert "Moved images" in section.ask("check")


def test_a_folder_becomes_a_root_and_an_empty_one_is_confirmed(tmp_path: Path) -> None:
    truth = make(tmp_path / "library")
    section, more = Section(truth), tmp_path / "more"
    more.mkdir()

    def add(name: str, folder: str) -> str:
        return str(section.frame.answer(section.events.add_root, RepairEvents.COUNT, {}, None, (name, folder, section.view))[0])

    assert add("more", str(more)) == ""
    assert Library(truth.layout).roots()["more"] == more
    assert "Nothing is meant to be in it" in section.ask("look")
    section.ask("confirm", name="more")
    assert Library(truth.layout).is_confirmed_empty("more") and "Nothing is meant to be in it" not in section.page
    assert "lies in" in add("again", str(more)) and "no folder" in add("x", str(tmp_path / "gone"))
    assert "a name for a folder" in add("../x", str(tmp_path)) and "a name for a folder" in add("runs", str(tmp_path))


def test_where_folders_are_hidden_none_is_shown_or_named(tmp_path: Path) -> None:
    truth = make(tmp_path / "library", *DAMAGES, runs=30)
    section = Section(truth, hides_folders=True)
    section.ask("check")
    pages = [section.ask("open", code=code) for code in CODES]
    section.ask("plan")
    pages += [section.ask("kind", **{k: v for k, v in asked.items() if k != "do"}) for asked in section.asked("kind")]
    assert not any(str(tmp_path) in page for page in pages)
    answer = section.frame.answer(section.events.add_root, RepairEvents.COUNT, {}, None, ("x", str(tmp_path), section.view))
    assert "folders are hidden" in answer[0] and "x" not in Library(truth.layout).roots()


def test_the_plan_that_is_downloaded_is_the_one_that_is_shown(tmp_path: Path) -> None:
    section = Section(make(tmp_path, damage_moved))
    section.ask("check")
    section.ask("plan")
    (download,) = section.asked("download")
    section.ask("download", plan=download["plan"])
    assert section.file is not None
    document = json.loads(Path(section.file["value"]).read_bytes())
    assert document["plan_id"] == download["plan"] and [one["op"] for one in document["operations"]] == ["relink"]


def test_a_library_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    truth = make(tmp_path)
    section = Section(truth)
    truth.layout.runs.rename(tmp_path / "elsewhere")
    section.ask("check")
    assert "no library to check" in section.notice and not truth.layout.runs.exists()


@pytest.mark.parametrize("data", [
    {"do": 3}, {"do": "no-such-deed"}, {"do": "open", "code": [1]}, {"do": "open", "code": "x", "page": -5},
    {"do": "kind", "code": None, "operation": {}}, {"do": "past", "page": 10**30}, {"do": "limit", "limit": "x"},
])
def test_nonsense_changes_nothing_and_breaks_nothing(tmp_path: Path, data: dict[str, Any]) -> None:
    section = Section(make(tmp_path, runs=1))
    section.ask("check")
    answer = section.frame.answer(section.events.do, RepairEvents.COUNT, data, None, (section.view,))
    assert isinstance(answer[-1], View)
