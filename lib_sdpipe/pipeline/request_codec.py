"""A pass request as a job in `queue.json` has it, and back."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.pipeline.port import PassRequest


def format_request(request: PassRequest) -> Json:
    return {
        "stage": request.stage, "config": request.config, "save": None if request.save is None else list(request.save),
        "kept": list(request.kept), "parents": [parent.to_json() if parent is not None else None for parent in request.parents],
        "variant": request.variant,
    }


def parse_request(document: Json) -> PassRequest:
    """Raises RecordError for what is no request."""
    config, stage = document.get("config"), document.get("stage")
    if not isinstance(config, dict) or not isinstance(stage, str):
        raise RecordError("a request of the queue has no config or no stage; cancel the job and ask for it again")
    save = document.get("save")
    return PassRequest(
        config=config, stage=stage, save=None if save is None else _places(save), kept=_places(document.get("kept")),
        parents=tuple(_link(parent) for parent in document.get("parents") or []), variant=document.get("variant"),
    )


def _places(value: Any) -> tuple[int, ...]:
    return tuple(place for place in value if isinstance(place, int)) if isinstance(value, list) else ()


def _link(value: Any) -> ImageLink | None:
    return ImageLink(run_id=value.get("run_id"), name=value.get("name")) if isinstance(value, dict) else None
