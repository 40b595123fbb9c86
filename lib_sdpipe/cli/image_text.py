"""What one image is, as a person reads it in a terminal: what is known, who says so, what disagrees or is damaged, what to do next."""

from __future__ import annotations

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.cli.render import Column, build_fields, build_table, escape_text, format_local, wrap_text
from lib_sdpipe.cli.run_text import Fields, build_request_fields
from lib_sdpipe.manifest.records import Json, Manifest

_SAID = {
    "ok": "known", "missing-file": "there is no such file", "no-metadata": "nothing is known of it",
    "corrupt": "what could tell is damaged", "stripped": "a recorded picture whose text is gone",
    "foreign": "made by another program", "ambiguous": "it may be several recorded images",
}
_SOURCES = {
    "embedded": "its own section", "manifest": "its manifest", "run-file": "its run file", "infotext": "its infotext", "none": "",
}
_COLOURS = {"ok": "green", "foreign": "green", "stripped": "yellow", "ambiguous": "yellow"}
_COLUMNS = (Column("SOURCE"), Column("STATUS"), Column("WHAT IS WRONG", least=20))


def build_image_text(name: str, answer: Json, run_is_here: bool, output: Output) -> list[str]:
    """The lines of `show IMAGE`. `run_is_here`: the library has the run that the answer names."""
    width, manifest = output.width, Manifest.parse_obj(answer["reconciled_payload"])
    lines = [output.paint(escape_text(name), "bold")]
    lines += build_fields([("Status", [_status(answer, manifest, output)]), *_known_fields(answer, manifest)], width, indent=2)
    settings = build_fields(build_request_fields(manifest), width, indent=2)
    lines += ["", *settings] if settings else []
    if answer["error"] and answer["status"] != "missing-file":
        lines += ["", *_painted(answer["error"], output)]
    if answer["conflicts"]:
        lines += ["", output.paint("Sources disagree on", "yellow"), *build_fields(_conflicts(answer), width, indent=2)]
    told = [source for source in answer["sources_tried"] if source["status"] != "missing" or source["error"]]
    if told:
        rows = [[source["source"], source["status"], escape_text(source["error"] or "")] for source in told]
        lines += ["", *build_table(_COLUMNS, rows, None)]
    hint = _next_step(answer, manifest.run_id if run_is_here else None)
    return [*lines, "", *wrap_text(f"Next: {hint}", width)] if hint else lines


def _status(answer: Json, manifest: Manifest, output: Output) -> str:
    status = answer["status"]
    said = f"{status}: {_SAID[status]}"
    generator = manifest.to_json().get("generator")
    if status == "foreign" and isinstance(generator, str):
        said = f"{status}: made by {escape_text(generator)}"
    elif status == "ok" and answer["source"] in _SOURCES:
        said = f"ok: known from {_SOURCES[answer['source']]}"
    return output.paint(said, _COLOURS.get(status, "red"))


def _known_fields(answer: Json, manifest: Manifest) -> Fields:
    image = manifest.image
    size = f"{image.width}x{image.height}" if image and image.width and image.height else ""
    place = f"{manifest.root}: {manifest.path}" if manifest.root else manifest.path or ""
    seeds = [f"{word}{seed}" for word, seed in (("", manifest.actual_seed), ("variation ", manifest.actual_subseed)) if seed is not None]
    return [
        ("Run", [escape_text(manifest.run_id or "")]),
        ("Image", [escape_text(manifest.name or "")]),
        ("Job", [escape_text(manifest.job_id or "")]),
        ("Stage", [escape_text(" ".join(part for part in (manifest.stage, manifest.role) if part and part != "final"))]),
        ("Made", [format_local(manifest.timestamp)]),
        ("Seed", [", ".join(seeds)]),
        ("Size", [size]),
        ("File" if answer["source"] in ("infotext", "none") else "Recorded as", [escape_text(place)]),
    ]


def _conflicts(answer: Json) -> Fields:
    """The value that stands, and where the caller's record changes it, what the image's own sources say."""
    fields: Fields = []
    for name in answer["conflicts"]:
        found, stands = answer["payload"].get(name), answer["reconciled_payload"].get(name)
        text = f"{stands} (the history's; the image says {found})" if found != stands else f"{stands}"
        fields.append((name, [escape_text(text)]))
    return fields


def _painted(text: str, output: Output) -> list[str]:
    return [output.paint(line, "red") for line in wrap_text(escape_text(text), output.width)]


def _next_step(answer: Json, run_id: str | None) -> str:
    status, show = answer["status"], f"{program_name()} show"
    if status == "missing-file":
        return f"name a file that is there; `{program_name()} runs` lists what is recorded"
    if status in ("no-metadata", "corrupt"):
        return "name its library with --runs DIR, or a job history that knows it with --history FILE"
    if status == "ambiguous":
        return f"look at each with `{show} RUN`"
    return f"`{show} {escape_text(run_id)}` shows its run" if run_id else ""
