"""Texts of other generators, recognised and read as far as they go: ComfyUI, InvokeAI, SwarmUI, Fooocus, NovelAI. Never raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.comfyui import is_graph, is_workflow, read_graph
from lib_sdpipe.manifest.from_infotext import build_from_infotext
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.loose_json import integer_of, list_of, number_of, object_of, parse_object, seed_of, text_of, without_unknown

Json = dict[str, Any]
Texts = Mapping[str, str]

# `"a prompt [what not]" -s 20 -S 7 -C 7.5 -A k_euler -W 512 -H 512`
_DREAM_PROMPT = re.compile(r'\s*"((?:[^"\\]|\\.){0,20000})"')
_DREAM_OPTION = re.compile(r"\s-([sSCAWHf])\s?([^\s\"-][^\s\"]{0,40})")
_IN_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_FOOOCUS_SIZE = re.compile(r"\(?\s*(\d{1,6})\s*[,x×*]\s*(\d{1,6})\s*\)?", re.ASCII)


@dataclass(frozen=True)
class Foreign:
    """`fields` are a manifest's, those that could be read; the others are left out."""

    generator: str
    fields: Json = field(default_factory=dict)


def read_foreign(texts: Texts) -> Foreign | None:
    """Whose texts these are, if another generator's. Texts by PNG keyword, those of EXIF as `exif:NAME`."""
    for generator, read in _READERS:
        fields = read(texts)
        if fields is not None:
            return Foreign(generator, without_unknown(fields))
    return None


def _swarmui(texts: Texts) -> Json | None:
    document = next((found for text in _main_texts(texts) if (found := parse_object(text)) and "sui_image_params" in found), None)
    if document is None:
        return None
    said = object_of(document.get("sui_image_params"))
    loras = zip(list_of(said.get("loras")), [*list_of(said.get("loraweights")), *[None] * 1000])
    return {
        **_fields(said, "prompt", "negativeprompt", "seed", "model"),
        "vae": text_of(said.get("vae")),
        "actual_subseed": seed_of(said.get("variationseed")),
        "loras": [{"name": name, "weight": number_of(weight), "hash": None} for name, weight in loras if text_of(name)],
        "config": _config(said, "sampler", "scheduler", "steps", "cfgscale", "width", "height"),
    }


def _fooocus(texts: Texts) -> Json | None:
    """Its own scheme is JSON; its other one is A1111's infotext, told by the scheme's name or its version."""
    scheme = (texts.get("fooocus_scheme") or texts.get("exif:MakerNote") or "").strip("\0 ")
    for text in _main_texts(texts):
        said = parse_object(text)
        if said is not None and (scheme == "fooocus" or str(said.get("version", "")).startswith("Fooocus") or "base_model" in said
                                 and "performance" in said):
            return _fooocus_json(said)
        if said is None and (scheme == "a1111" or "Version: Fooocus" in text[-4000:]):
            return build_from_infotext(parse_infotext(text))
    legacy = parse_object(texts.get("Comment"))
    return _fooocus_json(legacy) if legacy is not None and "base_model" in legacy and "performance" in legacy else None


def _fooocus_json(said: Json) -> Json:
    size = _FOOOCUS_SIZE.search(str(said.get("resolution", ""))[:60])
    config = _config(said, "sampler", "scheduler", "steps", "guidance_scale", "", "")
    if size:
        config.update(width=int(size.group(1)), height=int(size.group(2)))
    prompts = {name: _joined(said.get(f"full_{name}")) or text_of(said.get(name)) for name in ("prompt", "negative_prompt")}
    found = (lora for lora in list_of(said.get("loras")) if isinstance(lora, list) and lora)
    loras = [{"name": lora[0], "weight": number_of(lora[1]) if len(lora) > 1 else None, "hash": lora[2] if len(lora) > 2 else None}
             for lora in found if text_of(lora[0])]
    return {**_fields(said, "", "", "seed", "base_model"), **prompts, "model_hash": text_of(said.get("base_model_hash")),
            "vae": text_of(said.get("vae")), "loras": loras, "config": config}


def _invokeai(texts: Texts) -> Json | None:
    said = parse_object(texts.get("invokeai_metadata"))
    if said is not None:
        model = said.get("model")
        named = object_of(model)
        fields = _fields(said, "positive_prompt", "negative_prompt", "seed", "")
        return {
            **fields, "model": text_of(model) or text_of(named.get("model_name")) or text_of(named.get("name")),
            "model_hash": text_of(named.get("hash")),
            # What InvokeAI calls scheduler, the hosts call sampler.
            "config": _config(said, "scheduler", "", "steps", "cfg_scale", "width", "height"),
        }
    older = parse_object(texts.get("sd-metadata"))
    if older is not None:
        return _invokeai_2(older)
    dream = texts.get("Dream")
    return _dream(dream) if dream else None


