"""What the Runs tab says: rows, captions, lineage, escaped HTML. No gradio is imported here."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.ui import words
from lib_sdpipe.ui.browse.markup import show_head, show_runs
from lib_sdpipe.ui.browse.present import present_runs
from lib_sdpipe.ui.html_text import show_hint, show_notice
from lib_sdpipe.ui.run.image_facts import present_image
from lib_sdpipe.ui.run.lineage import present_lineage
from lib_sdpipe.ui.run.markup import show_image, show_run
from lib_sdpipe.ui.run.present import build_caption, first_choice, present_run
from lib_sdpipe.workspace import RunPage, RunSummary, RunView

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 12, 25, 14, 30, 0)
RUN = "20251225_142000_harbour"
HOSTILE = "</pre></textarea><script>alert(1)</script><img src=x onerror='a' title=\"b\">&"


def _summary(run_id: str = RUN, **values: object) -> RunSummary:
    facts: dict[str, object] = {
        "label": "harbour", "status": "completed", "started_at": _utc(datetime(2025, 12, 25, 14, 20)), "source": "ui",
        "images": {"planned": 4, "returned": 4, "saved": 4}, "stages": ["txt2img", "grid"],
    }
    return RunSummary(run_id, **{**facts, **values})  # type: ignore[arg-type]


def _manifest(**values: object) -> Manifest:
    facts: dict[str, object] = {
        "name": "img2img_001", "run_id": RUN, "stage": "img2img", "role": "final", "actual_seed": 5, "stage_duration_ms": 2345,
        "config": {"sampler_name": "Euler a", "scheduler": "Karras", "steps": 20, "cfg_scale": 7.0, "width": 512, "height": 512},
    }
    return Manifest(**{**facts, **values})


def _utc(moment: datetime) -> str:
    return format_utc(moment.timestamp())


class _Tags(HTMLParser):
    """The elements and attributes that a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_nothing_that_makes_texts_imports_gradio() -> None:
    places = [file for name in ("present", "markup") for file in (ROOT / "lib_sdpipe" / "ui").rglob(f"{name}.py")]
    assert len(places) >= 4
    names = [file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for file in places]
    code = "".join(f"import {name}\n" for name in names) + "import sys; print('gradio' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_runs_stand_under_their_days_newest_first() -> None:
    runs = [_summary(), _summary("20251224_100000_a", label="a", started_at=_utc(datetime(2025, 12, 24, 10, 0)))]
    days = present_runs(RunPage(2, runs, None), NOW).days
    assert [(day, [row.label for row in rows]) for day, rows in days] == [("Today", ["harbour"]), ("Yesterday", ["a"])]
    assert [days[0][1][0].when, days[1][1][0].when] == ["10 min ago", "10:00"]


def test_an_unreadable_run_still_has_a_row_with_its_name_and_day() -> None:
    broken = _summary(label=None, status=None, started_at=None, source=None, images={}, stages=[], error="broken JSON")
    (day, (row,)), = present_runs(RunPage(1, [broken], None), NOW).days
    assert (day, row.label, row.status.word, row.images) == ("Today", "harbour", "Unreadable", "")


@pytest.mark.parametrize(
    ("images", "status", "text"),
    [
        ({"planned": 1, "returned": 1, "saved": 1}, "completed", "1 image"),
        ({"planned": 8, "returned": 3, "saved": 2}, "interrupted", "3 of 8 images, 2 saved"),
        ({"planned": 4, "returned": None, "saved": None}, "running", "4 planned"),
        ({"planned": None, "returned": None, "saved": None}, None, ""),
        ({"planned": None, "returned": 1200, "saved": 1200}, "completed", "1,200 images"),
    ],
)
def test_image_counts_say_what_is_missing(images: dict, status: str | None, text: str) -> None:
    (_, (row,)), = present_runs(RunPage(1, [_summary(images=images, status=status)], None), NOW).days
    assert row.images == text


@pytest.mark.parametrize("status", ["running", "completed", "interrupted", "failed", "abandoned", "unheard-of", None])
def test_every_status_has_a_word_and_a_sign(status: str | None) -> None:
    shown = words.format_status(status)
    assert shown.word and shown.sign and shown.kind


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (-5, ""), (0, "0 ms"), (48, "48 ms"), (95, "0.1 s"), (1400, "1.4 s"), (14_200, "14 s"), (59_600, "1 min"),
     (125_000, "2 min 5 s"), (3_599_600, "1 h"), (4_320_000, "1 h 12 min")],
)
def test_durations_are_human(milliseconds: float | None, text: str) -> None:
    assert words.format_duration(milliseconds) == text


def test_times_are_local_and_foreign_texts_stay_as_they_are() -> None:
    assert words.format_moment(_utc(datetime(2025, 12, 25, 14, 30, 22))) == "25 Dec 2025, 14:30:22"
    assert words.format_moment("last summer") == "last summer"
    assert words.format_moment(None) == ""


