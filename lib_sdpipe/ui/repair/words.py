"""What the codes of findings and the operations of plans are called on the page, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.reconcile.adopt.adoption import COPIES, NO_INFOTEXT, OF_RECORDED_RUNS
from lib_sdpipe.ui.words import Status


@dataclass(frozen=True)
class CodeWords:
    title: str
    meaning: str


@dataclass(frozen=True)
class OperationWords:
    """`label` for a button, `meaning` of what it does, `done` as the heading of such operations in a plan."""

    label: str
    meaning: str
    done: str


CODE_WORDS: dict[str, CodeWords] = {
    "missing-image": CodeWords(
        "Missing images", "Their records are here, and their files are in none of the folders: deleted, or somewhere else."
    ),
    "moved-image": CodeWords("Moved images", "The file lies in another place with the same content. Its record can follow it."),
    "modified-image": CodeWords("Changed pictures", "The file is where it was recorded, and shows something else."),
    "retagged-image": CodeWords("Changed text", "The same picture, with another text or other data beside the pixels."),
    "stripped-image": CodeWords("Text removed", "The same picture, and the text with its settings is gone from the file."),
    "orphaned-image": CodeWords(
        "Images without a record", "Made before SDPipe was here, or put there by hand. Adopted, they become runs, by their own texts."
    ),
    "duplicated-image": CodeWords("Copies", "Further files with the very same content, that no record names."),
    "unreadable-image": CodeWords("Damaged images", "Cut short, or no image at all."),
    "unlinked-manifest": CodeWords("Older records without a run", "They lie in a run's folder and do not say that they belong to it."),
    "conflicting-run-id": CodeWords("Records that name another run", "Folder, run file and record disagree about which run it is."),
    "unreadable-manifest": CodeWords("Damaged records", "The record of an image cannot be read."),
    "missing-run-file": CodeWords("Runs without a run file", "Their images are recorded, and what was asked for is not."),
    "unreadable-run-file": CodeWords("Damaged run files", "What is recorded of a run as a whole cannot be read."),
    "incomplete-run": CodeWords("Run files that do not fit", "They list other images than there are records of."),
    "unfinished-run": CodeWords("Runs that never ended", "They say that they are running, and the program that made them is gone."),
    "newer-schema": CodeWords("Written by a later version", "Nothing is ever done to these. A newer SDPipe reads them."),
    "unavailable-root": CodeWords("Folders that are away", "A disk or share is offline. Nothing in it is called missing meanwhile."),
}

OPERATION_WORDS: dict[str, OperationWords] = {
    "relink": OperationWords("Relink", "The record gets the right place, or the right run.", "Records relinked"),
    "mark-lost": OperationWords(
        "Mark as lost", "The record stays and says that its image is gone; it is not reported again.", "Images marked as lost"
    ),
    "accept": OperationWords(
        "Accept", "The record takes over what the file is now; what it was stays in its history.", "Files accepted as they are"
    ),
    "restore": OperationWords(
        "Restore", "A whole copy takes the file's place; the file itself is set aside.", "Files restored from a copy"
    ),
    "write-infotext": OperationWords(
        "Write the text back", "The recorded text goes back into the file; its pixels stay as they are.", "Texts written back into files"
    ),
    "adopt": OperationWords(
        "Adopt", "A run is made of them, with a record for each image; the files are not touched.", "Runs made of older images"
    ),
    "quarantine": OperationWords("Set aside", "The files are moved into the quarantine, where undo finds them.", "Files set aside"),
    "cull": OperationWords("Move to the bin", "The image lies in the bin; its record stays and says so.", "Images moved to the bin"),
    "backfill": OperationWords("Fill in the run", "The record learns the run in whose folder it lies.", "Records that learn their run"),
    "rebuild-manifest": OperationWords(
        "Rebuild", "The record is written anew from the run file and the image; the broken one is set aside.", "Records written anew"
    ),
    "rebuild-run": OperationWords("Rebuild", "The run file is written anew from the records of its images.", "Run files written anew"),
    "close-run": OperationWords("Close", "The run is marked as ended when its last image was made.", "Runs closed"),
}

SKIPPED_WORDS = {
    NO_INFOTEXT: "without the text of any generator",
    COPIES: "copies of others",
    OF_RECORDED_RUNS: "of runs that are recorded, by the Run ID in their text",
}

LEVELS = {"error": Status("error", "!", "To mend"), "notice": Status("notice", "i", "To know")}
# States of past repairs.
STATES = {
    "applied": Status("completed", "✓", "Done"),
    "stopped": Status("interrupted", "■", "Stopped half way"),
    "undone": Status("unknown", "↩", "Undone"),
    "unreadable": Status("unreadable", "!", "Its journal cannot be read"),
}
# What a piece of long work is at.
PHASES = {
    "runs": "Looking at the runs", "reading": "Reading images", "deep": "Reading every byte", "planning": "Planning",
    "checking": "Looking at what is to be done", "applying": "Repairing", "undoing": "Putting back", "indexed": "Indexing",
}


def describe_phase(phase: str) -> str:
    """While folders are looked at, the phase is the name of their root."""
    return PHASES.get(phase) or ("Looking at folder" if phase else "Beginning")
