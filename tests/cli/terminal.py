"""Calling the command line as a person or a program does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", **changes}


def call(*arguments: str, cwd: Path, env: dict[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """`python -m lib_sdpipe ARGUMENTS` in `cwd`."""
    return subprocess.run(
        [sys.executable, "-m", "lib_sdpipe", *arguments], cwd=cwd, env=env or environment(), capture_output=True, encoding="utf-8",
        timeout=120, check=False, **options,
    )
