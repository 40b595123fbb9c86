"""Names on disk: labels, run ids, manifest names."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

LABEL_MAX_CHARACTERS = 64
LABEL_MAX_BYTES = 120

# Windows refuses these as names of files and folders, alone or before a dot.
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³"}
_OTHER_CHARACTERS = re.compile(r"[^\w.\-]+")
_RUN_ID = re.compile(r"\d{8}_\d{6}_.+")
_NOTES = (".prompt_optimizer_v3.json", ".prompt_optimization.json")
_LONGEST_NAME = 250


def build_label(text: str) -> str:
    """`text` as the last part of a run id: letters and digits of any script, `-`, `_`, `.`; may come out empty."""
    label = _OTHER_CHARACTERS.sub("_", unicodedata.normalize("NFC", text)).strip("._")
    label = _cut(label).strip("._")
    if label.split(".")[0].lower() in _RESERVED:
        label = _cut(f"run-{label}").strip("._")
    return label


def build_run_id(started: datetime, label: str, attempt: int = 1) -> str:
    """The run id for a start in local time; the second run of one second and label is attempt 2."""
    suffix = f"_{attempt}" if attempt > 1 else ""
    return f"{started:%Y%m%d_%H%M%S}_{label}{suffix}"


def is_run_id(name: str) -> bool:
    """Whether a folder of this name can be a run. Older programs' folders follow the same pattern."""
    return bool(_RUN_ID.fullmatch(name)) and not _has_path_parts(name)


def parse_run_time(run_id: str) -> float | None:
    """When the run of this id began, in seconds since 1970; None where the id does not say."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d_%H%M%S").timestamp()
    except (ValueError, OverflowError, OSError):  # the platform's clock does not reach every year
        return None


def build_manifest_name(stage: str, number: int) -> str:
    """`txt2img_001`: the stage and the number of that stage in the run, from 1."""
    return f"{stage}_{number:03d}"


def is_manifest_name(name: str) -> bool:
    """Whether a manifest can have this name: ours are a stage and a number, older programs' are the names of their images."""
    is_short = 0 < len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME
    return is_short and is_manifest_file(f"{name}.json") and not _has_path_parts(name)


def is_manifest_file(file: str) -> bool:
    """Whether a file of this name in a folder `manifests` is a manifest; StableNew keeps notes on prompts beside its own."""
    return file.endswith(".json") and not file.startswith(".") and not file.endswith(_NOTES)


def _has_path_parts(name: str) -> bool:
    return "/" in name or "\\" in name or "\0" in name


def _cut(label: str) -> str:
    label = label[:LABEL_MAX_CHARACTERS]
    return label.encode("utf-8")[:LABEL_MAX_BYTES].decode("utf-8", "ignore")
