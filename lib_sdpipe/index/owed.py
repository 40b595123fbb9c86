"""What the index owes to the search: rows of files that no manifest names, the full-text index of prompts, no prompt of nobody.

Recording and `check` leave this to who searches. It is paid in short transactions: a WebUI that records meanwhile waits for
none of them, and what was done when the process was killed is done.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator

from lib_sdpipe.index.database import transaction
from lib_sdpipe.index.folding import build_grams
from lib_sdpipe.index.pictures import Pictures
from lib_sdpipe.index.schema import SEARCH_INDEXES
from lib_sdpipe.index.texts import Texts
from lib_sdpipe.index.unrecorded import FILE_COLUMNS, build_unrecorded_row

_BATCH = 250
# No content: the text stands in `prompts`. No positions: what is found is compared with the text.
_CREATE_GRAMS = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS prompt_grams USING fts5(grams, content='', detail=none, columnsize=0, tokenize='ascii')"
)
_WAITING_FILES = (
    "SELECT files.id, folders.root, folders.path, files.name, files.bytes, files.mtime_ns, files.width, files.height,"
    " files.infotext_digest, files.infotext, files.sha256, files.pixel_sha256, files.perceptual_hash"
    " FROM waiting_files JOIN files ON files.id = waiting_files.file JOIN folders ON folders.id = files.folder LIMIT ?"
)
_KINDS = ("waiting_files", "loose_prompts", "prompts WHERE is_waiting = 1")
_LOOSE = "SELECT prompt FROM loose_prompts LIMIT ?"
_IS_USED = "SELECT EXISTS (SELECT 1 FROM pictures WHERE prompt = ?) OR EXISTS (SELECT 1 FROM pictures WHERE negative_prompt = ?)"


class Owed:
    """Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def has_grams(self) -> bool:
        """Whether the full-text index is there, and this SQLite can read it."""
        try:
            self._connection.execute("SELECT rowid FROM prompt_grams LIMIT 0")
        except sqlite3.OperationalError as fault:
            if "no such" not in str(fault):
                raise
            return False
        return True

    def pay(self, progress: Callable[[int, int], None] | None = None) -> None:
        self.ensure_indexes()
        done, total = 0, sum(self._count(owed) for owed in _KINDS)
        for paid in self._pay_batches() if total else ():
            done += paid
            if progress is not None:
                progress(done, max(total, done))

    def _pay_batches(self) -> Iterator[int]:
        has_grams = self._ensure_grams()
        steps = (self._make_rows, *((self._drop_loose, self._index_prompts) if has_grams else ()))
        for step in steps:
            while paid := step():
                yield paid

    def _make_rows(self) -> int:
        """Rows for some files that wait. A file whose folder is unknown waits in vain and is let go."""
        with transaction(self._connection):
            pictures, texts = Pictures(self._connection), Texts(self._connection)
            waiting = self._connection.execute(_WAITING_FILES, (_BATCH,)).fetchall()
            for values in waiting:
                file = dict(zip(FILE_COLUMNS, values))
                self._connection.execute("DELETE FROM pictures WHERE file = ?", (file["id"],))
                pictures.write_row(build_unrecorded_row(file, texts))
                self._connection.execute("UPDATE files SET infotext = NULL WHERE id = ? AND infotext IS NOT NULL", (file["id"],))
                self._connection.execute("DELETE FROM waiting_files WHERE file = ?", (file["id"],))
            if not waiting:
                self._connection.execute("DELETE FROM waiting_files")
        return len(waiting)

    def _index_prompts(self) -> int:
        with transaction(self._connection):
            query = "SELECT id, ifnull(folded, text) FROM prompts WHERE is_waiting = 1 LIMIT ?"
            waiting = self._connection.execute(query, (_BATCH,)).fetchall()
            grams = [(prompt, build_grams(folded)) for prompt, folded in waiting]
            self._connection.executemany("INSERT INTO prompt_grams (rowid, grams) VALUES (?, ?)", grams)
            self._connection.executemany("UPDATE prompts SET is_waiting = 0 WHERE id = ?", [(prompt,) for prompt, _ in waiting])
        return len(waiting)

    def _drop_loose(self) -> int:
        """Prompts that no picture has any more leave, and with them their grams."""
        with transaction(self._connection):
            loose = [prompt for (prompt,) in self._connection.execute(_LOOSE, (_BATCH,))]
            for prompt in loose:
                if not self._connection.execute(_IS_USED, (prompt, prompt)).fetchone()[0]:
                    self._drop(prompt)
                self._connection.execute("DELETE FROM loose_prompts WHERE prompt = ?", (prompt,))
        return len(loose)

    def _drop(self, prompt: int) -> None:
        query = "SELECT ifnull(folded, text) FROM prompts WHERE id = ? AND is_waiting = 0 AND is_negative = 0"
        for (folded,) in self._connection.execute(query, (prompt,)).fetchall():
            grams = "INSERT INTO prompt_grams (prompt_grams, rowid, grams) VALUES ('delete', ?, ?)"
            self._connection.execute(grams, (prompt, build_grams(folded)))
        self._connection.execute("DELETE FROM prompts WHERE id = ?", (prompt,))

    def ensure_indexes(self) -> None:
        """Those that only a search needs. Where they are there it writes nothing."""
        for statement in SEARCH_INDEXES.split(";")[:-1]:
            self._connection.execute(statement)

    def has_indexes(self) -> bool:
        wanted = re.findall(r"IF NOT EXISTS (\w+)", SEARCH_INDEXES)
        query = f"SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name IN ({', '.join('?' * len(wanted))})"
        return bool(self._connection.execute(query, wanted).fetchone()[0] == len(wanted))

    def _ensure_grams(self) -> bool:
        """Make the full-text index; False where this SQLite has none: prompts are then read one by one, and none leaves,
        since the grams that another program's SQLite made of it could not be taken out.
        """
        try:
            self._connection.execute(_CREATE_GRAMS)
        except sqlite3.OperationalError as fault:
            if "no such module" not in str(fault):
                raise
            return False
        return True

    def _count(self, owed: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {owed}").fetchone()[0])
