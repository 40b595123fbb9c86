"""Which run is whose, and whether each run says of itself what was asked and what came back."""

from __future__ import annotations

import re
from collections import Counter

from host_check.faults import Faults
from host_check.job import Job
from host_check.pictures import decode, pixel_digest
from host_check.recorded import RecordedRun

Pairs = list[tuple[Job, RecordedRun]]


def match_runs(jobs: list[Job], runs: list[RecordedRun], mark: str, faults: Faults) -> Pairs:
    """By what the call carried: the prompt that names the job; for extras the returned picture."""
    by_token = {job.token: job for job in jobs}
    extras = [job for job in jobs if job.endpoint.startswith("extra")]
    pairs: Pairs = []
    for run in runs:
        tokens = re.findall(rf"{mark}\d{{4}}", str(run.run["config"].get("prompt")))
        owner = by_token.get(tokens[0]) if tokens else _take_extras(run, extras)
        if faults.check("a run has a job", owner is not None, None, f"{run.run_id} belongs to no job"):
            assert owner is not None
            pairs.append((owner, run))
    counts = Counter(job.number for job, _ in pairs)
    for job in jobs:
        low, high = job.expected.runs
        answer = f"answer {job.status} {job.fault or ''}"
        faults.check("one run per job", low <= counts[job.number] <= high, job, f"{counts[job.number]} runs; {answer}")
        faults.check("the host's answer", (job.status != 200) == job.must_fail or job.answer_was_lost, job, answer)
    return pairs


def _take_extras(run: RecordedRun, left: list[Job]) -> Job | None:
    """The first call that nobody has yet, which returned the recorded pictures, or sent the pictures they were made from."""
    made = {(m["image"] or {}).get("pixel_sha256") for m in run.manifests}
    sources = {(m["parent"] or {}).get("pixel_sha256") for m in run.manifests}
    for job in left:
        returned, sent = {pixel_digest(decode(i)) for i in job.images}, {s.digest for s in job.inits}
        if returned & made or sent & sources:
            left.remove(job)
            return job
    return None


def judge_run(job: Job, recorded: RecordedRun, faults: Faults) -> None:
    run, where, expected = recorded.run, recorded.run_id, job.expected
    faults.check("status", run["status"] in expected.statuses, job, f"{where}: {run['status']}, expected {expected.statuses}")
    faults.equal("error", run["error"] is not None, "failed" in expected.statuses, job, f"{where}: there is an error")
    faults.check("times", run["finished_at"] is not None and run["finished_at"] >= run["started_at"] == run["timestamp"], job,
                 f"{where}: {run['started_at']} to {run['finished_at']}")
    faults.equal("source", (run["source"], run["process"]), ("api", None), job, where)
    if job.task_id:
        faults.equal("job id", run["job_id"], job.task_id, job, where)
    if not job.endpoint.startswith("extra"):
        stages = ["inpaint"] if job.mask else [job.endpoint, "inpaint"] if job.expected.is_made_of_tiles else [job.endpoint]
        labels = [job.label] if job.label else stages
        faults.check("label", run["label"] in labels, job, f"{where}: {run['label']!r}, expected one of {labels}")
    faults.check("run id", re.fullmatch(rf"\d{{8}}_\d{{6}}_{re.escape(run['label'])}(_[0-9a-f]+)?", where) is not None, job, where)
    _judge_request(job, recorded, faults)
    _judge_counts(job, recorded, faults)
    listed = [(o["stage"], o["name"], o["path"], o["root"], o["role"]) for o in run["stage_outputs"]]
    written = [(m["stage"], m["name"], m["path"], m["root"], m["role"]) for m in recorded.manifests]
    faults.equal("stage outputs", sorted(map(str, listed)), sorted(map(str, written)), job, where)
    for manifest in recorded.manifests:
        same = (manifest["run_id"], manifest["job_id"]) == (run["run_id"], run["job_id"])
        faults.check("a manifest names its run", same, job, f"{where}/{manifest['name']}")


def _judge_request(job: Job, recorded: RecordedRun, faults: Faults) -> None:
    """The request as it was before any script changed it."""
    config, where = recorded.run["config"], recorded.run_id
    if job.endpoint.startswith("extra"):
        faults.equal("request", config.get("endpoint"), "extras", job, where)
        return
    faults.equal("request", config.get("endpoint"), job.endpoint, job, f"{where}: endpoint")
    for name in ("prompt", "negative_prompt", "seed", "steps", "width", "height", "sampler_name", "cfg_scale", "batch_size", "n_iter"):
        if not job.must_fail:
            faults.equal("request", config.get(name), job.body[name], job, f"{where}: {name}")
    if "script_name" in job.body and not job.must_fail:
        selected = [script["title"].lower() for script in config.get("scripts", []) if script["selected"]]
        faults.equal("request", selected, [job.body["script_name"].lower()], job, f"{where}: script")


def _judge_counts(job: Job, recorded: RecordedRun, faults: Faults) -> None:
    images, where, expected = recorded.run["images"], recorded.run_id, job.expected
    finals = recorded.finals()
    if expected.planned is not None and not job.must_fail:
        faults.equal("planned", images["planned"], expected.planned, job, where)
    if expected.saved is not None:
        faults.equal("saved", images["saved"], expected.saved, job, where)
    faults.equal("saved is the files", images["saved"], sum(m["path"] is not None for m in finals), job, where)
    if expected.planned is not None and expected.statuses == ("completed",) and job.press is None:
        faults.equal("returned", images["returned"], expected.planned, job, where)


def judge_kinds_of_manifests(job: Job, recorded: RecordedRun, faults: Faults) -> None:
    """Stage, role and whether there is a file: as many of each as the job must give."""
    expected = job.expected.manifests
    if expected is None:
        return
    found = Counter((m["stage"], m["role"], m["path"] is not None) for m in recorded.manifests if m["role"] != "init")
    inits = [m for m in recorded.manifests if m["role"] == "init"]
    for key in sorted({*found, *expected}):
        low, high = expected.get(key, (0, 0))
        faults.check("stage, role, file", low <= found[key] <= high, job,
                     f"{recorded.run_id}: {found[key]} of {key}, expected {low}" + (f" to {high}" if high != low else ""))
    if not job.overrides.get("save_init_img"):
        faults.check("stage, role, file", not inits, job, f"{recorded.run_id}: {len(inits)} of role init")
    for manifest in recorded.manifests:
        faults.check("image facts", manifest["image"] is not None, job, f"{recorded.run_id}/{manifest['name']}: image is null")
