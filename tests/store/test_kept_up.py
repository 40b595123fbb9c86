"""Whatever happens to a library, with looks in between at any time: the index that was kept up equals one made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from lib_sdpipe.index.index import Index
from lib_sdpipe.store.refresh import Refresh
from tests.store.picture_files import write_png
from tests.store.test_refresh import Place

NUMBERS = st.integers(0, 30)


class KeptUp(RuleBasedStateMachine):
    """A library to which things happen. A clock of its own gives every change another time."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.place = Place(base)
        self.away = self.place.outputs.with_name("away")
        self.runs = 0
        self.clock = 1_700_000_000

    def teardown(self) -> None:
        if self.away.exists():
            self.plug_in()
        self.look_and_compare()
        self.place.index.close()

    # --- what happens ---

    @rule(count=st.integers(1, 3), is_noticed=st.booleans())
    def record(self, count: int, is_noticed: bool) -> None:
        if self.away.exists():
            return
        self.runs += 1
        run_id = f"20260102_0304{self.runs:02d}_a"
        for file in self.place.record(run_id, count=count):
            self._tick(file)
        if is_noticed:
            Refresh(self.place.layout, self.place.library, self.place.index).look_at_run(run_id)

    @rule(name=NUMBERS)
    def add_an_unrecorded_image(self, name: int) -> None:
        self._tick(write_png(self._outputs() / f"old-{name % 3}" / f"{name}.png", f"an old cat {name}\nSteps: 3, Seed: {name}"))

    @rule(which=NUMBERS)
    def delete(self, which: int) -> None:
        for file in self._one(which):
            file.unlink()

    @rule(which=NUMBERS, name=NUMBERS)
    def move(self, which: int, name: int) -> None:
        for file in self._one(which):
            target = self._outputs() / f"sorted-{name % 3}" / f"{name}.png"
            target.parent.mkdir(exist_ok=True)
            os.replace(file, target)

    @rule(which=NUMBERS, text=st.sampled_from(["a dog\nSteps: 1, Seed: 1", None]))
    def retag(self, which: int, text: str | None) -> None:
        for file in self._one(which):
            self._tick(write_png(file, text))

    @rule(which=NUMBERS)
    def damage(self, which: int) -> None:
        for file in self._one(which):
            file.write_bytes(file.read_bytes()[:40])
            self._tick(file)

    @rule(which=NUMBERS, name=NUMBERS)
    def rename_a_folder(self, which: int, name: int) -> None:
        folders = sorted(folder for folder in self._outputs().iterdir() if folder.is_dir())
        target = self._outputs() / f"renamed-{name}"
        if folders and not target.exists():
            folders[which % len(folders)].rename(target)

    @rule(which=NUMBERS)
    def remove_a_run(self, which: int) -> None:
        runs = list(self.place.store.iter_run_ids())
        if runs:
            self.place.layout.run_folder(runs[which % len(runs)]).rename(self.place.outputs.parent / f"removed-{len(runs)}-{self._now()}")

    @rule(which=NUMBERS, how=st.sampled_from(["damage", "remove", "lost"]))
    def change_a_manifest(self, which: int, how: str) -> None:
        manifests = sorted(self.place.layout.runs.glob("*/manifests/*.json"))
        if not manifests:
            return
        path = manifests[which % len(manifests)]
        if how == "lost":
            data = path.read_bytes().replace(b'"lost_at": null', b'"lost_at": "2026-01-02T03:04:05.678Z"')
            path.write_bytes(data)
            self._tick(path)
        elif how == "damage":
            path.write_bytes(path.read_bytes()[:50])
            self._tick(path)
        else:
            path.unlink()

    @precondition(lambda self: not self.away.exists())
    @rule()
    def unplug(self) -> None:
        """A fresh index knows nothing of what is away; one that was kept up does."""
        self.place.outputs.rename(self.away)

    @precondition(lambda self: self.away.exists())
    @rule()
    def plug_in(self) -> None:
        self.away.rename(self.place.outputs)

    # --- what is looked at ---

    @rule()
    def look(self) -> None:
        self.place.look()

    @rule()
    def search(self) -> None:
        self.place.look()
        self.place.index.search.complete(None)

    @precondition(lambda self: not self.away.exists())
    @rule()
    def look_and_compare(self) -> None:
        self.place.look()
        fresh = Index(self.place.outputs.parent / f"fresh-{self._now()}.sqlite3")
        self.place.look(fresh)
        kept_up, anew = self.place.index.content(), fresh.content()
        fresh.close()
        for table in anew:
            assert kept_up[table] == anew[table], table

    def _outputs(self) -> Path:
        return self.away if self.away.exists() else self.place.outputs

    def _one(self, which: int) -> list[Path]:
        files = sorted(self._outputs().rglob("*.png"))
        return [files[which % len(files)]] if files else []

    def _now(self) -> int:
        self.clock += 1
        return self.clock

    def _tick(self, file: Path) -> None:
        os.utime(file, (self._now(), self.clock))


def test_the_kept_up_index_equals_one_made_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    few = settings(max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    run_state_machine_as_test(lambda: KeptUp(tmp_path_factory.mktemp("kept-up")), settings=few)
