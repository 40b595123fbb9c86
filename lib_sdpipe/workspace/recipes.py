"""Recipes and prompt packs of a library: listed, read, saved, previewed. Everybody who uses the library has the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from lib_sdpipe.errors import RecordError, SdPipeError, UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.pipeline.packs.expansion import AS_THE_PACK, Choices, Preview, expand, preview
from lib_sdpipe.pipeline.packs.pack import Pack
from lib_sdpipe.pipeline.packs.reading import parse_pack
from lib_sdpipe.pipeline.recipe_of_run import RunRecipe, build_recipe
from lib_sdpipe.pipeline.recipes import check_recipe, format_recipe, parse_recipe
from lib_sdpipe.pipeline.records import Job, Recipe, Stage
from lib_sdpipe.store import recipes as shelf
from lib_sdpipe.store.recipes import PACKS, RECIPES, StoredFile
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.jobs import build_chain
from lib_sdpipe.workspace.workspace import Workspace

_SUFFIX = ".json"
# A run's first records tell what a stage of Extras used; a run may have thousands.
_MOST_MANIFESTS = 20


@dataclass(frozen=True)
class OpenRecipe:
    """A recipe as it was read. `faults` keep it from being run; `digest` is asked for when it is saved again.

    `recipe` is None where the file cannot be read as one; then `faults` say why, and `text` can be mended.
    """

    name: str
    recipe: Recipe | None
    faults: list[str]
    text: str
    digest: str


@dataclass(frozen=True)
class OpenPack:
    """A pack as it was read, with the text of each of its files by suffix. `pack` is None where `fault` says why."""

    name: str
    pack: Pack | None
    fault: str | None
    texts: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)


def list_recipes(workspace: Workspace) -> list[str]:
    """Names, sorted. Raises RecordError."""
    return list(shelf.list_files(workspace.layout, RECIPES))


def open_recipe(workspace: Workspace, name: str) -> OpenRecipe:
    """Raises UnknownNameError, RecordError for a file that cannot be read at all, UsageError for what is no name."""
    stored = shelf.read_file(workspace.layout, RECIPES, name, _SUFFIX)
    text = stored.data.decode("utf-8-sig", "replace")
    try:
        recipe = parse_recipe(stored.data, f"recipes/{name}{_SUFFIX}")
    except RecordError as fault:
        return OpenRecipe(name, None, [str(fault)], text, stored.digest)
    return OpenRecipe(name, recipe, check_recipe(recipe), text, stored.digest)


def save_recipe(workspace: Workspace, name: str, recipe: Recipe, expected: str | None) -> str:
    """Write a recipe; its digest. `expected` is the digest of the one it replaces, None for a new one.

    Raises UsageError, naming every fault, for one that could not be run; ChangedMeanwhileError, RecordError, LockedError, OSError.
    """
    if faults := check_recipe(recipe):
        raise UsageError("; ".join(faults))
    recipe = recipe.copy(update={"name": name})
    return shelf.write_file(workspace.layout, RECIPES, name, _SUFFIX, format_recipe(recipe), expected)


def save_recipe_text(workspace: Workspace, name: str, text: str, expected: str | None) -> str:
    """The same of a recipe that somebody has written as JSON."""
    try:
        recipe = parse_recipe(text.encode("utf-8", "surrogatepass"), "the recipe")
    except RecordError as fault:
        raise UsageError(str(fault)) from fault
    return save_recipe(workspace, name, recipe, expected)


def delete_recipe(workspace: Workspace, name: str, expected: str) -> str:
    """Move a recipe aside; the name by which `bring_back_recipe` finds it. Raises as `save_recipe`, and UnknownNameError."""
    return shelf.delete_file(workspace.layout, RECIPES, name, _SUFFIX, expected)


def bring_back_recipe(workspace: Workspace, aside: str) -> str:
    """Put back a recipe that was deleted; its name. Raises UnknownNameError, ChangedMeanwhileError."""
    return shelf.bring_back(workspace.layout, RECIPES, aside)


def read_run_recipe(workspace: Workspace, run_id: str, name: str | None = None, with_prompts: bool = True) -> RunRecipe:
    """The recipe of a recorded run, not saved yet. Raises UnknownNameError, RecordError, UsageError for a run that has none."""
    workspace.check_sees(run_id)
    store = RunStore(workspace.layout)
    run = store.read_run(run_id)
    manifests = [found for found in islice(store.iter_manifests(run_id), _MOST_MANIFESTS) if isinstance(found, Manifest)]
    return build_recipe(run, manifests, name, with_prompts)


def list_packs(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Names, sorted, with the suffixes of each one's files. Raises RecordError."""
    return shelf.list_files(workspace.layout, PACKS)


