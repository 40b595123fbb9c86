"""Every text of ours that a user may see, read from the source; `{}` stands for what is put in while it runs.

`python -m tests.localizations.texts` lists those that a language lacks.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LANGUAGES = ("de_DE", "ja_JP", "zh_CN")
# Attributes of HTML, and arguments of gradio's components, that are shown.
_SHOWN_ATTRIBUTES = re.compile(r"\b(?:title|aria-label|placeholder|alt)=(?:\"([^\"]*)\"|'([^']*)')")
_SHOWN_ARGUMENTS = {"label", "info", "placeholder"}
_HIDDEN_ARGUMENTS = {
    "name", "elem_id", "elem_classes", "type", "language", "object_fit", "size", "variant", "lines", "scale", "kind",
}
# What these are called with is no text: patterns, formats, names in code.
_HIDING_CALLS = {
    "compile", "sub", "fullmatch", "match", "search", "findall", "split", "partition", "rpartition", "replace", "strftime",
    "strptime", "startswith", "endswith", "removeprefix", "removesuffix", "get", "getattr", "hasattr", "strip", "lstrip", "rstrip",
    "join_classes", "take", "text", "number", "on_ask", "getLogger", "exception", "encode", "decode", "isinstance", "TypeVar",
    "build_html", "show_box",
}
_NO_TEXTS = {"page.py", "gradio_versions.py"}
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_LETTERS = re.compile(r"[A-Za-z]{2}")
# Words that are the same everywhere, or names.
NAMES = {
    "ADetailer", "API", "B", "CFG", "CSS", "Ctrl", "DELETE", "Forge", "GB", "ID", "JPEG", "JSON", "LoRA", "MB", "PNG", "SDPipe",
    "TB", "VAE", "WebP", "ZIP", "adetailer", "h", "hires fix", "img2img", "inpaint", "kB", "min", "ms", "txt2img", "upscale", "zip",
    "SHA-256", "WebUI", "/home/me/pictures", "pictures", "txt2img_001", "{} ms", "{} kB", "{} MB", "{} GB", "{} B", "{} s", "{} h",
    "{} min",
    # Examples of searches, and words of the search's own language.
    "castle night", '"castle at night"', "castle -fog", "cat OR dog", 'sampler:"DPM++ 2M"', "steps:20..30 cfg:>7",
    "today, yesterday, week, month, year",
    # The nouns of counts, which are collected with their numbers.
    "further file", "rarer combination", "1 image", "source image",
    # Names of threads and of messages between page and program.
    "trace {}", "bin {}", "statistics of {} {}", "timings of {} {}", '{"cull": "{}", "op": "{}"}', "SDPipe {}",
}


# What is put together in ways that are not seen above, and where.
PUT_TOGETHER = {
    "yes": "ui/words.py", "no": "ui/words.py", "day": "ui/statistics/queries.py", "week": "ui/statistics/queries.py",
    "month": "ui/statistics/queries.py", "year": "ui/statistics/queries.py", "{} among them": "ui/statistics/present.py",
    "{} of {} images": "ui/words.py",
}


def collect_texts() -> dict[str, set[str]]:
    """By text where it stands."""
    found: dict[str, set[str]] = {}
    for place, text in _iter_all():
        if text.strip("{}<>()%+-=:;,. …") and text not in NAMES:
            found.setdefault(text, set()).add(place)
    return found


def read_language(name: str) -> dict[str, str]:
    return json.loads((REPOSITORY / "localizations" / f"{name}.json").read_text("utf-8"))


def as_template(key: str) -> str:
    """A key with `#`, for a number, or `{}`, for anything, as the source has it."""
    return key.replace("#", "{}")


def _iter_all() -> Iterator[tuple[str, str]]:
    for text, place in PUT_TOGETHER.items():
        source = (REPOSITORY / "lib_sdpipe" / place).read_text("utf-8")
        if all(piece.strip(" s") in source for piece in text.split("{}")):
            yield place, text
    yield from _iter_settings()
    for path in sorted((REPOSITORY / "lib_sdpipe" / "ui").rglob("*.py")):
        if path.relative_to(REPOSITORY / "lib_sdpipe" / "ui").as_posix() in _NO_TEXTS:
            continue
        place = path.relative_to(REPOSITORY / "lib_sdpipe").as_posix()
        yield from ((place, text) for text in _iter_module(ast.parse(path.read_text("utf-8"))))
    for path in sorted((REPOSITORY / "javascript").glob("*.js")):
        yield from ((path.name, text) for text in _iter_script(path.read_text("utf-8")))


def _iter_settings() -> Iterator[tuple[str, str]]:
    tree = ast.parse((REPOSITORY / "lib_sdpipe" / "hosts" / "settings.py").read_text("utf-8"))
    values = {node.targets[0].id if isinstance(node, ast.Assign) else node.target.id: node.value for node in tree.body  # type: ignore[union-attr]
              if isinstance(node, (ast.Assign, ast.AnnAssign))}
    yield "settings", ast.literal_eval(values["_SECTION"])[1]
    yield from (("settings", source) for source in ast.literal_eval(values["SOURCES"]))
    for row in values["_OPTIONS"].values:  # type: ignore[union-attr]
        yield "settings", row.elts[1].value
        if row.elts[2].value:
            yield "settings", f"({row.elts[2].value})"  # the host puts explanations in parentheses


# --- Python ---

def _iter_module(tree: ast.Module) -> Iterator[str]:
    hidden = _find_hidden(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _iter_shown_arguments(node)
        if id(node) in hidden or not isinstance(node, (ast.Constant, ast.JoinedStr)):
            continue
        text = _to_template(node)
        if text is not None:
            yield from _iter_pieces(text)


def _iter_shown_arguments(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg in _SHOWN_ARGUMENTS and (text := _to_template(keyword.value)):
            yield _clean(text)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("Button", "Accordion", "Tab", "TabItem", "build_section") and call.args and (text := _to_template(call.args[0])):
        yield _clean(text)
    if name == "format_count" and len(call.args) > 1 and (noun := _to_template(call.args[1])):
        yield from (f"{{}} {noun}", f"{{}} {noun}s")


def _find_hidden(tree: ast.Module) -> set[int]:
    """Docstrings, parts of f-strings that are shown as a whole, what is compared with, keys, arguments that are no texts."""
    hidden: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # docstrings
            hidden.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            hidden.update(id(value) for value in node.values if isinstance(value, ast.Constant))
            hidden.update(id(value.format_spec) for value in node.values if isinstance(value, ast.FormattedValue) and value.format_spec)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            hidden.update(id(inner) for inner in ast.walk(node.value))
        elif isinstance(node, ast.Compare):
            hidden.update(id(inner) for part in (node.left, *node.comparators) for inner in ast.walk(part))
        elif isinstance(node, ast.Subscript):
            hidden.update(id(inner) for inner in ast.walk(node.slice))
        elif isinstance(node, ast.Dict):
            hidden.update(id(key) for key in node.keys if isinstance(key, ast.Constant) and not _is_words(str(key.value)))
        elif isinstance(node, ast.Call):
            hidden.update(_find_hidden_arguments(node))
    # A pattern of an f-string's format belongs to it.
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            hidden.update(id(inner) for inner in ast.walk(node.format_spec))
    return hidden


def _find_hidden_arguments(call: ast.Call) -> Iterator[int]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    hiding = list(call.args) if name in _HIDING_CALLS else []
    hiding += [keyword.value for keyword in call.keywords if keyword.arg in _HIDDEN_ARGUMENTS]
    yield from (id(value) for value in hiding if not _has_markup(value))


def _has_markup(node: ast.AST) -> bool:
    text = _to_template(node)
    return text is not None and _TAG.search(text) is not None


def _to_template(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(value.value if isinstance(value, ast.Constant) else "{}" for value in node.values)  # type: ignore[misc]
    return None


def _iter_pieces(text: str) -> Iterator[str]:
    if not _TAG.search(text) and not re.search(r"^[^<]*\">|[\w-]=\"", text):
        if _is_words(text):
            yield _clean(text)
        return
    for match in _SHOWN_ATTRIBUTES.finditer(text):
        value = _clean(match.group(1) or match.group(2) or "")
        if _LETTERS.search(value.replace("{}", "")):
            yield value
    # A tag that begins or ends in another piece of the source is cut off.
    whole = re.sub(r"^[^<>]*>|<[^<>]*$", "", _TAG.sub("\0", text)) if "=\"" in text or "<" in text else text
    for piece in whole.split("\0"):
        piece = _clean(piece)
        if _LETTERS.search(piece.replace("{}", "")) and not re.search(r"sdpipe-|=\"", piece):
            yield piece


_CODE = re.compile(r"sdpipe[-_]|data-|[<>{}\[\]]=|=>|\w=\"|\\|^[./#]|__|%[A-Za-z]")
_CODES = re.compile(r"[\w\-{}]+( (and|or|not|in|of) [\w\-{}]+)?")


def _is_words(text: str) -> bool:
    """Whether a text outside HTML is for people: a capitalised word, or several."""
    text = text.strip()
    if not _LETTERS.search(text.replace("{}", "")) or _CODE.search(text):
        return False
    if " " in text:
        return not _CODES.fullmatch(text) or text.count(" ") > 1 or text[0].isupper() or "{}" in text
    return re.fullmatch(r"[A-Z][a-zA-Z]+[.…]?", text) is not None and not text.isupper()


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(text)).strip(" ,·")


# --- javascript ---

_NOT_SHOWN = {
    "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Arrow", "Home", "End", "Enter", "Escape", "PageUp", "PageDown", "Delete",
    "use strict", "DOMContentLoaded", "JanFebMarAprMayJunJulAugSepOctNovDec", "SDPipe: language of this file",
}
_LITERAL = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`")


def _iter_script(code: str) -> Iterator[str]:
    code = re.sub(r"(?m)^\s*//.*$|\s//\s.*$", "", code)
    for match in _LITERAL.finditer(code):
        text = re.sub(r"\$\{[^}]*\}", "{}", next(group for group in match.groups() if group is not None))
        if text in _NOT_SHOWN or re.search(r"[\[\]#]|^[.:(]|^\w+(( > |, )\w+)+$", text):
            continue
        if _is_words(text) and (text[0].isupper() or text.count(" ") > 1 or _TAG.search(text)):
            yield from _iter_pieces(text)


if __name__ == "__main__":
    texts = collect_texts()
    for language in sys.argv[1:] or LANGUAGES:
        known = {as_template(key) for key in read_language(language)}
        lacking = {text: sorted(places) for text, places in texts.items() if text not in known}
        told = {"language": language, "lacks": lacking, "has too many": sorted(known - texts.keys())}
        print(json.dumps(told, ensure_ascii=False, indent=1))
