from __future__ import annotations

import threading
import time

import pytest

from lib_sdpipe.store.disk_thread import DiskThread, ask_briefly


def test_the_asker_gets_what_the_work_raised() -> None:
    thread = DiskThread("test")

    def refuse() -> None:
        raise OSError(30, "Read-only file system")

    with pytest.raises(OSError, match="Read-only"):
        thread.ask(refuse, 1.0)
    thread.stop()


def test_a_late_answer_is_waited_for_once_and_everything_is_done_in_order_at_last() -> None:
    thread, awake, done, is_last_done = DiskThread("test"), threading.Event(), [], threading.Event()
    with pytest.raises(TimeoutError):
        thread.ask(lambda: awake.wait(60) and None, 0.05)
    started = time.monotonic()
    for work in (*(lambda n=n: done.append(n) for n in range(20)), is_last_done.set):
        with pytest.raises(TimeoutError):
            thread.ask(work, 2.0)
    assert time.monotonic() - started < 2.0, "nobody waits while an earlier one is late"
    awake.set()
    assert is_last_done.wait(20)
    thread.ask(lambda: done.append(20), 20.0)
    assert done == list(range(21))
    thread.stop()


def test_its_thread_ends() -> None:
    thread = DiskThread("SDPipe test of an end")
    thread.ask(lambda: None, 5.0)
    thread.stop()
    deadline = time.monotonic() + 20
    while any(one.name == "SDPipe test of an end" for one in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_question_to_a_sleeping_disk_has_an_answer_for_now() -> None:
    awake = threading.Event()
    started = time.monotonic()
    assert ask_briefly(lambda: awake.wait(60), 0.05, otherwise=True) is True
    assert time.monotonic() - started < 5.0
    awake.set()
    assert ask_briefly(lambda: 5, 20.0, otherwise=7) == 5
