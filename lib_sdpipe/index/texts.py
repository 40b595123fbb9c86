"""Texts that many pictures share, each stored once: prompts, negative prompts, names of models, samplers and LoRAs."""

from __future__ import annotations

import hashlib
import sqlite3

from lib_sdpipe.index.folding import fold_text
from lib_sdpipe.index.sql_values import sql_text

MODEL, SAMPLER, LORAS = "model", "sampler", "loras"


class Texts:
    """Ids of texts, made where they are new. Within a transaction of the caller's; raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def prompt(self, text: str | None, is_negative: bool = False) -> int | None:
        """The id of a prompt; None for none. The text index takes it up later."""
        text = sql_text(text)
        if not text:
            return None
        digest = hashlib.blake2b(text.encode("utf-8"), digest_size=16, person=b"negative" if is_negative else b"").digest()
        row = self._connection.execute("SELECT id FROM prompts WHERE digest = ?", (digest,)).fetchone()
        if row is not None:
            return int(row[0])
        folded = fold_text(text)
        values = (digest, text, None if folded == text else folded, is_negative, not is_negative)
        return self._connection.execute(
            "INSERT INTO prompts (digest, text, folded, is_negative, is_waiting) VALUES (?, ?, ?, ?, ?)", values
        ).lastrowid

    def name(self, kind: str, text: str | None) -> int | None:
        """The id of a name of this kind; None for none."""
        text = sql_text(text)
        if not text:
            return None
        row = self._connection.execute("SELECT id FROM names WHERE kind = ? AND text = ?", (kind, text)).fetchone()
        if row is not None:
            return int(row[0])
        folded = "\n".join(fold_text(line) for line in text.split("\n"))
        return self._connection.execute("INSERT INTO names (kind, text, folded) VALUES (?, ?, ?)", (kind, text, folded)).lastrowid

    def loras(self, names: list[str]) -> int | None:
        """The id of this set of LoRAs; None for none."""
        return self.name(LORAS, "\n".join(sorted({name.replace("\n", " ") for name in names if name})))


def infotext_digest(infotext: str | None) -> bytes | None:
    """16 bytes that stand for an infotext, as `files.infotext_digest` has them."""
    return hashlib.blake2b(infotext.encode("utf-8", "surrogatepass"), digest_size=16).digest() if infotext else None
