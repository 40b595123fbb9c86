"""A collection of what is wrong, by rule."""

from __future__ import annotations

from collections import Counter
from typing import Any

from host_check.job import Job


class Faults:
    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self.checked: Counter[str] = Counter()

    def check(self, rule: str, holds: bool, job: Job | None, text: str) -> bool:
        """Count one comparison; note it where it does not hold."""
        self.checked[rule] += 1
        if not holds:
            self.found.append({
                "rule": rule, "kind": job.kind if job else None, "job": job.token if job else None, "what": text[:600],
            })
        return holds

    def equal(self, rule: str, recorded: Any, expected: Any, job: Job | None, where: str) -> bool:
        return self.check(rule, recorded == expected, job, f"{where}: recorded {recorded!r}, expected {expected!r}")

    def by_rule(self) -> dict[str, dict[str, int]]:
        """For each rule how often it was asked, and of which kinds the faults are."""
        rules: dict[str, dict[str, int]] = {}
        for rule in sorted(self.checked):
            kinds = Counter(str(fault["kind"]) for fault in self.found if fault["rule"] == rule)
            rules[rule] = {"checked": self.checked[rule], "faults": sum(kinds.values()), **dict(kinds.most_common())}
        return rules
