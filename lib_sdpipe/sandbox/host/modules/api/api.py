"""The routes of the HTTP API, with the host's answers and errors. All are plain functions in the thread pool."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextlib import closing
from secrets import compare_digest
from typing import Any

import gradio as gr
from fastapi import Body, Depends, FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from modules import (
    errors,
    gradio_extensons,
    images,
    infotext_utils,
    postprocessing,
    progress,
    script_callbacks,
    scripts,
    sd_models,
    sd_samplers,
    shared,
    ui,
)
from modules.api import lists, requests
from modules.processing import (
    StableDiffusionProcessingImg2Img,
    StableDiffusionProcessingTxt2Img,
    process_images,
)
from modules.shared import opts

_BODY = Body(...)
_CREDENTIALS = Depends(HTTPBasic())


def script_name_to_index(name: str, found: list[Any]) -> int:
    """One script whose title() raises makes this fail for every name, as in the host."""
    try:
        return [x.title().lower() for x in found].index(name.lower())
    except Exception as error:
        raise HTTPException(status_code=422, detail=f"Script '{name}' not found") from error


def _answering(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return JSONResponse(jsonable_encoder(endpoint(*args, **kwargs)))
        except Exception as error:
            known = isinstance(error, HTTPException)
            if not known:
                errors.report(f"API error: {error}", exc_info=True)
            return JSONResponse(status_code=error.status_code if known else 500, content={
                "error": type(error).__name__, "detail": error.detail if known else "", "body": "",
                "errors": "" if known else str(error)})

    return answer


class Api:
    """Building it calls every script's ui() twice a tab, to learn the defaults of their arguments."""

    def __init__(self, app: FastAPI, queue_lock: Any) -> None:
        self.app, self.queue_lock = app, queue_lock
        auth = shared.cmd_opts.api_auth
        self.credentials = dict(pair.split(":") for pair in auth.split(",")) if auth else {}
        if not scripts.scripts_txt2img.scripts or not scripts.scripts_img2img.scripts:
            ui.create_ui()
        self.default_script_arg_txt2img = self.init_default_script_args(scripts.scripts_txt2img)
        self.default_script_arg_img2img = self.init_default_script_args(scripts.scripts_img2img)
        for path, endpoint in {
            "txt2img": self.text2imgapi, "img2img": self.img2imgapi, "extra-single-image": self.extras_single_image_api,
            "extra-batch-images": self.extras_batch_images_api, "png-info": self.pnginfoapi,
            "interrupt": self.interruptapi, "skip": self.skip, "options": self.set_config,
        }.items():
            self._route(path, endpoint, "POST")
        for path, answer in {"progress": self.progressapi, "options": self.get_config, **lists.ANSWERS}.items():
            self._route(path, answer, "GET")

    def _route(self, path: str, endpoint: Callable[..., Any], method: str) -> None:
        guard = [Depends(self.auth)] if shared.cmd_opts.api_auth else []
        self.app.add_api_route(f"/sdapi/v1/{path}", _answering(endpoint), methods=[method], dependencies=guard,
                               response_model=None)

    def auth(self, credentials: HTTPBasicCredentials = _CREDENTIALS) -> bool:
        expected = self.credentials.get(credentials.username)
        if expected is not None and compare_digest(credentials.password, expected):
            return True
        raise HTTPException(status_code=401, detail="Incorrect username or password",
                            headers={"WWW-Authenticate": "Basic"})

    def init_default_script_args(self, script_runner: Any) -> list[Any]:
        res: list[Any] = [None] * max([1, *(x.args_to or 0 for x in script_runner.scripts)])
        res[0] = 0
        with gradio_extensons.without_apps(), gr.Blocks(analytics_enabled=False):
            for script in script_runner.scripts:
                if script.ui(script.is_img2img):
                    res[script.args_from:script.args_to] = [x.value for x in script.ui(script.is_img2img)]
        return res

    def _script_args(self, request: dict[str, Any], defaults: list[Any], runner: Any) -> tuple[list[Any], Any]:
        """Positional arguments for all scripts, and the selected script if there is one."""
        res, selected = defaults.copy(), None
        if request["script_name"]:
            index = script_name_to_index(request["script_name"], runner.selectable_scripts)
            selected = runner.selectable_scripts[index]
            res[selected.args_from:selected.args_to] = request["script_args"]
            res[0] = index + 1
        for title, given in (request["alwayson_scripts"] or {}).items():
            script = runner.scripts[script_name_to_index(title, runner.scripts)]
            if not script.alwayson:
                raise HTTPException(status_code=422,
                                    detail="Cannot have a selectable script in the always on scripts params")
            values = given.get("args", [])[: script.args_to - script.args_from]
            res[script.args_from: script.args_from + len(values)] = values
        return res, selected

    def text2imgapi(self, body: dict[str, Any] = _BODY) -> dict[str, Any]:
        return self._generate(body, "txt2img", StableDiffusionProcessingTxt2Img, {})

    def img2imgapi(self, body: dict[str, Any] = _BODY) -> dict[str, Any]:
        if body.get("init_images") is None:
            raise HTTPException(status_code=404, detail="Init image not found")
        mask = body.get("mask")
        changes = {"mask": requests.decode_base64_to_image(mask) if mask else None}
        return self._generate(body, "img2img", StableDiffusionProcessingImg2Img, changes)

    def _generate(self, body: dict[str, Any], tab: str, kind: type, changes: dict[str, Any]) -> dict[str, Any]:
        request = requests.complete(body, kind)
        task_id = request["force_task_id"] or progress.create_task_id(tab)
        runner = getattr(scripts, f"scripts_{tab}")
        sampler, scheduler = sd_samplers.get_sampler_and_scheduler(
            request["sampler_name"] or request["sampler_index"], request["scheduler"])
        save = request["save_images"]
        args = request | changes | {"sampler_name": sampler, "sampler_index": None, "do_not_save_samples": not save,
                                    "do_not_save_grid": not save}
        if not args["scheduler"] and scheduler != "Automatic":
            args["scheduler"] = scheduler
        for key in requests.NOT_FOR_P:
            args.pop(key, None)
        script_args, selected = self._script_args(request, getattr(self, f"default_script_arg_{tab}"), runner)
        progress.add_task_to_queue(task_id)
        with self.queue_lock, closing(kind(sd_model=shared.sd_model, **args)) as p:
            processed = self._process(p, tab, runner, task_id, script_args, selected)
        pictures = processed.images + getattr(processed, "extra_images", [])
        encoded = [requests.encode_pil_to_base64(x) for x in pictures] if request["send_images"] else []
        if not request.get("include_init_images"):
            request.update({k: None for k in ("init_images", "mask") if k in request})
        return {"images": encoded, "parameters": request, "info": processed.js()}

    def _process(self, p: Any, tab: str, runner: Any, task_id: str, script_args: list[Any], selected: Any) -> Any:
        if tab == "img2img":
            p.init_images = [requests.decode_base64_to_image(x) for x in p.init_images]
        p.is_api = True
        p.scripts = runner
        p.outpath_grids, p.outpath_samples = getattr(opts, f"outdir_{tab}_grids"), getattr(opts, f"outdir_{tab}_samples")
        try:
            shared.state.begin(job=f"scripts_{tab}")
            progress.start_task(task_id)
            if selected is not None:
                p.script_args = script_args
                processed = runner.run(p, *script_args)
            else:
                p.script_args = tuple(script_args)
                processed = process_images(p)
            progress.finish_task(task_id)  # not in a finally: a request that fails leaves its task id behind
            return processed
        finally:
            shared.state.end()
            shared.total_tqdm.clear()

    def _extras(self, body: dict[str, Any], extras_mode: int, **source: Any) -> tuple[list[str], str]:
        with self.queue_lock:  # no task id and nothing saved, as in the host
            results, info, _ = postprocessing.run_extras(extras_mode, input_dir="", output_dir="", save_output=False,
                                                         **source, **requests.extras(body))
        return [requests.encode_pil_to_base64(x) for x in results], info

    def extras_single_image_api(self, body: dict[str, Any] = _BODY) -> dict[str, Any]:
        image = requests.decode_base64_to_image(body.get("image", ""))
        results, info = self._extras(body, 0, image=image, image_folder="")
        return {"image": results[0], "html_info": info}

    def extras_batch_images_api(self, body: dict[str, Any] = _BODY) -> dict[str, Any]:
        folder = [requests.decode_base64_to_image(x["data"]) for x in body.get("imageList", [])]
        results, info = self._extras(body, 1, image="", image_folder=folder)
        return {"images": results, "html_info": info}

    def pnginfoapi(self, body: dict[str, Any] = _BODY) -> dict[str, Any]:
        geninfo, items = images.read_info_from_image(requests.decode_base64_to_image(body["image"].strip()))
        params = infotext_utils.parse_generation_parameters(geninfo or "")
        script_callbacks.infotext_pasted_callback(geninfo or "", params)
        return {"info": geninfo or "", "items": items, "parameters": params}

    def progressapi(self) -> dict[str, Any]:
        state = shared.state
        res = {"progress": 0.0, "eta_relative": 0.0, "state": state.dict(), "current_image": None,
               "textinfo": state.textinfo}
        if state.job_count == 0:
            return res
        done = min(0.01 + progress.fraction_done(), 1.0)
        elapsed = time.time() - (state.time_start or time.time())
        return res | {"progress": done, "eta_relative": elapsed / done - elapsed}

    def interruptapi(self) -> dict[str, Any]:
        shared.state.interrupt()
        return {}

    def skip(self) -> None:
        shared.state.skip()

    def get_config(self) -> dict[str, Any]:
        return {k: opts.data.get(k, v.default) for k, v in opts.data_labels.items()} if shared.is_forge() else dict(opts.data)

    def set_config(self, body: dict[str, Any] = _BODY) -> None:
        checkpoint = body.get("sd_model_checkpoint")
        if checkpoint is not None and checkpoint not in sd_models.checkpoint_aliases:
            raise RuntimeError(f"model {checkpoint!r} not found")
        for key, value in body.items():
            opts.set(key, value, is_api=True)
        opts.save(shared.config_filename)
