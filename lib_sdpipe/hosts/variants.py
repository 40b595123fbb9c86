"""Which of a script's many images a pass makes: what X/Y/Z plot, prompts from file and others vary, by name and value."""

from __future__ import annotations

import os
from typing import Any, Callable

from lib_sdpipe.hosts.call_stack import find_first_locals
from lib_sdpipe.hosts.plain_values import plain_value
from lib_sdpipe.record.facts import Json, Variant

Locals = dict[str, Any]


def read_variant(pass_number: int) -> Variant | None:
    """Asked as a pass begins, on the host's thread; None where no script we know makes it."""
    found = find_first_locals(_SCRIPTS)
    return _SCRIPTS[found[0]](found[1], pass_number) if found is not None else None


def _read_cell(cell: Locals, pass_number: int) -> Variant:
    """X/Y/Z plot, inside its function for one cell: the axes and this cell's place on each."""
    values: Json = {}
    for axis in ("x", "y", "z"):
        label = getattr(cell.get(f"{axis}_opt"), "label", None)
        if isinstance(label, str) and label != "Nothing":
            values[label if label not in values else f"{label} ({axis.upper()})"] = plain_value(cell.get(axis))
    return Variant(pass_number, values)


def _read_line(script: Locals, pass_number: int) -> Variant:
    jobs, current = script.get("jobs") or [], script.get("args")
    line = next((number for number, job in enumerate(jobs) if job is current), pass_number)
    values = current if isinstance(current, dict) else {}
    return Variant(line, {"line": line + 1, **{str(key): plain_value(value) for key, value in values.items()}})


def _read_loop(script: Locals, pass_number: int) -> Variant:
    return Variant(pass_number, {"loop": int(script.get("i") or 0) + 1})


def _read_matrix(script: Locals, pass_number: int) -> Variant:
    prompts = script.get("all_prompts") or []
    return Variant(pass_number, {}, tuple({"prompt": prompt} for prompt in prompts if isinstance(prompt, str)))


def _read_batch_file(batch: Locals, pass_number: int) -> Variant:
    """img2img's batch tab: one pass per file of a folder or an upload."""
    image = batch.get("image")
    return Variant(pass_number, {"file": os.path.basename(image)} if isinstance(image, str) else {})


# By file and function.
_SCRIPTS: dict[tuple[str, str], Callable[[Locals, int], Variant]] = {
    ("xyz_grid.py", "cell"): _read_cell,
    ("prompts_from_file.py", "run"): _read_line,
    ("prompt_matrix.py", "run"): _read_matrix,
    ("loopback.py", "run"): _read_loop,
    ("img2img.py", "process_batch"): _read_batch_file,
}
