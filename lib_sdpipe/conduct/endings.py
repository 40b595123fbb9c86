"""What is done once all passes of a job are made: nothing of a chain, a verdict on a re-run, and what that verdict allows."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from lib_sdpipe.conduct.job_work import Ending, JobWork
from lib_sdpipe.conduct.judge import Judge, JudgedPair
from lib_sdpipe.conduct.pictures import read_picture
from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.pipeline.records import Job
from lib_sdpipe.pipeline.verdict import DIFFERENT, IDENTICAL, NEAR, NOT_COMPARED
from lib_sdpipe.reconcile.cull import ImageKey
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.cull import look_at_cull
from lib_sdpipe.workspace.cull_deed import cull
from lib_sdpipe.workspace.regenerate import put_back

_WORDS = {
    IDENTICAL: "pixel-identical", NEAR: "near (every value within 2)", DIFFERENT: "different", NOT_COMPARED: "not compared",
}


def end_of(job: Job) -> Ending:
    return {"rerun": _end_rerun, "regenerate": _end_regenerate, "release": _end_release}.get(job.kind or "", _end_chain)


def _end_chain(work: JobWork) -> tuple[Json | None, str | None]:
    return None, None


def _end_rerun(work: JobWork) -> tuple[Json | None, str | None]:
    """Where nothing is compared (with variations) the run only says what it was made from."""
    if not work.job.compare:
        of = work.job.replay_of
        return ({"of": of.to_json(), "verdict": None, "differences": None} if of is not None else None), None
    judge = Judge(work)
    pairs = judge.judge()
    return judge.build_replay(pairs), _say_verdicts(pairs)


def _end_regenerate(work: JobWork) -> tuple[Json | None, str | None]:
    """What is identical takes the lost file's place; everything else stays in the new run, and is said to be so."""
    judge = Judge(work)
    pairs = judge.judge()
    replay = judge.build_replay(pairs)
    sentences = []
    for pair in pairs:
        if pair.original is None or pair.made is None or pair.judged.judgement.verdict != IDENTICAL:
            sentences.append(_say_kept(pair, work.run_id))
            continue
        try:
            _put_back(work, pair.original, pair.made)
            work.port.drop_kept(work.run_id, pair.made.name or "")
            sentences.append(f"{pair.original.name} is pixel-identical and back in its place.")
        except (SdPipeError, OSError) as fault:
            sentences.append(f"{pair.original.name} is pixel-identical, but could not be put back: {fault}. It is in run {work.run_id}.")
    return replay, " ".join(sentences)


def _end_release(work: JobWork) -> tuple[Json | None, str | None]:
    """Files that were proven to be reproducible here go to the bin, as if culled; all others stay."""
    judge = Judge(work)
    pairs = judge.judge()
    replay = judge.build_replay(pairs)
    identical = [pair.original for pair in pairs if pair.original is not None and pair.judged.judgement.verdict == IDENTICAL]
    proven = [original for original in identical if _is_as_recorded(work, original)]
    workspace = Workspace(work.layout)
    view = look_at_cull(workspace, [ImageKey(manifest.run_id, manifest.name) for manifest in proven])
    answer = cull(workspace, view, should_stop=lambda: False)
    sentences = [f"{answer.done} of {len(pairs)} images can be made again here and went to the bin ({view.bytes:,} bytes)."]
    sentences += [f"{key} stays: {reason}." for key, reason in answer.failed]
    sentences += [f"{original.name} stays: its file is not as it was recorded." for original in identical if original not in proven]
    others = [pair for pair in pairs if pair.original not in identical]
    if others:
        sentences.append(f"{_say_verdicts(others)} Those stay.")
    return replay, " ".join(sentences)


def _is_as_recorded(work: JobWork, original: Manifest) -> bool:
    """What is not the picture that was proven is not set aside for it."""
    recorded = original.image.pixel_sha256 if original.image is not None else None
    try:
        return recorded is not None and pixel_sha256(read_picture(work.pictures.find_file(original))) == recorded
    except SdPipeError:
        return False


def _put_back(work: JobWork, original: Manifest, made: Manifest) -> None:
    """Written as the host writes it, with the text that the original had."""
    extension = os.path.splitext(original.path or "")[1] or ".png"
    with tempfile.TemporaryDirectory(prefix="sdpipe-") as folder:
        file = Path(folder) / f"again{extension}"
        work.port.write_picture(read_picture(work.pictures.find_file(made)), original.infotext, str(file))
        put_back(Workspace(work.layout), original, file)


def _say_verdicts(pairs: list[JudgedPair]) -> str:
    verdicts = [pair.judged.judgement.verdict for pair in pairs]
    counts = [f"{verdicts.count(verdict)} {words}" for verdict, words in _WORDS.items() if verdict in verdicts]
    return f"Of {len(pairs)} {'image' if len(pairs) == 1 else 'images'}: {', '.join(counts)}."


def _say_kept(pair: JudgedPair, run_id: str) -> str:
    judgement = pair.judged.judgement
    reason = f" ({judgement.reason})" if judgement.reason else ""
    return f"{pair.judged.of.name} is {_WORDS[judgement.verdict]}{reason}: it was not put back; what was made is kept in run {run_id}."
