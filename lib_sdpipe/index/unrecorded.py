"""The row of an image file that no manifest names, from the text a host wrote into it. Nothing is guessed but the stage."""

from __future__ import annotations

import re
from typing import Any

from lib_sdpipe.index.looks import split_hash
from lib_sdpipe.index.sql_values import sql_integer
from lib_sdpipe.index.texts import MODEL, SAMPLER, Texts
from lib_sdpipe.manifest.from_infotext import guess_stage
from lib_sdpipe.manifest.infotext import Infotext, parse_hashes, parse_infotext

_LORA = re.compile(r"<lora:([^:<>]{1,200})")
_DECIMAL = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
FILE_COLUMNS = ("id", "root", "folder", "name", "bytes", "mtime_ns", "width", "height", "infotext_digest", "infotext", "sha256",
                "pixel_sha256", "perceptual_hash")


def build_unrecorded_row(file: dict[str, Any], texts: Texts) -> dict[str, Any]:
    """By column of `pictures`. `file` has FILE_COLUMNS, `folder` as a path. Within a transaction of the caller's."""
    looks = split_hash(file["perceptual_hash"])
    row = {key: file[key] for key in ("root", "bytes", "width", "height", "infotext_digest", "sha256", "pixel_sha256")}
    row.update({
        "file": file["id"], "path": "/".join(part for part in (file["folder"], file["name"]) if part), "time": file["mtime_ns"] / 1e9,
        "brightness_steps": looks.steps if looks else None, "tile_colours": looks.colours if looks else None,
        "colour_sum": looks.colour_sum if looks else None,
    })
    return {**row, **_said(parse_infotext(file["infotext"]), texts)} if file["infotext"] else row


def _said(infotext: Infotext, texts: Texts) -> dict[str, Any]:
    parameters = infotext.parameters
    cfg_scale = parameters.get("CFG scale", "")
    loras = [*_LORA.findall(infotext.prompt), *parse_hashes(parameters.get("Lora hashes"))]
    return {
        "stage": guess_stage(infotext),
        "prompt": texts.prompt(infotext.prompt),
        "negative_prompt": texts.prompt(infotext.negative_prompt, is_negative=True),
        "model": texts.name(MODEL, parameters.get("Model")),
        "sampler": texts.name(SAMPLER, parameters.get("Sampler")),
        "loras": texts.loras(loras),
        "actual_seed": sql_integer(infotext.seed),
        "steps": sql_integer(infotext.integer("Steps")),
        "cfg_scale": float(cfg_scale) if _DECIMAL.fullmatch(cfg_scale) else None,
    }
