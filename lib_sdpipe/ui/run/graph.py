"""How a run's images came to be, as steps and links: from its manifests, and from what later runs made of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from lib_sdpipe.index.children import Child
from lib_sdpipe.manifest.records import Json, Manifest, StageEntry
from lib_sdpipe.ui.run.links import is_input_digest, read_links

IMAGE, GRID, COMPANION = "image", "grid", "companion"
UNSAVED, ELSEWHERE, LATER, INPUT, FOLD, UNSEEN = "unsaved", "elsewhere", "later", "input", "fold", "unseen"
MADE, MEMBER, BESIDE = "made", "member", "beside"
# Earlier stages of one image: a chain of img2img can be as long as somebody's patience.
MOST_STAGES = 12
_COMPANIONS = {"mask", "mask-composite", "preview", "init"}

Key = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One picture on the way. `name` is None for what was never saved; `digest` names an input picture; `count` is a fold's.

    `is_lost`: it lies in the bin, or is marked as lost.
    """

    key: Key
    kind: str
    run_id: str | None = None
    name: str | None = None
    stage: str | None = None
    role: str | None = None
    seed: int | None = None
    digest: str | None = None
    count: int = 0
    is_lost: bool = False
    has_file: bool = True


@dataclass(frozen=True)
class Link:
    """`end` was made of `start`, or `start` is a member of the grid `end`, or `end` was saved beside `start`."""

    start: Key
    end: Key
    kind: str = MADE
    evidence: str | None = None


@dataclass
class Graph:
    """Steps in the order of the manifests; what other runs have comes where it is first named."""

    steps: dict[Key, Step] = field(default_factory=dict)
    links: dict[tuple[Key, Key], Link] = field(default_factory=dict)
    _before: dict[tuple[Key, str], list[Key]] = field(default_factory=dict)
    _after: dict[tuple[Key, str], list[Key]] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        self.steps.setdefault(step.key, step)

    def link(self, link: Link) -> None:
        ends = link.start, link.end
        if link.start == link.end or ends in self.links or (link.end, link.start) in self.links:
            return
        self.links[ends] = link
        self._before.setdefault((link.end, link.kind), []).append(link.start)
        self._after.setdefault((link.start, link.kind), []).append(link.end)

    def hide_runs(self, is_seen: Callable[[str], bool]) -> None:
        """Of a run that whoever looks may not know of nothing stays but that there is a step."""
        known: dict[str, bool] = {}
        for key, step in self.steps.items():
            if step.kind in (ELSEWHERE, LATER) and step.run_id:
                if not known.setdefault(step.run_id, is_seen(step.run_id)):
                    self.steps[key] = Step(key, UNSEEN, stage=step.stage, role=step.role)

    def images_of_others(self) -> list[tuple[str, str]]:
        """(run id, name) of steps that are recorded in other runs."""
        steps = (step for step in self.steps.values() if step.kind in (ELSEWHERE, LATER))
        return [(step.run_id, step.name) for step in steps if step.run_id and step.name]

    def note_lost(self, images: set[tuple[str, str]]) -> None:
        """These (run id, name) lie in the bin, or are marked as lost."""
        for key, step in self.steps.items():
            if step.run_id and step.name and (step.run_id, step.name) in images:
                self.steps[key] = replace(step, is_lost=True)

    def before(self, key: Key, kind: str = MADE) -> list[Key]:
        return self._before.get((key, kind), [])

    def after(self, key: Key, kind: str = MADE) -> list[Key]:
        return self._after.get((key, kind), [])


def image_key(run_id: str | None, name: str | None) -> Key:
    return "image", run_id or "", name or ""


def build_graph(manifests: list[Manifest], run_id: str, children: Iterable[Child] = ()) -> Graph:
    """The whole run's, not folded yet."""
    graph = Graph()
    named = [manifest for manifest in manifests if manifest.name]
    for manifest in named:
        graph.add(_own_step(manifest, run_id))
    for manifest in named:
        _add_chain(graph, manifest, run_id)
    own = {step.key for step in graph.steps.values() if step.kind in (IMAGE, GRID, COMPANION)}
    for manifest in named:
        for member in read_links(manifest.members, run_id):
            if (key := image_key(member.run_id, member.name)) in own:
                graph.link(Link(key, image_key(run_id, manifest.name), MEMBER))
    _add_companions(graph, named, run_id)
    for child in children:
        parent = image_key(run_id, child.parent_name)
        if parent in own:
            key = image_key(child.run_id, child.name)
            graph.add(Step(key, LATER, child.run_id, child.name, child.stage, child.role, child.actual_seed))
            graph.link(Link(parent, key))
    return graph


