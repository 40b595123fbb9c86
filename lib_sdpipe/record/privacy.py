"""What must not stand in a record: homes, secrets, and prompts where the user does not want them. Pure functions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lib_sdpipe.record.facts import Json

PROMPTS_REASON = "prompts were not recorded"

_END_OF_NAME = r"(?![\w-])(?!\.\w)"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset((
    "password", "passwd", "passphrase", "pwd", "secret", "secrets", "credential", "credentials", "apikey", "apitoken", "authorization",
))
# Before `key` or `token` these make a secret of it; a hotkey or a token merging ratio is none.
_OWNERS = frozenset((
    "api", "access", "auth", "private", "bearer", "bot", "client", "app", "account", "service", "subscription", "license", "session",
    "refresh", "hf", "hugging", "face", "huggingface", "civitai", "github", "openai", "anthropic", "google", "azure", "deepl", "ngrok",
    "telegram", "discord", "replicate", "stability", "encryption",
))
# How the keys of well-known services begin.
_KEY_TEXT = re.compile(r"(?:hf_|sk-|ghp_|github_pat_|xox[abp]-|glpat-|AIza|AKIA)[\w-]{16,}")
_RANDOM_TEXT = re.compile(r"(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])[\w.-]{20,}")
_PROMPT_NAMES = ("style", "styles", "infotext")


def shorten_home(value: Any, home: str) -> Any:
    """`value` with the home folder as `~` in every text at any depth, with either slash; `home` as the system spells it."""
    patterns = _home_patterns(home)
    return _shortened(value, patterns) if patterns else value


def is_secret(name: str, value: Any) -> bool:
    """Whether a field of that name holds a key or a password: only texts do."""
    if isinstance(value, (list, tuple)):
        return any(is_secret(name, item) for item in value)
    if not isinstance(value, str) or not value.strip():
        return False
    if is_key_text(value):
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if _SECRET_WORDS & set(words):
        return True
    for place, word in enumerate(words):
        if word in ("key", "keys", "token", "tokens") and place and words[place - 1] in _OWNERS:
            return True
    if words[-1:] == ["token"]:
        return True
    return words[-1:] == ["key"] and _RANDOM_TEXT.fullmatch(value.strip()) is not None


def is_key_text(text: str) -> bool:
    """Whether a text is by itself the key of a well-known service, whatever its field is called."""
    return len(text) < 300 and _KEY_TEXT.fullmatch(text.strip()) is not None


def without_prompts(line: Json) -> Json:
    """A line of the recording log with null for every text that may be of a prompt; its run is not replayable.

    The names of LoRAs and embeddings that the host knows stay: they say what was used. So do paths.
    """
    cleaned = dict(line)
    run = line.get("run")
    if isinstance(run, dict) and "config" in run:
        cleaned["run"] = {**run, "config": _clean_config(run["config"])}
        reasons = line.get("not_replayable", [])
        cleaned["not_replayable"] = [*reasons, *([] if PROMPTS_REASON in reasons else [PROMPTS_REASON])]
    if isinstance(run, dict) and isinstance(run.get("error"), dict):  # a message may quote what it could not read
        cleaned["run"] = {**cleaned["run"], "error": {**run["error"], "message": None}}
    if isinstance(line.get("manifest"), dict):
        cleaned["manifest"] = _clean_manifest(line["manifest"])
    return cleaned


# --- homes ---


@lru_cache(maxsize=8)
def _home_patterns(home: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The home itself, and its name below the folders that hold homes, as another system or a mount shows it."""
    parts = [part for part in re.split(r"[\\/]+", home) if part]
    has_drive = bool(parts) and re.fullmatch(r"[A-Za-z]:", parts[0]) is not None
    if len(parts) < (2 if has_drive else 1):
        return ()
    path = r"[\\/]+".join(re.escape(part) for part in parts)
    flags = re.IGNORECASE if has_drive else 0
    itself = re.compile(r"(?<![\w.~-])" + ("" if has_drive else r"[\\/]") + path + _END_OF_NAME, flags)
    elsewhere = re.compile(
        r"([\\/](?:home|Users|Documents and Settings|media)[\\/]+)" + re.escape(parts[-1]) + _END_OF_NAME, re.IGNORECASE,
    )
    return (itself, "~"), (elsewhere, r"\1~")


def _shortened(value: Any, patterns: tuple[tuple[re.Pattern[str], str], ...]) -> Any:
    if isinstance(value, str):
        if "/" in value or "\\" in value:
            for pattern, replacement in patterns:
                value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return {_shortened(key, patterns): _shortened(item, patterns) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shortened(item, patterns) for item in value]
    return value


# --- prompts ---


def _clean_config(config: Json) -> Json:
    return {key: value if key == "override_settings" else _clean_field(key, value) for key, value in config.items()}


def _clean_manifest(manifest: Json) -> Json:
    cleaned = {key: _clean_field(key, value) for key, value in manifest.items()}
    variant = cleaned.get("variant")
    if isinstance(variant, dict) and "values" in variant:
        cleaned["variant"] = {**variant, "values": _without_texts(variant["values"])}
    if isinstance(cleaned.get("loras"), list):  # without a hash it is a name in the prompt and maybe nothing else
        cleaned["loras"] = [lora for lora in cleaned["loras"] if isinstance(lora, dict) and lora.get("hash")]
    return cleaned


def _clean_field(key: str, value: Any) -> Any:
    name = str(key).lower()
    if "prompt" in name or name in _PROMPT_NAMES:
        return value if value is None or isinstance(value, (bool, int, float)) or _is_picture(value) else None
    return _clean(value)


def _clean(value: Any) -> Any:
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "value" in value and (value.get("free_text") or "prompt" in str(value.get("label")).lower()):
        return {**value, "value": _without_texts(value["value"])}
    return {key: _clean_field(key, item) for key, item in value.items()}


def _without_texts(value: Any) -> Any:
    """Null for every text at any depth; numbers and pictures stay."""
    if isinstance(value, str):
        return None
    if isinstance(value, (list, tuple)):
        return [_without_texts(item) for item in value]
    if isinstance(value, dict) and not _is_picture(value):
        return {key: _without_texts(item) for key, item in value.items()}
    return value


def _is_picture(value: Any) -> bool:
    return isinstance(value, dict) and bool({"$picture", "$input", "$image"} & set(value))
