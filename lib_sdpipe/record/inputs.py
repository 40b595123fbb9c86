"""The pictures of a request: each becomes a reference to where it can be found again, once per content."""

from __future__ import annotations

from typing import Any

from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.inputs import encode_input
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.pictures import Recorded
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore


class InputKeeper:
    """Places the pictures of one request; `reasons` tells why the request cannot be made again, if it cannot."""

    def __init__(self, store: RunStore, library: Library, index: Index | None, keeps: bool) -> None:
        self._store = store
        self._library = library
        self._index = index
        self._keeps = keeps
        self._placed: dict[str, Json] = {}
        self._by_pixels: dict[tuple[str, str], Json] = {}
        self.reasons: list[str] = []

    def place(self, config: Any, pictures: dict[str, Image.Image]) -> Any:
        """The config with every `{"$picture": KEY}` replaced: `$image` (recorded), `$input` (kept) or None.

        What stands beside the key says how the picture was handed over, and stays.
        """
        if isinstance(config, dict):
            if "$picture" in config:
                placed = self._place_once(config["$picture"], pictures)
                return placed and {**placed, **{key: value for key, value in config.items() if key != "$picture"}}
            return {key: self.place(value, pictures) for key, value in config.items()}
        if isinstance(config, list):
            return [self.place(value, pictures) for value in config]
        return config

    def _place_once(self, key: str, pictures: dict[str, Image.Image]) -> Json | None:
        if key not in self._placed:
            placed = self._place_picture(pictures.get(key))
            if placed is None:
                return None
            self._placed[key] = placed
        return self._placed[key]

    def _place_picture(self, picture: Image.Image | None) -> Json | None:
        if picture is None:
            self.reasons.append("an input picture was lost when the process ended")
            return None
        try:
            picture.load()
        except Exception:  # a text that is a picture's by its first bytes; Pillow's readers raise whatever the rest leads them to
            self.reasons.append("an input picture is damaged and was not stored")
            return None
        placed = self.place_picture(picture, True)
        if placed is None:
            self.reasons.append("input pictures were not kept")
        return placed

    def place_picture(self, picture: Image.Image | None, keep: bool, known: Json | None = None) -> Json | None:
        """Where this picture can be found again. One that is nowhere is kept where that is wanted, else None.

        `known` is the recorded image that it was taken from, where that is certain.
        """
        if picture is None:
            return None
        digest = pixel_sha256(picture)
        if known is not None or (picture.mode, digest) not in self._by_pixels:
            placed = self._find(digest, known) or (self._keep(picture) if keep and self._keeps else None)
            if placed is None:
                return None
            self._by_pixels[(picture.mode, digest)] = placed
        return self._by_pixels[(picture.mode, digest)]

    def _find(self, digest: str, taken_from: Json | None) -> Json | None:
        known = self._index.pictures.find_by_pixels(digest) if self._index is not None else []
        # What the host saved of an input picture comes last: the image it was made as says more.
        with_file = sorted(filter(self._has_file, known), key=lambda recorded: (_is_link(recorded, taken_from), recorded.role != "init"))
        return {"$image": {"run_id": with_file[-1].run_id, "name": with_file[-1].name}} if with_file else None

    def _keep(self, picture: Image.Image) -> Json:
        sha256, data = encode_input(picture)
        self._store.write_input(sha256, data)
        return {"$input": sha256}

    def _has_file(self, recorded: Recorded) -> bool:
        return any(self._library.iter_files(recorded.root, recorded.path, recorded.kept))


def _is_link(recorded: Recorded, link: Json | None) -> bool:
    return link is not None and (recorded.run_id, recorded.name) == (link.get("run_id"), link.get("name"))
