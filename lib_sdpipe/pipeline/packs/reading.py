"""The files of one name as one pack: rows from `.txt` or `.tsv` where there is one, the matrix and the preset from `.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lib_sdpipe.errors import RecordError
from lib_sdpipe.pipeline.packs.document import parse_document
from lib_sdpipe.pipeline.packs.pack import Pack, bound_warnings
from lib_sdpipe.pipeline.packs.rows import decode_text, parse_blocks, parse_lines

TEXT, TABLE, DOCUMENT = ".txt", ".tsv", ".json"
PACK_SUFFIXES = (TEXT, TABLE, DOCUMENT)


def parse_pack(name: str, files: Mapping[str, bytes]) -> Pack:
    """The pack that the files of a name are, by suffix: StableNew keeps `NAME.txt` and `NAME.json` beside each other.

    Raises RecordError for a file that cannot be read, and for a pack without any row, unless it has StableNew's settings alone.
    """
    document = parse_document(files[DOCUMENT], name, name + DOCUMENT) if DOCUMENT in files else Pack(name)
    suffix = next((suffix for suffix in (TEXT, TABLE) if suffix in files), None)
    warnings = list(document.warnings)
    rows = document.rows
    if suffix is not None:
        what = name + suffix
        parse = parse_blocks if suffix == TEXT else parse_lines
        rows = parse(decode_text(files[suffix], what), what, warnings)
        if document.rows and not _are_same(rows, document.rows):
            warnings.append(f"{what} and {name}.json hold different rows; those of {what} are used")
    if suffix == TEXT and TABLE in files:
        warnings.append(f"{name}.tsv is not used, since there is {name}.txt")
    if not rows and not document.preset:
        raise RecordError(f"{_name_all(name, files)}: no row with a prompt")
    return replace(document, name=name, rows=rows, warnings=bound_warnings(warnings))


def _are_same(rows: tuple[object, ...], others: tuple[object, ...]) -> bool:
    """By their prompts: StableNew writes the `.txt` of the `.json`, with the same words."""
    return [_words(row) for row in rows] == [_words(row) for row in others]


def _words(row: object) -> tuple[str, ...]:
    texts = (getattr(row, "prompt", ""), getattr(row, "negative_prompt", ""))
    return tuple(" ".join(text.split()) for text in texts)


def _name_all(name: str, files: Mapping[str, bytes]) -> str:
    return " and ".join(name + suffix for suffix in PACK_SUFFIXES if suffix in files) or name
