"""A re-run's images held against what they are to be the same as, from the files and records of both."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from lib_sdpipe.conduct.job_work import JobWork
from lib_sdpipe.conduct.pictures import read_picture
from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import build_facts, read_image
from lib_sdpipe.manifest.records import ImageFacts, ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.records import ComparedImage
from lib_sdpipe.pipeline.verdict import (
    NOT_COMPARED, JudgedImage, Judgement, build_replay, find_changes, judge_digests, judge_pictures,
)
from lib_sdpipe.store.runs import RunStore

_LOSSLESS = (None, "PNG")


@dataclass(frozen=True)
class JudgedPair:
    """`original` and `made` are the manifests; None where one cannot be read."""

    original: Manifest | None
    made: Manifest | None
    judged: JudgedImage


class Judge:
    """One job's, while its run is still open."""

    def __init__(self, work: JobWork) -> None:
        self._work = work
        self._store = RunStore(work.layout)
        self._made = [name for done in sorted(work.job.done, key=lambda done: int(done.input or 0)) for name in done.images]
        self._of_run = [m for m in self._store.iter_manifests(work.run_id) if isinstance(m, Manifest)]

    def judge(self) -> list[JudgedPair]:
        return [self._judge(compared) for compared in self._work.job.compare]

    def build_replay(self, pairs: list[JudgedPair]) -> Json:
        """The run file's `replay`, with what has changed since, likeliest cause first."""
        of = self._work.job.replay_of or ImageLink()
        try:
            then = self._store.read_run(of.run_id or "")
        except SdPipeError:
            then = Run()
        # Which models a run used is written at its end; which an image was made with stands in its manifest.
        now = self._store.read_run(self._work.run_id).copy(update={"models": then.models})
        both = [(pair.original, pair.made) for pair in pairs if pair.original is not None and pair.made is not None]
        changes = find_changes(then, now, (self._store.find_environment(then), self._store.find_environment(now)), both)
        return build_replay(of, [pair.judged for pair in pairs], changes)

    def _judge(self, compared: ComparedImage) -> JudgedPair:
        link = compared.of or ImageLink()
        made = self._find_made(compared)
        try:
            original = self._store.read_manifest(link.run_id or "", link.name or "")
        except SdPipeError as fault:
            return JudgedPair(None, made, JudgedImage(link, None, Judgement(NOT_COMPARED, reason=str(fault))))
        if made is None:
            return JudgedPair(original, None, JudgedImage(link, None, Judgement(NOT_COMPARED, reason="The host did not make it again.")))
        return JudgedPair(original, made, JudgedImage(link, made.name, self._compare(original, made)))

    def _find_made(self, compared: ComparedImage) -> Manifest | None:
        place = compared.place or 0
        name = self._made[place] if place < len(self._made) else None
        made = next((manifest for manifest in self._of_run if manifest.name == name), None)
        if compared.role in (None, "final"):
            return made
        if compared.role == "grid":
            return next((manifest for manifest in self._of_run if manifest.stage == "grid"), None)
        others = [manifest for manifest in self._of_run if manifest.role == compared.role]
        beside = [manifest for manifest in others if made is not None and manifest.batch == made.batch]
        return next(iter(beside or others), None)

    def _compare(self, original: Manifest, made: Manifest) -> Judgement:
        recorded = original.image
        if recorded is not None and made.image is not None and recorded.format == made.image.format:
            by_record = judge_digests(recorded, made.image)
            if by_record.verdict == "identical":
                return by_record
        try:
            picture = self._picture_of(made)
        except SdPipeError as fault:
            return Judgement(NOT_COMPARED, reason=str(fault))
        if recorded is not None and recorded.format not in _LOSSLESS and (made.image is None or made.image.format != recorded.format):
            picture, facts = self._as_written(picture, made, recorded)
        else:
            facts = ImageFacts(**asdict(build_facts(picture, None)))
        file = self._file_of(original)
        if file is None:
            return judge_digests(recorded, facts)
        then = read_picture(file)
        if recorded is not None and recorded.pixel_sha256 not in (None, pixel_sha256(then)):
            found = judge_digests(recorded, facts)
            return found if found.verdict == "identical" else Judgement(
                found.verdict, reason="The original's file is not as it was recorded; its recorded pixels were others.",
            )
        return judge_pictures(then, picture)

    def _as_written(self, picture: Image.Image, made: Manifest, recorded: ImageFacts) -> tuple[Image.Image, ImageFacts]:
        """A lossy original shows other pixels than the host made: the new picture goes the same way."""
        with tempfile.TemporaryDirectory(prefix="sdpipe-") as folder:
            path = os.path.join(folder, f"made.{(recorded.format or 'PNG').lower()}")
            self._work.port.write_picture(picture, made.infotext, path)
            return read_picture(Path(path)), ImageFacts(**asdict(read_image(path)[0]))

    def _picture_of(self, made: Manifest) -> Image.Image:
        """As its file shows it; of one that was not written as the host returned it."""
        if made.path is None and made.kept is None:
            held = self._work.pictures.find_made(made.run_id or "", made.name or "")
            if held is not None:
                return held
        return read_picture(self._work.pictures.find_file(made))

    def _file_of(self, manifest: Manifest) -> Path | None:
        try:
            return self._work.pictures.find_file(manifest)
        except SdPipeError:
            return None
