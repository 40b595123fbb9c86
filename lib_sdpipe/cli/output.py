"""Where a verb's words go: answers to stdout, everything else to stderr; with `--json` one document is the whole answer."""

from __future__ import annotations

import os
import shutil
import sys
from typing import IO, Any, Iterable, TextIO

from lib_sdpipe.cli.render import escape_lines
from lib_sdpipe.manifest.codec import format_answer

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}


class Output:
    """stdout and stderr of one call. Nothing here decides what to say."""

    def __init__(self, is_json: bool) -> None:
        self.is_json = is_json
        # Kept: `demo` sends what a host prints to stderr by exchanging sys.stdout.
        self._answers = sys.stdout
        for stream in (sys.stdout, sys.stderr):
            _never_fail_toencode(stream)

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where stdout is none: a file has room for everything."""
        return shutil.get_terminal_size().columns if _is_terminal(self._answers) else None

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour, on a terminal that has them."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._has_colours() and text.strip() else text

    def line(self, text: str = "") -> None:
        """A line of the answer; with `--json` there are none."""
        if not self.is_json:
            print(text, file=self._answers)

    def lines(self, texts: list[str]) -> None:
        for text in texts:
            self.line(text)

    def document(self, document: Any) -> None:
        """The one document of `--json`, in UTF-8 whatever the terminal speaks."""
        if self._answers is None:
            return
        self._answers.flush()
        self._answers.buffer.write(format_answer(document))

    def document_with_list(self, document: dict[str, Any], key: str, items: IO[bytes]) -> None:
        """The same with the list under `key`, which is empty, written out from a spool: it need not fit into memory."""
        if self._answers is None:
            return
        before, empty, after = format_answer(document).partition(f'"{key}": []'.encode())
        has_items, writer = items.tell() > 0, self._answers.buffer
        self._answers.flush()
        items.seek(0)
        writer.write(before + empty[:-1])
        shutil.copyfileobj(items, writer)
        writer.write((b"\n  ]" if has_items else b"]") + after)

    def pieces(self, pieces: Iterable[bytes]) -> None:
        """A document that is too long to be held at once, in UTF-8."""
        if self._answers is not None:
            self._answers.flush()
            self._answers.buffer.writelines(pieces)

    def note(self, text: str) -> None:
        """A line for the person at the terminal, on stderr."""
        if sys.stderr is not None:
            print("\n".join(escape_lines(text)), file=sys.stderr, flush=True)

    def progress(self, text: str) -> None:
        """What is being done now, for a person who waits."""
        if _is_terminal(sys.stderr):
            self.note(text)

    def progress_line(self, text: str) -> None:
        """The same on one line that the next one writes over."""
        if _is_terminal(sys.stderr):
            print(f"\r\x1b[K{escape_lines(text)[0]}", end="", file=sys.stderr, flush=True)

    def fail(self, text: str) -> None:
        """What went wrong, on stderr; with `--json` also as the document, so that a reader of stdout finds one."""
        self.note(f"sdpipe: {text}")
        if self.is_json:
            self.document({"error": text})

    def flush(self) -> None:
        if self._answers is not None:
            self._answers.flush()

    def abandon(self) -> None:
        """What is still buffered for stdout goes nowhere, also at the interpreter's own last flush."""
        try:
            descriptor = self._answers.fileno()
        except (AttributeError, OSError, ValueError):
            return  # no stdout, or a test's
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)

    def _has_colours(self) -> bool:
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not _is_terminal(self._answers):
            return False
        # Windows' older console prints escape sequences instead of obeying them.
        return os.name != "nt" or "WT_SESSION" in os.environ


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _never_fail_toencode(stream: Any) -> None:
    """A prompt in Japanese must not end a verb on a Windows console of another code page."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
