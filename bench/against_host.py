"""Holds what SDPipe recorded against what the host itself says. Shares no code with the recorder.

    python3 bench/against_host.py URL DATA_DIR [--jobs 300] [--clients 2] [--seed 0]

URL is a WebUI with SDPipe and its API on, DATA_DIR its data path with the runs folder and the output folders in it. Clients
send random jobs of many kinds at the same time; then every new run, manifest and file is judged by what the API answered, by
`/sdapi/v1/png-info` of every file and by the bytes on disk. Needs Pillow. One JSON document on stdout; exit 1 on any fault.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from host_check.clients import Clients, draw_kinds
from host_check.faults import Faults
from host_check.host import Host
from host_check.job import Job
from host_check.judge_answers import judge_answer
from host_check.judge_files import judge_files, judge_picture, judge_text
from host_check.judge_lineage import judge_inputs, judge_parents
from host_check.judge_runs import Pairs, judge_kinds_of_manifests, judge_run, match_runs
from host_check.judge_scripts import judge_members, judge_variants
from host_check.recorded import Library, RecordedRun


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def send_jobs(host: Host, arguments: argparse.Namespace, mark: str) -> list[Job]:
    host.set_base_options()
    try:
        return Clients(host, draw_kinds(arguments.jobs, arguments.seed, host), arguments.seed, mark).work(arguments.clients)
    finally:
        host.restore_options()


def judge(host: Host, library: Library, jobs: list[Job], runs: list[RecordedRun], new_files: set[Path], mark: str) -> Faults:
    faults = Faults()
    pairs = match_runs(jobs, runs, mark, faults)
    theirs = judge_files(pairs, library, new_files, host, faults)
    said: dict[str, dict[str, dict[str, str]]] = {}
    say(f"{len(theirs)} files to read")
    for owner, path in theirs:
        judge_picture(owner, path, library, faults)
        said.setdefault(owner[1].run_id, {})[owner[2]["name"]] = judge_text(owner, path, host, faults)
    by_number, run_of = {job.number: job for job in jobs}, {job.number: run for job, run in pairs}
    for job, run in pairs:
        judge_run(job, run, faults)
        judge_kinds_of_manifests(job, run, faults)
        judge_answer(job, run, library, faults)
        judge_parents(job, run, run_of, by_number, faults)
        judge_inputs(job, run, runs, library, faults)
        judge_members(job, run, faults)
        judge_variants(job, run, said.get(run.run_id, {}), faults)
    return faults


def count_kinds(jobs: list[Job], pairs: Pairs) -> dict[str, Any]:
    totals: dict[str, Any] = {}
    for kind in sorted({job.kind for job in jobs}):
        runs = [run for job, run in pairs if job.kind == kind]
        totals[kind] = {
            "jobs": sum(job.kind == kind for job in jobs), "runs": len(runs), "manifests": sum(len(run.manifests) for run in runs),
            "saved": sum(m["path"] is not None for run in runs for m in run.manifests),
        }
    return totals


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    host, library, mark = Host(arguments.url), Library(arguments.data_dir), f"b{time.time_ns() // 10**9 % 10**5:05d}x"
    if not host.has_data_path(library.data_dir):
        print(f"{library.data_dir} is not the data path of {host.url}", file=sys.stderr)
        return 2
    files_before, runs_before = library.files(), library.run_ids()
    started = time.monotonic()
    jobs = send_jobs(host, arguments, mark)
    say(f"{len(jobs)} jobs sent in {time.monotonic() - started:.0f} s; waiting for the records")
    runs = library.wait_until_ended(runs_before)
    new_files = {path for path, stamp in library.files().items() if files_before.get(path) != stamp}
    faults = judge(host, library, jobs, runs, new_files, mark)
    print(json.dumps(report(jobs, runs, new_files, faults, mark), indent=2, ensure_ascii=False))
    return 1 if faults.found else 0


def report(jobs: list[Job], runs: list[RecordedRun], new_files: set[Path], faults: Faults, mark: str) -> dict[str, Any]:
    manifests = [manifest for run in runs for manifest in run.manifests]
    ones = [run.json_bytes for run in runs if len(run.manifests) == 1]
    return {
        "jobs": len(jobs), "runs": len(runs), "manifests": len(manifests), "files": len(new_files),
        "kinds": count_kinds(jobs, match_runs(jobs, runs, mark, Faults())),
        "statuses": dict(Counter(run.run["status"] for run in runs)),
        "stages": dict(Counter(m["stage"] for m in manifests)), "roles": dict(Counter(m["role"] for m in manifests)),
        "formats": dict(Counter(str((m["image"] or {}).get("format")) for m in manifests)),
        "json_bytes_of_a_run_of_one_image": {"runs": len(ones), "median": statistics.median(ones), "most": max(ones)} if ones else None,
        "rules": faults.by_rule(), "faults": faults.found,
    }


if __name__ == "__main__":
    sys.exit(main())
