"""A person presses Generate and finds a run; what the accordion says is what is done."""

from __future__ import annotations

from typing import Any

from tests.browser.page import Page
from tests.contract.webui import WebUI


def new_run(host: WebUI, before: set[str]) -> dict[str, Any]:
    (run_id,) = host.run_ids() - before
    return host.wait_closed(run_id)


def test_generate_leaves_a_run_of_the_browser(page: Page, host: WebUI) -> None:
    before = host.run_ids()
    page.fill("txt2img", "a harbour in the morning", batch_count=2, batch_size=2)
    page.generate("txt2img")
    run = new_run(host, before)
    assert (run["source"], run["status"]) == ("ui", "completed")
    assert run["job_id"].startswith("task(")
    assert run["images"] == {"planned": 4, "returned": 4, "saved": 4}
    manifests = host.manifests(run["run_id"])
    assert [m["stage"] for m in manifests] == ["txt2img"] * 4 + ["grid"]
    assert len({m["actual_seed"] for m in manifests[:4]}) == 4
    assert f"Run ID: {run['run_id']}" in page.infotext("txt2img")


def test_the_accordion_decides_for_one_press(page: Page, host: WebUI) -> None:
    before = host.run_ids()
    page.fill("txt2img", "a harbour at noon")
    page.open_panel("txt2img")
    page.checkbox("sdpipe_txt2img_record").uncheck()
    page.generate("txt2img")
    assert host.run_ids() == before
    page.checkbox("sdpipe_txt2img_record").check()
    page.checkbox("sdpipe_txt2img_write_run_id").uncheck()
    page.checkbox("sdpipe_txt2img_keep_images").check()
    page.tab.locator("#sdpipe_txt2img_label textarea, #sdpipe_txt2img_label input").first.fill("harbour series")
    page.settle(300)
    page.generate("txt2img")
    run = new_run(host, before)
    assert run["label"] == "harbour_series"
    (manifest,) = host.manifests(run["run_id"])
    assert manifest["kept"] and "Run ID" not in manifest["infotext"]


def test_send_to_img2img_gives_the_parent(page: Page, host: WebUI) -> None:
    before = host.run_ids()
    page.fill("txt2img", "a harbour in the evening")
    page.generate("txt2img")
    source = new_run(host, before)
    before = host.run_ids()
    page.tab.locator("#txt2img_send_to_img2img").click()
    page.tab.locator("#img2img_prompt textarea").wait_for(state="visible")
    page.settle(3000)
    page.fill("img2img", "a harbour in the evening")
    page.generate("img2img")
    run = new_run(host, before)
    (manifest,) = [m for m in host.manifests(run["run_id"]) if m["stage"] == "img2img"]
    assert (manifest["parent"]["run_id"], manifest["parent"]["name"]) == (source["run_id"], "txt2img_001")
    assert manifest["parent"]["by"] in ("pixels", "near-pixels")
    assert run["parent"]["run_id"] == source["run_id"]


def test_pasting_an_infotext_switches_none_of_our_controls(page: Page, host: WebUI) -> None:
    page.open_panel("txt2img")
    page.checkbox("sdpipe_txt2img_keep_images").check()
    page.checkbox("sdpipe_txt2img_record").uncheck()
    text = "pasted prompt\nSteps: 3, Sampler: Euler a, CFG scale: 6, Seed: 5, Size: 64x64, Run ID: 20251225_143022_x, Version: 1"
    page.tab.locator("#txt2img_prompt textarea").fill(text)
    page.tab.locator("#paste").first.click()
    page.tab.wait_for_function("() => document.querySelector('#txt2img_prompt textarea').value === 'pasted prompt'")
    page.tab.wait_for_timeout(500)
    assert page.checkbox("sdpipe_txt2img_keep_images").is_checked()
    assert not page.checkbox("sdpipe_txt2img_record").is_checked()


def test_after_reload_ui_a_press_is_still_one_run(page: Page, host: WebUI) -> None:
    for _ in range(2):
        page.reload_ui()
    before = host.run_ids()
    page.fill("txt2img", "a harbour after a restart")
    page.generate("txt2img")
    run = new_run(host, before)
    assert run["images"]["saved"] == 1 and len(host.manifests(run["run_id"])) == 1
