"""What is to come after a press of Generate: a recipe by name, or stages that a program sent; checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.store.layout import Layout

if TYPE_CHECKING:
    from lib_sdpipe.pipeline.records import Stage
    from lib_sdpipe.record.facts import Json

# What the accordion shows for nothing.
NOTHING = "none"


@dataclass(frozen=True)
class Then:
    """`faults` are sentences on why nothing, or not all of it, will come."""

    stages: tuple[Stage, ...] = ()
    recipe: str | None = None
    faults: tuple[str, ...] = ()

    def to_json(self) -> Json:
        return {"recipe": self.recipe, "stages": [stage.to_json() for stage in self.stages]}


def read_then(choice: Any, layout: Layout) -> Then:
    """A recipe's name, `{"recipe": name}` or `{"stages": [...]}`; raises nothing.

    A recipe that begins with txt2img goes on after it: the press itself is that stage.
    """
    if choice in ("", NOTHING, None):
        return Then()
    try:
        name, stages = _read(choice, layout)
    except (SdPipeError, OSError) as fault:
        return Then(faults=(f"Nothing came after the generation: {fault}.",))
    after = stages[1:] if stages[0].stage == "txt2img" else stages
    if not after:
        return Then(recipe=name, faults=("Nothing came after the generation: the recipe has no stage but txt2img, which it was itself.",))
    return Then(tuple(after), name)


def _read(choice: Any, layout: Layout) -> tuple[str | None, list[Stage]]:
    # Not needed by a generation that nothing comes after, and the host's start waits for this module.
    from lib_sdpipe.errors import UsageError
    from lib_sdpipe.pipeline.recipes import check_stages, read_recipe
    from lib_sdpipe.workspace.recipes import open_recipe
    from lib_sdpipe.workspace.workspace import Workspace

    name = choice if isinstance(choice, str) else choice.get("recipe")
    if isinstance(name, str):
        opened = open_recipe(Workspace(layout), name)
        if opened.recipe is None or opened.faults:
            raise UsageError(f"the recipe {name!r} cannot be run: {'; '.join(opened.faults)}")
        return name, opened.recipe.stages
    if set(choice) != {"stages"}:
        raise UsageError("“then” is a recipe's name, or an object with its stages")
    stages = read_recipe({"stages": choice["stages"]}, "“then”").stages
    if faults := check_stages(stages):
        raise UsageError("; ".join(faults))
    return None, stages
