"""Who may come in: whoever the host itself would let in, by the API's password or by the page's login."""

from __future__ import annotations

import base64
import binascii
import inspect
from dataclasses import dataclass
from secrets import compare_digest
from typing import Any

from starlette.requests import Request


@dataclass(frozen=True)
class Visitor:
    """Somebody who may come in. `user` is the name of the login at the page; None without one, and with the API's password."""

    user: str | None = None


class Login:
    """One app's. Where both the API and the page ask for a password, either will do; where neither asks, everybody comes in."""

    def __init__(self, app: Any, credentials: dict[str, str] | None, asks_at_page: bool) -> None:
        """`credentials` are the API's, by user, None for an open one; `asks_at_page` where the host was told to ask at its page,
        though it may have none."""
        self._app = app
        self._credentials = credentials
        self._asks_at_page = asks_at_page

    @property
    def has_password(self) -> bool:
        """Whether a program can come in with a name and a password."""
        return bool(self._credentials)

    async def find_visitor(self, request: Request) -> Visitor | None:
        """Who asks; None for somebody who must stay outside."""
        has_login = any(getattr(self._app, name, None) is not None for name in ("auth", "auth_dependency"))
        asks_at_page = self._asks_at_page or has_login
        if self._credentials is None and not asks_at_page:
            return Visitor()
        if self._has_password(request):
            return Visitor()
        user = await self._find_user(request) if asks_at_page else None
        return None if user is None else Visitor(user)

    def _has_password(self, request: Request) -> bool:
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return False
        expected = (self._credentials or {}).get(user)
        return bool(colon) and expected is not None and compare_digest(password.encode("utf-8"), expected.encode("utf-8"))

    async def _find_user(self, request: Request) -> str | None:
        """As gradio's own routes ask. Its cookies: `access-token` in gradio 3, with the app's `cookie_id` behind it since 4."""
        ask = getattr(self._app, "auth_dependency", None)
        if ask is not None:
            user = ask(request)
            user = await user if inspect.isawaitable(user) else user
            return None if user is None else str(user)
        cookie_id = getattr(self._app, "cookie_id", None)
        suffix = f"-{cookie_id}" if cookie_id else ""
        token = request.cookies.get(f"access-token{suffix}") or request.cookies.get(f"access-token-unsecure{suffix}")
        user = getattr(self._app, "tokens", {}).get(token) if token else None
        return None if user is None else str(user)
