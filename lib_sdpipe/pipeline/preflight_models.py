"""Whether the host still has what a request names: checkpoints, VAE, LoRA, samplers, upscalers. Pure.

A model is the same by its hash, whatever its name is by now; another file under the old name is another model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib_sdpipe.manifest.loose_json import list_of, object_of
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.pipeline.port import HostFacts, ModelFile
from lib_sdpipe.pipeline.recorded_pass import arguments_of, scripts_of
from lib_sdpipe.pipeline.rerun_difference import Difference, weight_of
from lib_sdpipe.pipeline.used_settings import CHECKPOINT, MODULES, VAE

_WORDS = {
    "checkpoint": "checkpoint", "refiner": "refiner checkpoint", "hires": "hires fix checkpoint", "vae": "VAE",
    "module": "VAE or text encoder", "lora": "LoRA", "embedding": "embedding",
}
_FILES_OF = {"refiner": "checkpoint", "hires": "checkpoint"}
# What stands in those fields where nothing of its own is wanted.
_SAME = ("", "none", "automatic", "auto", "use same checkpoint", "use same sampler", "use same scheduler", "use same choices", "built in")
_LATENT = "Latent"
_IN_PROMPT = ("lora", "embedding")
_TITLE = re.compile(r"(.*?)(?: \[[0-9a-fA-F]{6,64}\])?", re.DOTALL)
_ENDING = re.compile(r"\.(?:safetensors|ckpt|pt|gguf|sft)$")
_SHORTEST_HASH = 8


@dataclass(frozen=True)
class _Wanted:
    """A model that a request needs. `way` is where it names it: {"option"} or {"field"}."""

    kind: str
    name: str
    digests: tuple[str, ...]
    way: Json | None = None


def check_models(config: Json, run: Run, manifests: Sequence[Manifest], facts: HostFacts) -> Iterator[Difference]:
    """`manifests` are the images that are made again: they say with which hashes."""
    for wanted in _iter_wanted(config, run, manifests):
        files = [file for file in facts.models if file.kind == _FILES_OF.get(wanted.kind, wanted.kind)]
        if files and (found := _check(wanted, files)) is not None:  # of a kind the host tells nothing of, nothing is said
            yield found


def check_choices(config: Json, facts: HostFacts) -> Iterator[Difference]:
    """Samplers, schedulers and upscalers by name."""
    for name in ("sampler_name", "hr_sampler_name"):
        if _is_named(config.get(name)) and facts.samplers and not _is_sampler(config[name], facts):
            yield _gone(name, "sampler", config[name], "sampler")
    for name in ("scheduler", "hr_scheduler"):
        if _is_named(config.get(name)) and facts.schedulers and config[name] not in facts.schedulers:
            yield _gone(name, "schedule type", config[name], "sampler")
    for name, value in _iter_upscalers(config):
        if facts.upscalers and value not in facts.upscalers and not value.startswith(_LATENT):
            yield _gone(name, "upscaler", value, "sampler")


def _iter_wanted(config: Json, run: Run, manifests: Sequence[Manifest]) -> Iterator[_Wanted]:
    options = object_of(config.get("override_settings"))
    named = (
        ("checkpoint", options.get(CHECKPOINT), {"option": CHECKPOINT}), ("vae", options.get(VAE), {"option": VAE}),
        ("refiner", config.get("refiner_checkpoint"), {"field": "refiner_checkpoint"}),
        ("hires", config.get("hr_checkpoint_name") if config.get("enable_hr") else None, {"field": "hr_checkpoint_name"}),
    )
    for kind, name, way in named:
        if _is_named(name):
            yield _Wanted(kind, str(name), _digests(kind, str(name), run, manifests), way)
    modules = [*list_of(options.get(MODULES)), *(list_of(config.get("hr_additional_modules")) if config.get("enable_hr") else [])]
    for name in dict.fromkeys(str(name) for name in modules if _is_named(name)):
        yield _Wanted("module", name, ())
    for kind in _IN_PROMPT:
        used = [one.get("name") for manifest in manifests for one in (manifest.loras if kind == "lora" else manifest.embeddings)]
        for name in dict.fromkeys(name for name in used if isinstance(name, str)):
            yield _Wanted(kind, name, _digests(kind, name, run, manifests))


def _digests(kind: str, name: str, run: Run, manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """All hashes, short and long, that the records have of it."""
    found = [model.get(key) for model in run.models if (model.get("kind"), model.get("name")) == (kind, name) for key in ("sha256", "hash")]
    for manifest in manifests:
        if kind == "checkpoint" and manifest.model == name:
            found.append(manifest.model_hash)
        if kind == "vae" and manifest.vae == name:
            found.append(manifest.vae_hash)
        if kind in _IN_PROMPT:
            found += [one.get("hash") for one in (*manifest.loras, *manifest.embeddings) if one.get("name") == name]
    return tuple(dict.fromkeys(digest.lower() for digest in found if isinstance(digest, str) and len(digest) >= _SHORTEST_HASH))


def _check(wanted: _Wanted, files: Sequence[ModelFile]) -> Difference | None:
    word = _WORDS[wanted.kind]
    here = [file for file in files if _plain(file.name) == _plain(wanted.name)]
    if any(_is_same(wanted, file) is not False for file in here):
        return None
    field, weight = f"models.{wanted.kind}.{wanted.name}", weight_of("model")
    other = next((file for file in files if _is_same(wanted, file)), None)
    if other is not None:
        sentence = f"The {word} {wanted.name} is called {other.name} today; its hash is the same."
        way_back = {**wanted.way, "was": wanted.name, "value": other.name} if wanted.way is not None else None
        return Difference(field, wanted.name, other.name, weight, sentence, False, way_back)  # a prompt may name it by an alias
    if here:
        sentence = f"Another file is called {wanted.name} today: the {word} has another hash, and the picture will be another."
        return Difference(field, wanted.digests[0], _digest_of(here[0]), weight, sentence)
    is_sure = wanted.kind not in _IN_PROMPT or bool(wanted.digests)  # without a hash an alias in a prompt cannot be told
    return Difference(field, wanted.name, None, weight, f"The {word} {wanted.name} is not on this host.", is_sure)


def _is_same(wanted: _Wanted, file: ModelFile) -> bool | None:
    """None where the hashes of one of the two are not known."""
    known = [digest.lower() for digest in (file.sha256, file.model_hash) if digest and len(digest) >= _SHORTEST_HASH]
    pairs = [(one, other) for one in wanted.digests for other in known]
    if not pairs:
        return None
    return any(one.startswith(other) or other.startswith(one) for one, other in pairs)


def _digest_of(file: ModelFile) -> str | None:
    return file.model_hash or file.sha256


def _iter_upscalers(config: Json) -> Iterator[tuple[str, str]]:
    if config.get("enable_hr") and _is_named(config.get("hr_upscaler")):
        yield "hr_upscaler", str(config["hr_upscaler"])
    if config.get("endpoint") == "extras":
        for script in scripts_of(config):
            for argument in arguments_of(script):
                label = argument.get("label")
                if label in ("upscaler_1_name", "upscaler_2_name") and _is_named(argument.get("value")):
                    yield str(label), str(argument["value"])


def _is_sampler(name: str, facts: HostFacts) -> bool:
    """Older requests have the schedule type in the name: `DPM++ 2M Karras`."""
    if name in facts.samplers:
        return True
    return any(name.startswith(f"{known} ") and name[len(known) + 1:] in facts.schedulers for known in facts.samplers)


def _gone(field: str, word: str, name: str, cause: str) -> Difference:
    return Difference(field, name, None, weight_of(cause), f"The {word} {name} is not on this host.", True)


def _is_named(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() not in _SAME


def _plain(name: str) -> str:
    """A title without folder, ending and hash: records have the one, requests may have the other."""
    match = _TITLE.fullmatch(name)
    text = match.group(1) if match is not None else name
    return _ENDING.sub("", re.split(r"[\\/]", text)[-1])
