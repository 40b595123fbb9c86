"""The pure half: whatever the evidence, there is an answer of the same shape, and nothing is lost in it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.manifest.history import JobRecord
from lib_sdpipe.manifest.records import ImageFacts, Manifest, Run
from lib_sdpipe.reconcile.evidence import Evidence, FoundHistory, FoundManifest, FoundRun
from lib_sdpipe.reconcile.identity import COMPARED
from lib_sdpipe.reconcile.resolve import STATUSES, resolve_image
from tests.manifest.test_capsule import DAMAGE, build_capsule, build_payload
from tests.manifest.test_foreign import CASES
from tests.reconcile.pictures import INFOTEXT

few = st.sampled_from(["a", "b"])
facts = st.builds(
    ImageFacts, width=st.sampled_from([64, 65]), height=st.just(48), format=st.sampled_from(["PNG", "JPEG"]), sha256=st.none() | few,
    pixel_sha256=st.none() | few, decoder=few,
)
manifests = st.builds(
    Manifest, schema_=st.sampled_from([None, "sdpipe.manifest/1"]), name=few, run_id=st.none() | few, job_id=st.none() | few,
    prompt=st.none() | few, model=st.none() | few, actual_seed=st.none() | st.integers(0, 2), image=st.none() | facts,
    infotext=st.none() | st.just(INFOTEXT), path=st.none() | few, role=st.sampled_from(["final", "init"]),
)
found = st.builds(FoundManifest, by=st.sampled_from(["path", "sha256", "pixel_sha256", "name"]), where=few, manifest=manifests) | st.builds(
    FoundManifest, by=st.just("name"), where=few, manifest=st.none(), error=st.just("broken"))
stages = st.none() | st.just("txt2img") | st.just([])
outputs = st.lists(st.fixed_dictionaries({"path": few, "root": st.none(), "stage": stages}), max_size=2)
runs = st.builds(FoundRun, run_id=few, run=st.none() | st.builds(Run, run_id=few, job_id=few, stage_outputs=outputs), error=st.none())
texts = st.sampled_from([
    {}, {"parameters": INFOTEXT}, {"parameters": f"{INFOTEXT}, Run ID: a", "postprocessing": "Postprocess upscale by: 2, Run ID: b"},
    build_capsule(build_payload()), build_capsule(build_payload(), "omitted"), *DAMAGE.values(),
    *(case[1] for case in CASES.values()),
])
said = st.fixed_dictionaries({"job_id": few}, optional={"prompt": few})
records = st.builds(JobRecord, version=st.just("2.6"), fields=said, is_run=st.booleans())
histories = st.builds(FoundHistory, where=few, record=st.none() | records, problems=st.lists(few, max_size=1))
evidence = st.builds(
    Evidence, file=few, exists=st.booleans(), path=few, texts=texts, beside=st.none() | st.just(INFOTEXT), image=st.none() | facts,
    problem=st.none() | st.just("cut off"), run_id=st.none() | few, manifests=st.lists(found, max_size=3), runs=st.lists(runs, max_size=2),
    history=st.none() | histories,
)


@settings(max_examples=100)
@given(evidence)
def test_every_evidence_has_an_answer_of_the_same_shape(evidence: Evidence) -> None:
    answer = resolve_image(evidence)
    assert answer["status"] in STATUSES
    assert (answer["status"] == "missing-file") is not evidence.exists
    assert list(answer["payload"])[:len(Manifest().to_json())] == list(Manifest().to_json())
    assert set(answer["conflicts"]) <= set(COMPARED)
    sources = [tried["source"] for tried in answer["sources_tried"]]
    assert set(sources) == {"embedded", "manifest", "run-file", "infotext"} | ({"history"} if evidence.history else set())
    assert {tried["status"] for tried in answer["sources_tried"]} <= {"ok", "missing", "corrupt", "mismatch"}
    json.dumps(answer)


@settings(max_examples=60)
@given(evidence)
def test_every_source_is_told_of_and_the_named_one_is_whole(evidence: Evidence) -> None:
    answer = resolve_image(evidence)
    tried: list[dict[str, Any]] = answer["sources_tried"]
    broken = {each.where for each in evidence.manifests if each.manifest is None}
    read = {each.where for each in evidence.manifests if each.manifest is not None}
    assert sum(each["status"] == "corrupt" for each in tried if each["source"] == "manifest") >= len(broken - read)
    if answer["source"] != "none":
        assert "ok" in {each["status"] for each in tried if each["source"] == answer["source"]}
    if evidence.history and evidence.history.record:
        assert answer["reconciled_payload"]["job_id"] == evidence.history.record.job_id
