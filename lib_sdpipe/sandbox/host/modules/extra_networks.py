"""`<lora:name:weight>` in prompts: parsing, activation, and the hashes that go into the infotext."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import Any

from modules import errors, sd_models, shared


class ExtraNetworkParams:
    def __init__(self, items: list[str] | None = None) -> None:
        self.items = items or []
        named = [x for x in self.items if isinstance(x, str) and x.count("=") == 1]
        self.named: dict[str, str] = dict(x.split("=") for x in named)
        self.positional: list[str] = [x for x in self.items if x not in named]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExtraNetworkParams) and self.items == other.items


class ExtraNetwork:
    def __init__(self, name: str) -> None:
        self.name = name

    def activate(self, p: Any, params_list: list[ExtraNetworkParams]) -> None:
        raise NotImplementedError

    def deactivate(self, p: Any) -> None:
        raise NotImplementedError


class ExtraNetworkLora(ExtraNetwork):
    def __init__(self) -> None:
        super().__init__("lora")

    def activate(self, p: Any, params_list: list[ExtraNetworkParams]) -> None:
        if not shared.opts.lora_add_hashes_to_infotext:
            return
        if not getattr(p, "is_hr_pass", False) or not hasattr(p, "lora_hashes"):
            p.lora_hashes = {}
        for params in params_list:
            name = params.positional[0]
            if name in available_loras:
                p.lora_hashes[name.replace(":", "").replace(",", "")] = available_loras[name]
            else:
                p.comment(f"Networks not found: {name}")
        if p.lora_hashes:
            p.extra_generation_params["Lora hashes"] = ", ".join(f"{k}: {v}" for k, v in p.lora_hashes.items())

    def deactivate(self, p: Any) -> None:
        pass


extra_network_registry: dict[str, ExtraNetwork] = {}
available_loras: dict[str, str] = {}
available_embeddings: dict[str, str] = {}


def initialize() -> None:
    lora_dir, embeddings_dir = shared.cmd_opts.lora_dir, shared.cmd_opts.embeddings_dir
    for known, folder, names in ((available_loras, lora_dir, sd_models.LORAS),
                                 (available_embeddings, embeddings_dir, sd_models.EMBEDDINGS)):
        known.clear()
        known.update({x: sd_models.sha256_of(sd_models.placeholder(folder, f"{x}.safetensors"))[:12] for x in names})
        for filename in sorted(os.listdir(folder)):
            known.setdefault(os.path.splitext(filename)[0], sd_models.sha256_of(os.path.join(folder, filename))[:12])
    extra_network_registry.clear()
    register_extra_network(ExtraNetworkLora())


def register_extra_network(extra_network: ExtraNetwork) -> None:
    extra_network_registry[extra_network.name] = extra_network


def parse_prompt(prompt: str) -> tuple[str, dict[str, list[ExtraNetworkParams]]]:
    found: dict[str, list[ExtraNetworkParams]] = defaultdict(list)

    def take(match: re.Match[str]) -> str:
        found[match.group(1)].append(ExtraNetworkParams(items=match.group(2).split(":")))
        return ""

    return re.sub(r"<(\w+):([^>]+)>", take, prompt), found


def parse_prompts(prompts: list[str]) -> tuple[list[str], dict[str, list[ExtraNetworkParams]] | None]:
    """The prompts without networks, and the networks of the first prompt."""
    parsed = [parse_prompt(x) for x in prompts]
    return [text for text, _ in parsed], parsed[0][1] if parsed else None


def activate(p: Any, extra_network_data: dict[str, list[ExtraNetworkParams]]) -> None:
    """Mentioned networks first, then all others with an empty list; then the hook of the scripts."""
    mentioned = [x for x in extra_network_data if x in extra_network_registry]
    for name in mentioned + [x for x in extra_network_registry if x not in mentioned]:
        try:
            extra_network_registry[name].activate(p, extra_network_data.get(name, []))
        except Exception as error:
            errors.display(error, f"activating extra network {name}")
    if p.scripts is not None:
        p.scripts.after_extra_networks_activate(p, batch_number=p.iteration, prompts=p.prompts, seeds=p.seeds,
                                                subseeds=p.subseeds, extra_network_data=extra_network_data)


def deactivate(p: Any, extra_network_data: dict[str, list[ExtraNetworkParams]]) -> None:
    for network in extra_network_registry.values():
        network.deactivate(p)


def embedding_hashes(texts: list[str]) -> str:
    """`name: hash` of every embedding whose name stands in a text."""
    used = [x for x in available_embeddings
            if any(re.search(rf"(?<![\w-]){re.escape(x)}(?![\w-])", t) for t in texts)]
    return ", ".join(f"{x}: {available_embeddings[x]}" for x in used)