def test_a_run_names_its_error_its_parent_and_why_it_cannot_be_repeated() -> None:
    run = Run(
        run_id=RUN, label="harbour", status="failed", error={"stage": "txt2img", "type": "OutOfMemoryError", "message": "no memory"},
        parent={"run_id": "20251224_100000_a", "name": "txt2img_001"}, replayable=False, not_replayable_because="a file",
    )
    facts = present_run(RunView(RUN, run, [], ["manifests/x.json: broken"]))
    assert facts.error == "Failed in txt2img: OutOfMemoryError: no memory"
    assert {fact.name: fact.value for fact in facts.facts}["Can be re-run"] == "no: a file"
    page = show_run(facts)
    assert '"name": "txt2img_001", "run": "20251224_100000_a"' in unescape(page)
    assert "manifests/x.json: broken" in page


def test_a_running_run_counts_what_is_recorded_so_far() -> None:
    images = [_manifest(), _manifest(stage="grid"), _manifest(role="before-adetailer")]
    assert "1 image so far" in present_run(RunView(RUN, Run(run_id=RUN, status="running"), images)).summary


def test_a_run_file_that_cannot_be_read_leaves_its_images() -> None:
    facts = present_run(RunView(RUN, None, [_manifest()], ["run_metadata.json: broken"]))
    assert (facts.label, facts.status.word, facts.summary) == ("harbour", "Unreadable", ["img2img"])


def test_the_first_choice_is_a_final_image_before_companions_and_grids() -> None:
    grid, before, final = (_manifest(name=n, stage=s, role=r) for n, s, r in (
        ("grid_001", "grid", "final"), ("txt2img_001", "txt2img", "before-highres-fix"), ("txt2img_002", "txt2img", "final")))
    assert first_choice([grid, before, final]) == "txt2img_002"
    assert first_choice([grid, before]) == "grid_001"
    assert first_choice([]) is None


def test_captions_name_the_image_its_role_and_what_is_absent() -> None:
    assert build_caption(_manifest()) == "img2img_001"
    assert build_caption(_manifest(role="before-highres-fix"), words.FILE_MISSING) == "img2img_001 · before hires fix · file missing"


def test_lineage_lists_earlier_stages_then_the_image_and_marks_the_parent() -> None:
    entry = {"stage": "txt2img", "role": "final", "run_id": "20251224_100000_a", "name": "txt2img_001", "settings": {"steps": 9},
             "actual_seed": 77, "duration_ms": 1400}
    unsaved = {"stage": "img2img", "role": "before-adetailer", "run_id": RUN, "name": None}
    parent = {"run_id": "20251224_100000_a", "name": "txt2img_001", "by": "pixels"}
    nodes = present_lineage(_manifest(stage_history=[entry, unsaved], parent=parent), RUN)
    assert [(node.title, node.name, node.is_this) for node in nodes] == [
        ("txt2img", "txt2img_001", False), ("img2img, before ADetailer", None, False), ("img2img", "img2img_001", True)]
    assert nodes[0].evidence == "the same pixels"
    assert nodes[0].facts == ["seed 77", "9 steps", "1.4 s"]
    page = show_image(present_image(_manifest(stage_history=[entry, unsaved], parent=parent), RUN), RUN, 0)
    assert "txt2img_001</button> <span class=\"sdpipe-where\">in 20251224_100000_a</span>" in page
    assert "not saved" in page


def test_a_parent_that_is_not_in_the_history_stands_before_the_runs_own_stages() -> None:
    own = {"stage": "img2img", "role": "before-adetailer", "run_id": RUN, "name": None}
    parent = {"run_id": "20251224_100000_a", "name": "txt2img_004", "by": "run-id"}
    nodes = present_lineage(_manifest(stage_history=[own], parent=parent), RUN)
    assert [node.name for node in nodes] == ["txt2img_004", None, "img2img_001"]
    assert nodes[0].evidence == "the Run ID in its text"


def test_other_images_that_the_text_names_are_links_too() -> None:
    also = [{"run_id": RUN, "name": "txt2img_003", "by": "run-id"}, 7]
    parent = {"run_id": RUN, "name": "txt2img_001", "by": "near-pixels", "also": also}
    (node, _) = present_lineage(_manifest(parent=parent), RUN)
    assert [link.name for link in node.also] == ["txt2img_003"]


def test_a_grid_lists_its_members_and_ignores_what_is_no_name() -> None:
    image = present_image(_manifest(stage="grid", members=["txt2img_001", {"run_id": "x", "name": "txt2img_002"}, None, 3]), RUN)
    assert [(link.run_id, link.name) for link in image.members] == [(RUN, "txt2img_001"), ("x", "txt2img_002")]


