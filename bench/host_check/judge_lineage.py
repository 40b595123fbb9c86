"""Parents and inputs against what the bench knows that it sent; members and variants against the request and the cells' texts."""

from __future__ import annotations

from host_check.faults import Faults
from host_check.host import Json
from host_check.job import Job, Sent
from host_check.recorded import Library, RecordedRun

Runs = dict[int, RecordedRun]
Names = dict[str, dict[str, Json]]  # by run id, by manifest name


def judge_parents(job: Job, recorded: RecordedRun, runs: Runs, jobs: dict[int, Job], faults: Faults) -> None:
    if not job.inits:
        for manifest in recorded.manifests:
            faults.equal("no parent", manifest["parent"], None, job, f"{recorded.run_id}/{manifest['name']}")
        return
    previous: Json | None = None
    for number, manifest in enumerate(recorded.finals()):
        if job.expected.is_made_of_tiles and not manifest["members"]:
            continue
        name = f"{recorded.run_id}/{manifest['name']}"
        loops = job.expected.loops[0]
        if job.expected.variant == "loop" and number % loops and previous is not None:
            found = manifest["parent"] and (manifest["parent"]["run_id"], manifest["parent"]["name"])
            if not _is_lossy(previous):
                faults.equal("parent in a loop", found, (recorded.run_id, previous["name"]), job, name)
        elif (sent := _sent_for(job, number, manifest)) is not None:
            rule = "parent of a picture from tiles" if job.expected.is_made_of_tiles else "parent"
            judge_parent(job, name, manifest, sent, runs, jobs, faults, rule)
        previous = manifest


def _sent_for(job: Job, number: int, manifest: Json) -> Sent | None:
    if len(job.inits) == 1:
        return job.inits[0]
    if job.endpoint.startswith("extra"):
        return job.inits[number] if number < len(job.inits) else None
    return job.inits[manifest["batch"]["index"]]


def _is_lossy(manifest: Json) -> bool:
    return (manifest["image"] or {}).get("format") not in (None, "PNG")


def judge_parent(job: Job, name: str, manifest: Json, sent: Sent, runs: Runs, jobs: dict[int, Job], faults: Faults, rule: str) -> None:
    parent, source = manifest["parent"], runs.get(sent.source) if sent.source is not None else None
    if source is None:
        faults.equal(rule, parent, None, job, f"{name}: a picture that nobody recorded")
        return
    same = [m["name"] for m in source.manifests if (m["image"] or {}).get("pixel_sha256") == sent.original and m["role"] != "init"]
    found = parent and (parent["run_id"], parent["name"], parent["by"])
    if same:
        by = "pixels" if sent.change == "none" else "near-pixels"
        right = found in [(source.run_id, n, by) for n in same]
        if sent.change == "near" and _has_no_file(source, same, jobs[sent.source]):  # nothing to compare with but looks
            right = found is None or found[:2] in [(source.run_id, n) for n in same]
        faults.check(rule, right, job, f"{name}: {found}, expected {source.run_id}/{same} by {by}")
        entries = [(h["run_id"], h["name"]) for h in manifest["stage_history"]]
        faults.check("the parent is in the history", not found or found[:2] in entries, job, f"{name}: {found} not in {entries}")
    elif sent.text and "Run ID: " in sent.text:
        faults.check(rule, bool(found) and found[0] == source.run_id, job, f"{name}: {found}, expected {source.run_id} by the text in it")
    else:  # only a lossy file shows it: looks may find it, and nothing else may be found
        faults.check(rule, found is None or found[0] == source.run_id, job, f"{name}: {found}, expected {source.run_id} or none")


def _has_no_file(source: RecordedRun, names: list[str], made_by: Job) -> bool:
    written_over = made_by.overrides.get("save_images_add_number") is False
    return written_over or any(source.by_name()[name]["path"] is None for name in names)


def judge_inputs(job: Job, recorded: RecordedRun, runs: list[RecordedRun], library: Library, faults: Faults) -> None:
    """Pictures of the request, in the run's config and in each img2img manifest's."""
    if not job.inits or job.must_fail:
        return
    by_id = {run.run_id: run.by_name() for run in runs}
    config, where = recorded.run["config"], recorded.run_id
    if job.endpoint.startswith("extra"):
        found = config.get("image")
        if len(job.inits) == 1:
            _judge_picture(job, found, job.inits[0], by_id, library, faults, "input of extras", where)
        return
    found = config.get("init_images") or []
    faults.equal("inputs of the run", len(found), len(job.inits), job, where)
    for reference, sent in zip(found, job.inits):
        _judge_picture(job, reference, sent, by_id, library, faults, "inputs of the run", where)
    if job.mask is not None:
        _judge_picture(job, config.get("mask"), job.mask, by_id, library, faults, "mask of the run", where)
    if "script_name" in job.body and job.expected.variant != "xyz":
        return
    for manifest in recorded.manifests:
        if manifest["stage"] in ("img2img", "inpaint") and manifest["role"] == "final":
            _judge_manifest_inputs(job, manifest, by_id, library, faults, f"{where}/{manifest['name']}")


def _judge_manifest_inputs(job: Job, manifest: Json, by_id: Names, library: Library, faults: Faults, name: str) -> None:
    found = manifest["config"].get("init_images")
    if faults.check("inputs of a pass", isinstance(found, list) and len(found) in (1, len(job.inits)), job, f"{name}: {found!r}"):
        sents = job.inits if len(found) == len(job.inits) else [job.inits[manifest["batch"]["index"]]]
        for reference, sent in zip(found, sents):
            _judge_picture(job, reference, sent, by_id, library, faults, "inputs of a pass", name)
    if job.mask is not None:
        _judge_picture(job, manifest["config"].get("mask"), job.mask, by_id, library, faults, "mask of a pass", name)


def _judge_picture(
    job: Job, reference: Json | None, sent: Sent, by_id: Names, library: Library, faults: Faults, rule: str, where: str
) -> None:
    digest = None
    if isinstance(reference, dict) and "$image" in reference:
        image = by_id.get(reference["$image"]["run_id"], {}).get(reference["$image"]["name"])
        digest = ((image or {}).get("image") or {}).get("pixel_sha256")
    elif isinstance(reference, dict) and "$input" in reference:
        digest = library.input_digest(reference["$input"])
    elif reference is None and job.choices.get("keep_inputs") is False:
        digest = sent.digest
    faults.equal(rule, digest, sent.digest, job, f"{where}: {reference}")
