"""A deep check reads every byte, keeps what it has read, and goes on where it was stopped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from lib_sdpipe.images import read as images_read
from lib_sdpipe.index.index import Index
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.store.library import Library
from lib_sdpipe.workspace import deep
from lib_sdpipe.workspace.check import Checker
from lib_sdpipe.workspace.deep import DeepProgress, DeepReader
from tests.reconcile.truth import DAMAGES, Truth

RUN = "20260102_030400_cats"


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    truth = Truth(tmp_path)
    truth.record(RUN, count=3, kept=True)
    return truth


def change_silently(file: Path, data: bytes) -> None:
    """As a disk does it: the size and the time stay."""
    stat = file.stat()
    assert len(data) == stat.st_size
    file.write_bytes(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def flip(file: Path, marker: bytes) -> None:
    """One wrong bit, in the part of a PNG of that name."""
    data = bytearray(file.read_bytes())
    data[data.index(marker) + 20] ^= 1
    change_silently(file, bytes(data))


def file_of(truth: Truth, number: int = 0) -> Path:
    return truth.outputs / (truth.manifests_now()[number].path or "")


def remove_kept(truth: Truth) -> None:
    for file in (truth.layout.runs / RUN / "txt2img").iterdir():
        file.unlink()


def codes(findings: list[Finding]) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.path) for finding in findings]


def test_a_deep_check_of_a_whole_library_finds_nothing(truth: Truth) -> None:
    assert truth.check(is_deep=True) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_a_check_finds_a_deep_one_finds_and_nothing_else(damage: object, truth: Truth) -> None:
    truth.record("20260102_030401_cats")
    damage(truth)  # type: ignore[operator]
    found = {(finding.code, finding.root, finding.path): finding.count for finding in truth.check(is_deep=True)}
    assert found == truth.expected


def test_a_flipped_bit_of_the_pixels_is_found_although_size_and_time_are_the_same(truth: Truth) -> None:
    truth.check()
    file = file_of(truth)
    flip(file, b"IDAT")
    assert truth.check() == [], "a check that reads nothing cannot know"
    (finding,) = truth.check(is_deep=True)
    assert finding.code == "unreadable-image" and finding.evidence["same_size_and_time"] is True
    assert finding.evidence["copy"]["root"] == "runs" and "restore" in finding.operations
    assert truth.check() == [finding], "it is known from then on"


def test_other_pixels_of_the_same_size_and_time_are_found(truth: Truth, tmp_path: Path) -> None:
    file, other = file_of(truth), tmp_path / "other.png"
    truth.write_picture(other, truth.manifests_now()[0].infotext, seed=99)
    change_silently(file, other.read_bytes())
    truth.check()
    (finding,) = truth.check(is_deep=True)
    assert finding.code == "modified-image" and finding.evidence["same_size_and_time"] is True


def test_another_letter_in_the_text_is_found(truth: Truth) -> None:
    file = file_of(truth)
    truth.check()
    stat, other = file.stat(), truth.manifests_now()[0]
    truth.write_picture(file, (other.infotext or "").replace("a cat", "a dog"), other.actual_seed or 0)
    assert file.stat().st_size == stat.st_size
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (finding,) = truth.check(is_deep=True)
    assert finding.code == "retagged-image" and finding.evidence["same_size_and_time"] is True


def test_an_edited_file_is_not_called_silently_changed(truth: Truth) -> None:
    truth.check()
    file, manifest = file_of(truth), truth.manifests_now()[0]
    truth.write_picture(file, (manifest.infotext or "").replace("a cat", "a dog"), manifest.actual_seed or 0)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 5_000_000_000))
    (finding,) = truth.check()
    assert "same_size_and_time" not in finding.evidence
    (finding,) = truth.check(is_deep=True)
    assert "same_size_and_time" not in finding.evidence, "also after it was read"


def test_a_kept_copy_that_rots_is_reported_and_nothing_is_offered(truth: Truth) -> None:
    kept = truth.layout.runs / (truth.manifests_now()[0].kept or "")
    flip(kept, b"IDAT")
    (finding,) = truth.check(is_deep=True)
    assert (finding.code, finding.root, finding.path) == ("unreadable-image", "runs", truth.manifests_now()[0].kept)
    assert finding.evidence["kept"] is True and finding.operations == ()


def test_copies_among_files_that_nobody_recorded_are_found(truth: Truth) -> None:
    first = truth.outputs / "old" / "a.png"
    truth.write_picture(first, None, 5)
    shutil.copyfile(first, truth.outputs / "old" / "b.png")
    os.utime(first, (1, 1))
    assert codes(truth.check()) == [("orphaned-image", "old")]
    found = {finding.code: finding for finding in truth.check(is_deep=True)}
    assert found["duplicated-image"].path == "old/a.png"
    assert found["duplicated-image"].evidence["others"] == [{"root": "outputs", "path": "old/b.png", "bytes": first.stat().st_size}]


def test_an_image_that_was_moved_renamed_and_stripped_is_found_by_its_pixels(truth: Truth) -> None:
    file, target = file_of(truth), truth.outputs / "best" / "favourite.png"
    target.parent.mkdir()
    with Image.open(file) as image:
        image.save(target)
    file.unlink()
    remove_kept(truth)
    assert [finding.code for finding in truth.check()] == ["missing-image", "orphaned-image"]
    (finding,) = truth.check(is_deep=True)
    assert finding.code == "moved-image" and finding.evidence["by"] == "pixels"
    assert finding.evidence["to"] == {"root": "outputs", "path": "best/favourite.png"}


def test_a_damaged_file_that_nobody_recorded_is_found(truth: Truth) -> None:
    file = truth.outputs / "old.png"
    truth.write_picture(file, None, 5)
    flip(file, b"IDAT")
    assert codes(truth.check()) == [("orphaned-image", "")]
    assert codes(truth.check(is_deep=True)) == [("unreadable-image", "old.png")]


def test_a_second_pass_finds_it_mended(truth: Truth) -> None:
    file = file_of(truth)
    whole = file.read_bytes()
    flip(file, b"IDAT")
    assert [finding.code for finding in truth.check(is_deep=True)] == ["unreadable-image"]
    change_silently(file, whole)
    assert truth.check(is_deep=True) == []


# --- in several sittings ---


class Reader:
    """Deep checks of one library, and what they read."""

    def __init__(self, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
        self.truth, self.names = truth, list[str]()
        real = deep.read_content

        def note(file: object, path: str, *rest: object) -> object:
            self.names.append(Path(path).name)
            return real(file, path, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(deep, "read_content", note)

    def sit(self, stop_after: int | None = None) -> tuple[int | None, list[str]]:
        """(left, names read); stopped by Ctrl-C after so many files."""
        self.names.clear()
        index = Index(self.truth.layout.index_file)

        def stop(progress: DeepProgress) -> None:
            if progress.files == stop_after:
                raise KeyboardInterrupt

        try:
            return DeepReader(Library(self.truth.layout), index, threads=1).read(None, stop), sorted(self.names)
        except KeyboardInterrupt:
            return None, sorted(self.names)
        finally:
            self.read = index.reading.counts()
            index.close()


def test_it_goes_on_where_ctrl_c_stopped_it_and_begins_anew_when_all_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = Truth(tmp_path)
    truth.record(RUN, count=30)
    truth.check()
    reader = Reader(truth, monkeypatch)
    everything = sorted(file.name for file in truth.outputs.rglob("*.png"))
    assert reader.sit(stop_after=12)[0] is None
    assert reader.read[0] >= 12, "what was read is kept"
    kept = reader.read[0]
    left, names = reader.sit()
    assert (left, len(names), reader.read) == (0, 30 - kept, (30, 30))
    assert reader.sit() == (0, everything), "the next pass reads all again"


def test_max_seconds_stops_and_says_how_much_is_left(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    truth.check()
    index = Index(truth.layout.index_file)
    checker = Checker(truth.layout, Library(truth.layout), index, is_deep=True, max_seconds=1e-9)
    assert list(checker.check()) == [] and checker.left == 6
    checker = Checker(truth.layout, Library(truth.layout), index, is_deep=True)
    assert list(checker.check()) == [] and checker.left == 0
    index.close()


def test_within_a_pass_what_was_never_read_comes_first(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(truth, monkeypatch)
    truth.check()
    reader.sit()
    reader.sit(stop_after=1)
    truth.write_picture(truth.outputs / "new.png", None, 7)
    truth.check()
    reader.names.clear()
    order: list[str] = reader.names
    reader.sit()
    assert "new.png" in order
    index = Index(truth.layout.index_file)
    truth.write_picture(truth.outputs / "newer.png", None, 8)
    list(Checker(truth.layout, Library(truth.layout), index).check())
    assert [file.name for file in index.reading.iter_left(1e12)][0] == "newer.png"
    index.close()


def test_a_file_that_changes_is_read_again(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    truth.check(is_deep=True)
    file = file_of(truth)
    os.utime(file, (5, 5))
    index = Index(truth.layout.index_file)
    list(Checker(truth.layout, Library(truth.layout), index).check())
    assert index.reading.counts() == (5, 6)
    index.close()


def test_what_is_read_by_two_threads_and_by_one_is_the_same(truth: Truth, tmp_path: Path) -> None:
    for number in range(20):
        truth.write_picture(truth.outputs / "old" / f"{number}.png", None, number)
    digests = []
    for threads in (1, 4):
        truth.layout.index_file.unlink(missing_ok=True)
        truth.check()
        index = Index(truth.layout.index_file)
        assert DeepReader(Library(truth.layout), index, threads).read(None, lambda progress: None) == 0
        digests.append([file for number in range(20) for file in index.suspects.unnamed_named(f"{number}.png")])
        index.close()
    assert [(f.sha256, f.pixel_sha256, f.perceptual_hash) for f in digests[0]] == [
        (f.sha256, f.pixel_sha256, f.perceptual_hash) for f in digests[1]
    ]
    assert all(file.pixel_sha256 and file.perceptual_hash for file in digests[0])


# --- what cannot be compared ---


def test_a_manifest_without_digests_is_no_finding_and_stays_as_it_is(truth: Truth) -> None:
    manifest = truth.manifests_now()[0]
    manifest.image, manifest.kept = None, None
    truth.store.write_manifest(manifest)
    remove_kept(truth)
    before = truth.tree()
    assert truth.check(is_deep=True) == [] and truth.tree() == before
    index = Index(truth.layout.index_file)
    row = index.suspects.file_at("outputs", manifest.path or "")
    assert row is not None and row.sha256 and row.pixel_sha256, "the index has them"
    index.close()


def test_a_format_without_a_decoder_here_is_no_damage(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    file = truth.outputs / "old.png"
    file.write_bytes(b"\xff\x0a" + bytes(100))
    os.utime(file, (5, 5))
    monkeypatch.setattr(images_read, "_can_decode", lambda name: False)
    assert codes(truth.check(is_deep=True)) == [("orphaned-image", "")]


def test_a_recorded_file_without_a_decoder_here_whose_bytes_changed_is_reported_and_left_alone(
    truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_of(truth)
    remove_kept(truth)
    file.write_bytes(b"\xff\x0a" + bytes(100))
    os.utime(file, (5, 5))
    monkeypatch.setattr(images_read, "_can_decode", lambda name: False)
    (finding,) = truth.check()
    assert finding.code == "modified-image" and "JXL" in finding.evidence["undecodable"] and finding.operations == ()


def test_copies_in_the_save_folder_are_neither_copies_nor_orphans(truth: Truth) -> None:
    log = truth.base / "log"
    log.mkdir()
    Library(truth.layout).ensure_roots({"outputs": truth.outputs, "log": log}, log)
    shutil.copyfile(file_of(truth), log / "saved.png")
    assert truth.check() == truth.check(is_deep=True) == []
