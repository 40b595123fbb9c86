"""The actions of the open image: which of its texts can be copied, and where its file is."""

from __future__ import annotations

from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.manifest.to_infotext import build_infotext
from lib_sdpipe.ui.actions.markup import FileLink, ImageTexts, show_actions
from lib_sdpipe.ui.pipelines.buttons import show_image_buttons
from lib_sdpipe.ui.run.file_image import FileImage
from lib_sdpipe.workspace.page_address import build_picture_address


def show_image_actions(manifest: Manifest, run_id: str, has_file: bool, targets: tuple[str, ...]) -> str:
    """Of a recorded image. `targets` are the host's tabs that it can be sent to."""
    name = manifest.name or ""
    file = FileLink(build_picture_address(run_id, name), _last(manifest.path or manifest.kept or name)) if has_file else None
    more = show_image_buttons(run_id, name, has_file, not has_file and manifest.path is not None) if name else ""
    return show_actions({"run": run_id, "name": name}, _texts(manifest), targets, file, more)


def show_file_actions(root: str, path: str, image: FileImage, targets: tuple[str, ...]) -> str:
    """Of an image without a run."""
    manifest = Manifest.parse_obj(image.answer["payload"])
    file = FileLink(image.full, _last(path)) if image.full else None
    return show_actions({"root": root, "path": path}, _texts(manifest), targets, file)


def _texts(manifest: Manifest) -> ImageTexts:
    seed = "" if manifest.actual_seed is None else str(manifest.actual_seed)
    return ImageTexts(build_infotext(manifest) or "", manifest.prompt or "", seed)


def _last(path: str) -> str:
    return path.rpartition("/")[2]
