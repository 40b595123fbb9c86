"""A record that a caller hands in for an image: StableNew's job history of every version, or one run file, ours or StableNew's.

History is a JSON line for every change of a job; the last one of a job counts, and a field it lacks stands as the one before said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.codec import parse_run
from lib_sdpipe.manifest.loose_json import (
    integer_of, list_of, number_of, object_of, parse_loose_json, seed_of, text_of, without_unknown,
)
from lib_sdpipe.manifest.records import RUN_SCHEMA, Run

Json = dict[str, Any]

_MOST_PROBLEMS = 1000
# Characters of a run file: StableNew's repeats itself, about 15 KB an image.
_WHOLE_LIMIT = 32 << 20
_SETTINGS: dict[str, tuple[tuple[str, ...], Any]] = {
    "sampler_name": (("sampler_name", "sampler"), text_of), "scheduler": (("scheduler",), text_of), "steps": (("steps",), integer_of),
    "cfg_scale": (("cfg_scale",), number_of), "width": (("width",), integer_of), "height": (("height",), integer_of),
    "denoising_strength": (("denoising_strength",), number_of), "clip_skip": (("clip_skip",), integer_of),
}
_OUTPUTS = ("image_paths", "images", "output_paths", "all_paths", "primary_output_paths", "migrated_outputs", "legacy_outputs", "variants")


@dataclass(frozen=True)
class JobRecord:
    """One job or run as the file tells of it. `fields` are a manifest's; `files` the names of its pictures, without folders.

    `is_run`: of a run file, whose settings are the whole run's: each image's own may well differ.
    """

    version: str
    fields: Json
    files: frozenset[str] = frozenset()
    is_run: bool = False

    @property
    def job_id(self) -> str | None:
        return self.fields.get("job_id")

    @property
    def run_id(self) -> str | None:
        return self.fields.get("run_id")


@dataclass(frozen=True)
class History:
    """`problems` are sentences: lines that could not be read, by their numbers."""

    records: list[JobRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def find(self, job_ids: set[str], run_ids: set[str], file: str) -> JobRecord | None:
        """The record of an image: of its job, else one that names its file, else the only one of its run, else the only one there is."""
        of_job = [record for record in self.records if record.job_id in job_ids]
        naming = [record for record in self.records if file in record.files]
        of_run = [record for record in self.records if record.run_id in run_ids]
        for found in (of_job, naming, of_run, self.records):
            if len(found) == 1:
                return found[0]
        return None


def parse_history(data: bytes, what: str) -> History:
    """Raises RecordError where nothing in the file can be read; what of it cannot is among the problems."""
    text = data.decode("utf-8-sig", "replace")
    whole = _parse_whole(text)
    if whole is not None and _is_run(whole):
        return History([_read_run(parse_run(data, what))])
    problems: list[str] = []
    jobs: dict[str, JobRecord] = {}
    bad_lines = 0
    for number, entry in [(1, whole)] if whole is not None else _iter_lines(text):
        record = read_entry(entry) if isinstance(entry, dict) else None
        if record is not None:
            earlier = jobs.pop(record.job_id or "", None)
            jobs[record.job_id or ""] = _later(earlier, record) if earlier else record
            continue
        bad_lines += 1
        if bad_lines <= _MOST_PROBLEMS:
            problems.append(f"{what}, line {number}: {entry if isinstance(entry, str) else 'names no job'}")
    if problems and not jobs:
        raise RecordError(f"{what}: no history of jobs, and no run file ({problems[0]})")
    if bad_lines > _MOST_PROBLEMS:
        problems.append(f"{what}: {bad_lines - _MOST_PROBLEMS:,} more lines that cannot be read")
    return History(list(jobs.values()), problems)


def read_entry(entry: Json) -> JobRecord | None:
    """One entry of any version; None where it names no job."""
    snapshot = _snapshot(entry)
    job_id = text_of(entry.get("job_id")) or text_of(entry.get("id")) or text_of(snapshot.get("job_id"))
    if job_id is None:
        return None
    config = {**object_of(snapshot.get("config")), **object_of(entry.get("config")), **object_of(entry.get("pipeline_config"))}
    # Newest last: each overrides what the one before it says.
    said = [config, snapshot, object_of(entry.get("effective_prompts")), object_of(entry.get("model_selection"))]
    outer = object_of(entry.get("snapshot"))
    said += [object_of(outer.get("model_selection")), _prompts(config), _prompts(snapshot), _prompts(outer), _prompts(entry)]
    result = object_of(entry.get("result"))
    described = [object_of(place.get("replay_descriptor")) for place in (object_of(result.get("metadata")), result, entry)]
    fields = without_unknown({
        "job_id": job_id,
        "run_id": _first(text_of, [entry, *described, result], "run_id"),
        "prompt": _first(text_of, said[::-1], "prompt"),
        "negative_prompt": _first(text_of, said[::-1], "negative_prompt"),
        "model": _first(text_of, said[::-1], "model", "base_model", "sd_model", "model_name"),
        "vae": _first(text_of, said[::-1], "vae", "vae_model", "sd_vae"),
        "requested_seed": _first(seed_of, [config, snapshot], "seed"),
        "config": without_unknown({name: _first(read, [config, snapshot], *names) for name, (names, read) in _SETTINGS.items()}),
    })
    places = (entry.get("outputs"), result, object_of(entry.get("metadata")).get("legacy_outputs"), *described, snapshot)
    return JobRecord(_version(entry), fields, frozenset(name for place in places for name in _iter_files(place, 0)))


def _snapshot(entry: Json) -> Json:
    """The job as it was queued, under the names that it has had; an entry may be such a snapshot itself."""
    for place in (entry.get("njr_snapshot"), entry.get("snapshot"), entry.get("normalized_record_snapshot"), entry):
        if isinstance(place, dict):
            inner = place.get("normalized_job")
            return inner if isinstance(inner, dict) else place if place is not entry else {}
    return {}


def _version(entry: Json) -> str:
    if isinstance(entry.get("njr_snapshot"), dict) or entry.get("history_schema") is not None:
        return str(entry.get("history_schema") or "2.6")[:20]
    if isinstance(entry.get("normalized_record_snapshot"), dict):
        return "2.6-precanonical"
    if isinstance(entry.get("pipeline_config"), dict):
        return "2.0"
    if isinstance(entry.get("config"), dict) or isinstance(entry.get("prompts"), dict):
        return "2.4"
    return "2.6" if isinstance(entry.get("snapshot"), dict) else "unknown"


def _prompts(place: Json) -> Json:
    """`{"positive", "negative"}` as a manifest names them."""
    for name in ("prompts", "effective_prompts"):
        prompts = place.get(name)
        if isinstance(prompts, dict):
            return {"prompt": prompts.get("positive"), "negative_prompt": prompts.get("negative")}
    return {}


def _first(read: Any, places: list[Json], *names: str) -> Any:
    found = (read(place.get(name)) for place in places for name in names)
    return next((value for value in found if value is not None), None)


def _iter_files(place: Any, depth: int) -> Iterator[str]:
    if depth > 3:
        return
    if isinstance(place, dict):
        for name in _OUTPUTS:
            yield from _iter_files(place.get(name), depth + 1)
    for item in list_of(place):
        if isinstance(item, str):
            yield file_name(item)
        elif isinstance(item, dict):
            yield from _iter_files(item, depth + 1)


def file_name(path: str) -> str:
    """The last part of a path of any system."""
    return path.replace("\\", "/").rpartition("/")[2]


def _later(earlier: JobRecord, later: JobRecord) -> JobRecord:
    """StableNew's last line of a job often says less than the one before."""
    config = {**earlier.fields.get("config", {}), **later.fields.get("config", {})}
    fields = {**earlier.fields, **later.fields, **({"config": config} if config else {})}
    return JobRecord(later.version, fields, earlier.files | later.files)


