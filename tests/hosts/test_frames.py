"""The stack of passes: by thread, by identity, and never stuck."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from lib_sdpipe.hosts.frames import Frame, Frames
from lib_sdpipe.record.facts import PassFacts
from lib_sdpipe.record.passes import Pass


def frame(recorded: bool = True) -> Frame:
    return Frame(SimpleNamespace(), 0.0, outer=Pass(0, PassFacts("txt2img", 1, {}, None)) if recorded else None)


def test_passes_that_overlap_on_two_threads_do_not_hold_each_other() -> None:
    frames, here, there = Frames(), frame(), frame()
    frames.push(here)
    seen: list[object] = []

    def other_thread() -> None:
        frames.push(there)
        seen.extend([len(frames.here()), frames.recorded(here.p), frames.recorded(there.p)])

    thread = threading.Thread(target=other_thread)
    thread.start()
    thread.join()
    assert seen == [1, None, there]
    assert frames.pop(here.p) is here
    assert frames.any_anywhere() and frames.here() == []


def test_a_pass_that_leaves_takes_what_was_left_above_it() -> None:
    frames, outer, stuck = Frames(), frame(), frame(recorded=False)
    frames.push(outer)
    frames.push(stuck)
    assert frames.innermost_recorded() is outer
    assert frames.pop(outer.p) is outer
    assert not frames.any_anywhere()
    assert frames.pop(outer.p) is None
