"""What a WebUI does to gradio's page, done here: our scripts and styles into it, and nothing in it from other servers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REPOSITORY = Path(__file__).resolve().parents[2]
# gradio's page asks for fonts and a script for frames from elsewhere; it works without.
_OUTSIDE = re.compile(r"<link\b[^>]*\bhref=\"https?:[^>]*>|<script\b[^>]*\bsrc=\"https?:[^>]*>\s*</script>", re.IGNORECASE)
_STYLE = "footer { display: none !important; }\n"
_FORCE_THEME = (
    "(function () { const place = new URL(location); if (place.searchParams.get('__theme') === THEME) return;"
    " place.searchParams.set('__theme', THEME); location.replace(place); })();"
)
_CHOOSE_LANGUAGE = (
    "(function () { const texts = TEXTS, names = Object.keys(texts);"
    " const wanted = names.length === 1 ? [names[0]] : navigator.languages.map((tag) => tag.slice(0, 2));"
    " const found = wanted.map((tag) => tag === 'en' ? 'en' : names.find((name) => name.startsWith(tag))).find(Boolean);"
    " window.localization = texts[found] || {}; })();"
)


def is_checkout() -> bool:
    """Whether scripts and styles are there: an installed package has none."""
    return (_REPOSITORY / "style.css").is_file()


def list_languages() -> list[str]:
    """Of the files in localizations/, as de_DE; English is in the source."""
    return sorted(path.stem for path in (_REPOSITORY / "localizations").glob("*.json"))


def build_head(theme: str | None, language: str | None) -> str:
    """For the end of the page's head. `theme` is light or dark, `language` one of the list or `en`; None: what the browser prefers."""
    code = [path.read_text("utf-8") for path in sorted((_REPOSITORY / "javascript").glob("*.js"))]
    code.insert(0, _build_localization(list_languages() if language is None else [language]))
    if theme is not None:
        code.insert(0, _FORCE_THEME.replace("THEME", json.dumps(theme)))
    return "".join(f"<script>{text}</script>" for text in code)


def _build_localization(names: list[str]) -> str:
    """What a host gives its page: the texts of one language. Of several the browser takes the first that its user reads."""
    files = {name: _REPOSITORY / "localizations" / f"{name}.json" for name in names}
    texts = {name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.is_file()}
    # In a script `</` may end it.
    return _CHOOSE_LANGUAGE.replace("TEXTS", json.dumps(texts, ensure_ascii=False).replace("</", "<\\/"))


def build_style() -> str:
    """For the end of the page's body, where a WebUI has it: behind gradio's own."""
    return f"<style>{_STYLE}{(_REPOSITORY / 'style.css').read_text('utf-8')}</style>"


class PageParts:
    """ASGI middleware: the answer that is gradio's page gets `head` and `style`; all others pass untouched."""

    def __init__(self, app: ASGIApp, head: str, style: str) -> None:
        self._app = app
        self._head, self._style = head, style

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def pass_on(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is not None and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send_page(start, bytes(body), send)
            else:
                await send(message)

        await self._app(scope, receive, pass_on)

    async def _send_page(self, start: Message, body: bytes, send: Send) -> None:
        text = _OUTSIDE.sub("", body.decode("utf-8"))
        text = text.replace("</head>", f"{self._head}</head>", 1)
        before, end, after = text.rpartition("</body>")
        data = (f"{before}{self._style}{end}{after}" if end else text + self._style).encode("utf-8")
        headers = [(name, value) for name, value in start["headers"] if name.lower() not in (b"content-length", b"etag")]
        await send({**start, "headers": [*headers, (b"content-length", str(len(data)).encode("ascii"))]})
        await send({"type": "http.response.body", "body": data})


def _is_page(message: Message) -> Any:
    headers = {name.lower(): value for name, value in message["headers"]}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
