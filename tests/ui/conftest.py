"""Fixtures of the page's tests: a small library to look at, and an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.sample_library import SampleLibrary, build_sample_library


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """One library for all tests that only read."""
    return build_sample_library(tmp_path_factory.mktemp("sample") / "library")


@pytest.fixture
def empty(tmp_path: Path) -> SampleLibrary:
    return SampleLibrary(tmp_path / "library")


@pytest.fixture
def run_id(empty: SampleLibrary) -> str:
    """A run of three images in the library that was empty."""
    run_id = empty.add_run("harbour", ago=60)
    for number in range(1, 4):
        empty.add_image(run_id, f"txt2img_{number:03d}", number, (64, 64))
    return run_id
