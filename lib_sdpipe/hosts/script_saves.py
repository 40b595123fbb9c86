"""What is saved when no pass runs: a script's grids and put-together pictures, and the copies of the Save button."""

from __future__ import annotations

import os
import time
from typing import Any

from modules import processing

from lib_sdpipe.hosts.image_values import read_script_picture
from lib_sdpipe.hosts.jobs import Jobs, read_claim
from lib_sdpipe.hosts.known_pictures import GridCalls, KnownPictures
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.tiles import find_tiles

Promise = tuple[Job, Json, Extras]


class ScriptSaves:
    """Saves that the host's code makes with a job's own objects, after or between its passes."""

    def __init__(self, jobs: Jobs, known: KnownPictures, grids: GridCalls) -> None:
        self._jobs = jobs
        self._known = known
        self.grids = grids

    def build_line(self, params: Any) -> Promise | None:
        """The promise of this save; None where no recorded job is at work or it is none of its saves."""
        job = self._jobs.current()
        if job is None or not job.passes:
            return None
        image = read_script_picture(params.p, (params.pnginfo or {}).get("parameters"))
        members = self.grids.members_of(params.image)
        if members is not None:
            return job, job.script_line("grid", image, members, time.time()), Extras()
        if params.p is None:
            return None  # nothing but the moment says that it belongs to this job
        place = self.grids.place_in_last(params.image)
        tiles = find_tiles(job.tiles, *(place or (0, 1)))
        if place is None:
            job.tiles.clear()
        return job, job.script_line(job.passes[-1].facts.stage, image, tiles, time.time()), Extras()

    def note_copy(self, params: Any) -> None:
        """A copy that somebody made of an image with the Save or Zip button: no run and no manifest, the index knows it."""
        picture = params.image
        picture.load()
        claim = read_claim(picture)
        line = {"kind": "copy", "path": os.path.abspath(params.filename), "claim": vars(claim) if claim else None}
        self._jobs.recorder.queue(line, Extras())


def is_copy(p: Any) -> bool:
    """Whether a save callback's `p` is the Save button's: it is neither a processing object nor a result nor nothing."""
    return p is not None and not isinstance(p, (processing.StableDiffusionProcessing, processing.Processed))
