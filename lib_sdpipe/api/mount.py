"""The routes under /sdpipe/v1, in the order of the docs; made for one app and put into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from fastapi.security import HTTPBasic

from lib_sdpipe.api import pipeline_schemas, schemas
from lib_sdpipe.api.culling import CullRoutes
from lib_sdpipe.api.downloads import DownloadRoutes
from lib_sdpipe.api.login import Login
from lib_sdpipe.api.marking import MarkRoutes
from lib_sdpipe.api.pictures import PictureRoutes
from lib_sdpipe.api.queueing import QueueRoutes
from lib_sdpipe.api.reading import ReadingRoutes
from lib_sdpipe.api.recipes import RecipeRoutes
from lib_sdpipe.api.repairing import RepairRoutes
from lib_sdpipe.api.route import ApiHost, build_route_class
from lib_sdpipe.api.schemas import Schema
from lib_sdpipe.api.thumbnails import ThumbnailRoutes
from lib_sdpipe.workspace.page_address import API_PREFIX

_FAULTS = {
    400: "the request, or a record of the library, is wrong", 401: "log in", 403: "not for whoever is logged in",
    404: "no such run, image, plan, job, recipe or pack",
    423: "somebody else is at it; try again", 503: "the library cannot be read or written now",
}
_POST_FAULTS = {413: "too large", 415: "only application/json is taken"}


class _ShownPassword(HTTPBasic):
    """For the OpenAPI page alone: it then offers to send a name and password. Who comes in is decided before."""

    async def __call__(self) -> None:  # type: ignore[override]
        return None


@dataclass(frozen=True)
class _Route:
    method: str
    path: str
    work: Callable[..., Any]
    summary: str
    answer: Schema
    request: Schema | None = None
    media_type: str = "application/json"


def mount_api(app: Any, host: ApiHost) -> None:
    """Put the routes into the host's app. Hosts make a new app at every Reload UI."""
    login = Login(app, host.credentials(), host.asks_at_page())
    shown = [Depends(_ShownPassword())] if login.has_password else []
    kind = build_route_class(login, host)
    for route in _routes(host):
        # Into the app's own router: one that is included makes each route twice, and the host is starting.
        app.router.add_api_route(
            API_PREFIX + route.path, route.work, methods=[route.method], summary=route.summary, description=route.summary,
            operation_id=f"sdpipe_{route.method.lower()}_{route.work.__name__}", tags=["SDPipe"], dependencies=shown,
            responses=_responses(route), response_model=None, openapi_extra=_request_body(route), route_class_override=kind,
        )


def _routes(host: ApiHost) -> list[_Route]:
    reading, repairs, marks, thumbnails = ReadingRoutes(host), RepairRoutes(host), MarkRoutes(host), ThumbnailRoutes(host)
    pictures, downloads, culls = PictureRoutes(host), DownloadRoutes(host), CullRoutes(host)
    return [
        _Route("GET", "/runs", reading.runs, "Runs, newest first", schemas.RUNS),
        _Route("GET", "/runs/{run_id}", reading.run, "One run with all its manifests", schemas.RUN),
        _Route("GET", "/runs/{run_id}/images/{name}", reading.manifest, "The manifest of one image", schemas.MANIFEST),
        _Route("GET", "/images", reading.images, "Find images by words of their prompts and by their settings", schemas.FOUND),
        _Route("GET", "/image", reading.image, "What one image file in the roots is", schemas.IMAGE),
        _Route("GET", "/thumbnails/{run_id}/{name}", thumbnails.thumbnail, "A small picture of one image", schemas.BINARY,
               media_type="image/webp"),
        _Route("GET", "/pictures/{run_id}/{name}", pictures.picture, "One image in full size", schemas.BINARY, media_type="image/*"),
        _Route("GET", "/inputs/{sha256}", pictures.input, "A picture that was part of a request", schemas.BINARY, media_type="image/*"),
        _Route("GET", "/input-thumbnails/{sha256}", pictures.input_thumbnail, "A small picture of one that was part of a request",
               schemas.BINARY, media_type="image/webp"),
        _Route("GET", "/runs/{run_id}/zip", downloads.run_zip, "A run with its images and manifests as zip", schemas.BINARY,
               media_type="application/zip"),
        _Route("GET", "/downloads/{key}", downloads.download, "A zip or a copy for sharing that the page has prepared", schemas.BINARY,
               media_type="application/octet-stream"),
        _Route("GET", "/file-thumbnails/{file}/{stamp}", thumbnails.file_thumbnail, "A small picture of an image that nothing recorded",
               schemas.BINARY, media_type="image/webp"),
        _Route("GET", "/files/{file}/{stamp}", pictures.file, "An image that nothing recorded, in full size", schemas.BINARY,
               media_type="image/*"),
        _Route("GET", "/marks/{run_id}", marks.read, "What a person thinks of a run's images", schemas.MARKS),
        _Route("POST", "/marks/{run_id}", marks.write, "Change marks: rating, favourite, tags, note", schemas.MARKS,
               schemas.MARKS_REQUEST),
        _Route("POST", "/trace", reading.trace, "Which recorded image a picture is, or was made from", schemas.TRACE,
               schemas.TRACE_REQUEST),
        _Route("POST", "/check", repairs.check, "What does not fit; changes nothing", schemas.CHECK, schemas.CHECK_REQUEST),
        _Route("POST", "/plan", repairs.plan, "What would be done about it; changes nothing", schemas.PLAN, schemas.PLAN_REQUEST),
        _Route("POST", "/apply", repairs.apply, "Do a plan, so that it can be undone", schemas.REPAIRED, schemas.APPLY_REQUEST),
        _Route("POST", "/undo", repairs.undo, "Put back what an apply changed", schemas.REPAIRED, schemas.UNDO_REQUEST),
        _Route("POST", "/cull", culls.cull, "Move images or whole runs to the bin, or say what would go", schemas.CULLED,
               schemas.CULL_REQUEST),
        _Route("GET", "/bin", culls.bin, "What lies in the bin, newest first", schemas.BIN),
        _Route("GET", "/bin-thumbnails/{apply_id}/{operation}", thumbnails.bin_thumbnail, "A small picture of an image in the bin",
               schemas.BINARY, media_type="image/webp"),
        _Route("POST", "/restore", culls.restore, "Put images back from the bin", schemas.REPAIRED, schemas.RESTORE_REQUEST),
        _Route("POST", "/purge", culls.purge, "Delete for good what was set aside, or say how much it is", schemas.PURGED,
               schemas.PURGE_REQUEST),
        *_pipeline_routes(host),
    ]


