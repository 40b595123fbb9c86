"""What is told of a run and an image beside the pictures. No gradio is imported here, and no text becomes an element."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from lib_sdpipe.manifest.records import ImageLink, Manifest, Run
from lib_sdpipe.ui.run.environment import present_environment
from lib_sdpipe.ui.run.graph import build_graph
from lib_sdpipe.ui.run.image_facts import FileFacts, present_image
from lib_sdpipe.ui.run.layout import lay_out
from lib_sdpipe.ui.run.lineage_markup import show_lineage
from lib_sdpipe.ui.run.links import find_inputs
from lib_sdpipe.ui.run.markup import Picture, show_file_head, show_image, show_picture, show_run
from lib_sdpipe.ui.run.present import first_choice, present_run
from lib_sdpipe.ui.run.stages import present_run_timings, present_stages, present_timings
from lib_sdpipe.ui.run.strip import PAGE_TILES, choose_page, present_strip, tell_apart
from lib_sdpipe.ui.run.strip_markup import show_strip
from lib_sdpipe.workspace import RunView

RUN = "20251225_142000_harbour"
OTHER = "20251224_100000_a"
HOSTILE = "</pre></textarea><script>alert(1)</script><img src=x onerror='a' title=\"b\">&"
DIGEST = "c" * 64


def _manifest(**values: Any) -> Manifest:
    facts: dict[str, Any] = {
        "name": "img2img_001", "run_id": RUN, "stage": "img2img", "role": "final", "actual_seed": 5, "stage_duration_ms": 2345,
        "config": {"sampler_name": "Euler a", "scheduler": "Karras", "steps": 20, "cfg_scale": 7.0, "width": 512, "height": 512},
    }
    return Manifest(**{**facts, **values})


class _Tags(HTMLParser):
    """The elements and attributes that a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.texts += [value for _, value in attrs if value]
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_run_names_its_error_its_parent_its_models_and_why_it_cannot_be_repeated() -> None:
    run = Run(
        run_id=RUN, label="harbour", status="failed", error={"stage": "txt2img", "type": "OutOfMemoryError", "message": "no memory"},
        parent={"run_id": OTHER, "name": "txt2img_001"}, replayable=False, not_replayable_because="a file",
        models=[{"kind": "checkpoint", "name": "dream", "hash": "abc"}, {"kind": "lora", "name": "ink"}],
    )
    facts = present_run(RunView(RUN, run, [], ["manifests/x.json: broken"]))
    assert facts.error == "Failed in txt2img: OutOfMemoryError: no memory"
    values = {fact.name: fact.value for fact in facts.facts}
    assert (values["Can be re-run"], values["Models"]) == ("no: a file", "dream [abc], ink (lora)")
    page = show_run(facts, can_open_folder=False)
    assert f'"name": "txt2img_001", "run": "{OTHER}"' in unescape(page)
    assert "manifests/x.json: broken" in page and "Open folder" not in page
    assert "Open folder" in show_run(facts, can_open_folder=True)


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


def test_what_changed_from_stage_to_stage_is_marked() -> None:
    first = {"stage": "txt2img", "role": "before-highres-fix", "run_id": RUN, "name": "txt2img_001", "actual_seed": 5, "duration_ms": 1000,
             "settings": {"sampler_name": "Euler a", "scheduler": "Karras", "steps": 30, "width": 512, "height": 512, "eta": 0.1}}
    unsaved = {"stage": "txt2img", "role": "before-adetailer", "settings": {"steps": 30, "eta": 0.2}, "actual_seed": 6}
    manifest = _manifest(stage_history=[first, unsaved], hires={"denoising_strength": 0.4}, image={"width": 1024, "height": 1024})
    table = present_stages(manifest, RUN)
    assert [(column.title, column.link is not None, column.is_this) for column in table.columns] == [
        ("txt2img, before hires fix", True, False), ("txt2img, before ADetailer", False, False), ("img2img", False, True)]
    rows = {name: [(cell.text, cell.is_changed) for cell in cells] for name, cells in table.rows}
    assert rows["Seed"] == [("5", False), ("6", True), ("5", True)]
    assert rows["Steps"] == [("30", False), ("30", False), ("20", True)]
    assert rows["Size"] == [("512×512", False), ("", False), ("1024×1024", True)]
    assert rows["Eta"] == [("0.1", False), ("0.2", True), ("", False)]
    assert rows["Denoising strength"] == [("", False), ("", False), ("0.4", False)]
    page = show_image(present_image(manifest, RUN, FileFacts()), RUN)
    assert page.count("sdpipe-changed") == 5 and "Settings of each stage" in page


