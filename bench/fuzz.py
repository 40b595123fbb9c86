"""Spoiled pictures, records and texts against every reader and the editor: no undocumented error, no second lost, no memory eaten.

    .venv/bin/python bench/fuzz.py [--inputs 100000] [--seed 0] [--only head,edit] [--keep DIR]

Inputs are mutations of small sound files made here; one that reaches a new line of lib_sdpipe is mutated further (Python 3.12 and
later; before that the fuzzer is blind). One JSON document on stdout; exit 1 on any finding. --keep writes each finding's input.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzzing.corpus import seeds  # noqa: E402
from fuzzing.coverage import Coverage  # noqa: E402
from fuzzing.mutations import mutate  # noqa: E402
from fuzzing.targets import SHARES, targets  # noqa: E402

SECONDS_LIMIT = 1.0
MEMORY_LIMIT = 64 << 20
HANG_SECONDS = 10
HAS_CLOCK = hasattr(signal, "setitimer")  # not on Windows
# Measuring memory makes Python several times slower: every large input, and some of the others.
LARGE = 100_000
MEMORY_SHARE = 0.003
CORPUS_LIMIT = 3_000


class HangError(BaseException):
    """Raised by the clock: an `except Exception` in the code under test must not swallow it."""


class Fuzzer:
    """`findings` by what is wrong, each with the first input that showed it."""

    def __init__(self, seed: int, only: list[str], folder: Path, coverage: Coverage) -> None:
        self._rng = random.Random(seed)
        self._corpus = seeds()
        self._targets = targets(folder)
        self._names = [name for name in SHARES if not only or name in only]
        self._shares = [SHARES[name][1] for name in self._names]
        self._coverage = coverage
        self.counts: Counter[str] = Counter()
        self.findings: dict[str, dict[str, Any]] = {}
        self.slowest: dict[str, float] = {}
        self.most_memory: dict[str, int] = {}

    def step(self) -> None:
        name = self._rng.choices(self._names, self._shares)[0]
        kind = self._rng.choice(SHARES[name][0])
        inputs = self._corpus[kind]
        data = mutate(self._rng.choice(inputs), self._corpus[self._rng.choice(list(self._corpus))], kind, self._rng)
        before = self._coverage.lines
        self.counts[name] += 1
        self._run(name, data)
        if self._coverage.lines > before and len(inputs) < CORPUS_LIMIT and len(data) < LARGE:
            inputs.append(data)

    def _run(self, name: str, data: bytes) -> None:
        with_memory = len(data) > LARGE or self._rng.random() < MEMORY_SHARE
        if with_memory:
            tracemalloc.start()
        seconds = self._time(name, data)
        if with_memory:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.most_memory[name] = max(peak, self.most_memory.get(name, 0))
            if peak > MEMORY_LIMIT:
                self._note(name, "more than 64 MB", data, f"{peak:,} bytes")
            if seconds > SECONDS_LIMIT:  # again, without the measuring
                seconds = self._time(name, data)
        self.slowest[name] = max(seconds, self.slowest.get(name, 0.0))
        if seconds > SECONDS_LIMIT:
            self._note(name, "longer than a second", data, f"{seconds:.2f} s")

    def _time(self, name: str, data: bytes) -> float:
        if HAS_CLOCK:
            signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        started = time.process_time()  # what others do on this computer does not count
        try:
            self._targets[name](data, self._rng)
        except (Exception, HangError) as fault:  # the fuzzer's work: every fault is a finding
            self._note(name, f"{type(fault).__name__}: {_place_of(fault)}", data, str(fault)[:200])
        finally:
            if HAS_CLOCK:
                signal.setitimer(signal.ITIMER_REAL, 0)
        return time.process_time() - started

    def _note(self, name: str, what: str, data: bytes, detail: str) -> None:
        key = f"{name}: {what}"
        if key not in self.findings:
            self.findings[key] = {"detail": detail, "times": 0, "input": data}
            print(f"\n{key} ({detail})", file=sys.stderr, flush=True)
        self.findings[key]["times"] += 1


def _place_of(fault: BaseException) -> str:
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _raise_hang(*_: object) -> None:
    raise HangError(f"longer than {HANG_SECONDS} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help=", ".join(SHARES))
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    if HAS_CLOCK:
        signal.signal(signal.SIGALRM, _raise_hang)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Coverage() as coverage:
        fuzzer = Fuzzer(arguments.seed, arguments.only, Path(folder), coverage)
        for number in range(1, arguments.inputs + 1):
            fuzzer.step()
            if number % 5_000 == 0:
                speed = number / (time.monotonic() - started)
                print(f"\r{number:,} inputs, {speed:,.0f}/s, {coverage.lines} lines", end="", file=sys.stderr, flush=True)
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for number, finding in enumerate(fuzzer.findings.values()):
            (arguments.keep / f"finding-{number}").write_bytes(finding["input"])
    print(json.dumps({
        "inputs": arguments.inputs, "by target": fuzzer.counts, "seconds": round(time.monotonic() - started, 1),
        "guided": coverage.is_on, "lines reached": coverage.lines,
        "slowest ms": {name: round(1000 * seconds, 1) for name, seconds in sorted(fuzzer.slowest.items())},
        "most memory MB": {name: round(peak / (1 << 20), 1) for name, peak in sorted(fuzzer.most_memory.items())},
        "findings": {key: {**finding, "input": finding["input"][:4000].hex()} for key, finding in fuzzer.findings.items()},
    }, indent=2))
    return 1 if fuzzer.findings else 0


if __name__ == "__main__":
    sys.exit(main())
