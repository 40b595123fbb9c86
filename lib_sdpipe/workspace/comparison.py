"""A run as it is compared with another: its file, its environment, its manifests up to a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.runs import RunStore

# A run of more is compared by its first images: reading them takes a third of a second.
MOST_MANIFESTS = 500


@dataclass(frozen=True)
class ComparedRun:
    """`problems` are sentences about files that cannot be read; `is_cut`: the run has more images than were read."""

    run_id: str
    run: Run
    manifests: list[Manifest]
    environment: Json | None
    is_cut: bool = False
    problems: list[str] = field(default_factory=list)


def read_compared_run(layout: Layout, run_id: str) -> ComparedRun:
    """Raises UnknownNameError for a run that is not there."""
    store, problems = RunStore(layout), []
    try:
        run = store.read_run(run_id)
    except RecordError as fault:
        run = Run(run_id=run_id)
        problems.append(str(fault))
    found = list(islice(store.iter_manifests(run_id), MOST_MANIFESTS + 1))
    is_cut = len(found) > MOST_MANIFESTS
    manifests = []
    for manifest in found[:MOST_MANIFESTS]:
        if isinstance(manifest, Manifest):
            manifests.append(manifest)
        else:
            problems.append(str(manifest))
    environment = None
    if run.environment:
        try:
            environment = store.read_environment(run.environment)
        except (SdPipeError, OSError) as fault:
            problems.append(f"The environment of {run_id} cannot be read: {fault}")
    return ComparedRun(run_id, run, manifests, environment, is_cut, problems)
