"""Leafing through a library: pages of its runs and images out of the index as it is. The disk is not asked, nobody is waited for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.images.thumbnail import ensure_thumbnail
from lib_sdpipe.index.index import read_index
from lib_sdpipe.index.query import parse_query
from lib_sdpipe.index.run_search import FoundRuns
from lib_sdpipe.index.search import Found, FoundPage
from lib_sdpipe.index.sql_values import disk_text
from lib_sdpipe.workspace.page_address import build_file_address, build_file_stamp
from lib_sdpipe.workspace.workspace import Workspace


def browse_images(
    workspace: Workspace, query: str, limit: int, after: str | None = None, before: str | None = None
) -> FoundPage | None:
    """Images that fit, newest first, after or before a cursor; what is lost only where it is asked for.

    None as long as the index is not prepared for it. Raises QueryError, UsageError, LockedError or SdPipeError.
    """
    parse_query(query)  # what is wrong with it is wrong before there is an index, too
    with read_index(workspace.layout.index_places, workspace.viewer) as index:
        if index is None or not index.search.is_prepared():
            return None
        return index.search.find(query, limit, after, before, hides_lost=True)


def browse_runs(
    workspace: Workspace, query: str, limit: int, after: str | None = None, before: str | None = None
) -> FoundRuns | None:
    """The same of runs: those that fit, or have an image that does."""
    parse_query(query)
    with read_index(workspace.layout.index_places, workspace.viewer) as index:
        return index.run_search.find(query, limit, after, before) if index is not None else None


def address_of_file(found: Found, is_small: bool = True) -> str | None:
    """Where a page finds an image that no manifest names, or its thumbnail."""
    return build_file_address(found.file, _stamp(found), is_small) if found.file is not None else None


def find_file_at(workspace: Workspace, root: str, path: str) -> Found | None:
    """The image at that place, where the index knows it and no manifest names it."""
    with read_index(workspace.layout.index_places) as index:
        return index.search.find_file_at(root, path) if index is not None and workspace.viewer is None else None


def find_file(workspace: Workspace, file: int, stamp: str) -> Path:
    """An image that no manifest names, by the index's id.

    Raises UnknownNameError where there is none such, where it is another file than the stamp's by now, and where somebody
    sees own runs only; RefusedError where it lies outside the roots.
    """
    from lib_sdpipe.reconcile.acts import Place  # the host's start would wait for this module
    from lib_sdpipe.store.confine import Places

    with read_index(workspace.layout.index_places) as index:
        found = index.search.find_file(file) if index is not None and workspace.viewer is None else None
    if found is None or found.root is None or found.path is None or stamp != _stamp(found):
        raise UnknownNameError(f"there is no unrecorded image {file}, or it is another one by now")
    return Places(workspace.layout, workspace.library()).find_readable(Place(found.root, disk_text(found.path)))


def find_file_thumbnail(workspace: Workspace, file: int, stamp: str) -> Path | None:
    """A small picture of it, made once; None for what is no readable image. Raises what `find_file` raises."""
    source = find_file(workspace, file, stamp)
    key = hashlib.sha256(f"{stamp}\0{source}".encode("utf-8", "surrogatepass")).hexdigest()
    return ensure_thumbnail(source, workspace.layout.thumbnails, key) if source.is_file() else None


def _stamp(found: Found) -> str:
    return build_file_stamp(found.root, found.path, found.bytes, found.time)
