"""What the panel of prompt packs does: open, write, keep and delete one. The chain's own deeds are in `chain_events`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lib_sdpipe.errors import UsageError
from lib_sdpipe.pipeline.packs.reading import PACK_SUFFIXES, TEXT
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.pipelines.draft import draft_stage
from lib_sdpipe.ui.pipelines.packs import LONGEST_TEXT, PackDraft, find_stages
from lib_sdpipe.workspace.recipes import delete_pack, open_pack, save_pack

_EXAMPLE = "# A prompt a block, blank lines between them.\nmasterpiece\na lighthouse at night\nneg: blurry\n"


class PackDeeds:
    """`deeds` by what the page asks. Each takes an ask and what the page holds, and answers what it is to hold."""

    def __init__(self) -> None:
        self.deeds: dict[str, Callable[[Ask, Any], Any]] = {
            "pack-open": _open, "pack-new": _new, "pack-close": lambda ask, desk: replace(desk, pack=None), "pack-text": _take_text,
            "pack-preview": lambda ask, desk: desk, "pack-save": _save, "pack-delete": _delete,
            "pack-stages": _take_stages,
        }


def _open(ask: Ask, desk: Any) -> Any:
    name = ask.text("pack") or ""
    if not name:
        raise UsageError("choose a prompt pack first")
    return replace(desk, pack=_read(ask, name))


def _read(ask: Ask, name: str) -> PackDraft:
    found = open_pack(ask.workspace, name)
    if sum(map(len, found.texts.values())) > LONGEST_TEXT:
        raise UsageError(f"{name}: too large for this page; its files are in the folder packs of the runs folder")
    if not found.texts:
        raise UsageError(found.fault or f"{name}: cannot be read")
    return PackDraft(name, found.texts, found.digests)


def _new(ask: Ask, desk: Any) -> Any:
    return replace(desk, pack=PackDraft("prompts", {TEXT: _EXAMPLE}))


def _take_text(ask: Ask, desk: Any) -> Any:
    """A file that was chosen on the page: its name says what it is."""
    name, text = ask.text("name") or "", ask.text("text") or ""
    stem, dot, ending = name.rpartition(".")
    suffix = f"{dot}{ending}".lower()
    if suffix not in PACK_SUFFIXES or not stem:
        raise UsageError("a prompt pack is a file .txt, .tsv or .json")
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"{name}: too large for this page; put it into the folder packs of the runs folder")
    return replace(desk, pack=PackDraft(stem, {suffix: text}))


def _save(ask: Ask, desk: Any) -> Any:
    """All its files, under the name in the field: over those that were opened, else as new ones."""
    pack: PackDraft | None = desk.pack
    if pack is None:
        return desk
    name = (ask.text("as") or pack.name).strip()
    for suffix, text in pack.texts.items():
        expected = (pack.digests.get(suffix) or None) if name == pack.name else None
        save_pack(ask.workspace, name, suffix, text, expected)
    kept = replace(_read(ask, name), mode=pack.mode, limit=pack.limit, seed=pack.seed, is_used=pack.is_used)
    return replace(desk, pack=kept, done="The prompt pack is kept.")


def _take_stages(ask: Ask, desk: Any) -> Any:
    """The settings beside the pack take the place of the stages."""
    found = find_stages(desk.pack) if desk.pack is not None else None
    if found is None or not found.stages:
        raise UsageError("this pack has no settings that could be stages")
    draft = replace(desk.draft, stages=tuple(map(draft_stage, found.stages)), recipe=None)
    return replace(desk, draft=draft, notes=found.notes)


def _delete(ask: Ask, desk: Any) -> Any:
    pack: PackDraft | None = desk.pack
    if pack is None:
        return desk
    digests = open_pack(ask.workspace, pack.name).digests
    delete_pack(ask.workspace, pack.name, digests)
    return replace(desk, pack=None, done="The prompt pack was deleted; it lies in packs/.deleted of the runs folder.")
