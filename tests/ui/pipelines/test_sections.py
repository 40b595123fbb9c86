"""The section's handlers, asked as the page asks them: a chain put together, queued and made; made again, with its verdict. No browser."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.conduct.conductor import Conductor  # noqa: E402
from lib_sdpipe.pipeline.port import HostFacts  # noqa: E402
from lib_sdpipe.pipeline.records import Job  # noqa: E402
from lib_sdpipe.store.queue import change_queue, read_queue  # noqa: E402
from lib_sdpipe.ui.frame import Frame  # noqa: E402
from lib_sdpipe.ui.pipelines.again_events import AgainEvents  # noqa: E402
from lib_sdpipe.ui.pipelines.chain_events import ChainEvents  # noqa: E402
from lib_sdpipe.ui.pipelines.queue_events import QueueEvents, Shown  # noqa: E402
from tests.conduct.imitated_port import ImitatedPort  # noqa: E402
from tests.ui.sample_library import SampleLibrary  # noqa: E402
from tests.ui.test_tab import Host as PlainHost  # noqa: E402


class Host(PlainHost):
    """With a conductor or without."""

    made_by: Conductor | None = None

    def conductor(self) -> Conductor | None:
        return self.made_by

    def host_facts(self) -> HostFacts | None:
        return HostFacts(environment={}, samplers=("Euler a",), upscalers=("None", "Lanczos")) if self.made_by else None


class Section:
    """One page on the section."""

    def __init__(self, host: Host) -> None:
        with gr.Blocks():
            self.frame = Frame(host)
        self.queue_events, self.chain_events, self.again_events = QueueEvents(self.frame), ChainEvents(self.frame), AgainEvents(self.frame)
        self.user: str | None = None
        self.notice = self.editor = self.status = self.again_card = ""
        self.parts = ["", "", ""]
        self.shown = Shown()

    def queue(self, do: str = "look", **data: Any) -> str:
        """The queue as the page has it then."""
        self.notice, *updates, self.shown = self.frame.answer(
            self.queue_events.do, QueueEvents.COUNT, {"do": do, **data}, self.user, (self.shown,),
        )
        self.parts = [new if isinstance(new, str) else old for new, old in zip(updates, self.parts)]
        return self.parts[2]

    def chain(self, do: str, draft: Any = None, **data: Any) -> str:
        """The status below the stages."""
        self.notice, editor, status = self.frame.answer(
            self.chain_events.do, ChainEvents.COUNT, {"do": do, "draft": draft, **data}, self.user,
        )
        self.editor = editor if isinstance(editor, str) else self.editor
        self.status = status if isinstance(status, str) else self.status
        return self.status

    def again(self, do: str, **data: Any) -> str:
        self.notice, card = self.frame.answer(self.again_events.do, 1, {"do": do, **data}, self.user)
        self.again_card = card if isinstance(card, str) else self.again_card
        return self.again_card


@pytest.fixture
def host(empty: SampleLibrary) -> Host:
    return Host(empty.layout)


@pytest.fixture
def section(host: Host) -> Section:
    return Section(host)


def stage(kind: str, other: str = "", **texts: str) -> dict[str, Any]:
    return {"stage": kind, "texts": texts, "other": other}


def faults_of(status: str) -> list[dict[str, Any]]:
    held = re.search(r'data-sdpipe-faults="([^"]*)"', status)
    return json.loads(unescape(held[1])) if held else []


def first_image(run_id: str, name: str = "txt2img_001") -> list[dict[str, str]]:
    return [{"run": run_id, "name": name}]


# --- a chain ---


def test_going_on_from_an_image_shows_what_its_fields_would_be(section: Section, run_id: str) -> None:
    section.chain("open", run=run_id, name="txt2img_001")
    assert 'data-sdpipe-stage="img2img"' in section.editor and "a lighthouse on a cliff" in section.editor
    assert "1 image" in section.status and faults_of(section.status) == []


def test_going_on_from_a_run_takes_the_images_of_its_last_stage(section: Section, run_id: str) -> None:
    section.chain("open", run=run_id)
    assert "<strong>3 images</strong>" in section.status


def test_the_count_is_said_beforehand_by_stage(section: Section, run_id: str) -> None:
    draft = {"sources": first_image(run_id), "stages": [stage("img2img", batch_size="2"), stage("upscale", upscaler_1="Lanczos")]}
    assert "<strong>4 images</strong>" in section.chain("check", draft) and "2 by img2img, 2 by upscale" in section.status


def test_faults_name_their_stage_and_field_and_nothing_is_queued(section: Section, host: Host, run_id: str) -> None:
    draft = {"sources": first_image(run_id), "stages": [stage("img2img", steps="x"), stage("upscale")]}
    section.chain("queue", draft)
    assert [(fault["stage"], fault["field"]) for fault in faults_of(section.status)] == [(0, "steps"), (1, "upscaler_1")]
    assert read_queue(host.layout()).jobs == []


@pytest.mark.parametrize(("stages", "sentence"), [
    ([], "at least one stage"), ([stage("img2img")], "Choose images"), ([stage("txt2img")], "there must be a prompt"),
])
def test_what_a_chain_cannot_do_without_is_told(section: Section, stages: list[Any], sentence: str) -> None:
    section.chain("queue", {"stages": stages})
    if stages:
        assert sentence in faults_of(section.status)[0]["sentence"]
    assert section.queue().count("<li>") == 0


def test_stages_are_added_moved_and_removed_with_what_stands_in_them(section: Section) -> None:
    draft = {"stages": [stage("txt2img", prompt="a cat"), stage("upscale", upscaler_1="Lanczos")]}
    section.chain("add-stage", draft, stage="adetailer")
    assert re.findall(r'data-sdpipe-stage="(\w+)"', section.editor) == ["txt2img", "upscale", "adetailer"]
    section.chain("move-stage", draft, stage=1, places=-1)
    assert re.findall(r'data-sdpipe-stage="(\w+)"', section.editor) == ["upscale", "txt2img"]
    section.chain("remove-stage", draft, stage=1)
    assert re.findall(r'data-sdpipe-stage="(\w+)"', section.editor) == ["txt2img"] and "a cat" in section.editor


@pytest.mark.parametrize("data", [{"stage": "x"}, {"stage": 10**9}, {"stage": None, "places": []}, {"run": "../.."}, {"picked": 7}])
@pytest.mark.parametrize("do", [
    "add-stage", "move-stage", "remove-stage", "open", "recipe-load", "pack-save", "pack-delete", "no-such", "from-run",
])
def test_whatever_is_asked_the_page_stays(section: Section, do: str, data: dict[str, Any]) -> None:
    section.chain(do, {"stages": [stage("txt2img", prompt="<b>")], "pack": {"name": "../x", "texts": {".txt": 3}}}, **data)
    assert "<b>" not in section.editor and "Traceback" not in section.notice


def test_a_recipe_is_kept_loaded_and_deleted(section: Section) -> None:
    stages = [stage("txt2img", prompt="a cat"), stage("upscale", upscaler_1="Lanczos")]
    section.chain("recipe-save", {"stages": stages}, **{"as": "big cat"})
    assert "The recipe is kept." in section.status
    section.chain("recipe-load", {}, recipe="big cat")
    assert re.findall(r'data-sdpipe-stage="(\w+)"', section.editor) == ["txt2img", "upscale"]
    section.chain("recipe-save", {"stages": [stage("txt2img", prompt="b")]}, **{"as": "big cat"})
    assert 'role="alert"' in section.notice, "nothing is written over that was not loaded"
    section.chain("recipe-delete", {}, recipe="big cat")
    assert "No recipe is kept yet" in section.editor


def test_a_run_becomes_a_recipe(section: Section, empty: SampleLibrary) -> None:
    run_id = empty.add_run("asked", ago=9, config={"endpoint": "txt2img", "prompt": "a fox", "steps": 6, "styles": []})
    section.chain("from-run", {}, run=run_id)
    assert "a fox" in section.editor and 'value="6"' in section.editor


def test_a_chain_as_text_is_taken_over_and_a_broken_one_told(section: Section) -> None:
    section.chain("recipe-text", {}, text='{"stages": [{"stage": "txt2img", "settings": {"prompt": "x"}}]}')
    assert 'data-sdpipe-stage="txt2img"' in section.editor
    section.chain("recipe-text", {}, text="{")
    assert 'role="alert"' in section.notice


# --- packs ---

PACK = {"name": "animals", "texts": {".txt": "a [[what]] cat\n\na dog\nneg: fox\n", ".json": json.dumps(
    {"pack_data": {"name": "animals", "slots": [], "matrix": {"enabled": True, "slots": [{"name": "what", "values": ["red", "blue"]}]}}},
)}}


def test_a_pack_is_previewed_with_its_count_and_becomes_the_items(section: Section, host: Host) -> None:
    draft = {"stages": [stage("txt2img", batch_size="2")], "pack": PACK}
    section.chain("pack-preview", draft)
    assert "<strong>3 prompts</strong>" in section.editor and "a red cat" in section.editor
    section.chain("queue", draft)
    (job,) = read_queue(host.layout()).jobs
    assert [item.settings["prompt"] for item in job.items] == ["a red cat", "a blue cat", "a dog"]
    assert (job.planned, job.label, (job.pack or {})["name"]) == (6, "animals", "animals")


def test_a_pack_that_is_not_used_is_only_looked_at(section: Section) -> None:
    draft = {"stages": [stage("txt2img", prompt="x")], "pack": {**PACK, "used": False}}
    assert "<strong>1 image</strong>" in section.chain("check", draft)


def test_a_pack_is_kept_opened_and_deleted(section: Section) -> None:
    section.chain("pack-save", {"pack": PACK}, **{"as": "animals"})
    assert "The prompt pack is kept." in section.status
    section.chain("pack-open", {}, pack="animals")
    assert "a [[what]] cat" in section.editor
    section.chain("pack-delete", {"pack": PACK})
    section.chain("pack-open", {}, pack="animals")
    assert 'role="alert"' in section.notice


def test_the_settings_beside_a_pack_become_the_stages(section: Section) -> None:
    preset = {
        "pipeline": {"txt2img_enabled": True, "upscale_enabled": True}, "txt2img": {"steps": 33, "sampler": "Euler a", "mystery": 1},
        "upscale": {"upscaler": "Lanczos", "upscale_by": 2},
    }
    pack = {"name": "animals", "texts": {".json": json.dumps({"pack_data": {"slots": [{"text": "a cat"}]}, "preset_data": preset})}}
    section.chain("pack-preview", {"stages": [stage("img2img")], "pack": pack})
    assert "Its settings as stages" in section.editor
    section.chain("pack-stages", {"stages": [stage("img2img")], "pack": pack})
    assert [name in section.editor for name in ('data-sdpipe-stage="txt2img"', 'data-sdpipe-stage="upscale"')] == [True, True]
    assert 'data-sdpipe-stage="img2img"' not in section.editor and 'value="33"' in section.editor and "mystery" in section.editor
    assert "<strong>2 images</strong>" in section.status
    section.chain("pack-preview", {"pack": PACK})
    assert "Its settings as stages" not in section.editor
    section.chain("pack-stages", {"pack": PACK})
    assert "no settings that could be stages" in section.notice


@pytest.mark.parametrize("name", ["x.exe", "", ".txt", "../up.txt"])
def test_a_file_that_is_no_pack_is_refused_or_has_only_its_name(section: Section, name: str) -> None:
    section.chain("pack-text", {}, name=name, text="a cat")
    assert 'role="alert"' in section.notice or name == "../up.txt"


# --- the queue ---


def add_jobs(host: Host, *jobs: Job) -> None:
    change_queue(host.layout(), lambda queue: queue.copy(update={"jobs": [*queue.jobs, *jobs]}))


def waiting(number: int, **fields: Any) -> Job:
    return Job(**{"id": f"j{number}", "kind": "chain", "label": f"job {number}", "status": "waiting", **fields})


def test_waiting_jobs_are_moved_cancelled_paused_and_cleared(section: Section, host: Host) -> None:
    add_jobs(host, waiting(1), waiting(2), waiting(3))
    assert section.queue().index("job 1") < section.queue().index("job 2")
    page = section.queue("move", job="j3", places=-2)
    assert page.index("job 3") < page.index("job 1")
    assert "Cancelled" in section.queue("cancel", job="j1") and "Resume" in section.queue()
    assert "Paused" in section.queue("pause") and "Paused" not in section.queue("unpause")
    assert "job 1" not in section.queue("clear")


def test_what_comes_out_the_same_is_not_sent_again(section: Section, host: Host) -> None:
    add_jobs(host, waiting(1))
    section.queue()
    answer = section.frame.answer(section.queue_events.do, QueueEvents.COUNT, {"do": "look"}, None, (section.shown,))
    assert not any(isinstance(update, str) for update in answer[1:4])


def test_where_nothing_is_made_the_page_says_so(section: Section, host: Host) -> None:
    add_jobs(host, waiting(1))
    assert "works the queue off" in section.queue() and "data-sdpipe-waits" not in section.queue()
    section.queue("stop", job="j1")
    assert "not being made here" in section.notice


def test_others_jobs_are_neither_seen_nor_changed_where_each_sees_own_runs_only(section: Section, host: Host) -> None:
    add_jobs(host, waiting(1, user="ann"), waiting(2, user="bob"))
    host.own_only, section.user = True, "ann"
    assert "job 1" in section.queue() and "job 2" not in section.queue()
    section.queue("cancel", job="j2")
    assert "another user" in section.notice and read_queue(host.layout()).jobs[1].status == "waiting"


@pytest.mark.parametrize("data", [{"job": "nope"}, {"job": 5}, {"places": 10**30}, {}])
@pytest.mark.parametrize("do", ["stop", "cancel", "resume", "move", "nonsense"])
def test_what_is_not_in_the_queue_becomes_a_sentence(section: Section, do: str, data: dict[str, Any]) -> None:
    section.queue(do, **data)
    assert do == "nonsense" or 'role="alert"' in section.notice


def test_texts_of_a_job_cannot_become_markup(section: Section, host: Host) -> None:
    add_jobs(host, waiting(1, label="<script>x</script>", status="failed", error={"stage": "<i>", "message": "<img>"}, message="<b>"))
    page = section.queue()
    assert not re.search(r"<(script|i|img|b)>", page)


# --- made, and made again ---


@pytest.fixture
def conductor(host: Host) -> Any:
    port = ImitatedPort(host.layout())
    host.made_by = Conductor(host.layout, port)
    host.made_by.start()
    yield host.made_by
    host.made_by.end()


def wait_until_made(section: Section, count: int) -> str:
    until = time.monotonic() + 20
    while section.queue().count("Done") < count:
        assert time.monotonic() < until, section.parts
        time.sleep(0.02)
    return section.parts[2]


def test_a_chain_is_made_and_made_again_with_its_verdict(section: Section, host: Host, conductor: Conductor) -> None:
    section.chain("queue", {"stages": [stage("txt2img", prompt="a cat", width="64", height="64", seed="5")]})
    assert "In the queue: 1 image planned." in section.status
    page = wait_until_made(section, 1)
    run_id = re.search(r"&quot;run&quot;: &quot;(\w+)&quot;", page)
    assert run_id is not None
    card = section.again("plan", run=run_id[1])
    assert "1 image compared" in card and "Make again" in card
    assert "In the queue" in section.again("make", run=run_id[1])
    assert "Identical" in wait_until_made(section, 2)


def test_a_run_that_cannot_be_asked_again_is_refused_with_a_sentence(section: Section, empty: SampleLibrary) -> None:
    run_id = empty.add_run("odd", ago=9, config={"endpoint": "txt2img"}, replayable=False, not_replayable_because="its input is gone")
    empty.add_image(run_id, "txt2img_001", 5, (64, 64))
    card = section.again("plan", run=run_id)
    assert "its input is gone" in card and "data-sdpipe-keep=\"do-make\"" not in card.split("sdpipe-variations")[0]


@pytest.mark.parametrize("data", [
    {"run": "20990101_000000_gone"}, {"run": "../.."}, {"run": None}, {"what": 5, "stage": {}, "texts": [], "back": {"a": 1}},
])
def test_what_is_asked_again_may_be_anything(section: Section, run_id: str, data: dict[str, Any]) -> None:
    section.again("plan", **{"run": run_id, "name": "txt2img_001", **data})
    assert "Traceback" not in section.notice + section.again_card


def test_an_upload_that_is_no_picture_is_refused_and_a_mask_is_kept(section: Section, host: Host, tmp_path: Path) -> None:
    from PIL import Image

    from lib_sdpipe.workspace import Workspace
    from lib_sdpipe.workspace.going_on import keep_picture

    broken, good = tmp_path / "a.png", tmp_path / "b.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    Image.new("L", (8, 8), 255).save(good)
    workspace = Workspace(host.layout())
    with pytest.raises(Exception, match="cannot be read as a picture"):
        keep_picture(workspace, broken)
    assert host.layout().input_file(keep_picture(workspace, good)["$input"]).is_file()
