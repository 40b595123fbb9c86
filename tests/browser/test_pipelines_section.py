"""A person puts stages together, sees them made, makes an image again and reads the verdict, and goes on with what broke off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib_sdpipe.pipeline.records import Item, Job, Stage
from lib_sdpipe.store.queue import change_queue
from lib_sdpipe.workspace.jobs import build_chain
from tests.browser.page import Page
from tests.contract.conftest import Made
from tests.contract.webui import WebUI

MADE_MS = 60_000


def open_pipelines(page: Page) -> None:
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('pipelines')")
    page.tab.locator("[data-sdpipe-keep='add-img2img']").wait_for()


def press(page: Page, keep: str) -> None:
    page.tab.locator(f"#sdpipe_section_pipelines [data-sdpipe-keep='{keep}']").first.click()


def fill(page: Page, **texts: str) -> None:
    """Fields by `field_NUMBER_NAME`."""
    for name, text in texts.items():
        _, number, field = name.split("_", 2)
        page.tab.locator(f"[data-sdpipe-keep='field-{number}-{field}']").fill(text)
        page.tab.keyboard.press("Tab")


def status(page: Page, text: str) -> None:
    page.tab.locator("#sdpipe_pipelines_status", has_text=text).first.wait_for(timeout=MADE_MS)


def wait_ended(page: Page, label: str, word: str) -> Any:
    """The entry of an ended job."""
    row = page.tab.locator("#sdpipe_pipelines_queue li", has_text=label).filter(has_text=word).first
    row.wait_for(timeout=MADE_MS)
    return row


def test_a_chain_of_two_stages_is_made_and_made_again_identically(
    open_page: Callable[..., Page], source: Made, host: WebUI
) -> None:
    host.set_options(samples_save=True)
    page = open_page(theme="dark")
    page.open_runs()
    page.tab.locator(f"#sdpipe_runs [data-sdpipe-run='{source.run_id}']").first.click()
    page.tab.locator("#sdpipe_details [data-sdpipe-ask='chain']").first.click()
    page.tab.locator("[data-sdpipe-keep='field-0-steps']").wait_for()
    press(page, "add-upscale")
    page.tab.locator("[data-sdpipe-keep='field-1-upscaler_1']").wait_for()
    fill(page, field_0_steps="2", field_0_denoising_strength="2")
    page.tab.locator("[data-sdpipe-stage='img2img'] [data-sdpipe-fault='denoising_strength']", has_text="must be").wait_for()
    fill(page, field_0_denoising_strength="0.5", field_1_upscaler_1="Lanczos")
    status(page, "2 images")
    page.tab.locator("[data-sdpipe-label]").fill("doubled")
    before = host.run_ids()
    press(page, "add-to-queue")
    status(page, "In the queue")
    wait_ended(page, "doubled", "Done").locator("[data-sdpipe-ask='open']").click()
    made = Made(host, None, (host.run_ids() - before).pop())
    assert [manifest["stage"] for manifest in made.manifests if manifest["role"] == "final"] == ["img2img", "upscale"]
    page.tab.locator(f"#sdpipe_run [data-sdpipe-open-run='{made.run_id}']").first.wait_for()

    page.tab.locator("#sdpipe_details [data-sdpipe-ask='again']").first.click()
    press(page, "do-make")
    wait_ended(page, "Made again", "Identical").locator("[data-sdpipe-ask='open']").click()
    verdict = page.tab.locator("#sdpipe_run .sdpipe-verdict", has_text="Identical").first
    verdict.wait_for()
    verdict.locator("[data-sdpipe-ask='compare']").first.click()
    page.tab.locator("#sdpipe_compare [data-sdpipe-image]").nth(1).wait_for(state="attached")


def test_a_recipe_is_kept_and_used_with_a_pack_and_what_broke_off_goes_on(open_page: Callable[..., Page], host: WebUI) -> None:
    page = open_page(width=600)
    open_pipelines(page)
    press(page, "add-txt2img")
    page.tab.locator("[data-sdpipe-keep='field-0-prompt']").wait_for()
    fill(page, field_0_steps="2", field_0_width="64", field_0_height="64", field_0_seed="4")
    page.tab.locator("[data-sdpipe-recipe-as]").fill("small ones")
    press(page, "recipe-save")
    status(page, "The recipe is kept.")
    press(page, "stage-remove-0")
    page.tab.locator("[data-sdpipe-recipe-name]").select_option("small ones")
    press(page, "recipe-load")
    page.tab.locator("[data-sdpipe-keep='field-0-prompt']").wait_for()

    page.tab.locator(".sdpipe-pack > summary").click()
    press(page, "pack-new")
    page.tab.locator("[data-sdpipe-pack-text='.txt']").fill("a red fox\n\na blue fox\nneg: dog\n")
    press(page, "pack-preview")
    page.tab.locator(".sdpipe-pack-open", has_text="2 prompts").first.wait_for()
    page.tab.locator("[data-sdpipe-label]").fill("foxes")
    press(page, "add-to-queue")
    wait_ended(page, "foxes", "Done")

    broken = build_chain([Item()], [Stage(stage="txt2img", settings={"prompt": "a fox", "steps": 2, "width": 64, "height": 64})], "broken")
    error = {"stage": "txt2img", "type": "OutOfMemoryError", "message": "no memory left"}
    broken = Job.parse_obj({**broken.to_json(), "status": "failed", "error": error})
    change_queue(host.layout, lambda queue: queue.copy(update={"jobs": [*queue.jobs, broken]}))
    page.tab.evaluate("() => window.sdpipe.ask('queue', {do: 'look'})")
    wait_ended(page, "broken", "no memory left")
    press(page, f"resume-{broken.id}")
    wait_ended(page, "broken", "Done")


def test_a_mask_is_handed_over_for_inpaint(open_page: Callable[..., Page], source: Made, tmp_path: Any) -> None:
    from PIL import Image

    mask = tmp_path / "mask.png"
    Image.new("L", (128, 128), 255).save(mask)
    page = open_page()
    page.open_runs()
    page.tab.locator(f"#sdpipe_runs [data-sdpipe-run='{source.run_id}']").first.click()
    page.tab.locator("#sdpipe_details [data-sdpipe-ask='chain']").first.click()
    press(page, "add-inpaint")
    status(page, "to be mended")
    page.tab.locator("[data-sdpipe-mask-file='1']").set_input_files(mask)
    page.tab.locator("[data-sdpipe-stage='inpaint'] .sdpipe-mask img").wait_for()
    status(page, "2 images")


def test_presses_that_come_quickly_are_all_done_in_their_order(open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_pipelines(page)
    held: list[Any] = []

    def hold_first(route: Any) -> None:
        if not held and '\\"add' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.tab.route("**/run/predict*", hold_first)
    for stage in ("img2img", "upscale", "img2img"):
        press(page, f"add-{stage}")
    page.tab.wait_for_timeout(700)
    (first,) = held
    first.continue_()
    page.tab.locator("[data-sdpipe-keep='field-2-steps']").wait_for()
    page.settle(2500, quiet_ms=500)
    page.tab.unroute("**/run/predict*")
    stages = page.tab.locator("#sdpipe_pipelines_chain [data-sdpipe-stage]")
    assert [stages.nth(number).get_attribute("data-sdpipe-stage") for number in range(stages.count())] == ["img2img", "upscale", "img2img"]
