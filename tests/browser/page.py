"""The WebUI's page as a person uses it, by the element ids that A1111, Forge and the sandbox share."""

from __future__ import annotations

import shutil
import time
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # No other server is asked, whatever a host's page names (fonts, scripts).
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
SLOW_MS = 60_000
_LOOK_MS = 30
# How long the page has been as it is.
_NOTE_CHANGES = """
window.sdpipeTestChanged = performance.now();
new MutationObserver(() => { window.sdpipeTestChanged = performance.now(); }).observe(
    document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
_UNCHANGED_FOR_MS = "() => performance.now() - window.sdpipeTestChanged"


class Page:
    """One browser tab on a WebUI."""

    def __init__(self, browser: Any, url: str, theme: str = "light", width: int = 1400) -> None:
        self.errors: list[str] = []
        self.tab = browser.new_page(viewport=_viewport(width))
        self.tab.set_default_timeout(SLOW_MS)
        self.tab.on("pageerror", lambda fault: self.errors.append(str(fault)))
        self.tab.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self._asked: set[Any] = set()
        self.tab.on("request", self._note_request)
        for end in ("requestfinished", "requestfailed"):
            self.tab.on(end, lambda request: self._asked.discard(request))
        self.tab.add_init_script(_NOTE_CHANGES)
        self._go_to(url, theme)

    def begin_anew(self, url: str, theme: str = "light", width: int = 1400) -> None:
        """As a new tab for the next test, in a third of the time: the browser has compiled the page's scripts already."""
        self.tab.goto("about:blank")
        self.tab.context.clear_cookies()
        self.tab.context.clear_permissions()
        self.tab.set_viewport_size(_viewport(width))
        self.errors.clear()
        self._asked.clear()
        self._go_to(url, theme, "() => { localStorage.clear(); sessionStorage.clear(); }")

    def _go_to(self, url: str, theme: str, forget: str | None = None) -> None:
        if forget is not None:  # what is stored can be reached only from a page of that place
            self.tab.goto(f"{url}/robots.txt")
            self.tab.evaluate(forget)
            self.errors.clear()
        self.tab.goto(f"{url}/?__theme={theme}", wait_until="domcontentloaded")
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        self.tab.wait_for_selector("#txt2img_prompt textarea")
        self.tab.wait_for_function("() => typeof gradioApp === 'function' && window.opts && Object.keys(window.opts).length > 3")
        self.settle(800)

    def _note_request(self, request: Any) -> None:
        if request.resource_type != "eventsource" and "heartbeat" not in request.url:  # those stay open
            self._asked.add(request)

    def settle(self, most_ms: int, quiet_ms: int = 200) -> None:
        """Let the page answer and take hold of what came: until nothing is asked and nothing changes any more, or for so long."""
        until = time.monotonic() + most_ms / 1000
        began = time.monotonic()
        while time.monotonic() < until:
            self.tab.wait_for_timeout(_LOOK_MS)
            if self._asked or time.monotonic() - began < quiet_ms / 1000:
                continue
            if self.tab.evaluate(_UNCHANGED_FOR_MS) >= quiet_ms:
                return

    def reload_ui(self) -> None:
        """The button in Settings; the page comes back by itself once the host does."""
        self.tab.wait_for_timeout(1500)  # what typing has queued is answered first: gradio 3.41 waits for it without end
        self.tab.evaluate("() => { window.isOldPage = true; }")
        self.open_tab("Settings")
        for _ in range(10):  # a press before the page has taken hold of its buttons is lost
            if self._is_reloading():
                break
            self.tab.locator("#settings_restart_gradio").click()
            self.tab.wait_for_timeout(2000)
        self.tab.wait_for_function("() => !window.isOldPage && document.querySelector('#txt2img_prompt textarea') !== null")
        self._wait_until_ready()

    def _is_reloading(self) -> bool:
        from playwright.sync_api import Error  # not everybody who runs the tests has it

        try:
            return bool(self.tab.evaluate("() => !window.isOldPage || document.body.innerText.includes('Reloading')"))
        except Error as fault:  # the new page came in the middle of the question
            if "context was destroyed" not in str(fault):
                raise
            return True

    def is_sound(self) -> bool:
        """Whether another test can use the tab: it is open, and the only one of its browser context."""
        return not self.tab.is_closed() and len(self.tab.context.pages) == 1

    def our_errors(self) -> list[str]:
        return [text for text in self.errors if "sdpipe" in text.lower()]

    def open_tab(self, name: str) -> None:
        """By its label: hosts differ in order and capitals."""
        self.tab.locator("#tabs > .tab-nav button, #tabs > div button[role=tab], #tabs .tab-container button[role=tab]").filter(
            has_text=whole_word(name)
        ).first.click()

    def open_runs(self) -> None:
        """The Runs tab, once it has looked at the library: before that gradio may not have taken hold of its controls."""
        self.open_tab("Runs")
        self.tab.wait_for_function(
            "() => document.querySelector('#sdpipe_runs') && !document.querySelector('#sdpipe_runs [data-sdpipe-pending]')"
        )
        self.settle(500)

    def fill(self, tab: str, prompt: str, **numbers: int) -> None:
        self.tab.locator(f"#{tab}_prompt textarea").fill(prompt)
        for name, value in {"steps": 2, "width": 64, "height": 64, **numbers}.items():
            field = self.tab.locator(f"#{tab}_{name} input[type=number]").first
            field.fill(str(value))
            field.press("Tab")
        self.settle(300)

    def generate(self, tab: str) -> None:
        """Press Generate and wait for a new picture and its infotext."""
        self.press(tab, f"{tab}_generate")
        self.tab.wait_for_function(f"() => (document.querySelector('#html_info_{tab}') || {{innerText: ''}}).innerText.includes('Steps')")

    def press(self, tab: str, button: str) -> None:
        """Press a button and wait for a new picture in the tab's gallery."""
        old = self._pictures(tab)
        self.tab.locator(f"#{button}").click()
        self.tab.wait_for_function(
            "([id, old]) => [...document.querySelectorAll(`#${id}_gallery img`)].some(i => i.src && !old.includes(i.src)"
            " && i.complete && i.naturalWidth > 0 && !i.closest('.livePreview'))", arg=[tab, old],
        )

    def infotext(self, tab: str) -> str:
        return self.tab.locator(f"#html_info_{tab}").last.inner_text()

    def _pictures(self, tab: str) -> list[str]:
        return self.tab.evaluate("id => [...document.querySelectorAll(`#${id}_gallery img`)].map(i => i.src)", tab)

    def open_panel(self, tab: str) -> Any:
        """Our accordion, opened."""
        panel = self.tab.locator(f"#sdpipe_{tab}_panel")
        panel.scroll_into_view_if_needed()
        if not self.tab.locator(f"#sdpipe_{tab}_record").is_visible():
            panel.locator(".label-wrap").first.click()
            self.tab.locator(f"#sdpipe_{tab}_record").wait_for(state="visible")
        return panel

    def checkbox(self, elem_id: str) -> Any:
        return self.tab.locator(f"#{elem_id} input[type=checkbox]").first


def whole_word(name: str) -> Any:
    import re

    return re.compile(rf"^\s*{re.escape(name)}\s*$", re.IGNORECASE)


def _viewport(width: int) -> dict[str, int]:
    return {"width": width, "height": 1100}
