"""With "Each user sees own runs" on, no ask of the page tells of somebody else's run or touches it, whatever the page sends."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")
pytest.importorskip("httpx")

from lib_sdpipe.workspace import Workspace  # noqa: E402
from tests.ui.sample_library import SampleLibrary, draw_picture  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402
from tests.ui.test_visits import Served  # noqa: E402

# What stands only in bob's run.
SECRETS = ("zebraprompt", "zebralabel", "zebramodel", "zebranote", "zebratag", "zebralora", "zebraoption")
# What the sections with one ask for all do.
DEEDS = {
    "repair": ("check", "root", "confirm", "open", "plan", "apply", "undo", "undo-preview", "past", "adopt"),
    "bin": ("preview", "cull", "restore", "restore-chosen", "purge-preview", "purge", "turn", "open"),
}


class Shared:
    """A library of ann's and bob's, and the tab on it as ann sees it."""

    def __init__(self, folder: Path, own_only: bool) -> None:
        self.library = SampleLibrary(folder)
        self.ann, self.bob = self._add("ann", 60), self._add("bob", 30)
        (self.library.outputs / "alone.png").write_bytes(draw_picture(9, (64, 64)))
        Workspace(self.library.layout).find("", look=lambda what, count: None)
        host = Host(self.library.layout)
        host.own_only = own_only
        self.served = Served(host, [("ann", "secret")])
        self.served.client.post("/login", data={"username": "ann", "password": "secret"})

    def _add(self, user: str, ago: float) -> str:
        word = "zebra" if user == "bob" else "giraffe"
        environment = self.library.store.write_environment({"options": {f"{word}option": 1}})
        run_id = self.library.add_run(f"of {user}", ago=ago, user=user, environment=environment)
        run = self.library.store.read_run(run_id)
        run.label = f"{word}label"
        self.library.store.write_run(run)
        for number in (1, 2):
            (self.library.outputs / f"{user}-{number}.png").write_bytes(draw_picture(number + len(word), (64, 64)))
            self.library.add_image(
                run_id, f"txt2img_{number:03d}", number + len(word), (64, 64), file=False, path=f"{user}-{number}.png",
                prompt=f"{word}prompt", model=f"{word}model", infotext=f"{word}prompt\nSteps: 2, Seed: {number}, Model: {word}model",
                loras=[{"name": f"{word}lora", "weight": 1.0, "hash": "00"}],
            )
        mark = {"rating": 3, "tags": [f"{word}tag"], "note": f"{word}note", "updated_at": "2025-01-01T00:00:00.000Z"}
        self.library.layout.marks_file(run_id).write_text(
            json.dumps({"schema": "sdpipe.marks/1", "marks": {"txt2img_001": mark}}), encoding="utf-8",
        )
        return run_id

    def asks(self) -> dict[str, tuple[int, int]]:
        """By name what the page can ask: the event, and how many values it takes."""
        config = self.served.config
        names = {each["id"]: str(each["props"].get("elem_id") or "") for each in config["components"]}
        first = {number: names.get((config["dependencies"][number]["inputs"] or [0])[0], "") for number in self.served.events}
        return {
            name.removeprefix("sdpipe_asked_"): (number, self.served.events[number]) for number, name in first.items()
            if name.startswith("sdpipe_asked_")
        }

    def ask(self, name: str, data: dict[str, Any]) -> str:
        event, count = self.asks()[name]
        return self.served.press(event, [json.dumps(data), *[None] * (count - 1)], content_type="application/json").text

    def ask_everything(self) -> str:
        """Every ask with everything that a page could send of bob's; all that was answered."""
        images = [{"run": self.bob, "name": "txt2img_001"}, {"run": self.bob, "name": "txt2img_002"}]
        files = [{"root": "outputs", "path": "bob-1.png"}, {"root": "outputs", "path": "alone.png"}]
        one = {**images[0], "open": images[0], "link": images[0], "to": "txt2img", "target": "txt2img"}
        sent = [
            {**one, "picked": [*images, *files], "images": images, "runs": [self.bob], "query": "zebr", "part": "environment"},
            {**one, "picked": files, "query": f"run:{self.bob}", "view": "images", "part": "request"},
            {**one, "set": {"rating": 5, "tags": ["mine"]}, "images": images, "part": "manifest", "by": "model"},
            {"root": "outputs", "path": "bob-2.png", "picked": images, "runs": [self.ann, self.bob], "view": "runs"},
            {"root": "outputs", "path": "alone.png", "picked": files[1:], "set": {"rating": 5}}, {**one, "part": "run"}, {},
        ]
        asked = [(name, data) for data in sent for name in self.asks()]
        asked += [(name, {**sent[0], "do": deed, "days": 0}) for name, deeds in DEEDS.items() for deed in deeds]
        return "\n".join(self.ask(name, data) for name, data in asked)


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path / "library", own_only=True)


def test_no_ask_tells_of_somebody_elses_run_or_touches_it(shared: Shared) -> None:
    before = snapshot(shared)
    told = shared.ask_everything()
    time.sleep(0.5)  # what counts and searches beside the page has ended by then
    told += "".join(shared.ask(name, {}) for name in shared.asks())
    assert "giraffeprompt" in told  # ann's own
    assert [secret for secret in SECRETS if secret in told] == []
    assert snapshot(shared) == before


def test_without_the_setting_the_same_asks_tell_of_it(tmp_path: Path) -> None:
    told = Shared(tmp_path / "library", own_only=False).ask_everything()
    assert [secret for secret in SECRETS if secret not in told] == []


def snapshot(shared: Shared) -> dict[str, bytes]:
    """Of bob's run, his pictures and that without a run: names and content."""
    layout = shared.library.layout
    files = [path for path in layout.run_folder(shared.bob).rglob("*") if path.is_file()]
    files += [path for path in shared.library.outputs.iterdir() if path.name.startswith(("bob", "alone"))]
    return {os.fspath(path): path.read_bytes() for path in files}
