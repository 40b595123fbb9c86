"""The records of the pipeline: chains, recipes, jobs and their queue, as their files have them."""

from __future__ import annotations

from typing import List, Optional

from lib_sdpipe.manifest.records import ImageLink, Json, ProcessMark, Record, RunError
from lib_sdpipe.pydantic_v1 import Field

RECIPE_SCHEMA = "sdpipe.recipe/1"
QUEUE_SCHEMA = "sdpipe.queue/1"

STAGES = ("txt2img", "img2img", "inpaint", "adetailer", "upscale")

# What a job is for. `regenerate` puts a missing file back, `release` sets files aside that can be made again.
JOB_KINDS = ("chain", "rerun", "regenerate", "release")
# `interrupted` and `failed` ones can be resumed; `paused` is the queue's, not a job's.
JOB_STATUSES = ("waiting", "running", "done", "interrupted", "failed", "cancelled")


class Stage(Record):
    """One stage of a chain. `settings` by the host API's names; what is not there is as the image before has it.

    Besides: `adetailer` (list of ADetailer's own argument objects) for that stage, `upscaler_1`, `upscaling_resize` and the
    other fields of the host's extras API for `upscale`, `mask` (a picture reference) for `inpaint`.
    """

    stage: Optional[str] = None
    settings: Json = {}


class Recipe(Record):
    """A named chain, `recipes/<name>.json` in the runs folder. To be edited by hand and handed on."""

    schema_: Optional[str] = Field(RECIPE_SCHEMA, alias="schema")
    name: Optional[str] = None
    description: Optional[str] = None
    stages: List[Stage] = []


class Item(Record):
    """One thing that a chain is run on: a recorded image, or a prompt of a pack (then `variant` and `settings`).

    `settings` go over those of the first stage.
    """

    source: Optional[ImageLink] = None
    variant: Optional[Json] = None
    settings: Json = {}


class DonePass(Record):
    """A pass that has ended: stage from 0; `input` = number of the item, or the name of the image it was made from."""

    stage: Optional[int] = None
    input: Optional[str] = None
    images: List[str] = []
    seconds: Optional[float] = None


class ComparedImage(Record):
    """An image of a re-run and the one it is to be the same as: `place` in the passes' images, from 0, without grids.

    `role` where it is not that image but its companion: a manifest's role such as `before-highres-fix`, or `grid`.
    """

    of: Optional[ImageLink] = None
    place: Optional[int] = None
    role: Optional[str] = None


class Job(Record):
    """One entry of the queue: a run that is to be made, is being made, or was.

    `requests` are the passes of a re-run (see `PassRequest`), `compare` what is held against what. `owner` is the process
    that works on it. `replay` is the outcome of a re-run, as its run file has it; `message` a sentence for the user.
    `pack` tells how a prompt pack was expanded into `items`: `{name, digests, mode, limit, seed, rows}`.
    """

    id: Optional[str] = None
    kind: Optional[str] = None
    label: Optional[str] = None
    user: Optional[str] = None
    status: Optional[str] = None
    created_at: Optional[str] = None
    started_at: Optional[str] = None
    finished_at: Optional[str] = None
    owner: Optional[ProcessMark] = None
    run_id: Optional[str] = None
    pack: Optional[Json] = None
    items: List[Item] = []
    stages: List[Stage] = []
    requests: List[Json] = []
    compare: List[ComparedImage] = []
    replay_of: Optional[ImageLink] = None
    done: List[DonePass] = []
    planned: Optional[int] = None
    error: Optional[RunError] = None
    replay: Optional[Json] = None
    message: Optional[str] = None


class Queue(Record):
    """`queue.json` of the runs folder. `jobs` are in the order in which they are made; ended ones stay for a while."""

    schema_: Optional[str] = Field(QUEUE_SCHEMA, alias="schema")
    paused: bool = False
    jobs: List[Job] = []
