"""What there is to show of images: their files, and why one is not there. Looks at the disk, reads no more than a file's head."""

from __future__ import annotations

from pathlib import Path

from lib_sdpipe.index.namesakes import read_namesakes
from lib_sdpipe.manifest.records import ImageLink, Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.run.image_facts import FileFacts
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.picked import find_root_image
from lib_sdpipe.workspace.shown_file import MISSING, Shown, ShownFiles


def find_absences(workspace: Workspace, manifests: list[Manifest]) -> list[str]:
    """For each image why it has no file, in two words; empty where it has one."""
    files = ShownFiles(workspace.layout)
    return [_name(files.find(manifest)) for manifest in manifests]


def find_shown(workspace: Workspace, manifest: Manifest) -> Shown:
    """The image's own file. What is no picture is never shown: a manifest may name any file of the disk."""
    return ShownFiles(workspace.layout).look(manifest)


def read_file_facts(workspace: Workspace, run_id: str, manifest: Manifest) -> FileFacts:
    shown = find_shown(workspace, manifest)
    image = manifest.image
    elsewhere: list[str] = []
    if shown.absence == MISSING and manifest.path and image is not None and image.bytes:
        elsewhere = read_namesakes(workspace.layout.index_places, manifest.path.rpartition("/")[2], image.bytes)
    absence = words.describe_absence(shown.absence) if shown.absence else ""
    copies = workspace.find_copies(run_id, manifest.name or "")
    return FileFacts(absence, _name(shown), shown.is_kept, copies, elsewhere)


def find_folder(workspace: Workspace, link: ImageLink | None, root: str | None, path: str | None) -> Path | None:
    """The folder of an image's file, or of a run. Raises UnknownNameError or RecordError."""
    if root and path:
        return find_root_image(workspace, root, path).parent
    if link is None:
        return None
    workspace.check_sees(link.run_id or "")
    if link.name:
        file = ShownFiles(workspace.layout).find(workspace.view_manifest(link.run_id or "", link.name)).file
        return file.parent if file is not None else None
    folder = workspace.layout.run_folder(link.run_id or "")
    return folder if folder.is_dir() else None


def _name(shown: Shown) -> str:
    return words.name_absence(shown.absence) if shown.absence and shown.file is None else ""
