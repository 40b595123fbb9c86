"""An environment as facts under headings: host, device, packages, extensions, options. Pure; what a file holds may be anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Fact

_MOST_FACTS = 1_000
_LONGEST = 400
_HEADINGS = (
    ("Flags", "flags"), ("Packages", "packages"), ("Extensions", "extensions"), ("Settings of the WebUI", "options"),
)


@dataclass(frozen=True)
class Group:
    """`is_long`: shown folded, with its count."""

    title: str
    facts: list[Fact]
    is_long: bool = False


def present_environment(document: Json) -> list[Group]:
    """What is unknown, or empty, is left out."""
    groups = [Group("", _first(document))]
    for title, name in _HEADINGS:
        facts = _extensions(document.get(name)) if name == "extensions" else _named(document.get(name))
        groups.append(Group(title, facts, is_long=name == "options"))
    return [group for group in groups if group.facts]


def _first(document: Json) -> list[Fact]:
    host, platform, device = (_object(document.get(name)) for name in ("host", "platform", "device"))
    memory = device.get("memory_mb")
    facts = [
        Fact("Host", _join(" ", host.get("name"), host.get("version"), _short(host.get("commit")))),
        Fact("SDPipe", _text(document.get("sdpipe"))),
        Fact("Python", _text(platform.get("python"))),
        Fact("System", _join(", ", platform.get("system"), platform.get("machine"), platform.get("processor"))),
        Fact("Device", _join(", ", device.get("name"), f"{memory / 1024:.1f} GB" if isinstance(memory, (int, float)) and memory else None)),
        *(_fact(name, device.get(name)) for name in ("accelerator", "capability", "driver", "cuda", "hip", "cudnn")),
        Fact("Precision", _text(document.get("precision"))),
        Fact("Attention", _text(document.get("attention"))),
    ]
    return [fact for fact in facts if fact.value]


def _fact(name: str, value: Any) -> Fact:
    return Fact({"cuda": "CUDA", "hip": "HIP", "cudnn": "cuDNN"}.get(name, name.capitalize()), _text(value))


def _extensions(value: Any) -> list[Fact]:
    found = []
    for extension in value[:_MOST_FACTS] if isinstance(value, list) else ():
        known = _object(extension)
        version, commit = known.get("version"), known.get("commit")
        is_same = isinstance(version, str) and isinstance(commit, str) and commit.startswith(version)
        told = _join(" ", version, None if is_same else _short(commit))
        found.append(Fact(_text(known.get("name")) or "unnamed", told or "version unknown"))
    return found


def _named(value: Any) -> list[Fact]:
    facts = [Fact(_cut(str(name)), _text(item)) for name, item in list(_object(value).items())[:_MOST_FACTS]]
    return [fact for fact in facts if fact.value]


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _short(commit: Any) -> str | None:
    return f"({commit[:8]})" if isinstance(commit, str) and commit else None


def _join(between: str, *values: Any) -> str:
    return between.join(text for value in values if (text := _text(value)))


def _text(value: Any) -> str:
    return _cut(words.format_value(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