def _invokeai_2(said: Json) -> Json:
    image = object_of(said.get("image"))
    prompt = image.get("prompt")
    if isinstance(prompt, list) and prompt:
        prompt = object_of(prompt[0]).get("prompt")
    fields = _fields(image, "", "", "seed", "")
    return {
        **fields, **_without_brackets(prompt), "model": text_of(said.get("model_weights")), "model_hash": text_of(said.get("model_hash")),
        "config": _config(image, "sampler", "", "steps", "cfg_scale", "width", "height"),
    }


def _dream(text: str) -> Json:
    quoted = _DREAM_PROMPT.match(text)
    options = dict(_DREAM_OPTION.findall(text[quoted.end():][:4000] if quoted else ""))
    return {
        **_without_brackets(quoted.group(1) if quoted else None), "actual_seed": seed_of(options.get("S")),
        "config": _config(options, "A", "", "s", "C", "W", "H"),
    }


def _without_brackets(prompt: Any) -> Json:
    """InvokeAI wrote what not to show in brackets inside the prompt."""
    text = text_of(prompt)
    if text is None:
        return {}
    negative = ", ".join(part.strip() for part in _IN_BRACKETS.findall(text) if part.strip())
    return {"prompt": text_of(_IN_BRACKETS.sub("", text).strip()), "negative_prompt": negative or None}


def _novelai(texts: Texts) -> Json | None:
    outer = next((found for text in _main_texts(texts) if (found := parse_object(text)) and "Comment" in found), None)
    held: Mapping[str, Any] = outer if outer is not None else texts  # in pixels and in WebP the four texts are one object
    if held.get("Software") != "NovelAI" and not str(held.get("Source", "")).startswith("NovelAI"):
        return None
    said = parse_object(held.get("Comment")) or object_of(held.get("Comment"))
    fourth = object_of(object_of(said.get("v4_negative_prompt")).get("caption"))
    return {
        **_fields(said, "prompt", "uc", "seed", ""),
        "prompt": text_of(said.get("prompt")) or text_of(held.get("Description")),
        "negative_prompt": text_of(said.get("uc")) or text_of(fourth.get("base_caption")),
        "model": text_of(held.get("Source")),
        "config": {**_config(said, "sampler", "noise_schedule", "steps", "scale", "width", "height"),
                   **without_unknown({"denoising_strength": number_of(said.get("strength"))})},
    }


def _comfyui(texts: Texts) -> Json | None:
    """Text chunks of a PNG; in EXIF ComfyUI writes `prompt:{...}` and `workflow:{...}` where cameras name themselves."""
    found = {name: texts[name] for name in ("prompt", "workflow") if name in texts}
    for key, text in texts.items():
        name, _, rest = text.partition(":") if key.startswith("exif:") else ("", "", "")
        if name.lower() in ("prompt", "workflow"):
            found.setdefault(name.lower(), rest)
    graph = parse_object(found.get("prompt"))
    if graph is not None and is_graph(graph):
        return read_graph(graph)
    return {} if is_workflow(parse_object(found.get("workflow"))) else None


def _main_texts(texts: Texts) -> list[str]:
    return [text for name in ("parameters", "exif:UserComment", "stealth") if (text := texts.get(name))]


def _fields(said: Mapping[str, Any], prompt: str, negative: str, seed: str, model: str) -> Json:
    return {
        "prompt": text_of(said.get(prompt)), "negative_prompt": text_of(said.get(negative)),
        "actual_seed": seed_of(said.get(seed)), "model": text_of(said.get(model)),
    }


def _config(said: Mapping[str, Any], sampler: str, scheduler: str, steps: str, cfg: str, width: str, height: str) -> Json:
    return without_unknown({
        "sampler_name": text_of(said.get(sampler)), "scheduler": text_of(said.get(scheduler)), "steps": integer_of(said.get(steps)),
        "cfg_scale": number_of(said.get(cfg)), "width": integer_of(said.get(width)), "height": integer_of(said.get(height)),
    })


def _joined(value: Any) -> str | None:
    parts = [part for part in list_of(value) if isinstance(part, str)]
    return text_of(", ".join(parts)) if parts else text_of(value)


_READERS: tuple[tuple[str, Callable[[Texts], Json | None]], ...] = (
    ("SwarmUI", _swarmui), ("InvokeAI", _invokeai), ("Fooocus", _fooocus), ("NovelAI", _novelai), ("ComfyUI", _comfyui),
)
