"""The house as DESIGN draws it: who may import whom, what is touched only where, how long things get.

An import inside a function counts like any other. Whoever adds a room adds it here.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "lib_sdpipe"

# From the ground up; a room imports only from floors below its own, and from itself.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("__init__", "errors", "pydantic_v1"),
    ("images", "manifest"),
    ("pipeline", "reconcile", "index"),
    ("store",),
    ("record", "workspace"),
    ("conduct",),
    ("hosts", "ui", "api", "cli"),
    ("__main__", "scripts/sdpipe", "standalone"),
    ("sandbox",),
)

# Single steps off those stairs, each for a reason; one that is no longer taken must leave this list.
STEPS_ASIDE: dict[tuple[str, str], str] = {
    ("cli/commands/demo", "sandbox"): "the verb that starts the sandbox; nothing else of the house knows of it",
    ("cli/commands/serve", "standalone"): "the verb that starts the page without a WebUI, as demo starts the sandbox",
}

# Outside packages, and the only places that may name them. The sandbox is a host: it names what hosts name.
ONLY_PLACES: dict[str, tuple[str, ...]] = {
    "modules": ("hosts/", "scripts/sdpipe", "sandbox/"),
    "modules_forge": ("hosts/", "scripts/sdpipe", "sandbox/"),
    "backend": ("hosts/", "sandbox/"),
    "launch": ("hosts/", "sandbox/"),
    "sqlite3": ("index/", "record/"),
    "gradio": ("ui/", "hosts/settings", "sandbox/"),
    "pydantic": ("pydantic_v1",),
    "fastapi": ("api/", "sandbox/"),
    "starlette": ("api/", "standalone/", "sandbox/"),
    "argparse": ("cli/", "sandbox/"),
    "torch": ("sandbox/",),
}
PURE = ("manifest/", "reconcile/", "pipeline/", "cli/render")
IMPURE_MODULES = {
    "asyncio", "glob", "http", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket", "sqlite3", "subprocess",
    "sys", "tempfile", "threading", "time", "urllib", "uuid",
}
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today"}

FILE_LINES = 300
FUNCTION_LINES = 60
# In this field a model is a checkpoint, and the others say nothing.
FORBIDDEN_NAMES = {
    "util", "utils", "helper", "helpers", "common", "misc", "tool", "tools", "manager", "model", "models", "handler", "backend", "logging",
}
SQL = re.compile(r"\b(SELECT\b.+\bFROM|INSERT (OR \w+ )?INTO|DELETE FROM|UPDATE \w+ SET|CREATE (UNIQUE )?(TABLE|INDEX)|PRAGMA \w)", re.S)


@dataclass(frozen=True, eq=False)
class Source:
    """A file of ours; `place` is its path without suffix, inside the package or from the repository."""

    place: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.place if self.place.startswith("scripts/") else self.place.split("/")[0]


@dataclass(frozen=True)
class Import:
    """`module` as a dotted path; `is_lazy` if it stands inside a function."""

    module: str
    line: int
    is_lazy: bool


@lru_cache(maxsize=1)
def read_sources() -> tuple[Source, ...]:
    """Every Python file of the extension and the package, the sandbox's imitation of a host included."""
    files = [*sorted(PACKAGE.rglob("*.py")), *sorted((REPOSITORY / "scripts").glob("*.py"))]
    found = []
    for path in files:
        base = PACKAGE if PACKAGE in path.parents else REPOSITORY
        found.append(Source(path.relative_to(base).with_suffix("").as_posix(), path, ast.parse(path.read_text("utf-8"), str(path))))
    return tuple(found)


@lru_cache(maxsize=None)
def iter_imports(source: Source) -> tuple[Import, ...]:
    return tuple(_find_imports(source))


def _find_imports(source: Source) -> Iterator[Import]:
    lazy = {id(inner) for function in iter_functions(source.tree) for inner in ast.walk(function)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, id(node) in lazy)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.place}:{node.lineno}: a relative import; say lib_sdpipe..."
            for alias in node.names:
                yield Import(f"{node.module}.{alias.name}", node.lineno, id(node) in lazy)


def iter_functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def room_of_import(module: str) -> str | None:
    """The room of ours that `module` lies in; None for other people's packages."""
    parts = module.split(".")
    if parts[0] != "lib_sdpipe":
        return None
    rooms = {room for floor in FLOORS for room in floor}
    return parts[1] if len(parts) > 1 and parts[1] in rooms else "__init__"


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def steps_taken() -> set[tuple[str, str, int]]:
    """(place, room, line) of every import that does not lead down."""
    taken = set()
    for source in read_sources():
        for found in iter_imports(source):
            target = room_of_import(found.module)
            if target is None or target == source.room:
                continue
            # The sandbox stands on top but is no part of the house: it touches nothing outside itself.
            if source.room == "sandbox" or floor_of(target) >= floor_of(source.room):
                taken.add((source.place, target, found.line))
    return taken


def test_every_file_lies_in_a_room_of_the_table() -> None:
    rooms = {room for floor in FLOORS for room in floor}
    assert {source.place for source in read_sources() if source.room not in rooms} == set()


def test_each_room_imports_only_from_the_floors_below() -> None:
    wrong = [f"{place}:{line} imports {room}" for place, room, line in sorted(steps_taken()) if (place, room) not in STEPS_ASIDE]
    assert wrong == []


def test_no_step_aside_is_listed_that_nobody_takes() -> None:
    assert set(STEPS_ASIDE) - {(place, room) for place, room, _ in steps_taken()} == set()


