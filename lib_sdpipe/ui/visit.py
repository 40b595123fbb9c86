"""Whether a press comes from our page, or from a page of another site in the same browser.

gradio takes a request without a content type for JSON, which any site can have a browser send. Browsers say where a request
comes from: `Sec-Fetch-Site` to https and to this computer, `Origin` with every POST.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ELSEWHERE = (
    "This came from a page of another site and was not done. If it was this page, what stands before the WebUI (a proxy) must pass the"
    " Host header on."
)
_THIS_COMPUTER = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)


def is_from_elsewhere(headers: Mapping[str, str]) -> bool:
    """`headers` by their names in small letters. Programs send neither header; nobody is talked into using a program."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site.lower() == "cross-site"
    origin, host = headers.get("origin"), headers.get("host") or ""
    # A browser that is to say Sec-Fetch-Site to this computer does; a proxy on it may ask us under our own name for all sites.
    if origin is None or _THIS_COMPUTER.fullmatch(host):
        return False
    names = {name.strip().lower() for name in (host, *(headers.get("x-forwarded-host") or "").split(",")) if name.strip()}
    return origin.partition("://")[2].lower() not in names
