"""StableNew's job history, in every version it has had, and run files in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.history import History, parse_history
from lib_sdpipe.manifest.records import Run
from tests.pace import assert_quick

RUN = "20251225_143022_my_pack"
SETTINGS = {"model": "sd_xl.safetensors", "sampler": "Euler a", "steps": 20, "cfg_scale": 7.0, "width": 64, "height": 64, "seed": 42}
PROMPTS = {"positive": "a cat", "negative": "bad"}
JOB = {"job_id": "job-1", "status": "completed", "timestamp": "2025-12-25T13:30:22Z", "outputs": {"image_paths": ["output/a.png"]}}
NJR = {"job_id": "job-1", "prompt": "a cat", "negative_prompt": "bad", "base_model": "sd_xl.safetensors", "sampler_name": "Euler a",
       "steps": 20, "cfg_scale": 7.0, "width": 64, "height": 64, "seed": 42, "output_paths": ["C:\\output\\a.png"]}
SNAPSHOT = {"schema_version": "1.0", "job_id": "job-1", "normalized_job": {"job_id": "job-1", "seed": 42, "config": SETTINGS},
            "effective_prompts": PROMPTS, "model_selection": {"base_model": "sd_xl.safetensors"}}
VERSIONS: dict[str, dict[str, Any]] = {
    "2.0": {**JOB, "pipeline_config": {**SETTINGS, "prompt": "a cat", "negative_prompt": "bad"}},
    "2.4": {**JOB, "config": SETTINGS, "prompts": PROMPTS},
    "2.6-precanonical": {**JOB, "normalized_record_snapshot": {"job_id": "job-1", "prompts": PROMPTS, "config": SETTINGS}},
    "2.6": {"id": "job-1", "status": "completed", "history_schema": "2.6", "njr_snapshot": {"normalized_job": NJR}},
    "2.6, while running": {"job_id": "job-1", "status": "completed", "created_at": "2025-12-25T13:30:22", "snapshot": SNAPSHOT,
                           "result": {"metadata": {"replay_descriptor": {"run_id": RUN, "primary_output_paths": ["/x/a.png"]}}}},
}


def lines(*entries: Any) -> bytes:
    return b"".join((entry if isinstance(entry, bytes) else json.dumps(entry).encode()) + b"\n" for entry in entries)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read_in_manifest_words(version: str) -> None:
    history = parse_history(lines(VERSIONS[version]), "h.jsonl")
    assert history.problems == []
    (record,) = history.records
    assert record.version == version.split(",")[0]
    assert {name: value for name, value in record.fields.items() if name != "run_id"} == {
        "job_id": "job-1", "prompt": "a cat", "negative_prompt": "bad", "model": "sd_xl.safetensors", "requested_seed": 42,
        "config": {"sampler_name": "Euler a", "steps": 20, "cfg_scale": 7.0, "width": 64, "height": 64},
    }
    assert record.files == {"a.png"}


def test_bad_lines_are_reported_by_number_and_hide_no_other() -> None:
    data = lines(VERSIONS["2.0"], b"{cut", b"", b"[1]", {"status": "x"}, {**VERSIONS["2.4"], "job_id": "job-2"})
    history = parse_history(data, "h.jsonl")
    assert [record.job_id for record in history.records] == ["job-1", "job-2"]
    assert [problem.split(":")[0] for problem in sorted(history.problems)] == ["h.jsonl, line 2", "h.jsonl, line 4", "h.jsonl, line 5"]


def test_the_last_line_of_a_job_counts_and_keeps_what_only_an_earlier_one_says() -> None:
    last = {"job_id": "job-1", "status": "completed", "run_id": RUN}
    (record,) = parse_history(lines(VERSIONS["2.0"], last), "h.jsonl").records
    assert (record.run_id, record.fields["prompt"], record.files) == (RUN, "a cat", {"a.png"})


def test_a_record_is_found_by_job_file_run_or_because_it_is_the_only_one() -> None:
    other = {**VERSIONS["2.4"], "job_id": "job-2", "outputs": {"image_paths": ["b.png"]}, "run_id": RUN}
    both = parse_history(lines(VERSIONS["2.0"], other), "h.jsonl")

    def found(history: History, *evidence: Any) -> str | None:
        record = history.find(*evidence)
        return record.job_id if record else None

    assert found(both, {"job-2"}, set(), "a.png") == "job-2"
    assert found(both, {"job-9"}, {RUN}, "a.png") == "job-1"
    assert found(both, set(), {RUN}, "c.png") == "job-2"
    assert found(both, set(), set(), "c.png") is None
    assert found(parse_history(lines(VERSIONS["2.0"]), "h.jsonl"), {"job-9"}, set(), "c.png") == "job-1"


def test_a_run_file_is_a_record_too_ours_and_the_older_programs() -> None:
    ours = Run(run_id=RUN, job_id="task(1)", config={"prompt": "a cat", "seed": -1, "steps": 3}, stage_outputs=[{"path": "txt2img/a.png"}])
    theirs = {"run_id": RUN, "packs": [], "config": {"prompt": "a cat", "replay_descriptor": {"job_id": "task(1)"}},
              "stage_outputs": [{"stage": "txt2img", "all_paths": ["C:\\x\\a.png"]}]}
    for data in (format_json(ours.to_json()), json.dumps(theirs).encode()):
        (record,) = parse_history(data, "run_metadata.json").records
        assert (record.run_id, record.job_id, record.is_run, record.files) == (RUN, "task(1)", True, {"a.png"})
        assert "requested_seed" not in record.fields


@pytest.mark.parametrize("data", [b"{cut", b"\xff\xfe\0", b"[]", b"{}", b'{"schema": "sdpipe.run/9", "run_id": "x", "stage_outputs": []}'])
def test_a_file_that_is_no_history_is_one_sentence_that_names_it(data: bytes) -> None:
    with pytest.raises(RecordError, match=r"^h\.jsonl[:,] "):
        parse_history(data, "h.jsonl")


def test_a_file_of_nothing_but_bad_lines_is_told_in_no_time_and_in_few_words() -> None:
    history = assert_quick(lambda: parse_history(lines({"id": "job-1"}) + b"{}\n" * 100_000, "h.jsonl"), seconds=2)
    assert len(history.problems) == 1001 and "99,000 more" in history.problems[-1]


def test_an_empty_history_has_no_jobs() -> None:
    assert parse_history(b"\n", "h.jsonl") == History()


values = st.none() | st.integers() | st.text(max_size=3)
inside = st.sampled_from(["config", "prompts", "seed", "outputs", "image_paths", "normalized_job", "replay_descriptor", "metadata"])
names = st.sampled_from(["job_id", "snapshot", "njr_snapshot", "result", "outputs", "config", "prompts"])
anything = st.recursive(values, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(inside, inner, max_size=3), max_leaves=6)


@settings(max_examples=60)
@given(st.dictionaries(names, anything, max_size=5))
def test_no_entry_can_make_the_reader_fail(entry: dict[str, Any]) -> None:
    assert len(parse_history(lines({"id": "job-1", **entry}), "h.jsonl").records) == 1