def test_settings_are_the_ones_people_ask_for() -> None:
    image = present_image(_manifest(
        requested_seed=4, model="dream", model_hash="abc", subseed_strength=0.3, actual_subseed=9, prompt="p",
        hires={"hr_scale": 2.0, "hr_upscaler": "Latent", "hr_second_pass_steps": 0, "denoising_strength": 0.5, "hr_prompt": "p"},
        refiner={"refiner_checkpoint": "refiner", "refiner_switch_at": 0.8}, adetailer={"model": "face.pt", "mask_blur": 4},
        image={"width": 1024, "height": 1024, "format": "PNG", "bytes": 1_500_000}, loras=[{"name": "ink", "weight": 0.8}],
    ), RUN)
    assert {fact.name: fact.value for fact in image.settings} == {
        "Seed": "5 (4 asked for)", "Variation seed": "9 at 0.3", "Sampler": "Euler a, Karras", "Steps": "20", "CFG scale": "7",
        "Size asked for": "512×512", "Model": "dream [abc]", "LoRA": "ink at 0.8",
        "Hires fix": "2×, Latent, the same steps, denoising 0.5", "Refiner": "refiner, from 0.8 on", "ADetailer": "face.pt, mask blur 4",
    }
    assert image.summary == ["1024×1024", "PNG", "1.5 MB"]


def test_an_empty_manifest_of_an_older_program_is_shown() -> None:
    page = show_image(present_image(Manifest(), RUN), RUN, 0)
    assert "unnamed" in page


def test_prompts_labels_and_errors_cannot_become_elements() -> None:
    manifest = _manifest(
        prompt=HOSTILE, negative_prompt=HOSTILE, infotext=HOSTILE, model=HOSTILE, name=HOSTILE, path=HOSTILE, root=HOSTILE,
        stage=HOSTILE, role=HOSTILE, members=[HOSTILE], config={"sampler_name": HOSTILE, "steps": HOSTILE}, lost_at=HOSTILE,
        parent={"run_id": HOSTILE, "name": HOSTILE, "by": HOSTILE, "also": [{"run_id": HOSTILE, "name": HOSTILE}]},
        stage_history=[{"stage": HOSTILE, "role": HOSTILE, "run_id": HOSTILE, "name": HOSTILE, "settings": {"steps": HOSTILE}}],
        variant={"pack": HOSTILE}, inferred=[HOSTILE], adetailer={"model": HOSTILE, HOSTILE: HOSTILE}, loras=[{"name": HOSTILE}],
    )
    run = Run(
        run_id=HOSTILE, label=HOSTILE, status=HOSTILE, source=HOSTILE, user=HOSTILE, environment=HOSTILE, started_at=HOSTILE,
        error={"stage": HOSTILE, "type": HOSTILE, "message": HOSTILE}, parent={"run_id": HOSTILE, "name": HOSTILE}, job_id=HOSTILE,
    )
    summary = _summary(HOSTILE, label=HOSTILE, status=HOSTILE, source=HOSTILE, stages=[HOSTILE], started_at=HOSTILE)
    pages = [
        show_image(present_image(manifest, HOSTILE, HOSTILE), HOSTILE, 0),
        show_run(present_run(RunView(HOSTILE, run, [manifest], [HOSTILE]))),
        show_runs(present_runs(RunPage(1, [summary], None), NOW), False),
        show_head(1, HOSTILE), show_notice([HOSTILE]), show_hint(HOSTILE),
    ]
    for page in pages:
        tags = _Tags(page)
        assert not {"script", "img", "textarea"} & set(tags.names)
        assert not {"onerror", "src", "href"} & set(tags.attributes)
        assert any(HOSTILE in text for text in tags.texts)


def test_half_a_surrogate_pair_does_not_stop_the_page() -> None:
    page = show_image(present_image(_manifest(prompt="a \ud83d b"), RUN), RUN, 0)
    assert "a ? b" in page
    page.encode("utf-8")


def test_an_empty_library_says_what_to_do() -> None:
    empty = present_runs(RunPage(0, [], None), NOW)
    assert "Press Generate" in show_runs(empty, is_paused=False)
    assert "recording is paused" in show_runs(empty, is_paused=True)


def test_a_running_run_is_marked_for_the_script() -> None:
    page = show_runs(present_runs(RunPage(1, [_summary(status="running")], None), NOW), False)
    assert f'data-sdpipe-run="{RUN}"' in page
    assert "data-sdpipe-running" in page


def test_a_cell_of_a_plot_is_captioned_by_what_it_varies() -> None:
    manifest = Manifest(name="txt2img_003", role="final", variant={"row": 2, "index": 0, "values": {"Steps": 20, "Sampler": "Euler a"}})
    assert build_caption(manifest) == "txt2img_003 · Steps 20, Sampler Euler a"
    manifest = Manifest(name="txt2img_004", role="final", variant={"values": {"prompt": "x" * 90}})
    assert len(build_caption(manifest)) < 70
