"""Docs say what the code does: labels, verbs, fields, words, commands, links. A row that is missing or too many fails here."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe import __version__
from lib_sdpipe.cli.commands import VERBS
from lib_sdpipe.cli.main import _build_parser
from lib_sdpipe.manifest import records
from lib_sdpipe.record.facts import RunOptions

REPOSITORY = Path(__file__).resolve().parents[1]
README = REPOSITORY / "README.md"
FORMATS = REPOSITORY / "docs" / "formats.md"
COMMAND_LINE = REPOSITORY / "docs" / "command-line.md"
RECORDING = REPOSITORY / "docs" / "recording.md"
API = REPOSITORY / "docs" / "api.md"
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
LARGEST_IMAGE = 250_000

# Fields that formats.md has in a table of their own, by heading.
RECORDS: dict[str, type[records.Record]] = {
    "run_metadata.json": records.Run,
    "process": records.ProcessMark,
    "images": records.ImageCounts,
    "error": records.RunError,
    "parent of a run": records.ImageLink,
    "replay": records.Replay,
    "manifests/NAME.json": records.Manifest,
    "batch": records.Batch,
    "image": records.ImageFacts,
    "An entry of stage_history": records.StageEntry,
}
# Keys that the code adds beside the fields of a record.
BESIDE_FIELDS: dict[str, tuple[type[records.Record], set[str]]] = {
    "An entry of stage_outputs": (records.StageOutput, {"role"}),
    "parent of a manifest": (records.ParentLink, {"also"}),
}
# Absolute paths of one computer (/home/me is everybody's), notes that are not part of this repository, and how a text came about.
FORBIDDEN = re.compile(
    r"(?<![\w.~])/(work|opt|root|tmp|home(?!/me/)|srv|mnt)/|\b(DESIGN|HOSTS|STYLE|PEERS)(\.md|\s§)"
    r"|\b[Cc]hatbot|\b[Ll]anguage model|\b[Cc]oding a(gent|ssistant)"
)

Table = list[list[str]]


def read_tables(page: Path) -> dict[str, Table]:
    """The rows of each heading's tables, without their own headings; backticks and stars are taken off headings and cells."""
    tables: dict[str, Table] = {}
    heading = ""
    for line in iter_prose(page):
        if match := re.match(r"#+ (.+)", line):
            heading = _plain(match.group(1))
        elif line.startswith("|"):
            tables.setdefault(heading, []).append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
    return {heading: [row for row in rows[1:] if not set(row[0]) <= set("-: ")] for heading, rows in tables.items()}


def iter_prose(page: Path) -> Iterator[str]:
    """The lines outside code blocks."""
    is_code = False
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield line


