"""install.py: silent in a WebUI, an environment of its own outside. No test here lets it download anything."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLER = REPOSITORY / "install.py"


def load(path: Path = INSTALLER) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sdpipe_installer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_installer(*arguments: str, cwd: Path, python_path: str = "", options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *options, str(INSTALLER), *arguments], cwd=cwd, env=env, capture_output=True, text=True,
                          check=False, timeout=60)


@pytest.fixture
def webui(tmp_path: Path) -> Path:
    root = tmp_path / "webui"
    (root / "modules").mkdir(parents=True)
    (root / "launch.py").write_text("raise SystemExit('install.py must not run the host')")
    return root


def test_in_a_webui_it_says_and_does_nothing(webui: Path, tmp_path: Path) -> None:
    for cwd, python_path in ((webui, ""), (tmp_path, str(webui))):
        answer = run_installer(cwd=cwd, python_path=python_path)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_in_a_webui_it_takes_no_time(webui: Path) -> None:
    code = "import runpy, sys, time; sys.argv = sys.argv[1:]; start = time.process_time()\n" \
           "try: runpy.run_path(sys.argv[0], run_name='__main__')\nexcept SystemExit: print(time.process_time() - start)"
    took = []
    for _ in range(5):
        answer = subprocess.run([sys.executable, "-c", code, str(INSTALLER)], cwd=webui, capture_output=True, text=True, check=True)
        took.append(float(answer.stdout))
    assert min(took) < 0.05


def test_in_a_webui_what_is_missing_is_one_line(webui: Path) -> None:
    # -S: without site-packages nothing of the host is there.
    answer = run_installer(cwd=webui, options=("-S",))
    assert answer.returncode == 0 and len(answer.stdout.splitlines()) == 1
    assert "gradio" in answer.stdout and "Pillow" in answer.stdout


def test_outside_without_a_verb_it_explains_itself(tmp_path: Path) -> None:
    answer = run_installer(cwd=tmp_path)
    assert answer.returncode == 2 and answer.stdout == "" and "install.py VERB" in answer.stderr
    assert run_installer("--help", cwd=tmp_path).returncode == 0


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The installer in a folder of its own, every command it would run noted instead of run."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "install.py").write_bytes(INSTALLER.read_bytes())
    (folder / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    installer = load(folder / "install.py")
    installer.commands = []

    def succeeds(command: list[str], quiet: bool = True) -> bool:
        installer.commands.append(command)
        if "venv" in command:
            Path(installer.PYTHON).parent.mkdir(parents=True)
            Path(installer.PYTHON).touch()
        return Path(installer.PYTHON).exists()

    monkeypatch.setattr(installer, "succeeds", succeeds)
    monkeypatch.setattr(installer, "put_on_path", lambda: None)
    return installer


def test_the_environment_is_made_once_and_again_when_the_requirements_change(checkout: ModuleType) -> None:
    checkout.prepare("")
    assert any("venv" in command for command in checkout.commands)
    (install,) = [command for command in checkout.commands if "install" in command]
    assert {"gradio>=3.41.2", "pydantic>=1.10", "Pillow>=9.5"} < set(install)
    assert not any(word.startswith("pytest") for word in install)

    checkout.commands.clear()
    checkout.prepare("")
    assert checkout.commands == []

    project = Path(checkout.HERE) / "pyproject.toml"
    project.write_text(project.read_text("utf-8") + "\n# changed\n", "utf-8")
    checkout.prepare("")
    assert [command for command in checkout.commands if "install" in command]
    assert not any("venv" in command for command in checkout.commands)


def test_the_tests_need_more_and_a_test_environment_serves_every_verb(checkout: ModuleType) -> None:
    checkout.prepare("test")
    assert any(word.startswith("pytest") for word in checkout.commands[-1])
    checkout.commands.clear()
    checkout.prepare("")
    assert checkout.commands == []


def test_a_failed_install_is_not_taken_for_done(checkout: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made = checkout.succeeds
    monkeypatch.setattr(checkout, "succeeds", lambda command, quiet=True: made(command, quiet) and "install" not in command)
    with pytest.raises(checkout.InstallFault, match="failed"):
        checkout.prepare("")
    monkeypatch.setattr(checkout, "succeeds", made)
    checkout.commands.clear()
    checkout.prepare("")
    assert [command for command in checkout.commands if "install" in command]


def test_without_the_venv_module_it_says_which_package_brings_it(checkout: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(checkout.InstallFault, match="python3-venv"):
        checkout.prepare("")


def test_an_old_python_is_told_so(checkout: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checkout, "MINIMUM", (99, 0))
    assert checkout.main(["runs"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "99.0" in said.err
    assert checkout.commands == []


def test_old_pythons_can_read_the_file() -> None:
    """Python 3.6's grammar, so that the sentence above is what its owner sees."""
    import ast

    text = INSTALLER.read_text("utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__ import annotations" not in text


def test_the_requirements_are_those_a_toml_reader_finds() -> None:
    tomllib = pytest.importorskip("tomllib")
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    installer = load()
    assert installer.read_requirements(text, "") == project["dependencies"]
    assert installer.read_requirements(text, "test") == project["dependencies"] + project["optional-dependencies"]["test"]


def test_the_version_is_written_once() -> None:
    from lib_sdpipe import __version__

    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert __version__ not in (REPOSITORY / "pyproject.toml").read_text("utf-8")

