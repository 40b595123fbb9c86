"""What a script varies is read from the script's own variables, in files named as the hosts name them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lib_sdpipe.hosts.variants import read_variant


def run_in(file: str, source: str, **names: Any) -> Any:
    """Execute `source`, which sets `result`, as if it stood in `file`."""
    scope: dict[str, Any] = {"read_variant": read_variant, **names}
    exec(compile(source, f"/webui/scripts/{file}", "exec"), scope)
    return scope["result"]


def axis(label: str) -> SimpleNamespace:
    return SimpleNamespace(label=label)


XYZ = """
def draw(x_opt, y_opt, z_opt):
    def cell(x, y, z, ix, iy, iz):
        x_opt, y_opt, z_opt
        return read_variant(3)
    return cell(20, "Euler a", 0, 0, 0, 0)
result = draw(x_opt, y_opt, z_opt)
"""


def test_a_cell_of_an_xyz_plot_knows_its_place_on_each_axis() -> None:
    variant = run_in("xyz_grid.py", XYZ, x_opt=axis("Steps"), y_opt=axis("Sampler"), z_opt=axis("Nothing"))
    assert variant.of_image(0) == {"pack": None, "row": 3, "index": 0, "values": {"Steps": 20, "Sampler": "Euler a"}}


def test_two_axes_of_one_name_keep_both_values() -> None:
    variant = run_in("xyz_grid.py", XYZ, x_opt=axis("Prompt S/R"), y_opt=axis("Prompt S/R"), z_opt=axis("Nothing"))
    assert variant.values == {"Prompt S/R": 20, "Prompt S/R (Y)": "Euler a"}


@pytest.mark.parametrize(("file", "source", "values"), [
    ("prompts_from_file.py", "def run(jobs, args):\n return read_variant(1)\njobs = [{'prompt': 'cat'}, {'prompt': 'dog', 'steps': 4}]\n"
     "result = run(jobs, jobs[1])", {"line": 2, "prompt": "dog", "steps": 4}),
    ("loopback.py", "def run(n, i):\n return read_variant(2)\nresult = run(0, 2)", {"loop": 3}),
    ("img2img.py", "def process_batch(image):\n return read_variant(0)\nresult = process_batch('/pictures/a b.png')", {"file": "a b.png"}),
])
def test_lines_loops_and_files_are_told_apart(file: str, source: str, values: dict[str, Any]) -> None:
    assert run_in(file, source).values == values


def test_each_image_of_a_prompt_matrix_has_its_own_prompt() -> None:
    variant = run_in("prompt_matrix.py", "def run(all_prompts):\n return read_variant(0)\nresult = run(['cat', 'cat, red'])")
    assert [variant.of_image(place)["values"] for place in range(3)] == [{"prompt": "cat"}, {"prompt": "cat, red"}, {}]


def test_a_pass_that_no_known_script_makes_varies_nothing() -> None:
    assert read_variant(0) is None
    assert run_in("another.py", "def run(jobs):\n return read_variant(0)\nresult = run([])") is None