def open_pack(workspace: Workspace, name: str) -> OpenPack:
    """Raises UnknownNameError; UsageError for what is no name."""
    files, faults = _read_pack_files(workspace, name)
    texts = {stored.suffix: _decode(stored.data) for stored in files}
    digests = {stored.suffix: stored.digest for stored in files}
    pack = None
    if not faults:
        try:
            pack = parse_pack(name, {stored.suffix: stored.data for stored in files})
        except RecordError as fault:
            faults.append(str(fault))
    return OpenPack(name, pack, "; ".join(faults) or None, texts, digests)


def preview_pack(workspace: Workspace, name: str, choices: Choices = AS_THE_PACK, first: int = 10) -> Preview:
    """Raises UnknownNameError, UsageError, RecordError for a pack that cannot be read."""
    opened = open_pack(workspace, name)
    if opened.pack is None:
        raise RecordError(opened.fault or f"{name}: cannot be read")
    return preview(opened.pack, choices, first)


def preview_text(name: str, texts: dict[str, str], choices: Choices = AS_THE_PACK, first: int = 10) -> Preview:
    """The same of a pack that is being written: its texts by suffix. Raises RecordError."""
    return preview(parse_pack(name, {suffix: _encode(text) for suffix, text in texts.items()}), choices, first)


def build_pack_job(
    workspace: Workspace, name: str, choices: Choices, stages: Sequence[Stage], label: str = "", user: str | None = None
) -> Job:
    """A job that runs stages on the prompts of a pack; it is called as the pack is, and holds the seed of what was drawn.

    Raises UnknownNameError, RecordError for a pack that cannot be read, UsageError for one that is too much, or stages with faults.
    """
    opened = open_pack(workspace, name)
    if opened.pack is None:
        raise RecordError(opened.fault or f"{name}: cannot be read")
    job = build_chain(list(expand(opened.pack, choices)), stages, label or name, user)
    matrix = opened.pack.matrix
    job.pack = {
        "name": name, "digests": opened.digests, "mode": choices.mode or matrix.mode,
        "limit": matrix.limit if choices.limit is None else choices.limit, "seed": choices.seed,
        "rows": None if choices.rows is None else list(choices.rows),
    }
    return job


def draw_seed() -> int:
    """For `Choices`, where nobody has named one."""
    return secrets.randbelow(1 << 32)


def save_pack(workspace: Workspace, name: str, suffix: str, text: str, expected: str | None) -> str:
    """Write one file of a pack; its digest. `expected` is the digest of the one it replaces, None for a new one.

    Raises UsageError for a text that is no pack together with the pack's other files; else as `save_recipe`.
    """
    files, faults = _read_pack_files(workspace, name, but=suffix, must_exist=False)
    try:
        if not faults:
            parse_pack(name, {**{stored.suffix: stored.data for stored in files}, suffix: _encode(text)})
    except RecordError as fault:
        raise UsageError(str(fault)) from fault
    return shelf.write_file(workspace.layout, PACKS, name, suffix, _encode(text), expected)


def delete_pack(workspace: Workspace, name: str, expected: dict[str, str]) -> list[str]:
    """Move the files of a pack aside, by suffix and digest; the names by which `bring_back_pack` finds them. Raises as `delete_recipe`."""
    return [shelf.delete_file(workspace.layout, PACKS, name, suffix, digest) for suffix, digest in expected.items()]


def bring_back_pack(workspace: Workspace, asides: Iterable[str]) -> list[str]:
    """Put back the files of a pack that was deleted; their names. Raises UnknownNameError, ChangedMeanwhileError."""
    return [shelf.bring_back(workspace.layout, PACKS, aside) for aside in asides]


def _read_pack_files(
    workspace: Workspace, name: str, but: str | None = None, must_exist: bool = True
) -> tuple[list[StoredFile], list[str]]:
    """Those that are there and can be read, and sentences on those that cannot."""
    files: list[StoredFile] = []
    faults: list[str] = []
    missing: SdPipeError | None = None
    for suffix in PACKS.suffixes:
        if suffix == but:
            continue
        try:
            files.append(shelf.read_file(workspace.layout, PACKS, name, suffix))
        except UnknownNameError as fault:
            missing = missing or fault
        except RecordError as fault:
            faults.append(str(fault))
    if must_exist and missing is not None and not files and not faults:
        raise UnknownNameError(f"there is no prompt pack {name!r}") from missing
    return files, faults


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(data: bytes) -> str:
    """For a text box; what is no UTF-8 shows as such, and `open_pack` says it."""
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.decode("utf-16" if is_wide else "utf-8-sig", "replace")
