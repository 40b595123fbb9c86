"""A plan file as it comes in: a person may have edited it, so nothing in it is believed. Pure; paths are judged by their words only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.reconcile.acts import Content, Place

PLAN_SCHEMA = "sdpipe.plan/1"
RUNS_ROOT = "runs"
# Of our own, below a root or the runs folder; a plan never names what lies in them.
OWN_FOLDERS = (".sdpipe", ".sdpipe-quarantine")
_WRITES = {"json", "quarantine", "quarantine_also", "restore_from", "infotext"}
_EDIT_KEYS = {"file", "expects", "document", "set", "append", "merge", "quarantine"}


@dataclass(frozen=True)
class Expected:
    """A file that must be there; None is not asked."""

    bytes: int | None
    sha256: str | None

    def holds(self, content: Content) -> bool:
        return self.bytes in (None, content.bytes) and self.sha256 in (None, content.sha256)


@dataclass(frozen=True)
class Merged:
    """Objects whose fields go into those objects of a list that have the same value in `by`; one that has none is left out."""

    by: str
    items: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Edit:
    """One JSON file of ours: a whole new `document`, or fields to `set`, list items to `append` and to `merge`.

    `expects` None: it must not exist.
    """

    file: str
    expects: Expected | None
    document: dict[str, Any] | None
    set: dict[str, Any]
    append: dict[str, list[Any]]
    merge: dict[str, Merged]
    quarantine: bool

    @property
    def is_whole(self) -> bool:
        return self.document is not None or self.quarantine


@dataclass(frozen=True)
class Operation:
    """One operation; what it does stands in the last five. `has_infotext` with `infotext` None: the text is to be taken out.

    `also`: further files that are set aside with the first; one of them that is gone by now is no reason to refuse.
    """

    id: str
    place: Place | None
    run_id: str | None
    name: str | None
    expects: Expected | None
    edits: tuple[Edit, ...]
    quarantine: bool
    also: tuple[tuple[Place, Expected], ...]
    restore: tuple[Place, Content] | None
    has_infotext: bool
    infotext: str | None

    @property
    def writes_file(self) -> bool:
        """Whether the file at `place` itself is changed or moved."""
        return self.quarantine or self.restore is not None or self.has_infotext


@dataclass(frozen=True)
class Plan:
    """`library` is the id of the library it was made for, None for one without a library.json."""

    plan_id: str
    library: str | None
    operations: tuple[Operation, ...]


def parse_plan(document: dict[str, Any]) -> Plan:
    """Raises UsageError, naming the operation and what is wrong with it."""
    if document.get("schema") != PLAN_SCHEMA:
        raise UsageError(f"its schema is {document.get('schema')!r}, this version applies {PLAN_SCHEMA!r}")
    plan_id, library, operations = document.get("plan_id"), document.get("library"), document.get("operations")
    if not isinstance(plan_id, str) or not plan_id or not (library is None or isinstance(library, str)) or not isinstance(operations, list):
        raise UsageError("a plan has a plan_id, the library's id and a list of operations")
    parsed, ids = [], set()
    for number, operation in enumerate(operations, start=1):
        name = operation.get("id") if isinstance(operation, dict) else None
        if not isinstance(name, str) or not name or name in ids:
            raise UsageError(f"operation {number} has no id of its own")
        ids.add(name)
        try:
            parsed.append(_parse_operation(operation))
        except (UsageError, KeyError, TypeError, ValueError) as fault:
            reason = f"{fault} is missing" if isinstance(fault, KeyError) else fault
            raise UsageError(f"operation {name}: {reason}") from fault
    _refuse_conflicts(parsed)
    return Plan(plan_id, library, tuple(parsed))


def is_confined(path: str) -> bool:
    """Whether a relative path stays below its root and out of our own folders, by its words alone."""
    parts = path.split("/")
    return not ("\0" in path or any(part in ("", ".", "..") or part.lower() in OWN_FOLDERS for part in parts))


def is_record_file(path: str) -> bool:
    """Whether it is a JSON file inside a run folder."""
    parts = path.split("/")
    return is_confined(path) and len(parts) > 1 and is_run_id(parts[0]) and path.endswith(".json")


def _parse_operation(document: dict[str, Any]) -> Operation:
    path, writes = document["path"], document["writes"]
    place = _parse_place(document) if path is not None else None
    if not isinstance(writes, dict) or set(writes) - _WRITES:
        raise UsageError(f"its writes may hold {', '.join(sorted(_WRITES))} and nothing else")
    restore = _parse_restore(writes["restore_from"]) if writes.get("restore_from") is not None else None
    infotext = writes.get("infotext")
    if infotext is not None and not isinstance(infotext, str):
        raise UsageError("infotext is text or null")
    operation = Operation(
        document["id"], place, _text(document.get("run_id")), _text(document.get("name")), _parse_expected(document["expects"]),
        tuple(_parse_edit(edit) for edit in writes.get("json", [])), _flag(writes),
        tuple(_parse_also(file) for file in writes.get("quarantine_also", [])), restore, "infotext" in writes, infotext,
    )
    if operation.quarantine + (restore is not None) + operation.has_infotext > 1:
        raise UsageError("quarantine, restore_from and infotext exclude each other")
    if operation.writes_file and place is None:
        raise UsageError("it changes a file and names none")
    if operation.also and not operation.quarantine:
        raise UsageError("quarantine_also goes with quarantine")
    return operation


def _parse_place(document: dict[str, Any]) -> Place:
    root, path = document["root"], document["path"]
    if not isinstance(path, str) or not (root is None or isinstance(root, str)):
        raise UsageError("root and path are text or null")
    if root is None:
        if "\0" in path or ".." in path.replace("\\", "/").split("/"):
            raise UsageError(f"{path!r} leads out of its folder")
    elif not is_confined(path) or (root == RUNS_ROOT and not is_run_id(path.split("/")[0])):
        raise UsageError(f"{path!r} leads out of root {root!r}, or to what no plan may touch")
    return Place(root, path)


def _parse_restore(document: Any) -> tuple[Place, Content]:
    size, sha256 = document["bytes"], document["sha256"]
    if not isinstance(size, int) or not isinstance(sha256, str):
        raise UsageError("restore_from must say bytes and sha256 of the copy")
    return _parse_place(document), Content(size, sha256)


def _parse_also(document: Any) -> tuple[Place, Expected]:
    expected = _parse_expected(document)
    if expected is None or expected.sha256 is None or document["path"] is None:
        raise UsageError("quarantine_also says root, path, bytes and sha256 of each file")
    return _parse_place(document), expected


def _parse_expected(document: Any) -> Expected | None:
    if document is None:
        return None
    size, sha256 = document["bytes"], document["sha256"]
    if not (size is None or isinstance(size, int)) or not (sha256 is None or isinstance(sha256, str)):
        raise UsageError("expects holds bytes and sha256, or is null")
    return Expected(size, sha256)


def _parse_edit(document: Any) -> Edit:
    file = document["file"]
    if set(document) - _EDIT_KEYS:
        raise UsageError(f"an edit may hold {', '.join(sorted(_EDIT_KEYS))} and nothing else")
    if not isinstance(file, str) or not is_record_file(file):
        raise UsageError(f"{file!r} is no JSON file inside a run folder")
    whole, fields, items = document.get("document"), document.get("set") or {}, document.get("append") or {}
    if not (whole is None or isinstance(whole, dict)) or not isinstance(fields, dict) or not isinstance(items, dict):
        raise UsageError(f"{file}: document, set and append are objects")
    if not all(isinstance(added, list) for added in items.values()):
        raise UsageError(f"{file}: append gives each field a list")
    merge = {name: _parse_merged(merged, file) for name, merged in (document.get("merge") or {}).items()}
    edit = Edit(file, _parse_expected(document["expects"]), whole, fields, items, merge, _flag(document))
    is_partial = bool(fields or items or merge)
    if edit.is_whole == is_partial or (edit.expects is None and (is_partial or edit.quarantine)):
        raise UsageError(f"{file}: an edit has a document, or changes (set, append, merge) of a file that is there")
    return edit


def _parse_merged(document: Any, file: str) -> Merged:
    by, items = document["by"], document["items"]
    if not isinstance(by, str) or not isinstance(items, list) or not all(isinstance(item, dict) and by in item for item in items):
        raise UsageError(f"{file}: merge gives each field a `by` and the objects to merge")
    return Merged(by, tuple(items))


def _refuse_conflicts(operations: list[Operation]) -> None:
    """Each was planned for the file as it was: only changes of single fields go together."""
    whole: dict[Place, str] = {}
    partial: dict[Place, str] = {}
    for operation in operations:
        mine = [(operation.place, True)] if operation.writes_file else []
        mine += [(place, True) for place, _ in operation.also]
        mine += [(Place(RUNS_ROOT, edit.file), edit.is_whole) for edit in operation.edits]
        for place, is_whole in mine:
            other = whole.get(place) or (partial.get(place) if is_whole or partial.get(place) == operation.id else None)
            if other is not None:
                raise UsageError(f"operations {other} and {operation.id} both write {place}")
            (whole if is_whole else partial)[place] = operation.id


def _flag(document: dict[str, Any]) -> bool:
    value = document.get("quarantine", False)
    if not isinstance(value, bool):
        raise UsageError("quarantine is true or false")
    return value


def _text(value: Any) -> str | None:
    if not (value is None or isinstance(value, str)):
        raise UsageError("run_id and name are text or null")
    return value
