"""The pictures that requests name: those made a moment ago from memory, all others from their files."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PIL import Image

from lib_sdpipe.errors import RecordError, UnknownNameError
from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.opening import open_image
from lib_sdpipe.images.read import open_regular
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore

# Bytes of pictures that are held: four for a pixel.
_MOST_BYTES = 512 << 20


class Pictures:
    """One job's. What a stage has made is what the next one takes, though its file may be lossy."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._store = RunStore(layout)
        self._made: OrderedDict[tuple[str, str], Image.Image] = OrderedDict()

    def hold(self, run_id: str, name: str, picture: Image.Image) -> None:
        """Keep it for the next stage, as long as there is room."""
        self._made[(run_id, name)] = picture
        while len(self._made) > 1 and sum(each.width * each.height * 4 for each in self._made.values()) > _MOST_BYTES:
            self._made.popitem(last=False)

    def find_made(self, run_id: str, name: str) -> Image.Image | None:
        return self._made.get((run_id, name))

    def find(self, reference: Json) -> Image.Image:
        """The picture of `{"$input": sha256}` or `{"$image": {"run_id", "name"}}`. Raises UnknownNameError, RecordError."""
        if isinstance(reference.get("$input"), str):
            return read_picture(self.layout.input_file(reference["$input"]))
        link = reference.get("$image")
        if not isinstance(link, dict) or not isinstance(link.get("run_id"), str) or not isinstance(link.get("name"), str):
            raise RecordError(f"{reference!r} names no picture")
        made = self._made.get((link["run_id"], link["name"]))
        return made if made is not None else read_picture(self.find_file(self._store.read_manifest(link["run_id"], link["name"])))

    def find_file(self, manifest: Manifest) -> Path:
        """Where a recorded image is, or its copy in the run folder. Raises UnknownNameError."""
        library = Library.unread(self.layout)
        library.reload_tolerantly(None)
        file = next(iter(library.iter_files(manifest.root, manifest.path, manifest.kept)), None)
        if file is None:
            raise UnknownNameError(
                f"{manifest.run_id}/{manifest.name}: its file {manifest.path or ''} is not there; look for it with Repair, or regenerate it"
            )
        return file


def read_picture(path: Path) -> Image.Image:
    """A file's first frame, decoded. Raises UnknownNameError, RecordError."""
    try:
        with open_regular(path) as file, open_image(file) as image:
            image.load()
            return image.copy()
    except FileNotFoundError as fault:
        raise UnknownNameError(f"{path}: this picture is not there any more") from fault
    except DECODER_FAULTS as fault:
        raise RecordError(f"{path}: cannot be read as an image ({fault})") from fault
