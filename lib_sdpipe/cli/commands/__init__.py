"""The registry of verbs: a verb is a module with NAME, SUMMARY, `add_arguments` and `run`, and one line here."""

from __future__ import annotations

import argparse
from typing import Protocol

from lib_sdpipe.cli.commands import adopt, apply, check, demo, find, plan, purge, reindex, roots, runs, serve, show, trace, undo, verify
from lib_sdpipe.cli.output import Output


class Verb(Protocol):
    """What `main` needs of a verb. `run` returns the exit code; faults are raised."""

    NAME: str
    SUMMARY: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace, output: Output) -> int: ...


VERBS: tuple[Verb, ...] = (demo, runs, show, find, trace, roots, check, plan, apply, undo, adopt, verify, purge, reindex, serve)
