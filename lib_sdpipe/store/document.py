"""A JSON file of ours that is no record of a run: bounded, of a known schema, and told what to do where it is not."""

from __future__ import annotations

import os
from pathlib import Path

from lib_sdpipe.errors import NewerSchemaError, RecordError
from lib_sdpipe.manifest.codec import parse_json_object, version_of
from lib_sdpipe.manifest.records import Json

MADE_ANEW = "move it aside and it is made anew"


def read_document(path: Path, schema: str, limit: int, kind: str) -> Json | None:
    """What it says; None where it is not there. `limit` in bytes, `kind` in the words of a sentence: "no queue is".

    Raises RecordError, NewerSchemaError.
    """
    data = read_bounded(path, limit, kind)
    return None if data is None else parse_document(data, path, schema)


def read_bounded(path: Path, limit: int, kind: str) -> bytes | None:
    """Raises RecordError."""
    try:
        with open(path, "rb") as file:
            # Python takes as much memory as is asked for before it reads.
            data = file.read(min(limit, os.fstat(file.fileno()).st_size) + 1)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise RecordError(f"{path}: {fault}") from fault
    if len(data) > limit:
        raise RecordError(f"{path}: larger than {limit >> 20} MB, which {kind}; {MADE_ANEW}")
    return data


def parse_document(data: bytes, path: Path, schema: str) -> Json:
    """Raises RecordError, NewerSchemaError."""
    try:
        document = parse_json_object(data, str(path))
    except RecordError as fault:
        raise RecordError(f"{fault}; mend it, or {MADE_ANEW}") from fault
    found = document.get("schema")
    if version_of(found, schema) > version_of(schema, schema):
        raise NewerSchemaError(f"{path}: schema is {found!r}, of a later version of SDPipe; this one reads {schema!r}")
    return document
