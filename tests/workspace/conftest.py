"""The folder in memory of the store's tests, for those that build hundreds of libraries."""

from __future__ import annotations

from tests.store.conftest import _in_memory, quick_path  # noqa: F401
