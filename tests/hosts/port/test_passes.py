"""One pass of the host in process: it makes what the host's own API makes, and is recorded as what the run says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from lib_sdpipe.images.stealth import read_stealth_infotext
from lib_sdpipe.manifest.records import ImageLink
from tests.hosts.port import units
from tests.hosts.port.conftest import Desk, pixels


def test_a_batch_is_the_same_as_through_the_api_and_recorded(desk: Desk) -> None:
    outcome = desk.make(batch_size=2, n_iter=2, variant={"row": 3}, step={"stage": 0, "input": "0"})
    assert (outcome.error, outcome.cut_short, [image.name for image in outcome.images]) == (
        None, None, [f"txt2img_{number:03d}" for number in (1, 2, 3, 4)],
    )
    theirs = desk.by_hand(batch_size=2, n_iter=2, do_not_save_grid=True)
    assert [pixels(image.picture) for image in outcome.images] == [pixels(picture) for picture in theirs[-4:]]
    made = [m for m in desk.manifests() if m["stage"] == "txt2img"]
    assert [m["actual_seed"] for m in made] == [7, 8, 9, 10] and all(m["path"] for m in made)
    assert [(m["step"], m["variant"]) for m in made] == [({"stage": 0, "input": "0"}, {"row": 3})] * 4
    assert outcome.images[1].infotext == made[1]["infotext"] and "Seed: 8" in made[1]["infotext"]
    run = desk.close()
    assert (run["status"], run["source"], run["images"]["saved"]) == ("completed", "pipeline", 4)


def test_a_later_stage_has_its_picture_and_its_parent(desk: Desk) -> None:
    first = desk.make()
    link = ImageLink(run_id=desk.run_id, name=first.images[0].name)
    reference = {"$image": {"run_id": desk.run_id, "name": first.images[0].name}}
    second = desk.make("img2img", init_images=[reference], denoising_strength=0.5, parents=(link,))
    assert second.error is None
    (made,) = [m for m in desk.manifests() if m["stage"] == "img2img"]
    assert (made["parent"]["name"], [entry["stage"] for entry in made["stage_history"]]) == ("txt2img_001", ["txt2img"])


def test_an_inpaint_pass_takes_its_mask_by_reference(desk: Desk) -> None:
    picture, mask = Image.effect_noise((64, 64), 90).convert("RGB"), Image.new("L", (64, 64), 0)
    mask.paste(255, (16, 16, 48, 48))
    desk.pictures.update(picture=picture, mask=mask)
    given: dict[str, Any] = {"mask_blur_x": 4, "mask_blur_y": 4, "inpainting_fill": 1, "inpaint_full_res": False, "denoising_strength": 0.5}
    made = desk.make("img2img", "inpaint", init_images=[{"$input": "picture"}], mask={"$input": "mask"}, **given)
    assert made.error is None
    theirs = desk.by_hand("img2img", init_images=[encode(picture)], mask=encode(mask), **given)
    assert pixels(made.images[0].picture) == pixels(theirs[0])
    assert [m["stage"] for m in desk.manifests()] == ["inpaint"]


def test_hires_fix_and_hires_fix_of_a_picture_that_is_there(desk: Desk) -> None:
    hires: dict[str, Any] = {"enable_hr": True, "hr_scale": 2.0, "hr_upscaler": "Latent", "denoising_strength": 0.5}
    made = desk.make(**hires)
    assert made.error is None and made.images[0].picture.size == (128, 128)
    theirs = desk.by_hand(**hires, hr_additional_modules=["Use same choices"], hr_cfg=7.0)
    assert pixels(made.images[0].picture) == pixels(theirs[0])
    desk.pictures["small"] = desk.by_hand()[0]
    again = desk.make(firstpass_image={"$input": "small"}, **hires)
    assert again.error is None and again.images[0].picture.size == (128, 128)


def test_only_the_wanted_images_are_saved_and_no_grid(desk: Desk) -> None:
    outcome = desk.make(batch_size=2, n_iter=2, save=(2,), kept=(1,))
    made = {m["name"]: m for m in desk.manifests()}
    assert [bool(made[image.name]["path"]) for image in outcome.images] == [False, True, True, False]
    assert [made[image.name]["root"] for image in outcome.images][1] == "runs" and len(made) == 4


def test_nothing_is_saved_where_nothing_is_wanted(desk: Desk) -> None:
    outcome = desk.make(batch_size=2, save=())
    assert len(outcome.images) == 2 and [m["path"] for m in desk.manifests()] == [None, None]


def encode(picture: Image.Image) -> str:
    from tests.contract.webui import encode_picture

    return encode_picture(picture)


def test_the_alpha_in_which_forge_hides_a_text_is_given_where_it_was_given_then(desk: Desk) -> None:
    """The hosts reckon with it: taken from the file it would change the picture by 1 here and there."""
    hiding = Image.effect_noise((64, 64), 90).convert("RGBA")
    hiding.putalpha(Image.effect_noise((64, 64), 90).point(lambda value: 254 if value > 128 else 255))
    desk.pictures["x"] = hiding
    seen: list[str] = []
    units.calls.append(lambda p: seen.append(p.init_images[0].mode))
    for reference in ({"$input": "x"}, {"$input": "x", "alpha": "hidden"}):
        assert desk.make("img2img", init_images=[reference]).error is None
    units.calls.clear()
    assert seen == ["RGB", "RGBA"]


def test_what_an_image_was_made_from_is_told_with_its_hidden_alpha(desk: Desk) -> None:
    hiding = Image.effect_noise((64, 64), 90).convert("RGBA")
    hiding.putalpha(Image.effect_noise((64, 64), 90).point(lambda value: 254 if value > 128 else 255))
    desk.pictures["x"] = hiding
    assert desk.make("img2img", init_images=[{"$input": "x", "alpha": "hidden"}]).error is None
    desk.close()
    (reference,) = desk.manifests()[0]["config"]["init_images"]
    assert reference["alpha"] == "hidden"


def test_a_picture_is_written_as_the_host_saves_its_own(desk: Desk, tmp_path: Path) -> None:
    """Forge hides the text in the alpha of a PNG, too, where that is switched on."""
    from modules import shared

    picture, text = Image.effect_noise((96, 96), 90).convert("RGB"), "a lighthouse\nSteps: 4, Run ID: 20251225_143022_x"
    for name in ("again.png", "again.jpg"):
        desk.port.write_picture(picture, text, str(tmp_path / name))
        with Image.open(tmp_path / name) as written:
            written.load()
        hides = shared.is_forge() and name.endswith(".png")
        assert read_stealth_infotext(written) == (text if hides else None) and written.mode == ("RGBA" if hides else "RGB")
        assert not name.endswith(".png") or written.convert("RGB").tobytes() == picture.tobytes()
    assert picture.mode == "RGB", "what was given is not changed"
