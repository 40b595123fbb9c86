"""For every test: a home of its own, nothing written to the real one or to the checkout, and libraries to read."""

from __future__ import annotations

import os
import shutil
import signal
import site
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import CHROMIUM, FLAGS

from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.runs import RunStore

REPOSITORY = Path(__file__).resolve().parents[1]
_REAL_HOME = os.path.abspath(Path.home())
_TEMPORARY = os.path.abspath(tempfile.gettempdir())

# What Python, pytest and coverage keep beside the code they work on.
_TOOL_FOLDERS = {"__pycache__", ".pytest_cache", ".hypothesis", ".ruff_cache", ".mypy_cache", ".git"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_PATH_ARGUMENTS = {"os.mkdir": (0,), "os.remove": (0,), "os.rmdir": (0,), "os.rename": (0, 1), "os.link": (1,), "os.symlink": (1,)}


class _Watch:
    """What the running test wrote where it must not; None between tests, when pytest itself may write."""

    offences: list[str] | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported that looks for a home: subprocesses inherit it too."""
    home = tempfile.mkdtemp(prefix="sdpipe-test-home-")
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ.setdefault("PYTHONUSERBASE", site.getuserbase())
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        os.environ[name] = home
    for name in [name for name in os.environ if name.startswith(("XDG_", "SDPIPE_")) and name not in ("SDPIPE_WEBUI", "SDPIPE_WEBUI_ARGS")]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # A job in a shell's background ignores Ctrl-C, and so would every process that the tests start and end by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["SDPIPE_CLOSE_AFTER_SECONDS"] = "0.1"
    config.option.loadscopereorder = False
    _keep_hypothesis_out(home)
    sys.addaudithook(_note_write)


# Files whose few tests take long, in front of those with many quick ones, which fill the gaps at the end.
_LONG = ("tests/browser/", "tests/cli/test_demo.py", "tests/contract/", "tests/sandbox/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In several processes: xdist itself begins with the files that have most tests, and those are not the longest."""
    if hasattr(config, "workerinput"):
        places = [REPOSITORY / place for place in _LONG]
        items.sort(key=lambda item: next((n for n, place in enumerate(places) if _is_below(str(item.path), str(place))), len(places)))


def _keep_hypothesis_out(home: str) -> None:
    try:
        from hypothesis import configuration, settings
    except ImportError:
        return
    configuration.set_hypothesis_home_dir(os.path.join(home, "hypothesis"))
    # A busy machine is no fault of the code, and a database is worth nothing in a home that is thrown away.
    settings.register_profile("sdpipe", deadline=None, database=None)
    settings.load_profile("sdpipe")


def _note_write(event: str, arguments: tuple[Any, ...]) -> None:
    if _Watch.offences is None or (event != "open" and event not in _PATH_ARGUMENTS):
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
        return
    if event in ("os.remove", "os.rmdir", "os.mkdir") and arguments[-1] >= 0:
        return  # below a folder that is open: what removes a whole tree was seen where it began
    for number in _PATH_ARGUMENTS.get(event, (0,)):
        path = arguments[number]
        if isinstance(path, (str, bytes, os.PathLike)) and _is_forbidden(os.path.abspath(os.fsdecode(path))):
            _Watch.offences.append(f"{event} {os.fsdecode(path)}")


def _is_forbidden(path: str) -> bool:
    if _TOOL_FOLDERS & set(path.split(os.sep)):
        return False
    if _is_below(path, str(REPOSITORY)):
        return True
    # A home that is the root of everything (some containers) cannot be told from the rest.
    return os.path.dirname(_REAL_HOME) != _REAL_HOME and _is_below(path, _REAL_HOME) and not _is_below(path, _TEMPORARY)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


@pytest.fixture(autouse=True)
def nothing_outside_is_written() -> Iterator[None]:
    """The audit hook sees this process; what a subprocess leaves at the top of the checkout is seen afterwards."""
    before = set(os.listdir(REPOSITORY))
    offences = _Watch.offences = []
    yield
    _Watch.offences = None
    new = set(os.listdir(REPOSITORY)) - before - _TOOL_FOLDERS - {".venv"}
    assert (offences, new) == ([], set()), "the test wrote to the real home or to the checkout"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The runs folder of an empty library."""
    folder = tmp_path / "library" / "runs"
    folder.mkdir(parents=True)
    return folder


RecordRun = Callable[..., RunStore]


@pytest.fixture
def record_run(runs: Path) -> RecordRun:
    """Write a run as a recorder would have: `record_run(RUN_ID, [manifest fields, ...], **run fields)`."""

    def record(run_id: str, manifests: list[dict[str, Any]] | None = None, **fields: Any) -> RunStore:
        store = RunStore(find_layout(runs))
        assert store.create_run_folder(run_id)
        usual = {"label": "a", "status": "completed", "source": "api", "started_at": "2025-12-25T13:30:22.123Z"}
        store.write_run(Run(run_id=run_id, **{**usual, **fields}))
        for number, manifest in enumerate(manifests or [], start=1):
            usual = {"name": f"txt2img_{number:03d}", "stage": "txt2img", "role": "final", "prompt": "a lighthouse"}
            store.write_manifest(Manifest(run_id=run_id, **{**usual, **manifest}))
        return store

    return record


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One for all tests: a second one in the same process does not start."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()
