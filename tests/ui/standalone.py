"""The Runs tab on a page of its own, as `serve` shows it: `python tests/ui/standalone.py PORT FOLDER`; a library is made where
there is none."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lib_sdpipe.cli.main import main  # noqa: E402
from tests.ui.sample_library import build_sample_library  # noqa: E402


def show(port: str, folder: Path) -> int:
    if not folder.exists():
        build_sample_library(folder)
    return main(["serve", "--port", port, "--runs", str(folder / "runs"), "--no-browser"])


if __name__ == "__main__":
    sys.exit(show(sys.argv[1], Path(sys.argv[2])))
