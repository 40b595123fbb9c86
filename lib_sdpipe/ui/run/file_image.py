"""An image without a run, opened from a list: what its file tells, as `show IMAGE` tells it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.run.image_facts import FileFacts, ImageView, present_image
from lib_sdpipe.ui.words import Fact
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.browsing import address_of_file, find_file_at
from lib_sdpipe.workspace.picked import find_root_image

_STATUSES = {
    "ok": "", "stripped": "The text of this image was stripped; its pixels are recorded.",
    "no-metadata": "Nothing is written in this image about how it was made.",
    "foreign": "Another program made this image; its text is shown as it is.",
    "ambiguous": "More than one recorded image may be this one.",
}
_SOURCES = {
    "embedded": "what is written in the image", "manifest": "a manifest", "run-file": "its run", "infotext": "the infotext in the image",
}


@dataclass(frozen=True)
class FileImage:
    """`small` and `full` are addresses, None where the index does not know the file yet; `answer` is all that was found."""

    place: str
    file: Path
    small: str | None
    full: str | None
    view: ImageView
    answer: Json
    seed: str
    width: int | None
    height: int | None


def read_file_image(workspace: Workspace, root: str, path: str) -> FileImage:
    """Raises UnknownNameError for what is no image in the roots, or none that whoever asks may see."""
    from lib_sdpipe.workspace.resolve import resolve_image_file  # numpy comes with it

    file = find_root_image(workspace, root, path)
    answer = resolve_image_file(workspace.layout, file)
    manifest = Manifest.parse_obj(answer["payload"])
    found = find_file_at(workspace, root, path)
    image = manifest.image
    small, full = (address_of_file(found, is_small) if found is not None else None for is_small in (True, False))
    view, seed = _view(workspace, manifest, answer, root, path), words.format_value(manifest.actual_seed)
    width, height = (image.width, image.height) if image else (None, None)
    return FileImage(f"{root}: {path}", file, small, full, view, answer, seed, width, height)


def _view(workspace: Workspace, manifest: Manifest, answer: Json, root: str, path: str) -> ImageView:
    own = manifest.copy(update={"root": root, "path": path})
    view = present_image(own, manifest.run_id or "", FileFacts())
    link = ImageLink(run_id=manifest.run_id, name=manifest.name) if manifest.run_id and manifest.name else None
    if link is not None and not workspace.sees(link.run_id or ""):
        link = None
    notices = [_STATUSES.get(answer["status"]) or answer["error"] or "", *view.notices]
    facts = [
        Fact("Known from", _SOURCES.get(answer["source"], "")), Fact("In a run", link.name or "", link) if link is not None else None,
        Fact("Sources disagree on", ", ".join(name.replace("_", " ") for name in answer["conflicts"])),
    ]
    return replace(
        view, title=path.rpartition("/")[2], notices=[text for text in notices if text],
        settings=[*(fact for fact in facts if fact is not None and fact.value), *view.settings],
        summary=[text for text in (*view.summary, words.format_stage(manifest.stage) if manifest.stage else "") if text],
    )
