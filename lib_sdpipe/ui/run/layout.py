"""Where the steps of a graph stand: a column for each stage, a row for each image that ends there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.ui.run.graph import FOLD, MEMBER, Graph, Key, Link, Step


@dataclass(frozen=True)
class Placed:
    """`column` from 0; `row` from 0 in halves and other parts of a row."""

    step: Step
    column: int
    row: float


@dataclass(frozen=True)
class Layout:
    placed: list[Placed]
    links: list[Link]
    columns: int
    rows: float


def lay_out(graph: Graph) -> Layout:
    """From left to right in the order of making; nothing overlaps. What leads back in a damaged record is left out."""
    links = _without_circles(graph)
    columns = _columns(graph, links)
    rows = _rows(graph, links)
    rows = _keep_apart(graph, columns, rows)
    placed = [Placed(step, columns[key], rows[key]) for key, step in graph.steps.items()]
    placed.sort(key=lambda each: (each.column, each.row))
    return Layout(placed, links, max(columns.values(), default=-1) + 1, max(rows.values(), default=-1.0) + 1)


def _without_circles(graph: Graph) -> list[Link]:
    """Depth first, without recursion: a link to a step that is still open leads back."""
    after = _followers(list(graph.links.values()))
    state: dict[Key, int] = {}
    back: set[tuple[Key, Key]] = set()
    for root in graph.steps:
        stack = [(root, 0)] if root not in state else []
        while stack:
            key, number = stack.pop()
            state[key] = 1
            following = after.get(key, [])
            if number == len(following):
                state[key] = 2
                continue
            stack.append((key, number + 1))
            end = following[number]
            if state.get(end) == 1:
                back.add((key, end))
            elif end not in state:
                stack.append((end, 0))
    return [link for link in graph.links.values() if (link.start, link.end) not in back]


def _followers(links: list[Link]) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = {}
    for link in links:
        found.setdefault(link.start, []).append(link.end)
    return found


def _order(graph: Graph, links: list[Link]) -> list[Key]:
    """Each step after all that lead to it."""
    waiting = dict.fromkeys(graph.steps, 0)
    for link in links:
        waiting[link.end] += 1
    after, ready, order = _followers(links), [key for key, count in waiting.items() if not count], []
    while ready:
        key = ready.pop(0)
        order.append(key)
        for end in after.get(key, []):
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    return order


def _columns(graph: Graph, links: list[Link]) -> dict[Key, int]:
    columns = dict.fromkeys(graph.steps, 0)
    after = _followers(links)
    for key in _order(graph, links):
        for end in after.get(key, []):
            columns[end] = max(columns[end], columns[key] + 1)
    for key, step in graph.steps.items():
        if step.kind == FOLD and not columns[key] and after.get(key):
            columns[key] = min(columns[end] for end in after[key]) - 1
    return columns


def _rows(graph: Graph, links: list[Link]) -> dict[Key, float]:
    """Ends one below the other; what leads to several in their middle; a grid in the middle of its members."""
    after = _followers([link for link in links if link.kind != MEMBER])
    members = _followers([Link(link.end, link.start) for link in links if link.kind == MEMBER])
    rows: dict[Key, float] = {}
    bottom = 0.0
    for root in graph.steps:
        stack = [(root, False)]
        while stack:
            key, is_done = stack.pop()
            if key in rows or (key in members and not after.get(key)):
                continue
            following = after.get(key, [])
            known = [rows[end] for end in following if end in rows]
            if is_done or not [end for end in following if end not in rows and end not in members]:
                if known:
                    rows[key] = (min(known) + max(known)) / 2
                else:
                    rows[key], bottom = bottom, bottom + 1
                continue
            stack.append((key, True))
            stack += [(end, False) for end in reversed(following) if end not in rows]
    for grid, of in members.items():
        known = [rows[key] for key in of if key in rows]
        rows.setdefault(grid, round(2 * sum(known) / len(known)) / 2 if known else bottom)
    return rows


def _keep_apart(graph: Graph, columns: dict[Key, int], rows: dict[Key, float]) -> dict[Key, float]:
    """At least a row between two of a column."""
    by_column: dict[int, list[Key]] = {}
    for key in graph.steps:
        by_column.setdefault(columns[key], []).append(key)
    kept: dict[Key, float] = {}
    for keys in by_column.values():
        free = 0.0
        for key in sorted(keys, key=lambda key: rows[key]):
            kept[key] = max(rows[key], free)
            free = kept[key] + 1
    return kept
