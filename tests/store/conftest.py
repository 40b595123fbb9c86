"""A folder in memory, where there is one, for tests that build hundreds of libraries and lose their disk on purpose."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_IN_MEMORY = "/dev/shm"


@pytest.fixture(scope="session")
def _in_memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def quick_path(_in_memory: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=_in_memory))