def test_of_a_parent_with_hires_fix_no_size_is_told_but_that_of_its_first_pass() -> None:
    asked = {"stage": "txt2img", "run_id": RUN, "settings": {"steps": 3, "width": 64, "height": 64}}
    plain = {**asked, "stage": "img2img", "name": "img2img_001", "role": "final"}
    history = [{**asked, "role": "before-highres-fix"}, {**asked, "role": "final", "name": "txt2img_001"}, plain]
    rows = {name: [cell.text for cell in cells] for name, cells in present_stages(_manifest(stage_history=history), RUN).rows}
    assert rows["Size"][:3] == ["64×64", "", "64×64"] and rows["Steps"][:3] == ["3", "3", "3"]


def test_a_bar_for_each_stage_and_for_the_run_what_is_left_of_its_time() -> None:
    entry = {"stage": "txt2img", "role": "before-highres-fix", "run_id": RUN, "name": "txt2img_001", "duration_ms": 1000}
    foreign = {"stage": "txt2img", "run_id": OTHER, "name": "txt2img_001", "duration_ms": 9_000}
    last = _manifest(stage="txt2img", name="txt2img_002", stage_history=[foreign, entry], stage_duration_ms=4000)
    assert [(bar.text, bar.share) for bar in present_timings(last, RUN)] == [("9.0 s", 1.0), ("1.0 s", 1 / 9), ("4.0 s", 4 / 9)]
    before = _manifest(stage="txt2img", name="txt2img_001", role="before-highres-fix", stage_duration_ms=1000)
    run = Run(run_id=RUN, started_at="2025-12-25T14:20:00.000Z", finished_at="2025-12-25T14:20:10.000Z")
    assert [(bar.title, bar.text) for bar in present_run_timings(run, [before, last])] == [
        ("txt2img, before hires fix", "1.0 s"), ("txt2img", "4.0 s"), ("Loading, saving, waiting", "5.0 s")]
    assert present_run_timings(run, []) == []


def test_other_images_that_the_text_names_are_links_too() -> None:
    parent = {"run_id": RUN, "name": "txt2img_001", "by": "near-pixels", "also": [{"run_id": RUN, "name": "txt2img_003"}, 7]}
    image = present_image(_manifest(parent=parent), RUN, FileFacts())
    assert [(how, link.name) for how, link in image.parentage] == [
        ("nearly the same pixels", "txt2img_001"), (None, "txt2img_003")]


def test_a_grid_lists_its_members_and_ignores_what_is_no_name() -> None:
    members = ["txt2img_001", {"run_id": "x", "name": "txt2img_002"}, None, 3]
    image = present_image(_manifest(stage="grid", members=members), RUN, FileFacts())
    assert [(link.run_id, link.name) for link in image.members] == [(RUN, "txt2img_001"), ("x", "txt2img_002")]


def test_settings_are_the_ones_people_ask_for() -> None:
    image = present_image(_manifest(
        requested_seed=4, model="dream", model_hash="abc", subseed_strength=0.3, actual_subseed=9, prompt="p",
        hires={"hr_scale": 2.0, "hr_upscaler": "Latent", "hr_second_pass_steps": 0, "denoising_strength": 0.5, "hr_prompt": "p"},
        refiner={"refiner_checkpoint": "refiner", "refiner_switch_at": 0.8}, adetailer={"model": "face.pt", "mask_blur": 4},
        image={"width": 1024, "height": 1024, "format": "PNG", "bytes": 1_500_000}, loras=[{"name": "ink", "weight": 0.8}],
    ), RUN, FileFacts(copies=["outputs: log/1.png"]))
    assert {fact.name: fact.value for fact in image.settings} == {
        "Seed asked for": "4", "Variation strength": "0.3", "Size asked for": "512×512", "Model": "dream [abc]", "LoRA": "ink at 0.8",
        "Hires fix": "2×, Latent, the same steps, denoising 0.5", "Refiner": "refiner, from 0.8 on", "ADetailer": "face.pt, mask blur 4",
        "Copies": "outputs: log/1.png",
    }
    assert {name: cells[0].text for name, cells in image.stages.rows} == {
        "Seed": "5", "Variation seed": "9", "Sampler": "Euler a, Karras", "Size": "1024×1024", "Steps": "20", "CFG scale": "7",
        "Denoising strength": "0.5",
    }
    assert image.summary == ["1024×1024", "PNG", "1.5 MB"]


