"""Images that somebody picked: recorded ones by run and name, others by root and path. What a page sends names no file by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_sdpipe.errors import RefusedError, SdPipeError, UnknownNameError
from lib_sdpipe.images.head import read_head
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.manifest.to_infotext import build_infotext
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.store.confine import Places
from lib_sdpipe.workspace.workspace import Workspace

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")


@dataclass(frozen=True)
class Pick:
    """Either run and name, or root and path."""

    run_id: str | None = None
    name: str | None = None
    root: str | None = None
    path: str | None = None

    @property
    def title(self) -> str:
        return f"{self.run_id}: {self.name}" if self.run_id else f"{self.root}: {self.path}"


@dataclass(frozen=True)
class FoundPick:
    """What there is of it. `absence` says why there is no file."""

    pick: Pick
    manifest: Manifest | None
    file: Path | None
    bytes: int | None
    absence: str | None = None


def read_picks(values: Iterable[Any]) -> list[Pick]:
    """Of objects as the page sends them, or records that have the same names; each once. What is none is left out."""
    picks: dict[Pick, None] = {}
    for value in values:
        run_id, name, root, path = (_text(value, *names) for names in (("run_id", "run"), ("name",), ("root",), ("path",)))
        if run_id and name:
            picks[Pick(run_id, name)] = None
        elif root and path:
            picks[Pick(root=root, path=path)] = None
    return list(picks)


def find_pick(workspace: Workspace, pick: Pick) -> FoundPick:
    """Never raises for what a person's disk or records lack: that is its `absence`."""
    try:
        if pick.run_id is not None:
            manifest = workspace.view_manifest(pick.run_id, pick.name or "")
            return _found(pick, manifest, workspace.find_picture(manifest))
        return _found(pick, None, find_root_image(workspace, pick.root or "", pick.path or ""))
    except (SdPipeError, OSError) as fault:
        return FoundPick(pick, None, None, None, str(fault))


def find_root_image(workspace: Workspace, root: str, path: str) -> Path:
    """An image file in one of the roots. Raises UnknownNameError for all else: what lies elsewhere is nobody's business."""
    unknown = UnknownNameError(f"{root}: {path}: no image in the roots of this library")
    try:
        file = Places(workspace.layout, workspace.library()).find_readable(Place(root, path))
        is_file = file.is_file()
    except (RefusedError, OSError) as fault:  # a name too long for this disk, too
        raise unknown from fault
    if not path.lower().endswith(IMAGE_SUFFIXES) or not is_file:
        raise unknown
    workspace.check_sees_file(root, path)
    return file


def read_infotext_of(found: FoundPick) -> str | None:
    """As recorded, else as the file says; None where nothing is known of how it was made."""
    text = build_infotext(found.manifest) if found.manifest is not None else None
    if text is None and found.file is not None:
        text = read_head(str(found.file)).infotext
    return text


def list_secrets(found: FoundPick) -> list[str]:
    """Texts that a copy for others must not hold: prompts, names of models, the run, the place."""
    manifest, pick = found.manifest, found.pick
    secrets = [pick.run_id, pick.path]
    if manifest is not None:
        networks = [network.get("name") for network in (*manifest.loras, *manifest.embeddings) if isinstance(network, dict)]
        secrets += [manifest.prompt, manifest.negative_prompt, manifest.infotext, manifest.model, manifest.vae, manifest.path, *networks]
    text = read_infotext_of(found)
    if text:
        said = parse_infotext(text)
        secrets += [text, said.prompt, said.negative_prompt, said.parameters.get("Model")]
    return [secret for secret in secrets if isinstance(secret, str) and secret]


def _found(pick: Pick, manifest: Manifest | None, file: Path | None) -> FoundPick:
    if file is None:
        is_saved = manifest is not None and manifest.path is not None
        return FoundPick(pick, manifest, None, None, "its file is not where it was recorded" if is_saved else "it was never saved")
    if read_head(str(file)).format is None:  # a record may come from elsewhere and name anything on this disk
        return FoundPick(pick, manifest, None, None, "its file is no image")
    return FoundPick(pick, manifest, file, file.stat().st_size)


def _text(value: Any, *names: str) -> str | None:
    for name in names:
        found = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if isinstance(found, str):
            return found
    return None
