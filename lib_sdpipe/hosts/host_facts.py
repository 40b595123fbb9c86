"""What the host could use at this moment: models, samplers, upscalers, scripts with their arguments, and its environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from modules import extra_networks, scripts, sd_models, sd_samplers, sd_vae, shared

from lib_sdpipe.hosts.environment import read_environment
from lib_sdpipe.hosts.request import OWN_TITLE, script_title
from lib_sdpipe.hosts.script_arguments import labels_of
from lib_sdpipe.hosts.used_models import describe_lora, known_modules
from lib_sdpipe.pipeline.port import HostFacts, ModelFile

Labels = dict[str, list["str | None"]]


def read_facts() -> HostFacts:
    """No model file is read for it: a digest is there where the host knows it already."""
    schedulers: Any = sys.modules.get("modules.sd_schedulers")  # Classic has none
    return HostFacts(
        environment=read_environment(dict(shared.opts.data)),
        models=tuple(_models()),
        samplers=tuple(sampler.name for sampler in sd_samplers.all_samplers),
        schedulers=tuple(one.label for one in getattr(schedulers, "schedulers", ())),
        upscalers=tuple(upscaler.name for upscaler in shared.sd_upscalers),
        latent_upscale_modes=tuple(shared.latent_upscale_modes),
        scripts={
            "txt2img": _labels(scripts.scripts_txt2img), "img2img": _labels(scripts.scripts_img2img),
            "extras": _extras_names(scripts.scripts_postproc),
        },
    )


def _models() -> Iterator[ModelFile]:
    for info in list(sd_models.checkpoints_list.values()):
        yield ModelFile("checkpoint", info.name_for_extra, info.shorthash, info.sha256)
    for name in list(getattr(sd_vae, "vae_dict", ())):
        yield ModelFile("vae", name)
    for name in list(known_modules()):
        yield ModelFile("module", name)
    networks: Any = sys.modules.get("networks")
    for name, network in list(getattr(networks, "available_networks", {}).items()):
        found = describe_lora(name, network)
        yield ModelFile("lora", name, found["hash"], found["sha256"])
    if networks is None:
        for name in list(getattr(extra_networks, "available_loras", ())):
            yield ModelFile("lora", name)


def _labels(runner: Any) -> Labels:
    everyone = [*getattr(runner, "alwayson_scripts", []), *getattr(runner, "selectable_scripts", [])]
    return {script_title(script): labels_of(runner, script) for script in everyone if script_title(script) != OWN_TITLE}


def _extras_names(runner: Any) -> Labels:
    """The host calls these by name."""
    found = runner.scripts_in_preferred_order() if runner is not None else []
    return {script.name: list(script.controls or ()) for script in found if script.name != OWN_TITLE}
