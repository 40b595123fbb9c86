"""The way back as a pure function: for any acts, however many of them happened, it leads to the first state or refuses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.reconcile.acts import Act, Content, Place, Stamp, State, parse_act
from lib_sdpipe.reconcile.undo import Started, plan_undo

STAMP = Stamp(0o644, 1)
World = dict[Place, State]


def content(number: int) -> Content:
    return Content(number, f"{number:064d}")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Started], list[World]]:
    """Operations on three places and their quarantine, with the world before the first act and after each."""
    world: World = {Place("r", name): content(n) for n, name in enumerate("abc")}
    worlds, started, number = [dict(world)], [], 1
    for op in range(draw(st.integers(1, 5))):
        acts = []
        for _ in range(draw(st.integers(1, 3))):
            place = Place("r", draw(st.sampled_from("abc")))
            now = world.get(place)
            assert now is None or isinstance(now, Content)
            kind = draw(st.sampled_from(["write", "move"]))
            if kind == "move" and now is not None:
                to = Place("r", f"q{number}")
                acts.append(Act("move", place, now, None, STAMP, to=to))
                world[to], world[place] = now, None
            else:
                after = content(100 + number)
                old = "eJwDAAAAAAE=" if now is not None else None
                acts.append(Act("write", place, now, after, STAMP if now is not None else None, old))
                world[place] = after
            worlds.append(dict(world))
            number += 1
        started.append(Started(f"op{op}", number - len(acts), tuple(acts)))
    return started, worlds


def go_back(started: list[Started], world: World) -> dict[str, str]:
    """Take the steps as the store does."""
    way = plan_undo(started, world.get)
    for step in way.steps:
        for place, before, _ in step.act.transitions():
            world[place] = before
    return way.refused


def there(world: World) -> World:
    return {place: state for place, state in world.items() if state is not None}


@settings(max_examples=100)
@given(histories(), st.data())
def test_from_wherever_an_apply_or_an_undo_was_stopped_it_leads_to_the_first_state(
    history: tuple[list[Started], list[World]], data: st.DataObject,
) -> None:
    started, worlds = history
    reached = data.draw(st.integers(0, len(worlds) - 1))
    journaled = [one for one in started if one.number <= reached + 1]
    world = dict(worlds[reached])
    assert go_back(journaled, world) == {}
    assert there(world) == there(worlds[0])
    assert plan_undo(journaled, world.get).steps == [], "once is enough"


@settings(max_examples=60)
@given(histories(), st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=4))
def test_an_undo_that_is_stopped_or_fails_here_and_there_again_and_again_is_finished_by_the_last(
    history: tuple[list[Started], list[World]], tries: list[tuple[int, int]],
) -> None:
    """As `store/way_back.py` goes: what needs no step is noted first; what fails holds what lies below on the same files."""
    standing, worlds = list(history[0]), history[1]
    world = dict(worlds[-1])
    for events, failing in [*tries, (10_000, 99)]:
        way = plan_undo(standing, world.get)
        assert way.refused == {}
        left = [step.op for step in way.steps]
        undone, held, failed = {one.op for one in standing[::-1] if one.op not in left}, set(), set()
        for number, step in enumerate(way.steps[:events]):
            places = {place for place, _, _ in step.act.transitions()}
            if step.op == f"op{failing}" or step.op in failed or places & held:
                failed.add(step.op)
                held |= {place for one in standing if one.op == step.op for act in one.acts for place, _, _ in act.transitions()}
                continue
            world.update((place, before) for place, before, _ in step.act.transitions())
            if step.op not in left[number + 1:] and number + 1 < events:
                undone.add(step.op)
        standing = [one for one in standing if one.op not in undone]
    assert there(world) == there(worlds[0]) and standing == []


@settings(max_examples=100)
@given(histories(), st.sampled_from("abc"))
def test_what_others_changed_is_never_touched(history: tuple[list[Started], list[World]], name: str) -> None:
    started, worlds = history
    world, place = dict(worlds[-1]), Place("r", name)
    world[place] = content(999)
    refused = go_back(started, world)
    assert world[place] == content(999)
    touching = {one.op for one in started for act in one.acts if place in [changed for changed, _, _ in act.transitions()]}
    assert touching <= set(refused)


@given(histories())
def test_an_act_comes_back_from_the_journal_as_it_was(history: tuple[list[Started], list[World]]) -> None:
    for act in (act for one in history[0] for act in one.acts):
        assert parse_act(act.to_json()) == act


def test_both_names_of_a_move_lead_back() -> None:
    place, to = Place("r", "a"), Place("r", "q")
    started = [Started("x", 1, (Act("move", place, content(1), None, STAMP, to=to),))]
    way = plan_undo(started, lambda one: content(1))
    assert len(way.steps) == 1 and way.refused == {}


def test_a_purged_file_is_named_with_its_day() -> None:
    started = [Started("x", 1, (Act("move", Place("r", "a"), content(1), None, STAMP, to=Place("r", "q")),))]
    assert plan_undo(started, lambda one: None, "2026-01-02T03:04:05.000Z").refused == {
        "x": "r: a cannot come back: it was purged at 2026-01-02T03:04:05.000Z"
    }
