"""Two prompts word by word: what is new, what is gone, what stands elsewhere, what weighs more or less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lib_sdpipe.manifest.alignment import align
from lib_sdpipe.manifest.prompt_words import Prompt, PromptToken, parse_prompt

# Of a longer prompt its beginning is compared: more than any host reads, and quick.
MOST_CHARACTERS = 20_000


@dataclass(frozen=True)
class PromptStep:
    """One step from the old prompt to the new one.

    `kind` is `same`, `weight` (the same word at another weight), `removed`, `added`, `moved-from` or `moved-to`. `old` is
    None for what comes, `new` for what goes.
    """

    kind: str
    old: PromptToken | None
    new: PromptToken | None


@dataclass(frozen=True)
class PromptDifference:
    """All steps from one prompt to another, in order; `tail` is what follows the last word of the new one.

    `is_cut`: of at least one only the beginning was compared.
    """

    steps: tuple[PromptStep, ...]
    tail: str = ""
    is_cut: bool = False

    @property
    def is_equal(self) -> bool:
        return not self.is_cut and all(step.kind == "same" for step in self.steps)


def compare_prompts(old: str | None, new: str | None) -> PromptDifference:
    """Never raises; takes well under a second for prompts of any length."""
    is_cut = len(old or "") > MOST_CHARACTERS or len(new or "") > MOST_CHARACTERS
    if is_cut and old == new:
        is_cut = False
    one, other = parse_prompt((old or "")[:MOST_CHARACTERS]), parse_prompt((new or "")[:MOST_CHARACTERS])
    return PromptDifference(tuple(_mark_moved(list(_iter_steps(one, other)))), other.tail, is_cut)


def _iter_steps(old: Prompt, new: Prompt) -> Iterator[PromptStep]:
    """What goes stands before what comes."""
    i = j = 0
    pairs = align([token.key for token in old.tokens], [token.key for token in new.tokens])
    for a, b in [*pairs, (len(old.tokens), len(new.tokens))]:
        yield from (PromptStep("removed", token, None) for token in old.tokens[i:a])
        yield from (PromptStep("added", None, token) for token in new.tokens[j:b])
        if a < len(old.tokens):
            one, other = old.tokens[a], new.tokens[b]
            yield PromptStep("same" if one.weight == other.weight else "weight", one, other)
        i, j = a + 1, b + 1


def _mark_moved(steps: list[PromptStep]) -> list[PromptStep]:
    """A whole phrase between commas that goes here and comes there was moved."""
    gone: dict[tuple[str, ...], list[list[int]]] = {}
    for phrase in _changed_phrases(steps, "removed"):
        gone.setdefault(_key(steps, phrase), []).append(phrase)
    for phrase in _changed_phrases(steps, "added"):
        same = gone.get(_key(steps, phrase))
        if same:
            for number in same.pop(0):
                steps[number] = replace(steps[number], kind="moved-from")
            for number in phrase:
                steps[number] = replace(steps[number], kind="moved-to")
    return steps


def _changed_phrases(steps: Sequence[PromptStep], kind: str) -> Iterator[list[int]]:
    """Phrases of one of the two prompts that consist of such steps alone, as the steps' numbers; commas are in none."""
    absent = "added" if kind == "removed" else "removed"
    phrase: list[int] = []
    for number, step in enumerate(steps):
        if step.kind == absent:
            continue
        token = step.old or step.new
        if token is not None and (token.kind == "comma" or token.text == "BREAK"):
            yield from [phrase] if phrase and all(steps[each].kind == kind for each in phrase) else []
            phrase = []
        else:
            phrase.append(number)
    yield from [phrase] if phrase and all(steps[each].kind == kind for each in phrase) else []


def _key(steps: Sequence[PromptStep], phrase: list[int]) -> tuple[str, ...]:
    tokens = (steps[number].old or steps[number].new for number in phrase)
    return tuple(token.key for token in tokens if token is not None)