def _pipeline_routes(host: ApiHost) -> list[_Route]:
    queue, recipes, of = QueueRoutes(host), RecipeRoutes(host), pipeline_schemas
    return [
        _Route("GET", "/queue", queue.queue, "The jobs of the pipeline, and what is being made", of.QUEUE),
        _Route("POST", "/queue/pause", queue.pause, "Let no further job begin, or go on", of.QUEUE, of.PAUSE_REQUEST),
        _Route("POST", "/queue/clear", queue.clear, "Take jobs that have ended off the list", of.QUEUE, of.NOTHING),
        _Route("GET", "/jobs/{job_id}", queue.job, "One job in full", of.WHOLE_JOB),
        _Route("POST", "/jobs", queue.add, "Have stages run on images or prompts", of.JOB, of.CHAIN_REQUEST),
        _Route("POST", "/jobs/rerun", queue.rerun, "Have a run, a stage or an image made again", of.JOB, of.RERUN_REQUEST),
        _Route("POST", "/jobs/rerun/preview", queue.preview_rerun, "What making it again would ask of the host; queues nothing",
               of.RERUN_PREVIEW, of.WANTED_REQUEST),
        _Route("POST", "/jobs/{job_id}/stop", queue.stop, "Break off a job that is being made", of.STOPPED, of.NOTHING),
        _Route("POST", "/jobs/{job_id}/cancel", queue.cancel, "Let a job that waits or broke off not be made", of.JOB, of.NOTHING),
        _Route("POST", "/jobs/{job_id}/resume", queue.resume, "Have a job that broke off go on from where it was", of.JOB, of.NOTHING),
        _Route("POST", "/jobs/{job_id}/move", queue.move, "Change the order of jobs that wait", of.QUEUE, of.MOVE_REQUEST),
        _Route("GET", "/recipes", recipes.recipes, "The names of the recipes", of.RECIPES),
        _Route("GET", "/recipes/{name}", recipes.recipe, "One recipe, and what keeps it from being run", of.OPEN_RECIPE),
        _Route("POST", "/recipes/{name}", recipes.save_recipe, "Save a recipe", of.SAVED, of.SAVE_RECIPE_REQUEST),
        _Route("POST", "/recipes/{name}/delete", recipes.delete_recipe, "Move a recipe aside", of.ASIDE, of.DELETE_RECIPE_REQUEST),
        _Route("GET", "/packs", recipes.packs, "The prompt packs", of.PACKS),
        _Route("GET", "/packs/{name}", recipes.pack, "The texts of one prompt pack", of.OPEN_PACK),
        _Route("POST", "/packs/{name}", recipes.save_pack, "Save one file of a prompt pack", of.SAVED, of.SAVE_PACK_REQUEST),
        _Route("POST", "/packs/{name}/delete", recipes.delete_pack, "Move a prompt pack aside", of.ASIDE, of.DELETE_PACK_REQUEST),
        _Route("POST", "/packs/{name}/preview", recipes.preview_pack, "What a pack expands to, and how many; queues nothing",
               of.PACK_PREVIEW, of.PACK_PREVIEW_REQUEST),
    ]


def _responses(route: _Route) -> dict[int | str, dict[str, Any]]:
    faults = {**_FAULTS, **_POST_FAULTS} if route.request is not None else _FAULTS
    content = {"application/json": {"schema": schemas.FAULT}}
    refusals = {code: {"description": text, "content": content} for code, text in faults.items()}
    return {200: {"description": route.summary, "content": {route.media_type: {"schema": route.answer}}}, **refusals}


def _request_body(route: _Route) -> dict[str, Any] | None:
    if route.request is None:
        return None
    is_required = "required" in route.request
    return {"requestBody": {"required": is_required, "content": {"application/json": {"schema": route.request}}}}
