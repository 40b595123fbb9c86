"""What the Repair section does when something is pressed. Long work goes to the background; here is only what is quick."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from lib_sdpipe.errors import NoLibraryError, NotAllowedError, UnknownNameError, UsageError
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.gradio_versions import servable
from lib_sdpipe.ui.html_text import show_hint
from lib_sdpipe.ui.repair.desk import Desk, Desks
from lib_sdpipe.ui.repair.page import RepairPage
from lib_sdpipe.ui.repair.plan_markup import Kind

_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."


@dataclass(frozen=True)
class View:
    """What of the section one page shows. `version` is the desk's as it was shown last.

    `awaited`: this page has asked for a plan, when this one was the newest ("" for none).
    """

    version: tuple[int, bool] | None = None
    code: str | None = None
    page: int = 0
    plan: str | None = None
    kind: Kind | None = None
    plan_page: int = 0
    past_page: int = 0
    awaited: str | None = None


class RepairEvents:
    """Each handler returns updates of: what runs, the page, the plan's file, the view."""

    COUNT = 4

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._desks = Desks(frame.background)
        self._page = RepairPage(frame)
        self._files: dict[str, Path] = {}
        self._deeds: dict[str, Callable[[Ask, Desk, View], View]] = {
            "look": lambda ask, desk, view: view, "check": self._check, "stop": self._stop, "root": self._toggle_root,
            "confirm": self._confirm_empty, "open": self._open, "choose": self._choose, "leave": self._leave_out,
            "plan": self._plan, "kind": self._open_kind, "drop": self._drop, "apply": self._apply, "undo": self._undo,
            "undo-preview": self._preview_undo, "past": self._turn_past, "adopt": self._adopt, "limit": self._limit,
            "takes-all": self._take_all,
        }

    def do(self, ask: Ask, view: View) -> Updates:
        """Whatever the page asks; what it asks and does not exist changes nothing. Raises NotAllowedError."""
        asked = ask.text("do") or "look"
        try:
            ask.workspace.check_sees_all()
        except NotAllowedError as fault:
            if asked != "look":
                raise
            return "", show_hint(str(fault)), gr.update(), view
        desk = self._desks.of(ask.workspace)
        if asked == "download":
            return self._download(ask, desk, view)
        deed = self._deeds.get(asked)
        changed = deed(ask, desk, view) if deed is not None else view
        return self._show(ask, desk, changed, is_look=asked == "look")

    def add_root(self, ask: Ask, name: str, folder: str, view: View) -> Updates:
        """Write down that a folder is an image root. Raises UsageError, NotAllowedError."""
        ask.workspace.check_sees_all()
        if self._frame.hides_folders:
            raise UsageError("folders are hidden on this page: whoever runs the WebUI names them with `roots NAME=DIR`")
        path = Path(os.path.abspath(Path(folder.strip()).expanduser())) if folder.strip() else None
        name = name.strip() or (path.name if path is not None else "")
        if path is None or not os.path.isdir(path):
            raise UsageError(f"{folder.strip() or 'the folder'}: no folder that is there; write it as this computer names it")
        if not name or set(name) - set(_NAME) or name == RUNS_ROOT:
            raise UsageError(f"{name or 'the name'}: a name for a folder has letters, digits, dots and dashes, and is not `runs`")
        library = Library(ask.workspace.layout)
        root, _ = library.locate(path)
        if name in library.roots() or root is not None:
            known = f"it lies in {root!r} already" if root is not None else f"{name!r} is the name of another folder"
            raise UsageError(f"{path}: {known}")
        library.set_roots({name: path})
        desk = self._desks.of(ask.workspace)
        desk.changed()
        return self._show(ask, desk, view, is_look=False)

    # --- looking ---

    def _show(self, ask: Ask, desk: Desk, view: View, is_look: bool) -> Updates:
        # In this order: a page that is told that the work has ended asks no more, and so shows what came of it.
        work, version = self._page.show_work(desk), desk.version
        is_same = is_look and view.version == version
        view = _follow(desk, view)
        file = gr.update() if view.plan in self._files else gr.update(value=None, visible=False)
        if is_same:
            return work, gr.update(), gr.update(), view
        return work, self._page.show(ask.workspace, desk, view), file, replace(view, version=version)

    def _open(self, ask: Ask, desk: Desk, view: View) -> View:
        code, page = ask.text("code"), max(0, ask.number("page") or 0)
        closes = view.code == code and ask.data.get("stay") is not True
        return replace(view, code=None if closes else code, page=page)

    def _open_kind(self, ask: Ask, desk: Desk, view: View) -> View:
        kind, page = (ask.text("code") or "", ask.text("operation") or ""), max(0, ask.number("page") or 0)
        closes = view.kind == kind and ask.data.get("stay") is not True
        return replace(view, plan=ask.text("plan"), kind=None if closes else kind, plan_page=page)

    def _turn_past(self, ask: Ask, desk: Desk, view: View) -> View:
        return replace(view, past_page=max(0, ask.number("page") or 0))

    # --- choices ---

    def _toggle_root(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.skipped_roots ^= {ask.text("name") or ""} & set(ask.workspace.library().roots())
        desk.changed()
        return view

    def _confirm_empty(self, ask: Ask, desk: Desk, view: View) -> View:
        Library(ask.workspace.layout).confirm_empty(ask.text("name") or "", format_utc(time.time()))
        desk.changed()
        return view

    def _choose(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.choose(ask.text("code") or "", ask.text("operation"))
        return view

    def _leave_out(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.leave_out(ask.text("key") or "", ask.text("code") or "")
        return view

    def _limit(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.limit = ask.number("limit")
        desk.changed()
        return view

    def _take_all(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.takes_all = not desk.takes_all
        desk.changed()
        return view

    # --- deeds ---

    def _check(self, ask: Ask, desk: Desk, view: View) -> View:
        try:
            os.scandir(ask.workspace.layout.runs).close()
        except OSError as fault:
            raise NoLibraryError(f"there is no library to check yet, or its folder cannot be read ({fault.strerror})") from fault
        desk.check(ask.workspace, ask.user, ask.data.get("deep") is True)
        return replace(view, page=0)

    def _stop(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.stop()
        return view

    def _plan(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.plan(ask.workspace, ask.user)
        return _await_plan(desk, view)

    def _adopt(self, ask: Ask, desk: Desk, view: View) -> View:
        root, path = ask.text("root"), ask.text("path")
        if root is None or path is None or root == RUNS_ROOT or root not in ask.workspace.library().roots():
            raise UnknownNameError("there is no such image root")
        desk.plan_adoption(ask.workspace, root, path, ask.user)
        return _await_plan(desk, view)

    def _apply(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.apply(ask.workspace, ask.text("plan") or "", ask.user)
        return view

    def _preview_undo(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.preview_undo(ask.workspace, ask.text("apply") or "", ask.user)
        return _await_plan(desk, view)

    def _undo(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.undo(ask.workspace, ask.text("plan") or "", ask.user)
        return view

    def _drop(self, ask: Ask, desk: Desk, view: View) -> View:
        desk.drop(ask.text("plan") or "")
        return replace(view, plan=None, kind=None)

    def _download(self, ask: Ask, desk: Desk, view: View) -> Updates:
        shown = desk.find_shown(ask.text("plan") or "")
        for gone in set(self._files) - set(desk.shown):
            _remove(self._files.pop(gone))
        file = self._files.get(shown.plan.plan_id)
        if file is None:
            file = Path(tempfile.mkdtemp(prefix="sdpipe-plan-")) / f"plan-{shown.plan.plan_id}.json"
            shown.plan.write_to(file)
            self._files[shown.plan.plan_id] = file
        return gr.update(), gr.update(), gr.update(value=servable(file), visible=True), view


def _remove(file: Path) -> None:
    with contextlib.suppress(OSError):  # somebody tidied up before us
        file.unlink()
        file.parent.rmdir()


def _newest(desk: Desk) -> str:
    return next(reversed(desk.shown), "")


def _await_plan(desk: Desk, view: View) -> View:
    return replace(view, awaited=_newest(desk))


def _follow(desk: Desk, view: View) -> View:
    """A page shows the plan that it asked for, else the one it looks at as long as it is kept, else the newest there is.

    A plan that somebody else asked for never takes the place of the one that this page shows.
    """
    newest = _newest(desk)
    if view.awaited is not None and newest not in ("", view.awaited):
        view = replace(view, plan=None, awaited=None)
    if view.plan in desk.shown:
        return view
    kinds = list(desk.shown[newest].plan.counts) if newest else []
    return replace(view, plan=newest or None, kind=kinds[0] if len(kinds) == 1 else None, plan_page=0)
