"""Records that somebody edited, or that are damaged: refused with a sentence or asked as they are, never a fault of ours."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.pipeline.chain_again import plan_chain
from lib_sdpipe.pipeline.port import HostFacts, ModelFile
from lib_sdpipe.pipeline.preflight import check_rerun, set_back
from lib_sdpipe.pipeline.replay import Wanted, plan_rerun
from tests.pipeline.recorded import ENVIRONMENT, a_run, an_image

KEYS = ["stage", "args", "value", "label", "$image", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3), max_leaves=8,
)
CONFIG_NAMES = (
    "prompt", "negative_prompt", "styles", "seed", "subseed", "subseed_strength", "batch_size", "n_iter", "scripts", "override_settings",
    "init_images", "mask", "inpainting_fill", "enable_hr", "hr_prompt", "items", "stages", "requests", "extras_mode", "image",
    "sampler_name", "scheduler", "hr_upscaler", "refiner_checkpoint", "hr_additional_modules",
)
OF_IMAGE = ("init_images", "mask", "image", "clip_skip", "steps", "width", "height", "forge_additional_modules", "Postprocess upscale to",
            "Postprocess upscale by", "incomplete", "mask_blur")
FACTS = HostFacts(
    {**ENVIRONMENT, "options": {"eta_ancestral": 1}}, (ModelFile("checkpoint", "other", "abcdef01"),), ("Euler",), ("Karras",), ("None",),
    scripts={"txt2img": {"A": ["x"]}, "img2img": {}, "extras": {}},
)


@settings(max_examples=50)
@given(
    st.sampled_from(["txt2img", "img2img", "extras", "chain", "requests", None]),
    st.dictionaries(st.sampled_from(CONFIG_NAMES), JSON, max_size=8), st.dictionaries(st.sampled_from(OF_IMAGE), JSON, max_size=4),
    st.dictionaries(st.sampled_from(["stage", "input", "values", "row"]), JSON),
    st.sampled_from([None, "txt2img", "img2img", "inpaint", "adetailer", "upscale", "grid"]), st.booleans(), st.booleans(), JSON,
)
def test_no_record_leads_astray(
    endpoint: Any, config: Any, of_image: Any, step: Any, stage: Any, alone: bool, adopted: bool, odd: Any,
) -> None:
    image: Manifest = an_image(stage=stage or "image", config=of_image, step=step, variant=step, hires={"hr_resize": odd, "hr_scale": odd},
                               adetailer={"model": odd}, loras=[{"name": odd, "hash": odd}], infotext="a\nSteps: 1, Seed: 2, Size: 1x1")
    run = a_run([image], endpoint=endpoint, **config).copy(update={"source": "adopted" if adopted else "ui", "models": [{"kind": odd}]})
    environment = {**ENVIRONMENT, "options": {"eta_ancestral": odd}, "extensions": odd, "script_defaults": {"txt2img": odd}, "device": odd}
    with suppress(SdPipeError):
        plan_chain(run, [image], environment)
    for name in (None, image.name):
        with suppress(SdPipeError):
            replay = plan_rerun(run, [image], environment, Wanted(name=name, alone=alone))
            differences = check_rerun(replay, run, [image], environment, FACTS)
            set_back(replay, differences)
            assert all(difference.sentence for difference in differences)
