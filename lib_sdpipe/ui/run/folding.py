"""What of a run's graph is shown: a fan of hundreds becomes its first few, the chosen image's own way, and a count. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lib_sdpipe.ui.run.graph import BESIDE, COMPANION, FOLD, GRID, IMAGE, LATER, MADE, MEMBER, Graph, Key, Link, Step

# Images that end a way through the stages, and what later runs made of one image: so many at first, so many more at each
# level, and no more than a page can hold. At first only images that have something in common with the chosen one.
_LANES, _FAN = 3, 3
_MORE = 24
MOST_LEVELS = 4


def fold_graph(graph: Graph, current: Key | None, level: int = 0) -> Graph:
    """The part of the graph to be shown. `level`: how often somebody asked for more."""
    level = max(0, min(level, MOST_LEVELS))
    lanes, fan = _LANES + _MORE * level, _FAN + _MORE * level
    ends = [step.key for step in graph.steps.values() if step.kind == IMAGE and step.name and not _goes_on(graph, step.key)]
    loose = [step.key for step in graph.steps.values() if step.kind == COMPANION and not _has_place(graph, step.key)]
    shown_ends = _choose(graph, ends, lanes, _end_of(graph, current), level) if ends else loose[:lanes]
    shown = _with_earlier(graph, [*shown_ends, *([current] if current in graph.steps else []), *(loose[:fan] if ends else [])])
    for key in list(shown):
        shown.update(dict.fromkeys(graph.after(key, BESIDE) + graph.before(key, BESIDE)))
    grids = _choose_grids(graph, shown, current)[:fan]
    shown.update(dict.fromkeys(grids))
    folded = Graph()
    for key, step in graph.steps.items():
        if key in shown:
            folded.add(step)
    for link in graph.links.values():
        if link.start in shown and link.end in shown:
            folded.link(link)
    _fold_ends(graph, folded, [key for key in ends if key not in shown], grids)
    _add_later(graph, folded, list(shown), fan)
    return folded


def _goes_on(graph: Graph, key: Key) -> bool:
    return any(graph.steps[after].kind in (IMAGE, GRID) for after in graph.after(key))


def _has_place(graph: Graph, key: Key) -> bool:
    return bool(graph.before(key, BESIDE) or graph.after(key, BESIDE))


def _end_of(graph: Graph, key: Key | None) -> Key | None:
    """Where the way through an image ends in this run; of a grid, or a mask beside it, where that of its image does."""
    seen: set[Key] = set()
    while key is not None and key in graph.steps and key not in seen:
        seen.add(key)
        step = graph.steps[key]
        if step.kind == GRID:
            following = graph.before(key, MEMBER)
        elif step.kind == COMPANION:
            following = graph.before(key, BESIDE) + graph.after(key, BESIDE)
        else:
            following = [after for after in graph.after(key) if graph.steps[after].kind == IMAGE]
        if not following:
            return key
        key = following[0]
    return key


def _choose(graph: Graph, ends: list[Key], most: int, wanted: Key | None, level: int) -> list[Key]:
    """The first so many, the wanted one among them; without having been asked for more, those akin to it."""
    wanted = wanted if wanted in ends else ends[0]
    if not level:
        own = _with_earlier(graph, [wanted])
        ends = [end for end in ends if end == wanted or any(key in own for key in _with_earlier(graph, [end]))]
    chosen = ends[:most]
    return chosen if wanted in chosen else [*chosen[:-1], wanted]


def _with_earlier(graph: Graph, keys: Iterable[Key]) -> dict[Key, None]:
    found: dict[Key, None] = {}
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = None
            waiting += graph.before(key)
    return found


def _choose_grids(graph: Graph, shown: dict[Key, None], current: Key | None) -> list[Key]:
    """Those that the chosen image stands in first."""
    grids = [step.key for step in graph.steps.values() if step.kind == GRID and step.key not in shown]
    of_current = set(graph.after(current, MEMBER)) if current is not None else set()
    return sorted(grids, key=lambda key: key not in of_current)


def _fold_ends(graph: Graph, folded: Graph, hidden: list[Key], grids: list[Key]) -> None:
    """One step for all the images that are not shown, where the first of them would stand."""
    if not hidden:
        return
    fold = Step(("fold", "images"), FOLD, count=len(hidden))
    folded.add(fold)
    start = next((key for key in _earlier_of(graph, hidden[0]) if key in folded.steps), None)
    if start is not None:
        folded.link(Link(start, fold.key, MADE))
    away = set(hidden)
    for grid in grids:
        if any(key in away for key in graph.before(grid, MEMBER)):
            folded.link(Link(fold.key, grid, MEMBER))


def _earlier_of(graph: Graph, key: Key) -> Iterable[Key]:
    seen: set[Key] = set()
    while (earlier := graph.before(key)) and earlier[0] not in seen:
        key = earlier[0]
        seen.add(key)
        yield key


def _add_later(graph: Graph, folded: Graph, shown: list[Key], fan: int) -> None:
    """What later runs made of the images that are shown."""
    for key in shown:
        later = [after for after in graph.after(key) if graph.steps[after].kind == LATER]
        kept = later if len(later) <= fan else later[:fan - 1]
        for after in kept:
            folded.add(graph.steps[after])
            folded.link(graph.links[key, after])
        if len(later) > len(kept):
            fold = Step(("fold", *key), FOLD, count=len(later) - len(kept))
            folded.add(fold)
            folded.link(Link(key, fold.key, MADE))
