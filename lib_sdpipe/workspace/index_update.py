"""Telling the index what a deed on the page has changed, so that the page shows it without a look at the whole disk."""

from __future__ import annotations

from collections.abc import Iterable

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.index.index import open_index
from lib_sdpipe.store.marked import take_marks
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.workspace.watch import watch_of
from lib_sdpipe.workspace.workspace import Workspace


def tell_index(workspace: Workspace, run_ids: Iterable[str], places: Iterable[tuple[str | None, str]]) -> None:
    """Have the index know what has come and gone, without a look at the whole disk. Where that is not possible the next look tells."""
    try:
        with open_index(workspace.layout.index_places) as index:
            refresh = Refresh(workspace.layout, workspace.library(), index)
            for run_id in sorted(set(run_ids)):
                refresh.look_at_run(run_id)
            refresh.look_at_files((root or "", path) for root, path in places)
    except SdPipeError:
        pass
    watch_of(workspace.layout).forget_counts()


def tell_marks(workspace: Workspace, run_ids: Iterable[str]) -> None:
    """Have the index know the marks of these runs as they are now, so that they are found and counted. As `tell_index`."""
    try:
        take_marks(workspace.layout, *sorted(set(run_ids)))
    except SdPipeError:
        pass
    watch_of(workspace.layout).forget_counts()