def iter_code_blocks(page: Path) -> Iterator[str]:
    yield from re.findall(r"^```\w*\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)


def _plain(text: str) -> str:
    return text.replace("`", "").replace("*", "").strip()


def first_cells(page: Path, heading: str) -> list[str]:
    return [_plain(row[0]) for row in read_tables(page)[heading]]


def read_assignment(place: str, name: str) -> Any:
    """The value that a module of the host's side gives to a name, as syntax: it cannot be imported outside a WebUI."""
    for node in ast.parse((REPOSITORY / place).read_text("utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.value  # type: ignore[union-attr]
    raise AssertionError(f"{place} has no {name}")


def read_settings() -> dict[str, Any]:
    """Labels and defaults of the settings section; a default that is no plain value is Ellipsis."""
    options = read_assignment("lib_sdpipe/hosts/settings.py", "_OPTIONS")
    return {row.elts[1].value: row.elts[0].value if isinstance(row.elts[0], ast.Constant) else ... for row in options.values}


def describe_default(value: Any) -> str:
    return {True: "on", False: "off", "": "empty"}[value]


def test_every_setting_is_in_the_readme_with_its_default() -> None:
    settings = read_settings()
    rows = {_plain(row[0]): row[1] for row in read_tables(README)["Settings"]}
    assert list(rows) == list(settings)
    for label, default in settings.items():
        assert default is ... or rows[label] == describe_default(default), label


def test_every_choice_of_the_accordion_is_in_the_readme_with_its_default() -> None:
    controls = read_assignment("lib_sdpipe/ui/panel.py", "_CONTROLS")
    labels = {control.elts[0].value: control.elts[1].value for control in controls.elts} | {"label": "Label", "then": "Then"}
    rows = [(_plain(row[0]), row[1]) for row in read_tables(README)["The Runs accordion"]]
    assert rows == [(label, describe_default(getattr(RunOptions(), name))) for name, label in labels.items()]


def test_the_api_example_names_every_key_with_its_default() -> None:
    (example,) = [json.loads(block) for block in iter_code_blocks(API) if "alwayson_scripts" in block]
    (argument,) = example["alwayson_scripts"]["SDPipe"]["args"]
    assert RunOptions(**argument) == RunOptions() and list(argument) == list(RunOptions.__dataclass_fields__)


def test_every_verb_is_on_its_page_with_its_options() -> None:
    rows = {_plain(row[0]): row[2] for row in read_tables(COMMAND_LINE)["Command line"]}
    assert sorted(rows) == sorted(verb.NAME for verb in VERBS)
    for verb in VERBS:
        parser = argparse.ArgumentParser(add_help=False)
        verb.add_arguments(parser)
        known = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
        assert set(re.findall(r"--[\w-]+", rows[verb.NAME])) == known, verb.NAME


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every line of a code block that calls us parses; every file of ours that is called is there."""
    for line in "\n".join(iter_code_blocks(page)).splitlines():
        words = shlex.split(line) if re.search(r"(?:^|\s)\S*python3? ", line) else []
        words = words[next((number for number, word in enumerate(words) if re.fullmatch(r"\S*python3?", word)), len(words)) + 1:]
        if not words:
            continue
        if words[0] == "-m":
            assert (REPOSITORY / words[1].replace(".", "/") / "__main__.py").is_file(), line
            continue
        assert (REPOSITORY / words[0]).is_file(), line
        if words[0].startswith("bench/"):
            source = (REPOSITORY / words[0]).read_text("utf-8")
            assert all(f'"{word}"' in source for word in words if word.startswith("--")), line
        elif words[1] == "test":
            assert all((REPOSITORY / word).exists() for word in words[2:] if not word.startswith("-")), line
        else:
            assert _build_parser().parse_args(words[1:]), line


@pytest.mark.parametrize("heading", [*RECORDS, *BESIDE_FIELDS])
def test_every_field_is_in_the_formats_in_schema_order(heading: str) -> None:
    kind, beside = BESIDE_FIELDS[heading] if heading in BESIDE_FIELDS else (RECORDS[heading], set())
    documented = first_cells(FORMATS, heading)
    fields = [field.alias for field in kind.__fields__.values()]
    assert [name for name in documented if name not in beside] == fields
    assert beside <= set(documented)


def test_every_record_has_its_table() -> None:
    shown = {*RECORDS.values(), *(kind for kind, _ in BESIDE_FIELDS.values())}
    kinds = {
        kind for kind in vars(records).values()
        if isinstance(kind, type) and issubclass(kind, records.Record) and kind is not records.Record
    }
    assert kinds == shown


@pytest.mark.parametrize(("heading", "words"), [
    ("Stages", records.STAGES), ("Roles", records.ROLES), ("Statuses", records.RUN_STATUSES),
])
def test_every_word_is_in_the_formats(heading: str, words: tuple[str, ...]) -> None:
    assert sorted(first_cells(FORMATS, heading)) == sorted(words)


def test_stages_and_roles_of_the_page_on_recording_exist() -> None:
    text = RECORDING.read_text("utf-8").split("## Stages and roles")[1].split("\n## ")[0]
    stages = first_cells(RECORDING, "Stages and roles")
    assert set(stages) == set(records.STAGES)
    assert {role for role in records.ROLES if f"`{role}`" in text} == set(records.ROLES)


def test_environment_fields_are_in_the_formats() -> None:
    tree = ast.parse((REPOSITORY / "lib_sdpipe/hosts/environment.py").read_text("utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    fields: set[str] = set()
    for name in ("read_environment", "_fixed_part"):
        (answer,) = [node.value for node in ast.walk(functions[name]) if isinstance(node, ast.Return)]
        assert isinstance(answer, ast.Dict)
        fields |= {key.value for key in answer.keys if isinstance(key, ast.Constant)}
    assert set(first_cells(FORMATS, "environments/")) == fields


def test_kinds_of_lines_are_in_the_formats() -> None:
    """Three are queued only: what `picture` carries cannot be written down, `copy` is found again by looking, `drop` tidies up."""
    place = "lib_sdpipe/record/completion.py"
    handled = set(re.findall(r'"(\w+)": self\._on_\w+', (REPOSITORY / place).read_text("utf-8")))
    assert set(first_cells(FORMATS, "The recording log")) == (handled - {"picture", "copy", "drop"}) | {"claim", "recovers"}


def test_the_changelog_has_this_version() -> None:
    assert f"## [{__version__}] - " in (REPOSITORY / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_images_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(iter_prose(page))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file() and REPOSITORY in file.parents, target
        assert not anchor or anchor in {_anchor(line) for line in iter_prose(file) if line.startswith("#")}, target


def _anchor(heading: str) -> str:
    """As code hosts make anchors of headings."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def test_images_are_small_and_used() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for image in sorted((REPOSITORY / "docs" / "images").iterdir()):
        assert image.suffix == ".png" and image.stat().st_size < LARGEST_IMAGE, image.name
        assert f"images/{image.name})" in text, f"{image.name} is on no page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """Code of ours that a page names in backticks, such as `lib_sdpipe/store/saved_file.py`."""
    for name in re.findall(r"`((?:lib_sdpipe|tests|scripts|bench|docs|\.ci)/[\w./!]*)`", page.read_text("utf-8")):
        assert "NAME" in name or (REPOSITORY / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_no_place_of_one_computer_and_no_outside_notes(page: Path) -> None:
    text = page.read_text("utf-8")
    found = FORBIDDEN.search(text)
    assert found is None, f"{page.name}: {text[max(0, found.start() - 30):found.end() + 30]!r}" if found else ""
