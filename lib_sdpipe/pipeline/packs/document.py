"""Packs as JSON, in StableNew's form: `pack_data` with slots (the rows) and a matrix, `preset_data` beside it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.codec import format_json, parse_json_object
from lib_sdpipe.manifest.loose_json import list_of, number_of, object_of
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.packs.pack import (
    LARGEST_PACK, LONGEST_VALUE, MOST_ROWS, MOST_SLOTS, MOST_VALUES, RANDOM, SEQUENTIAL, SLOT_NAME, Matrix, Pack, Row, Slot,
)
from lib_sdpipe.pipeline.packs.rows import split_text, to_host_words, write_embedding
from lib_sdpipe.pipeline.stage_fields import LONGEST_PROMPT, show_name, show_value

# What StableNew calls the two ways; `fanout` is what it writes.
_MODES = {SEQUENTIAL: SEQUENTIAL, "fanout": SEQUENTIAL, RANDOM: RANDOM}
_OF_ROW = ("text", "negative", "positive_embeddings", "negative_embeddings", "loras")
_OF_PACK = ("name", "slots", "matrix", "global_positive", "global_negative")
_OF_MATRIX = ("enabled", "mode", "limit", "slots")


def parse_document(data: bytes, name: str, what: str) -> Pack:
    """A pack of a `.json` file; what is odd is a warning, what is no pack raises RecordError. Rows without any text are left out."""
    if len(data) > LARGEST_PACK:
        raise RecordError(f"{what}: larger than {LARGEST_PACK >> 20} MB, which no prompt pack is")
    document = parse_json_object(data.removeprefix(codecs.BOM_UTF8), what)
    is_nested = isinstance(document.get("pack_data"), dict)
    inner = document["pack_data"] if is_nested else {key: value for key, value in document.items() if key != "preset_data"}
    has_form = isinstance(inner.get("slots", []), list) and isinstance(inner.get("matrix", {}), dict)
    if not has_form or not inner.keys() & {"slots", "matrix"}:
        raise RecordError(f'{what}: no prompt pack: it has no list "slots" and no object "matrix" in "pack_data"')
    warnings: list[str] = []
    outer = {key: value for key, value in document.items() if key not in ("pack_data", "preset_data")} if is_nested else {}
    return Pack(
        name=_text(inner.get("name")) or name,
        rows=_read_rows(list_of(inner.get("slots")), what, warnings),
        matrix=_read_matrix(object_of(inner.get("matrix")), what, warnings),
        global_positive=to_host_words(_text(inner.get("global_positive"), f"{what}: global_positive")),
        global_negative=to_host_words(_text(inner.get("global_negative"), f"{what}: global_negative")),
        preset=object_of(document.get("preset_data")),
        warnings=tuple(warnings),
        extra=_rest(inner, _OF_PACK),
        outer=outer,
    )


def format_document(pack: Pack) -> bytes:
    """The pack as a `.json` file; read again it is the same pack, but for its warnings."""
    matrix = pack.matrix
    slots = [{"name": slot.name, "values": list(slot.values), **slot.extra} for slot in matrix.slots]
    inner: Json = {
        "name": pack.name,
        "slots": [_build_row(index, row) for index, row in enumerate(pack.rows)],
        "matrix": {"enabled": matrix.enabled, "mode": matrix.mode, "limit": matrix.limit, "slots": slots, **matrix.extra},
    }
    inner.update({key: text for key in ("global_positive", "global_negative") if (text := getattr(pack, key))})
    return format_json({"pack_data": {**inner, **pack.extra}, "preset_data": pack.preset, **pack.outer})


def _build_row(index: int, row: Row) -> Json:
    return {
        "index": index, "text": "\n".join(row.lines), "negative": row.negative,
        "positive_embeddings": list(row.embeddings), "negative_embeddings": list(row.negative_embeddings),
        "loras": list(row.loras), **row.extra,
    }


def _read_rows(entries: list[Any], what: str, warnings: list[str]) -> tuple[Row, ...]:
    if len(entries) > MOST_ROWS:
        raise RecordError(f"{what}: more than {MOST_ROWS:,} rows; make several packs of it")
    rows: list[Row] = []
    for number, entry in enumerate(entries, 1):
        where = f"{what}: row {number}"
        if not isinstance(entry, dict):
            warnings.append(f"row {number}: {show_value(entry)} is no row, left out")
            continue
        row = _read_row(entry, where)
        if rows and not rows[-1].negative and str(entry.get("name")).casefold() == "negative prompt":
            # An older form: a positive and a negative prompt as two slots of these names.
            rows[-1] = replace(rows[-1], negative=" ".join(row.lines))
            continue
        if entry.get("template_id"):
            template = show_value(entry["template_id"])
            warnings.append(f"row {number}: its template {template} is StableNew's own and is not used, only its text")
        if row.prompt:
            rows.append(row)
        elif row.negative_prompt:
            warnings.append(f"row {number}: no prompt, left out")
    return tuple(rows)


def _read_row(entry: Json, where: str) -> Row:
    row = Row(
        lines=split_text(to_host_words(_text(entry.get("text"), where))),
        negative=", ".join(split_text(to_host_words(_text(entry.get("negative"), where)))),
        embeddings=tuple(_read_embeddings(entry.get("positive_embeddings"))),
        negative_embeddings=tuple(_read_embeddings(entry.get("negative_embeddings"))),
        loras=tuple(_read_loras(entry.get("loras"))),
        extra=_rest(entry, (*_OF_ROW, "index")),
    )
    for text in (row.prompt, row.negative_prompt):
        if len(text) > LONGEST_PROMPT:
            raise RecordError(f"{where}: a prompt of {len(text):,} characters; at most {LONGEST_PROMPT:,}")
    return row


def _read_embeddings(entries: Any) -> Iterator[str]:
    """By name, or with a weight as `[name, weight]` or `{"name", "weight"}`."""
    for name, weight in _iter_weighted(entries):
        text = to_host_words(name)
        yield text if text != name or text.startswith("(") else write_embedding(name, weight)


def _read_loras(entries: Any) -> Iterator[str]:
    for name, weight in _iter_weighted(entries):
        yield name if name.startswith("<") else f"<lora:{name}:{weight or '1'}>"


def _iter_weighted(entries: Any) -> Iterator[tuple[str, str | None]]:
    for entry in list_of(entries)[:MOST_VALUES]:
        weight = None
        if isinstance(entry, dict):
            entry, weight = entry.get("name"), number_of(entry.get("weight"))
        elif isinstance(entry, list) and entry:
            entry, weight = entry[0], number_of(entry[1]) if len(entry) > 1 else None
        if isinstance(entry, str) and entry.strip():
            yield entry.strip(), None if weight is None else str(weight)


def _read_matrix(found: Json, what: str, warnings: list[str]) -> Matrix:
    mode = _MODES.get(str(found.get("mode", SEQUENTIAL)))
    if mode is None:
        warnings.append(f"matrix: the mode {show_value(found['mode'])} is not known; its combinations are taken in order")
    limit = number_of(found.get("limit"))
    if found.get("limit") is not None and (limit is None or limit != int(limit) or limit < 0):
        warnings.append(f"matrix: limit must be a whole number, not {show_value(found['limit'])}; there is none now")
        limit = None
    entries = list_of(found.get("slots"))
    if len(entries) > MOST_SLOTS:
        raise RecordError(f"{what}: matrix has {len(entries):,} slots; at most {MOST_SLOTS}")
    slots: dict[str, Slot] = {}
    for number, entry in enumerate(entries, 1):
        slot = _read_slot(entry, number, what, warnings)
        if slot is not None and slot.name in slots:
            warnings.append(f"matrix: slot {number} is a second {show_name(slot.name)}, left out")
        elif slot is not None:
            slots[slot.name] = slot
    enabled = found.get("enabled", bool(slots))
    is_on = enabled is True or enabled == 1
    return Matrix(tuple(slots.values()), is_on, mode or SEQUENTIAL, int(limit) if limit else None, _rest(found, _OF_MATRIX))


def _read_slot(entry: Any, number: int, what: str, warnings: list[str]) -> Slot | None:
    """None, with a warning, for what varies nothing."""
    name = entry.get("name").strip(" []") if isinstance(entry, dict) and isinstance(entry.get("name"), str) else ""
    if not SLOT_NAME.fullmatch(name):
        warnings.append(f"matrix: slot {number} has no name that can stand in [[ ]], left out")
        return None
    values = list_of(entry.get("values"))
    if len(values) > MOST_VALUES:
        raise RecordError(f"{what}: matrix slot {name!r} has {len(values):,} values; at most {MOST_VALUES:,}")
    texts = [to_host_words(str(value)) for value in values if isinstance(value, (str, int, float)) and not isinstance(value, bool)]
    if any(len(text) > LONGEST_VALUE for text in texts):
        raise RecordError(f"{what}: matrix slot {name!r} has a value of more than {LONGEST_VALUE:,} characters")
    if len(texts) < len(values):
        warnings.append(f"matrix: slot {name!r} has values that are neither text nor numbers, left out")
    if not texts:
        warnings.append(f"matrix: slot {name!r} has no values, left out")
        return None
    return Slot(name, tuple(texts), _rest(entry, ("name", "values")))


def _text(value: Any, where: str = "") -> str:
    """Text, or nothing where it is none; one beyond all bounds raises RecordError."""
    if not isinstance(value, str):
        return ""
    if where and len(value) > LONGEST_PROMPT:
        raise RecordError(f"{where}: a text of {len(value):,} characters; at most {LONGEST_PROMPT:,}")
    return value.strip()


def _rest(document: Json, known: tuple[str, ...]) -> Json:
    return {key: value for key, value in document.items() if key not in known}
