"""Pictures by their digests: what parents are found by, and what an image is traced by."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Iterable

from lib_sdpipe.index.database import transaction
from lib_sdpipe.index.looks import (
    MAX_COLOUR_DIFFERENCE, MAX_DIFFERING_STEPS, MAYBE_COLOUR_DIFFERENCE, NEAR_COLOUR_DIFFERENCE, NEAR_DIFFERING_STEPS, split_hash,
)
from lib_sdpipe.index.sql_values import sql_integer, sql_text
from lib_sdpipe.index.texts import MODEL, SAMPLER, Texts, infotext_digest
from lib_sdpipe.index.viewer import compile_seen_pictures
from lib_sdpipe.manifest.names import parse_run_time
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.manifest.times import parse_utc

_COLUMNS = "run_id, name, stage, role, root, path, kept, width, height, actual_seed, sha256, pixel_sha256"
# Black pictures all look alike; nobody compares thousands.
_MOST_ALIKE = 500
# The year 9999.
_END_OF_TIME = 253_370_764_800
# A month: no stage of one image takes longer, but a record may say anything.
_LONGEST_MS = 31 * 86_400_000
_ROW = (
    "run_id", "name", "root", "path", "kept", "stage", "role", "time", "prompt", "negative_prompt", "model", "sampler", "loras",
    "actual_seed", "steps", "cfg_scale", "width", "height", "bytes", "sha256", "pixel_sha256", "infotext_digest", "lost_at",
    "duration_ms", "earlier_ms", "file", "parent_run_id", "parent_name", "brightness_steps", "tile_colours", "colour_sum",
)
_UPSERT = (
    f"INSERT INTO pictures ({', '.join(_ROW)}) VALUES ({', '.join('?' * len(_ROW))})"
    f" ON CONFLICT (run_id, name) WHERE run_id IS NOT NULL DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _ROW[2:])}"
)
CONTENT = (
    f"SELECT {', '.join(f'pictures.{column}' for column in _COLUMNS.split(', '))}, time, prompts.text, negatives.text, models.text,"
    " samplers.text, loras.text, steps, cfg_scale, bytes, infotext_digest, lost_at, duration_ms, earlier_ms, colour_sum,"
    " parent_run_id, parent_name FROM pictures"
    " LEFT JOIN prompts ON prompts.id = prompt LEFT JOIN prompts AS negatives ON negatives.id = negative_prompt"
    " LEFT JOIN names AS models ON models.id = model LEFT JOIN names AS samplers ON samplers.id = sampler"
    " LEFT JOIN names AS loras ON loras.id = pictures.loras WHERE run_id IS NOT NULL ORDER BY run_id, name"
)


@dataclass(frozen=True)
class Recorded:
    """One recorded image, as far as the index knows it."""

    run_id: str
    name: str
    stage: str | None
    role: str | None
    root: str | None
    path: str | None
    kept: str | None
    width: int | None
    height: int | None
    actual_seed: int | None
    sha256: str | None
    pixel_sha256: str | None


@dataclass(frozen=True)
class Alike:
    """A recorded image and how far its looks are: differing steps of 256, mean colour difference of 0 to 255."""

    recorded: Recorded
    steps: int
    colour: float

    @property
    def is_match(self) -> bool:
        return self.steps <= MAX_DIFFERING_STEPS and self.colour <= MAX_COLOUR_DIFFERENCE


class Pictures:
    """The table `pictures`, and `copies` beside it. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, viewer: str | None = None) -> None:
        """`viewer`: whose runs alone are found; None: everybody's."""
        self._connection = connection
        self._seen = compile_seen_pictures(viewer)
        self._texts = Texts(connection)

    def add(self, manifest: Manifest) -> None:
        """Insert or replace one manifest's row."""
        with transaction(self._connection):
            self.insert(manifest.to_json())

    def keep_only(self, run_id: str, names: Iterable[str]) -> None:
        """Remove a run's rows but these. Within a transaction of the caller's."""
        known = self._connection.execute("SELECT name FROM pictures WHERE run_id = ?", (run_id,))
        gone = {name for (name,) in known} - set(map(sql_text, names))
        self._connection.executemany("DELETE FROM pictures WHERE run_id = ? AND name = ?", [(run_id, name) for name in gone])

    def find_by_file(self, sha256: str) -> list[Recorded]:
        return self._find("sha256 = ?", (sha256,))

    def find_by_pixels(self, pixel_sha256: str) -> list[Recorded]:
        return self._find("pixel_sha256 = ?", (pixel_sha256,))

    def find_by_seed(self, run_id: str, actual_seed: int) -> list[Recorded]:
        return self._find("run_id = ? AND actual_seed = ?", (sql_text(run_id), sql_integer(actual_seed)))

    def find_all_by_seed(self, actual_seed: int, limit: int) -> list[Recorded]:
        """Of whatever run; of more than `limit` some."""
        return self._find("actual_seed = ?", (sql_integer(actual_seed),))[:limit]

    def find_by_path(self, root: str | None, path: str) -> list[Recorded]:
        return self._find("root IS ? AND path = ?", (sql_text(root), sql_text(path)))

    def name_of(self, picture: int) -> tuple[str, str] | None:
        """(run id, manifest name) of a recorded picture by its row."""
        query = "SELECT run_id, name FROM pictures WHERE id = ? AND run_id IS NOT NULL"
        found: tuple[str, str] | None = self._connection.execute(query, (picture,)).fetchone()
        return found

    def find_by_infotext(self, infotext: str) -> list[Recorded]:
        """Images whose infotext is this one to the letter."""
        return self._find("infotext_digest = ?", (infotext_digest(infotext),))

    def add_copy(self, path: str, run_id: str, name: str, evidence: str) -> None:
        """A file (absolute path) that shows a recorded image and is nobody's recorded file itself."""
        with transaction(self._connection):
            self._connection.execute("REPLACE INTO copies VALUES (?, ?, ?, ?)", (sql_text(path), run_id, name, evidence))

    def find_alike(self, width: int, height: int, perceptual_hash: str) -> list[Recorded]:
        """Images of this size that match the hash, nearest first."""
        found = self._find_within((width, height), perceptual_hash, MAX_DIFFERING_STEPS, MAX_COLOUR_DIFFERENCE)
        return [alike.recorded for alike in found]

    def find_scaled(self, width: int, height: int, perceptual_hash: str) -> list[Alike]:
        """Images of these proportions in any size whose steps match the hash, and whose colours may, nearest first."""
        return self._find_within((width, height), perceptual_hash, MAX_DIFFERING_STEPS, MAYBE_COLOUR_DIFFERENCE, any_size=True)

    def find_maybe_near(self, width: int, height: int, perceptual_hash: str) -> list[Recorded]:
        """Images of this size whose pixels may lie within 2 of the hashed picture's, likeliest first; compare to know."""
        found = self._find_within((width, height), perceptual_hash, NEAR_DIFFERING_STEPS, NEAR_COLOUR_DIFFERENCE)
        return [alike.recorded for alike in found]

    def _find_within(
        self, size: tuple[int, int], perceptual_hash: str, most_steps: int, most_colour: float, any_size: bool = False
    ) -> list[Alike]:
        from lib_sdpipe.index.alike import find_alike  # numpy, which a search does not need

        looks = split_hash(perceptual_hash)
        if looks is None:
            return []
        nearest = find_alike(self._connection, size, looks, most_steps, most_colour, any_size)
        query = f"SELECT {_COLUMNS} FROM pictures WHERE id = ? AND {self._seen.text}"
        rows = (
            (steps, colour, self._connection.execute(query, (picture, *self._seen.values)).fetchone())
            for steps, colour, picture in nearest[:_MOST_ALIKE]
        )
        return [Alike(Recorded(*row), steps, colour) for steps, colour, row in rows if row is not None]

    def _find(self, where: str, values: tuple[Any, ...]) -> list[Recorded]:
        query = f"SELECT {_COLUMNS} FROM pictures WHERE {where} AND run_id IS NOT NULL AND {self._seen.text} ORDER BY run_id, name"
        return [Recorded(*row) for row in self._connection.execute(query, (*values, *self._seen.values))]

    def insert(self, manifest: Json) -> int:
        """A manifest's JSON document, with the types that a record has; the row's id. Within a transaction of the caller's.

        A row that is there keeps its id: pages of a search go by it.
        """
        row = {**_row_of(manifest), **self._shared(manifest)}
        self.write_row(row)
        query = "SELECT id FROM pictures WHERE run_id = ? AND name = ?"
        return int(self._connection.execute(query, (row["run_id"], row["name"])).fetchone()[0])

    def write_row(self, row: dict[str, Any]) -> None:
        """One picture by column; what is left out is unknown. Within a transaction of the caller's."""
        self._connection.execute(_UPSERT, tuple(map({**row, "time": _known_time(row["time"])}.get, _ROW)))

    def _shared(self, manifest: Json) -> dict[str, Any]:
        config, texts = manifest.get("config") or {}, self._texts
        loras = [lora.get("name") for lora in manifest.get("loras") or ()]
        return {
            "prompt": texts.prompt(manifest.get("prompt") or _text(config, "prompt")),
            "negative_prompt": texts.prompt(manifest.get("negative_prompt") or _text(config, "negative_prompt"), is_negative=True),
            "model": texts.name(MODEL, manifest.get("model") or _text(config, "model", "model_name", "sd_model_checkpoint")),
            "sampler": texts.name(SAMPLER, _text(config, "sampler_name", "sampler")),
            "loras": texts.loras([name for name in loras if isinstance(name, str)]),
        }


