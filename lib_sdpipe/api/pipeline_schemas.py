"""Requests and answers of the pipeline's routes as the OpenAPI page shows them; docs/formats.md has the files."""

from __future__ import annotations

from lib_sdpipe.api.schemas import ANYTHING, TEXT, WHOLE, YES_NO, build_object, list_of, or_null, said

_NUMBER = {"type": "number"}
_LINK = build_object(run_id=TEXT, name=or_null(TEXT))
_STAGE = said(
    build_object("stage", stage=said(TEXT, "txt2img, img2img, inpaint, adetailer or upscale"), settings=ANYTHING),
    "settings by the host API's names; what is not there is as the image before has it",
    {"stage": "img2img", "settings": {"denoising_strength": 0.4}},
)
_ITEM = said(
    build_object(run_id=TEXT, name=TEXT, settings=ANYTHING, variant=or_null(ANYTHING)),
    "a recorded image by `run_id` and `name`, or the settings of a prompt; they go over those of the first stage",
)
NOTHING = build_object()
JOB = build_object(
    id=TEXT, kind=said(TEXT, "chain, rerun, regenerate or release"), label=or_null(TEXT), user=or_null(TEXT),
    status=said(TEXT, "waiting, running, done, interrupted, failed or cancelled"), created_at=TEXT, started_at=or_null(TEXT),
    finished_at=or_null(TEXT), run_id=said(or_null(TEXT), "the run that it makes"), stages=list_of(TEXT), items=WHOLE, requests=WHOLE,
    passes=said(WHOLE, "so many are done"), made=said(WHOLE, "images made"), planned=or_null(WHOLE), replay_of=or_null(_LINK),
    replay=said(or_null(ANYTHING), "the verdict of a re-run"), error=or_null(ANYTHING), message=or_null(TEXT),
)
WHOLE_JOB = said(ANYTHING, "as queue.json has it, without the process that works on it")
_WORKING = build_object(
    job_id=TEXT, run_id=or_null(TEXT), stage=said(or_null(WHOLE), "from 1"), stages=WHOLE, stage_name=or_null(TEXT),
    image=said(WHOLE, "the pass that runs, from 1"), images=said(or_null(WHOLE), "passes in all; null while that is not known"),
    share=said(_NUMBER, "of that pass, from 0 to 1"), text=TEXT, seconds=said(or_null(_NUMBER), "since the job was begun"),
    seconds_left=said(or_null(_NUMBER), "by what its passes took; null while that is not known"),
    is_waiting=said(YES_NO, "while somebody generates by hand"), is_stopping=YES_NO,
)
QUEUE = build_object(
    paused=YES_NO, jobs=list_of(JOB), working=said(or_null(_WORKING), "what is being made here"),
    fault=said(or_null(TEXT), "why the queue waits"),
)
PAUSE_REQUEST = build_object("paused", paused=YES_NO)
MOVE_REQUEST = build_object("places", places=said(WHOLE, "further to the back; negative: to the front"))
STOPPED = build_object(id=TEXT)
_PACK_CHOICES = {
    "mode": or_null(TEXT), "limit": or_null(WHOLE), "seed": WHOLE, "rows": said(or_null(list_of(WHOLE)), "from 0; null: all"),
    "global_positive": or_null(TEXT), "global_negative": or_null(TEXT),
}
CHAIN_REQUEST = build_object(
    items=list_of(_ITEM), runs=said(list_of(TEXT), "whole runs: their last images"), pack=build_object("name", name=TEXT, **_PACK_CHOICES),
    stages=list_of(_STAGE), recipe=said(TEXT, "instead of stages: a recipe's name"), label=TEXT,
)
_WANTED = {
    "run_id": TEXT, "name": said(or_null(TEXT), "one image; null: the run, or its `stage`"), "stage": or_null(TEXT),
    "alone": said(YES_NO, "an image of a batch by itself: quicker, and near at best"),
    "changes": said(ANYTHING, "other values for some fields: then nothing is compared", {"seed": 7}),
}
WANTED_REQUEST = build_object("run_id", **_WANTED)
RERUN_REQUEST = build_object(
    "run_id", **_WANTED, kind=said(TEXT, "rerun, regenerate or release"), label=TEXT,
    set_back=said(list_of(TEXT), "fields of the preflight that are to be as they were, for this job alone", ["options.eta_ancestral"]),
)
_DIFFERENCE = build_object(
    field=TEXT, then=said({}, "as it was"), now=said({}, "as it is"), weight=WHOLE, can_set_back=YES_NO,
    blocking=said(YES_NO, "without it the host refuses, or makes another picture"), sentence=TEXT,
)
RERUN_PREVIEW = build_object(
    of=_LINK, requests=list_of(ANYTHING), compare=list_of(ANYTHING), exactness=said(TEXT, "exact or near"), planned=WHOLE,
    notes=list_of(TEXT),
    preflight=said(or_null(list_of(_DIFFERENCE)), "what differs today, likeliest cause first; null outside a WebUI"),
)
RECIPES = build_object(recipes=list_of(TEXT))
_RECIPE = build_object("stages", name=or_null(TEXT), description=or_null(TEXT), stages=list_of(_STAGE))
OPEN_RECIPE = build_object(
    name=TEXT, recipe=said(or_null(_RECIPE), "null where the file is none"), faults=list_of(TEXT), text=TEXT, digest=TEXT,
)
_DIGEST = said(or_null(TEXT), "of what it replaces, as it was read; null: a new one")
SAVE_RECIPE_REQUEST = build_object("recipe", recipe=_RECIPE, digest=_DIGEST)
DELETE_RECIPE_REQUEST = build_object("digest", digest=TEXT)
SAVED = build_object(name=TEXT, digest=TEXT)
ASIDE = build_object(aside=said({"anyOf": [TEXT, list_of(TEXT)]}, "where it lies in the folder .deleted"))
PACKS = build_object(packs=list_of(build_object(name=TEXT, suffixes=list_of(TEXT))))
OPEN_PACK = build_object(name=TEXT, texts=said(ANYTHING, "by suffix"), digests=ANYTHING, fault=or_null(TEXT))
SAVE_PACK_REQUEST = build_object("suffix text", suffix=said(TEXT, ".txt, .tsv or .json"), text=TEXT, digest=_DIGEST)
DELETE_PACK_REQUEST = build_object("digests", digests=said(ANYTHING, "by suffix"))
PACK_PREVIEW_REQUEST = build_object(
    **_PACK_CHOICES, first=said(WHOLE, "items to show, at most 200"), texts=said(ANYTHING, "of a pack that is not saved, by suffix"),
)
PACK_PREVIEW = build_object(count=WHOLE, items=list_of(ANYTHING), warnings=list_of(TEXT), refusal=or_null(TEXT))