def test_where_the_file_is_and_why_it_is_not_there() -> None:
    image = present_image(_manifest(lost_at="2025-12-26T10:00:00.000Z"), RUN, FileFacts("It is gone.", "gone", True, [], ["art: a/b.png"]))
    assert image.notices[0] == "It is gone." and "art: a/b.png" in image.notices[2] and "Marked as lost" in image.notices[3]


def test_every_picture_that_went_in_is_found_once_at_any_depth() -> None:
    config = {
        "init_images": [{"$input": DIGEST}, {"$input": DIGEST}], "mask": {"$input": "d" * 64}, "image": {"$input": "../../../etc/passwd"},
        "scripts": [{"title": "ControlNet", "args": [{"index": 1, "label": "Control image", "value": {"image": {"$image": {
            "run_id": OTHER, "name": "txt2img_001"}}}}]}],
    }
    found = find_inputs(config)
    assert found == [("init_images", DIGEST), ("mask", "d" * 64), ("image", ImageLink(run_id=OTHER, name="txt2img_001"))]
    deep: Any = {"$input": DIGEST}
    for _ in range(2_000):
        deep = {"a": [deep]}
    assert find_inputs(deep) == []


@pytest.mark.parametrize("document", [
    {}, {"host": None, "extensions": 7}, {"host": [1], "device": {"name": HOSTILE, "memory_mb": "x"}, "options": {HOSTILE: HOSTILE}},
    {"extensions": [None, {"name": HOSTILE}], "flags": {"a": {"b": [1]}}, "options": {str(n): n for n in range(5_000)}},
])
def test_an_environment_may_hold_anything(document: dict[str, Any]) -> None:
    assert sum(len(group.facts) for group in present_environment(document)) < 1_100


def test_an_environment_is_told_in_words() -> None:
    groups = present_environment({
        "host": {"name": "A1111", "version": "v1.10.1", "commit": "82a973c04367123ae98bd9abdf80d9eda9b910e2"}, "sdpipe": "0.1.0",
        "platform": {"python": "3.11.7"}, "device": {"name": "RTX 4090", "memory_mb": 24_576, "cuda": "12.1"},
        "packages": {"torch": "2.1.2"}, "options": {"eta_ancestral": 1},
        "extensions": [{"name": "adetailer", "version": "36189cbe", "commit": "36189cbea735"}, {"name": "x", "version": None}],
    })
    assert [(group.title, group.is_long) for group in groups] == [
        ("", False), ("Packages", False), ("Extensions", False), ("Settings of the WebUI", True)]
    facts = {fact.name: fact.value for group in groups for fact in group.facts}
    assert facts["Host"] == "A1111 v1.10.1 (82a973c0)" and facts["Device"] == "RTX 4090, 24.0 GB" and facts["CUDA"] == "12.1"
    assert (facts["adetailer"], facts["x"], facts["torch"]) == ("36189cbe", "version unknown", "2.1.2")


def test_thumbnails_come_by_the_page_with_the_chosen_one() -> None:
    manifests = [_manifest(name=f"txt2img_{number:03}") for number in range(1, 2 * PAGE_TILES + 2)]
    page, shown = choose_page(manifests, f"txt2img_{PAGE_TILES + 5:03}", None)
    assert page == 1 and shown[0].name == f"txt2img_{PAGE_TILES + 1:03}"
    assert [choose_page(manifests, None, wanted)[0] for wanted in (0, 2, 99, -5)] == [0, 2, 2, 0]
    assert choose_page([], None, 3) == (0, [])
    strip = present_strip(len(manifests), page, shown, [""] * len(shown), None)
    html = show_strip(strip, RUN)
    assert 'data-sdpipe-more="before"' in html and f"{PAGE_TILES + 1}–{2 * PAGE_TILES} / {2 * PAGE_TILES + 1}" in html


