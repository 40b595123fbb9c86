"""A run whose lines are being worked off: what is known of it beside what stands on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Tuple

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.record.inputs import InputKeeper
from lib_sdpipe.record.lineage import Lineage

# (pass, input picture) of a run.
Place = Tuple[int, int]


@dataclass
class OpenRun:
    """`inputs` are references to the pictures a pass was made from, as the manifest's `config` has them."""

    run: Json
    options: Json
    keeper: InputKeeper
    not_replayable: list[str]
    lineages: dict[Place, Lineage] = field(default_factory=dict)
    inputs: dict[Place, Json] = field(default_factory=dict)
    promises: dict[str, Json] = field(default_factory=dict)
    outputs: list[Json] = field(default_factory=list)

    def add_reasons(self, reasons: list[str]) -> None:
        """Why it cannot be made again; each once."""
        self.not_replayable += [reason for reason in reasons if reason not in self.not_replayable]
