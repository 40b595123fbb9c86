"""The two records: a run (`run_metadata.json`) and a manifest (one per image). DESIGN's field order is theirs.

Unknown = None. Fields that this version does not know are kept and written back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, FrozenSet, List, Optional, Type

from lib_sdpipe.pydantic_v1 import BaseModel, Field

RUN_SCHEMA = "sdpipe.run/1"
MANIFEST_SCHEMA = "sdpipe.manifest/1"

STAGES = ("txt2img", "img2img", "inpaint", "adetailer", "upscale", "grid")
RUN_STATUSES = ("running", "completed", "interrupted", "failed", "abandoned")
ROLES = (
    "final", "before-highres-fix", "before-adetailer", "before-face-restoration",
    "before-color-correction", "mask", "mask-composite", "preview", "init",
)

# Annotations are evaluated by pydantic 1.10 on Python 3.10: typing's own names, not `list[str] | None`.
Json = Dict[str, Any]


# Before the name of an unknown field that pydantic or a record has a method of: the field would hide the method.
_ASIDE = "\0"


@lru_cache(maxsize=None)
def _taken_names(kind: Type[BaseModel]) -> FrozenSet[str]:
    fields = kind.__fields__
    return frozenset((*dir(kind), "__pydantic_self__")) - fields.keys() - {field.alias for field in fields.values()}


class Record(BaseModel):
    """Base of all records: keeps unknown fields, speaks `schema` on disk."""

    class Config:
        extra = "allow"
        allow_population_by_field_name = True
        arbitrary_types_allowed = False

    def __init__(self, /, **data: Any) -> None:
        taken = _taken_names(type(self))
        if not taken.isdisjoint(data) or any(name.startswith(_ASIDE) for name in data):
            data = {_ASIDE + name if name in taken or name.startswith(_ASIDE) else name: value for name, value in data.items()}
        super().__init__(**data)
        values = self.__dict__
        if len(values) > len(self.__fields__):  # pydantic 1 keeps what it does not know in the order of a set: another in each process
            unknown = {name: values.pop(name) for name in data if name in values and name not in self.__fields__}
            values.update(unknown)

    def dict(self, **options: Any) -> Json:
        return {name.removeprefix(_ASIDE): value for name, value in super().dict(**options).items()}

    def to_json(self) -> Json:
        return self.dict(by_alias=True)


class ProcessMark(Record):
    """The process that makes a run: `boot` tells a restarted machine's reused pid from the old one."""

    machine: Optional[str] = None
    pid: Optional[int] = None
    boot: Optional[str] = None


class ImageCounts(Record):
    """Grids and companions (masks, previews) are not counted."""

    planned: Optional[int] = None
    returned: Optional[int] = None
    saved: Optional[int] = None


class StageOutput(Record):
    stage: Optional[str] = None
    name: Optional[str] = None
    manifest: Optional[str] = None
    path: Optional[str] = None
    root: Optional[str] = None


class RunError(Record):
    stage: Optional[str] = None
    type: Optional[str] = None
    message: Optional[str] = None


class ImageLink(Record):
    """A recorded image of this or another run."""

    run_id: Optional[str] = None
    name: Optional[str] = None


class ParentLink(ImageLink):
    """The image another was made from, with the best evidence for it in `by`.

    `also` holds other images that weaker evidence names: the user painted over a picture whose text names one
    image while its pixels are another's.
    """

    by: Optional[str] = None
    pixel_sha256: Optional[str] = None


class Replay(Record):
    of: Optional[ImageLink] = None
    verdict: Optional[str] = None
    differences: Optional[Any] = None


class Run(Record):
    schema_: Optional[str] = Field(RUN_SCHEMA, alias="schema")
    run_id: Optional[str] = None
    job_id: Optional[str] = None
    label: Optional[str] = None
    status: Optional[str] = None
    process: Optional[ProcessMark] = None
    timestamp: Optional[str] = None
    started_at: Optional[str] = None
    finished_at: Optional[str] = None
    source: Optional[str] = None
    user: Optional[str] = None
    config: Json = {}
    environment: Optional[str] = None
    models: List[Json] = []
    warnings: List[str] = []
    images: ImageCounts = ImageCounts()
    stage_outputs: List[Any] = []
    error: Optional[RunError] = None
    parent: Optional[ImageLink] = None
    replay: Optional[Replay] = None
    replayable: Optional[bool] = None
    not_replayable_because: Optional[str] = None
    inferred: List[str] = []
    packs: List[Any] = []
    one_click_action: Optional[str] = None


class Batch(Record):
    """`index` inside the batch from 0, `size` images at once, `iteration` from 0 of `count` batches."""

    index: Optional[int] = None
    size: Optional[int] = None
    iteration: Optional[int] = None
    count: Optional[int] = None


class ImageFacts(Record):
    """What the file was: pixels across and down, bytes, and three digests that are never mixed."""

    width: Optional[int] = None
    height: Optional[int] = None
    format: Optional[str] = None
    mode: Optional[str] = None
    bytes: Optional[int] = None
    sha256: Optional[str] = None
    pixel_sha256: Optional[str] = None
    perceptual_hash: Optional[str] = None
    decoder: Optional[str] = None


class StageEntry(Record):
    """An earlier stage of an image, also one that was never saved (then `name` is None)."""

    stage: Optional[str] = None
    role: Optional[str] = None
    run_id: Optional[str] = None
    name: Optional[str] = None
    settings: Json = {}
    requested_seed: Optional[int] = None
    actual_seed: Optional[int] = None
    actual_subseed: Optional[int] = None
    duration_ms: Optional[int] = None
    pixel_sha256: Optional[str] = None


class Manifest(Record):
    schema_: Optional[str] = Field(MANIFEST_SCHEMA, alias="schema")
    name: Optional[str] = None
    run_id: Optional[str] = None
    job_id: Optional[str] = None
    stage: Optional[str] = None
    role: Optional[str] = None
    timestamp: Optional[str] = None
    prompt: Optional[str] = None
    negative_prompt: Optional[str] = None
    config: Json = {}
    path: Optional[str] = None
    root: Optional[str] = None
    kept: Optional[str] = None
    beside: List[str] = []
    model: Optional[str] = None
    model_hash: Optional[str] = None
    vae: Optional[str] = None
    vae_hash: Optional[str] = None
    loras: List[Json] = []
    embeddings: List[Json] = []
    requested_seed: Optional[int] = None
    actual_seed: Optional[int] = None
    actual_subseed: Optional[int] = None
    subseed_strength: Optional[float] = None
    refiner: Optional[Json] = None
    hires: Optional[Json] = None
    adetailer: Optional[Json] = None
    batch: Optional[Batch] = None
    variant: Optional[Json] = None
    step: Optional[Json] = None
    image: Optional[ImageFacts] = None
    parent: Optional[ParentLink] = None
    members: List[Any] = []
    stage_history: List[StageEntry] = []
    stage_duration_ms: Optional[int] = None
    infotext: Optional[str] = None
    lost_at: Optional[str] = None
    revisions: List[Json] = []
    inferred: List[str] = []
