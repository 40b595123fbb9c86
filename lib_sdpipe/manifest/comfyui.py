"""ComfyUI's prompt graph: nodes by id, each input a value or a link `[node, output]`. What made the first picture is read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lib_sdpipe.manifest.loose_json import integer_of, list_of, number_of, object_of, seed_of, text_of, without_unknown

Json = dict[str, Any]

# Steps along links. Graphs of other people may run in circles.
_MOST_STEPS = 60
_MOST_NODES = 5000
_TEXTS = ("text", "text_g", "text_positive", "prompt", "string", "value", "clip_l", "t5xxl")
_CHECKPOINTS = ("ckpt_name", "unet_name", "model_name")


def read_graph(graph: Json) -> Json:
    """The fields of a manifest that the graph answers; nothing where no node of it samples."""
    held = ((str(key), node) for key, node in list(graph.items())[:_MOST_NODES] if isinstance(node, dict))
    nodes = {key: node for key, node in held if isinstance(node.get("inputs"), dict)}
    samplers = [node for node in nodes.values() if _seed_input(node) is not None]
    if not samplers:
        return {}
    sampler = next((node for node in samplers if _walk(nodes, node, ("latent_image", "samples", "latent"), _size_of)), samplers[0])
    inputs, width_height = sampler["inputs"], _walk(nodes, sampler, ("latent_image", "samples", "latent"), _size_of) or {}
    loras: list[Json] = []
    model = _walk(nodes, sampler, ("model", "guider"), lambda node: _checkpoint_of(node, loras))
    return without_unknown({
        "prompt": _walk(nodes, sampler, ("positive", "guider", "conditioning", *_TEXTS), _text_of),
        "negative_prompt": _walk(nodes, sampler, ("negative", *_TEXTS), _text_of),
        "actual_seed": seed_of(_value(nodes, inputs.get(_seed_input(sampler) or ""))),
        "model": model,
        "loras": loras,
        "config": without_unknown({
            "sampler_name": text_of(_value(nodes, inputs.get("sampler_name") or inputs.get("sampler"))),
            "scheduler": text_of(_value(nodes, inputs.get("scheduler")) or _walk(nodes, sampler, ("sigmas",), _scheduler_of)),
            "steps": integer_of(_value(nodes, inputs.get("steps") or inputs.get("sigmas"))),
            "cfg_scale": number_of(_value(nodes, inputs.get("cfg"))),
            "denoising_strength": number_of(_value(nodes, inputs.get("denoise"))),
            **width_height,
        }),
    })


def _seed_input(node: Json) -> str | None:
    """The name of a sampling node's seed: such a node takes a latent, or a guider, and a seed or noise."""
    inputs = node["inputs"]
    if not any(name in inputs for name in ("latent_image", "samples", "latent")):
        return None
    return next((name for name in ("seed", "noise_seed", "noise") if name in inputs), None)


def _walk(nodes: Json, start: Json, names: tuple[str, ...], found: Callable[[Json], Any]) -> Any:
    """What `found` says of the first node along the inputs of these names, nearest first."""
    waiting, seen = list(_linked(nodes, start, names)), 0
    visited: set[int] = set()
    while waiting and seen < _MOST_STEPS:
        node = waiting.pop(0)
        if id(node) in visited:
            continue
        visited.add(id(node))
        seen += 1
        answer = found(node)
        if answer:
            return answer
        # A node between (a style, a control net) hands on what it got under whatever name it has for it.
        waiting.extend(list(_linked(nodes, node, names)) or list(_linked(nodes, node, tuple(node["inputs"])))[:8])
    return None


def _linked(nodes: Json, node: Json, names: tuple[str, ...]) -> Iterator[Json]:
    for name in names:
        link = node["inputs"].get(name)
        if isinstance(link, list) and len(link) == 2 and str(link[0]) in nodes:
            yield nodes[str(link[0])]


def _value(nodes: Json, value: Any) -> Any:
    """A value, also where a node of its own holds it (a seed, a sampler's name)."""
    for _ in range(_MOST_STEPS):
        if not (isinstance(value, list) and len(value) == 2 and str(value[0]) in nodes):
            return value
        inputs = nodes[str(value[0])]["inputs"]
        value = next((inputs[name] for name in ("seed", "noise_seed", "sampler_name", "steps", "value", *_TEXTS) if name in inputs), None)
    return None


def _text_of(node: Json) -> str | None:
    texts = [text for name in _TEXTS if (text := text_of(node["inputs"].get(name)))]
    return texts[0] if texts else None


def _scheduler_of(node: Json) -> str | None:
    return text_of(node["inputs"].get("scheduler"))


def _size_of(node: Json) -> Json:
    size = {name: integer_of(node["inputs"].get(name)) for name in ("width", "height")}
    return size if None not in size.values() else {}


def _checkpoint_of(node: Json, loras: list[Json]) -> str | None:
    """The checkpoint of a loader; LoRAs passed on the way there are noted."""
    name = text_of(node["inputs"].get("lora_name"))
    if name:
        weight = number_of(node["inputs"].get("strength_model"))
        loras.append({"name": name, "weight": number_of(node["inputs"].get("strength_clip")), "unet_weight": weight, "hash": None})
        return None
    return next((text for key in _CHECKPOINTS if (text := text_of(node["inputs"].get(key)))), None)


def is_graph(value: Any) -> bool:
    """Whether this is a prompt graph: an object of nodes that name their class."""
    nodes = list(object_of(value).values())[:_MOST_NODES]
    return any(isinstance(node, dict) and isinstance(node.get("class_type"), str) for node in nodes)


def is_workflow(value: Any) -> bool:
    """Whether this is the drawn form that ComfyUI keeps beside the graph."""
    return bool(list_of(object_of(value).get("nodes")))