def _row_of(manifest: Json) -> dict[str, Any]:
    """What the row holds itself; the rest is shared with other pictures."""
    image = manifest.get("image") or {}
    looks = split_hash(image.get("perceptual_hash"))
    config, parent = manifest.get("config") or {}, manifest.get("parent") or {}
    return {
        **{key: sql_text(manifest.get(key)) for key in ("run_id", "name", "root", "path", "kept", "stage", "role", "lost_at")},
        "parent_run_id": sql_text(parent.get("run_id")),
        "parent_name": sql_text(parent.get("name")),
        "time": parse_utc(manifest.get("timestamp") or "") or parse_run_time(manifest.get("run_id") or "") or 0.0,
        "actual_seed": sql_integer(manifest.get("actual_seed")),
        "steps": sql_integer(_integer(config.get("steps"))),
        "cfg_scale": _number(config.get("cfg_scale")),
        "width": sql_integer(image.get("width") or _integer(config.get("width"))),
        "height": sql_integer(image.get("height") or _integer(config.get("height"))),
        "bytes": sql_integer(image.get("bytes")),
        "sha256": sql_text(image.get("sha256")),
        "pixel_sha256": sql_text(image.get("pixel_sha256")),
        "infotext_digest": infotext_digest(manifest.get("infotext")),
        "duration_ms": _duration(manifest.get("stage_duration_ms")),
        "earlier_ms": _earlier(manifest),
        "brightness_steps": looks.steps if looks else None,
        "tile_colours": looks.colours if looks else None,
        "colour_sum": looks.colour_sum if looks else None,
    }


def _earlier(manifest: Json) -> int | None:
    """What passes of the same run took whose result is no image of its own in the library: before ADetailer, for one."""
    history, run_id = manifest.get("stage_history") or (), manifest.get("run_id")
    own = [entry for entry in history if isinstance(entry, dict) and entry.get("run_id") == run_id and entry.get("role") != "final"]
    known = [duration for entry in own if (duration := _duration(entry.get("duration_ms"))) is not None]
    return min(sum(known), _LONGEST_MS) if known else None


def _duration(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LONGEST_MS else None


def _known_time(seconds: float) -> float:
    """In milliseconds, as a cursor writes it; 0 for what no calendar has."""
    return round(seconds, 3) if 0 < seconds < _END_OF_TIME else 0.0


def _text(config: dict[str, Any], *keys: str) -> str | None:
    return next((config[key] for key in keys if isinstance(config.get(key), str)), None)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e9 else None