@pytest.mark.parametrize("package", ONLY_PLACES)
def test_a_package_is_named_only_in_its_places(package: str) -> None:
    wrong = [
        f"{source.place}:{found.line}" for source in read_sources() for found in iter_imports(source)
        if found.module.split(".")[0] == package and not source.place.startswith(ONLY_PLACES[package])
    ]
    assert wrong == []


def is_presenting(source: Source) -> bool:
    """What makes texts and HTML of records for the page."""
    return source.room == "ui" and source.place.rsplit("/", 1)[-1] in ("present", "markup", "words", "html_text")


def test_gradio_is_imported_lazily_by_the_settings_and_never_by_what_makes_texts() -> None:
    wrong = [
        f"{source.place}:{found.line}" for source in read_sources() for found in iter_imports(source)
        if found.module.split(".")[0] == "gradio"
        and (is_presenting(source) or source.place == "hosts/settings" and not found.is_lazy)
    ]
    assert wrong == []


def test_record_names_sqlite_only_to_catch_its_errors() -> None:
    wrong = [
        f"{source.place}:{node.lineno} uses sqlite3.{node.attr}" for source in read_sources() if source.room == "record"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sqlite3" and node.attr != "Error"
    ]
    assert wrong == []


def test_sql_is_written_only_in_the_index() -> None:
    wrong = [
        f"{source.place}:{node.lineno}" for source in read_sources() if source.room != "index"
        for node in ast.walk(source.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    ]
    assert wrong == []


def test_page_and_api_open_a_library_as_whoever_asks_may_see_it() -> None:
    """With "Each user sees own runs" a library that was opened in passing would show everything."""
    doors = {"ui/frame", "api/route"}
    wrong = [
        f"{source.place}:{node.lineno} calls {called_name(node)}" for source in read_sources() if source.room in ("ui", "api")
        for node in ast.walk(source.tree) if isinstance(node, ast.Call)
        and called_name(node) in ("Workspace", "RunStore", "Index", "open_index") and source.place not in doors
    ]
    assert wrong == []


def test_only_the_command_line_prints() -> None:
    wrong = [
        f"{source.place}:{node.lineno}" for source in read_sources() if source.room not in ("cli", "sandbox")
        for node in ast.walk(source.tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def test_pure_places_touch_nothing() -> None:
    wrong = []
    for source in read_sources():
        if not source.place.startswith(PURE) and not is_presenting(source):
            continue
        wrong += [f"{source.place}:{found.line} imports {found.module}" for found in iter_imports(source)
                  if found.module.split(".")[0] in IMPURE_MODULES]
        wrong += [f"{source.place}:{node.lineno} calls {called_name(node)}" for node in ast.walk(source.tree)
                  if isinstance(node, ast.Call) and called_name(node) in IMPURE_CALLS]
    assert wrong == []


def called_name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {source.place: len(source.path.read_text("utf-8").splitlines()) for source in read_sources()}
    assert {place: length for place, length in lengths.items() if length > FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{source.place}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for source in read_sources() for function in iter_functions(source.tree)
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    # The sandbox's host has the names of the host it imitates.
    places = [source.place for source in read_sources() if not source.place.startswith("sandbox/host/")]
    assert [place for place in places if set(place.split("/")) & FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [source.place for source in read_sources() if source.path.stat().st_size and not ast.get_docstring(source.tree)] == []


def test_every_module_can_be_imported_first() -> None:
    """No order of imports is needed: at the top of files, nobody imports in a circle."""
    modules = {"lib_sdpipe." + source.place.replace("/", ".").removesuffix(".__init__"): source for source in read_sources()}
    needed = {name: set(iter_needed(source, modules)) for name, source in modules.items()}
    while free := {name for name, others in needed.items() if not others & needed.keys()}:
        needed = {name: others for name, others in needed.items() if name not in free}
    while ends := needed.keys() - set().union(*needed.values()):
        needed = {name: others for name, others in needed.items() if name not in ends}
    assert sorted(needed) == [], "these import each other"


def iter_needed(source: Source, modules: dict[str, Source]) -> Iterator[str]:
    """Modules of ours that are loaded when this one is, their packages included."""
    own = "lib_sdpipe." + source.place.replace("/", ".").removesuffix(".__init__")
    for found in iter_imports(source):
        if not found.is_lazy and not _is_for_types(source, found.line):
            parts = found.module.split(".")
            names = (".".join(parts[:length]) for length in range(2, len(parts) + 1))
            yield from (name for name in names if name in modules and name != own and not own.startswith(f"{name}."))


def _is_for_types(source: Source, line: int) -> bool:
    blocks = (node for node in source.tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    return any(node.lineno <= line <= (node.end_lineno or 0) for node in blocks)


@pytest.mark.parametrize("package", ["gradio", "fastapi", "torch", "numpy", "modules", "lib_sdpipe.sandbox"])
def test_the_command_line_starts_without(package: str) -> None:
    assert package not in loaded_by_command_line()


@lru_cache(maxsize=1)
def loaded_by_command_line() -> frozenset[str]:
    code = "import lib_sdpipe.cli.main, sys; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True)
    return frozenset(answer.stdout.split())


def test_no_merge_left_its_marks() -> None:
    folders = ("lib_sdpipe", "scripts", "javascript", "localizations", "docs", "bench", "tests")
    files = [*REPOSITORY.glob("*.*"), *(file for folder in folders for file in (REPOSITORY / folder).rglob("*.*"))]
    kinds = (".py", ".js", ".css", ".json", ".md", ".toml", ".ini")
    texts = {file: file.read_bytes() for file in files if file.is_file() and file.suffix in kinds}
    assert [file.name for file, text in texts.items() if re.search(rb"^(<{7} |>{7} )", text, re.M)] == []
