"""Beside other extensions: one that renames files, one that changes images, one that takes pictures as arguments.

They are one tiny extension, `tests/contract/extension`. The sandbox loads it; another host needs it in its extensions, as
`a-sdpipe-test`.
"""

from __future__ import annotations

import json
from typing import Any

from lib_sdpipe.images.digest import pixel_sha256
from tests.contract.conftest import Generate, detailer, hires_request, noise, open_picture, require_script
from tests.contract.test_recording import ALWAYS
from tests.contract.webui import WebUI, encode_picture

TITLE = "SDPipe test"
RED = (254, 0, 0)


def ask(host: WebUI, suffix: str = "", paint: bool = False, unit: Any = None) -> dict[str, Any]:
    require_script(host, "txt2img", TITLE)
    return {TITLE: {"args": [suffix, paint, unit]}}


def is_red(pixel: Any) -> bool:
    return pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60


def test_a_renamed_file_is_recorded_under_the_name_it_got(generate: Generate, host: WebUI) -> None:
    made = generate(alwayson_scripts=ask(host, suffix="-by-another"), batch_size=2)
    for image in made.of("txt2img"):
        assert made.file(image).stem.endswith("-by-another")
        assert image["image"]["pixel_sha256"] == pixel_sha256(open_picture(made.file(image)))


def test_a_file_put_in_another_folder_is_found_there(generate: Generate, host: WebUI) -> None:
    made = generate(alwayson_scripts=ask(host, suffix="../-moved"))
    (image,) = made.of("txt2img")
    assert made.file(image).stem.endswith("-moved")
    assert made.file(image).parent == made.file(generate().of("txt2img")[0]).parent.parent
    assert image["image"]["pixel_sha256"] == pixel_sha256(open_picture(made.file(image)))


def test_a_kept_stage_before_adetailer_is_what_adetailer_got(generate: Generate, host: WebUI) -> None:
    scripts = {**ask(host, paint=True), **detailer(ALWAYS), "SDPipe": {"args": [{"keep_stages": True}]}}
    made = generate(alwayson_scripts=scripts)
    (before,) = made.of("txt2img", "before-adetailer")
    assert is_red(open_picture(made.file(before)).convert("RGB").getpixel((2, 2)))
    (final,) = made.of("adetailer")
    assert final["stage_history"][-1]["pixel_sha256"] == before["image"]["pixel_sha256"] != final["image"]["pixel_sha256"]


def test_a_kept_stage_before_hires_fix_is_not_what_another_made_of_the_result(generate: Generate, host: WebUI) -> None:
    scripts = {**ask(host, paint=True), "SDPipe": {"args": [{"keep_stages": True}]}}
    made = generate(**hires_request(), alwayson_scripts=scripts, seed=11)
    plain = generate(**hires_request(), alwayson_scripts={"SDPipe": {"args": [{"keep_stages": True}]}}, seed=11)
    befores = [m.of("txt2img", "before-highres-fix")[0]["image"]["pixel_sha256"] for m in (made, plain)]
    assert befores[0] == befores[1]
    assert is_red(open_picture(made.file(made.of("txt2img")[0])).convert("RGB").getpixel((2, 2)))


def test_a_picture_in_an_argument_is_an_input_not_text(generate: Generate, host: WebUI) -> None:
    encoded = encode_picture(noise())
    unit = {"enabled": True, "module": "none", "weight": 0.5, "image": encoded}
    made = generate(alwayson_scripts=ask(host, unit=unit))
    assert encoded[:200] not in json.dumps(made.run["config"])
    (script,) = [s for s in made.run["config"]["scripts"] if s["title"] == TITLE]
    value = next(a["value"] for a in script["args"] if isinstance(a["value"], dict))
    assert (value["enabled"], value["module"], value["weight"]) == (True, "none", 0.5)
    assert host.layout.input_file(value["image"]["$input"]).exists()
    assert made.run["replayable"] is True


def test_a_recorded_picture_in_an_argument_is_named(generate: Generate, host: WebUI) -> None:
    source = generate()
    picture = encode_picture(open_picture(source.file(source.of("txt2img")[0])))
    made = generate(alwayson_scripts=ask(host, unit={"image": "data:image/png;base64," + picture}))
    (script,) = [s for s in made.run["config"]["scripts"] if s["title"] == TITLE]
    value = next(a["value"] for a in script["args"] if isinstance(a["value"], dict))
    assert value["image"] == {"$image": {"run_id": source.run_id, "name": "txt2img_001"}, "as": "base64"}
    assert made.of("txt2img")[0]["parent"] is None, "a control picture is no parent"


def test_arguments_that_cannot_be_kept_are_told(generate: Generate, host: WebUI) -> None:
    made = generate(alwayson_scripts={**ask(host, unit={"image": encode_picture(noise())}), "SDPipe": {"args": [{"keep_inputs": False}]}})
    assert made.run["replayable"] is False and "kept" in made.run["not_replayable_because"]