def _own_step(manifest: Manifest, run_id: str) -> Step:
    kind = GRID if manifest.stage == "grid" else COMPANION if manifest.role in _COMPANIONS else IMAGE
    is_lost, is_unsaved = manifest.lost_at is not None, manifest.path is None and manifest.kept is None
    key = image_key(run_id, manifest.name)
    return Step(
        key, kind, run_id, manifest.name, manifest.stage, manifest.role, manifest.actual_seed, is_lost=is_lost,
        has_file=not (is_lost or is_unsaved),
    )


def _add_chain(graph: Graph, manifest: Manifest, run_id: str) -> None:
    """The earlier stages of one image, each made of the one before."""
    following = image_key(run_id, manifest.name)
    seen = {following}
    parent = manifest.parent
    for step in reversed(list(_iter_earlier(manifest, run_id))):
        step = step if step.key else replace(step, key=("before", *following))
        if step.key in seen:
            continue  # a damaged record may name an image as its own ancestor
        seen.add(step.key)
        graph.add(step)
        is_parent = parent is not None and step.name is not None and (step.run_id, step.name) == (parent.run_id or run_id, parent.name)
        graph.link(Link(step.key, following, MADE, parent.by if parent is not None and is_parent else None))
        following = step.key


def _iter_earlier(manifest: Manifest, run_id: str) -> Iterator[Step]:
    """From the oldest on; an unnamed step that nothing tells apart has no key yet."""
    entries = manifest.stage_history[-MOST_STAGES:]
    steps = [_earlier_step(entry, run_id) for entry in entries]
    parent = manifest.parent
    if parent is not None and parent.name and not any((step.run_id, step.name) == (parent.run_id, parent.name) for step in steps):
        place = sum(1 for entry in entries if entry.run_id not in (None, run_id))
        steps.insert(place, _recorded_step(parent.run_id or run_id, parent.name, run_id))
    if not any(step.kind == ELSEWHERE for step in steps) and (parent is None or not parent.name):
        yield from _input_steps(manifest.config, run_id)
    yield from steps


def _earlier_step(entry: StageEntry, run_id: str) -> Step:
    if entry.name:
        step = _recorded_step(entry.run_id or run_id, entry.name, run_id)
        return replace(step, stage=entry.stage, role=entry.role, seed=entry.actual_seed)
    key = ("pixels", entry.run_id or run_id, entry.pixel_sha256) if entry.pixel_sha256 else ()
    return Step(key, UNSAVED, entry.run_id, None, entry.stage, entry.role, entry.actual_seed)


def _recorded_step(of_run: str, name: str, run_id: str) -> Step:
    stage = name.rsplit("_", 1)[0]
    return Step(image_key(of_run, name), IMAGE if of_run == run_id else ELSEWHERE, of_run, name, stage)


def _input_steps(config: Json, run_id: str) -> Iterator[Step]:
    """The picture that went in, where no recorded image is known to be it."""
    given = config.get("init_images")
    picture = given[0] if isinstance(given, list) and given else config.get("image")
    if not isinstance(picture, dict):
        return
    digest, link = picture.get("$input"), picture.get("$image")
    if is_input_digest(digest):
        yield Step(("input", digest), INPUT, digest=digest)
    for found in read_links([link], run_id) if isinstance(link, dict) else ():
        if found.run_id and found.name:
            yield _recorded_step(found.run_id, found.name, run_id)


def _add_companions(graph: Graph, manifests: list[Manifest], run_id: str) -> None:
    """Masks and previews beside the image of the same place in the batches; an input that the host saved before it."""
    images = {_place(m): m.name for m in manifests if graph.steps[image_key(run_id, m.name)].kind == IMAGE and m.batch is not None}
    for manifest in manifests:
        key = image_key(run_id, manifest.name)
        if graph.steps[key].kind != COMPANION or (name := images.get(_place(manifest))) is None:
            continue
        if manifest.role == "init":
            graph.link(Link(key, image_key(run_id, name), BESIDE))
        else:
            graph.link(Link(image_key(run_id, name), key, BESIDE))


def _place(manifest: Manifest) -> tuple[int | None, int | None] | None:
    return (manifest.batch.iteration, manifest.batch.index) if manifest.batch is not None else None
