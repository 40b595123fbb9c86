"""`serve` as a process of its own, for tests of the command line and of the browser."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.cli.terminal import environment


class Server:
    """Started with `--json`; it runs until it is ended."""

    def __init__(self, runs: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "lib_sdpipe", "serve", "--no-browser", "--port", "0", "--json", *arguments]
        self.process = subprocess.Popen(
            [*command, "--runs", str(runs)], cwd=runs.parent, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            said += line
        self.document: Any = json.loads(said)
        self.url: str = self.document["url"].rstrip("/")

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
        """Status and text; `headers` with _ for -."""
        request = urllib.request.Request(self.url + path, data, {name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode("utf-8")
        except urllib.error.HTTPError as fault:
            return fault.code, fault.read().decode("utf-8", "replace")

    def end(self, number: int) -> tuple[int, str]:
        """(exit code, what it said on stderr)."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