def _parse_whole(text: str) -> Json | None:
    """The whole file as one object, as a run file is, or one entry that somebody has indented."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = parse_loose_json(text, _WHOLE_LIMIT)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _iter_lines(text: str) -> Iterator[tuple[int, Json | str]]:
    """(number, the entry, or why there is none). Empty lines are none."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip("\r \t\0"):
            continue
        try:
            entry = parse_loose_json(line)
        except ValueError as fault:
            yield number, f"not readable JSON ({fault})"
            continue
        yield number, entry if isinstance(entry, dict) else f"holds a JSON {type(entry).__name__}, not an object"


def _is_run(document: Json) -> bool:
    return document.get("schema") == RUN_SCHEMA or ("run_id" in document and isinstance(document.get("stage_outputs"), list))


def _read_run(run: Run) -> JobRecord:
    outputs = [output for output in run.stage_outputs if isinstance(output, dict)]
    files = [output.get("path") for output in outputs] + [path for output in outputs for path in list_of(output.get("all_paths"))]
    config = {name: _first(read, [run.config], *names) for name, (names, read) in _SETTINGS.items()}
    fields = without_unknown({
        "run_id": run.run_id, "job_id": run.job_id, "prompt": text_of(run.config.get("prompt")),
        "negative_prompt": text_of(run.config.get("negative_prompt")), "requested_seed": seed_of(run.config.get("seed")),
        "config": without_unknown(config),
    })
    return JobRecord(run.schema_ or "stablenew", fields, frozenset(file_name(path) for path in files if isinstance(path, str)), is_run=True)
