"""What a finished pass was made with: checkpoints, VAE, modules, LoRAs, embeddings, as the host has them in memory.

Nothing is read from the models' files and no digest is computed: a digest is there where the host knows it already.
"""

from __future__ import annotations

import ntpath
import os
import re
import sys
from typing import Any

from modules import sd_models, sd_vae, shared

from lib_sdpipe.manifest.infotext import parse_hashes
from lib_sdpipe.record.facts import Json

SAME_CHOICES = "Use same choices"
_NOT_IN_HASHES = str.maketrans("", "", ":,")
_NETWORK = re.compile(r"<(?:lora|lyco):([^:>]+)[^>]*>")


def read_models(p: Any) -> list[Json]:
    """One entry a model, in this order: checkpoint, refiner, hires checkpoint, VAE, modules, LoRAs, embeddings."""
    hires = bool(getattr(p, "enable_hr", False))
    found = [
        *_checkpoint(p), *_refiner(p),
        *(_described("hires", info) for info in [getattr(p, "hr_checkpoint_info", None)] if hires and info is not None),
        *_vae(p), *(_module(path) for path in used_modules(p)),
        *_loras(p), *_embeddings(p),
    ]
    return list({(model["kind"], model["name"]): model for model in found}.values())


# --- checkpoints ---


def find_checkpoint(p: Any) -> Any:
    """The host's entry of the checkpoint the pass began with: `shared.sd_model` may be the refiner's by now."""
    name, short = getattr(p, "sd_model_name", None), getattr(p, "sd_model_hash", None)
    loaded = getattr(getattr(shared, "sd_model", None), "sd_checkpoint_info", None)
    known = [loaded, sd_models.checkpoint_aliases.get(short), sd_models.checkpoint_aliases.get(name)]
    same = [info for info in known if info is not None and info.name_for_extra == name]
    return next((info for info in same if info.shorthash == short), same[0] if same else None)


def _checkpoint(p: Any) -> list[Json]:
    info = find_checkpoint(p)
    if info is not None:
        return [_described("checkpoint", info)]
    name = getattr(p, "sd_model_name", None)
    return [{"kind": "checkpoint", "name": name, "hash": getattr(p, "sd_model_hash", None), "sha256": None}] if name else []


def _refiner(p: Any) -> list[Json]:
    info = getattr(p, "refiner_checkpoint_info", None)
    return [_described("refiner", info)] if info is not None and refiner_was_used(p) else []


def refiner_was_used(p: Any) -> bool:
    """The hosts say so in the infotext, at the moment they switch."""
    return "Refiner" in p.extra_generation_params


def _described(kind: str, info: Any) -> Json:
    return {"kind": kind, "name": info.name_for_extra, "hash": info.shorthash, "sha256": info.sha256}


# --- VAE and Forge's modules ---


def _vae(p: Any) -> list[Json]:
    name = getattr(p, "sd_vae_name", None)
    if not name:
        return []
    loaded = getattr(sd_vae, "loaded_vae_file", None)
    file = loaded if loaded and ntpath.basename(loaded) == name else sd_vae.vae_dict.get(name)
    short, sha256 = _vae_digests(file, getattr(p, "sd_vae_hash", None))
    return [{"kind": "vae", "name": name, "hash": short, "sha256": sha256}]


def _vae_digests(file: str | None, short: str | None) -> tuple[str | None, str | None]:
    """The host has one digest for all VAEs and writes it for any that is older than the file it was made of.

    It is this file's only where the times are the same.
    """
    host = sys.modules.get("modules.hashes")
    entry = host.cache("hashes").get("vae") if host is not None else None
    if not isinstance(entry, dict) or not file or not os.path.isfile(file):
        return short, None
    return (short, entry.get("sha256")) if entry.get("mtime") == os.path.getmtime(file) else (None, None)


def used_modules(p: Any) -> list[str]:
    """Forge's VAEs and text encoders, those of the hires pass too, as paths."""
    modules = list(shared.opts.data.get("forge_additional_modules") or [])
    hires = getattr(p, "hr_additional_modules", None) if getattr(p, "enable_hr", False) else None
    if isinstance(hires, list) and SAME_CHOICES not in hires:
        known = known_modules()
        modules += [known[ntpath.basename(str(name))] for name in hires if ntpath.basename(str(name)) in known]
    return [str(module) for module in modules]


