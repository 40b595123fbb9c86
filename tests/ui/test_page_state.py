"""What the server keeps of a page: two asks of one page at once are answered one after the other, and none undoes the other."""

from __future__ import annotations

import copy
import threading
from types import SimpleNamespace
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.ui.ask import Ask  # noqa: E402
from lib_sdpipe.ui.frame import Frame, Updates  # noqa: E402
from lib_sdpipe.ui.page_state import PageState  # noqa: E402
from tests.ui.sample_library import SampleLibrary  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402

PAGE = SimpleNamespace(headers={}, username=None)


class Section:
    """A section whose state is a tuple of what was done, and whose first work waits until it may go on."""

    def __init__(self, library: SampleLibrary) -> None:
        self.begun, self.may_go_on = threading.Event(), threading.Event()
        self.answers: dict[str, Any] = {}
        with gr.Blocks():
            frame = Frame(Host(library.layout))
            state, shown = frame.build_state(()), gr.HTML("")
            frame.on(self._listen("slow"), self._slow, [state], [shown, state])
            frame.on(self._listen("quick"), self._quick, [state], [shown, state])
            frame.on(self._listen("only writes"), self._only_writes, [], [shown, state])
            frame.on(self._listen("leaves it"), self._leaves_it, [state], [shown, state])
        self.first: PageState = state.value

    def _listen(self, name: str) -> Any:
        def listen(answer: Any, inputs: Any, outputs: Any, **_: Any) -> None:
            self.answers[name] = answer

        return listen

    def _slow(self, ask: Ask, done: tuple[str, ...]) -> Updates:
        self.begun.set()
        assert self.may_go_on.wait(10)
        return "slow", (*done, "slow")

    def _quick(self, ask: Ask, done: tuple[str, ...]) -> Updates:
        return "quick", (*done, "quick")

    def _only_writes(self, ask: Ask) -> Updates:
        return "", ("only writes",)

    def _leaves_it(self, ask: Ask, done: tuple[str, ...]) -> Updates:
        return "", gr.update()


@pytest.fixture
def section(empty: SampleLibrary) -> Section:
    return Section(empty)


def test_what_is_asked_meanwhile_finds_what_was_done_before_it(section: Section) -> None:
    page = copy.deepcopy(section.first)
    order: list[str] = []

    def ask(name: str) -> None:
        order.append(section.answers[name](PAGE, page)[1])

    slow, quick = (threading.Thread(target=ask, args=(name,)) for name in ("slow", "quick"))
    slow.start()
    assert section.begun.wait(10)
    quick.start()
    section.may_go_on.set()
    slow.join(10)
    quick.join(10)
    assert order == ["slow", "quick"] and page.value == ("slow", "quick")


def test_each_page_has_its_own(section: Section) -> None:
    page, other = copy.deepcopy(section.first), copy.deepcopy(section.first)
    assert section.answers["quick"](PAGE, page)[2] is page
    assert (page.value, other.value, section.first.value) == (("quick",), (), ())


def test_a_state_is_written_by_who_does_not_read_it_and_kept_where_nothing_changes(section: Section) -> None:
    page = copy.deepcopy(section.first)
    section.answers["only writes"](PAGE, page)
    assert page.value == ("only writes",)
    assert section.answers["leaves it"](PAGE, page)[2] is page and page.value == ("only writes",)
    assert section.answers["quick"](SimpleNamespace(headers={"sec-fetch-site": "cross-site"}, username=None), page)[0] != ""
    assert page.value == ("only writes",)