def test_a_thumbnail_is_told_apart_by_its_role_and_by_what_a_script_varied() -> None:
    assert tell_apart(_manifest()) == ""
    assert tell_apart(_manifest(role="before-highres-fix", variant={"values": {"Steps": 20}})) == "before hires fix · Steps 20"
    assert len(tell_apart(_manifest(variant={"values": {"prompt": "x" * 90}}))) < 60


def test_an_image_without_a_file_has_a_tile_and_a_place_that_say_why() -> None:
    html = show_strip(present_strip(1, 0, [_manifest()], ["file missing"], "img2img_001"), RUN)
    assert "file missing" in html and "<img" not in html and "data-sdpipe-full" not in html
    assert "file missing" in show_picture(Picture({}, "", None, None, "file missing"))


def test_an_empty_manifest_of_an_older_program_is_shown() -> None:
    assert "unnamed" in show_image(present_image(Manifest(), RUN, FileFacts()), RUN)


def test_prompts_labels_and_errors_cannot_become_elements() -> None:
    manifest = _manifest(
        prompt=HOSTILE, negative_prompt=HOSTILE, infotext=HOSTILE, model=HOSTILE, name=HOSTILE, path=HOSTILE, root=HOSTILE,
        stage=HOSTILE, role=HOSTILE, members=[HOSTILE], lost_at=HOSTILE, inferred=[HOSTILE], loras=[{"name": HOSTILE}],
        config={"sampler_name": HOSTILE, "steps": HOSTILE, HOSTILE: {"$image": {"run_id": HOSTILE, "name": HOSTILE}, "$input": HOSTILE}},
        parent={"run_id": HOSTILE, "name": HOSTILE, "by": HOSTILE, "also": [{"run_id": HOSTILE, "name": HOSTILE}]},
        stage_history=[{"stage": HOSTILE, "role": HOSTILE, "run_id": HOSTILE, "name": HOSTILE, "settings": {"steps": HOSTILE}}],
        variant={"pack": HOSTILE, "values": {HOSTILE: HOSTILE}}, adetailer={"model": HOSTILE, HOSTILE: HOSTILE},
    )
    run = Run(
        run_id=HOSTILE, label=HOSTILE, status=HOSTILE, source=HOSTILE, user=HOSTILE, environment=HOSTILE, started_at=HOSTILE,
        error={"stage": HOSTILE, "type": HOSTILE, "message": HOSTILE}, parent={"run_id": HOSTILE, "name": HOSTILE}, job_id=HOSTILE,
        models=[{"kind": HOSTILE, "name": HOSTILE, "hash": HOSTILE}], warnings=[HOSTILE],
    )
    file = FileFacts(HOSTILE, HOSTILE, True, [HOSTILE], [HOSTILE])
    pages = [
        show_image(present_image(manifest, HOSTILE, file), HOSTILE),
        show_run(present_run(RunView(HOSTILE, run, [manifest], [HOSTILE])), True),
        show_picture(Picture({"run": HOSTILE}, HOSTILE, "sdpipe/v1/x", "sdpipe/v1/x", "", HOSTILE, {"run": HOSTILE}, {"name": HOSTILE})),
        show_picture(Picture({"run": HOSTILE}, HOSTILE, None, None, HOSTILE, HOSTILE, {"run": HOSTILE}, None)), show_file_head(HOSTILE),
        show_strip(present_strip(2, 0, [manifest, manifest], ["", HOSTILE], HOSTILE), HOSTILE),
        show_lineage(lay_out(build_graph([manifest, _manifest(parent={"run_id": HOSTILE, "name": HOSTILE})], RUN)), None, 0),
    ]
    for page in pages:
        tags = _Tags(page)
        assert not {"script", "textarea"} & set(tags.names)
        assert "onerror" not in tags.attributes
        assert all(address.startswith("sdpipe/v1/") and "<" not in address for address in tags.addresses)
        assert any(HOSTILE in text for text in tags.texts)


def test_half_a_surrogate_pair_does_not_stop_the_page() -> None:
    page = show_image(present_image(_manifest(prompt="a \ud83d b", name="\ud83d"), RUN, FileFacts()), RUN)
    assert "a ? b" in page
    page.encode("utf-8")