def known_modules() -> dict[str, str]:
    """Forge's list of VAEs and text encoders: paths by file name."""
    return getattr(sys.modules.get("modules_forge.main_entry"), "module_list", None) or {}


def _module(path: str) -> Json:
    return {"kind": "module", "name": ntpath.basename(path), "hash": None, "sha256": None}


# --- LoRAs and embeddings ---


def asked_loras(p: Any) -> list[str]:
    """The LoRAs in the prompts of all images of the pass, once each; none where the request switches them off."""
    if getattr(p, "disable_extra_networks", False):
        return []
    texts = list(getattr(p, "all_prompts", None) or [])
    if getattr(p, "enable_hr", False):
        texts += getattr(p, "all_hr_prompts", None) or []
    found = [name for text in dict.fromkeys(texts) if isinstance(text, str) for name in _NETWORK.findall(text)]
    return list(dict.fromkeys([*found, *_parsed_loras(p)]))


def find_lora(name: str) -> Any:
    """The host's entry of a LoRA, by the name or alias a prompt uses; None where it has none."""
    networks = sys.modules.get("networks")
    if networks is None:
        return None
    available, aliases = getattr(networks, "available_networks", {}), getattr(networks, "available_network_aliases", {})
    if name.lower() in getattr(networks, "forbidden_network_aliases", {}):
        return available.get(name)
    return aliases.get(name) or available.get(name)


def _loras(p: Any) -> list[Json]:
    """Those that were used, by their names in the prompts. Forge uses none of them where one does not exist."""
    if sys.modules.get("networks") is None:
        written = p.extra_generation_params.get("Lora hashes")
        return [
            {"kind": "lora", "name": name, "hash": short, "sha256": None}
            for name, short in parse_hashes(written if isinstance(written, str) else None).items()
        ]
    asked = {name: find_lora(name) for name in asked_loras(p)}
    if None in asked.values() and one_missing_stops_all():
        return []
    failed = failed_loras(p)
    return [describe_lora(name, entry) for name, entry in asked.items() if entry is not None and name not in failed]


def failed_loras(p: Any) -> list[str]:
    """Names of the last batch that the host has and could not load: A1111 writes down the hashes of those it did.

    Its list of loaded ones is of the latest pass, which may be an inner one of ADetailer's.
    """
    loaded = getattr(p, "lora_hashes", None)
    tells = shared.opts.data.get("lora_add_hashes_to_infotext", True) and not getattr(shared.cmd_opts, "no_hashing", False)
    if not isinstance(loaded, dict) or not tells or one_missing_stops_all():
        return []
    return [name for name in _parsed_loras(p) if name.translate(_NOT_IN_HASHES) not in loaded and find_lora(name) is not None]


def one_missing_stops_all() -> bool:
    """Forge's LoRA extension gives up at the first name it does not know."""
    return "backend.memory_management" in sys.modules


def _parsed_loras(p: Any) -> list[str]:
    """Those of the last batch."""
    parsed = getattr(p, "extra_network_data", None) or {}
    return [str(one.positional[0]) for kind in ("lora", "lyco") for one in parsed.get(kind, ()) if getattr(one, "positional", None)]


def describe_lora(name: str, network: Any) -> Json:
    """`hash` as the host writes it: of the tensors alone where the file is a safetensors, so no part of the file's digest."""
    digest = getattr(network, "hash", None) or None
    is_of_file = not getattr(network, "is_safetensors", False)
    return {"kind": "lora", "name": name, "hash": getattr(network, "shorthash", None) or None, "sha256": digest if is_of_file else None}


def _embeddings(p: Any) -> list[Json]:
    """A1111 names them with hashes (`TI hashes`), Forge without (`TI`)."""
    extra = p.extra_generation_params
    hashed = parse_hashes(extra.get("TI hashes") if isinstance(extra.get("TI hashes"), str) else None)
    plain = extra.get("TI") if isinstance(extra.get("TI"), str) else ""
    names = dict.fromkeys([*hashed, *(name.strip() for name in plain.split(",") if name.strip())])
    database = getattr(getattr(sys.modules.get("modules.sd_hijack"), "model_hijack", None), "embedding_db", None)
    known = getattr(database, "word_embeddings", None) or {}
    return [
        {"kind": "embedding", "name": name, "hash": hashed.get(name), "sha256": getattr(known.get(name), "hash", None) or None}
        for name in names
    ]
