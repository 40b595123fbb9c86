"""The HTTP API and the page as another program sees them."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, Starter


@pytest.fixture(scope="module")
def sandbox(start: Starter) -> Sandbox:
    return start(server=True)


def ask(url: str, body: Any = None, login: str | None = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


REQUEST = {"prompt": "x", "seed": 3, "steps": 2, "width": 64, "height": 64}


def test_txt2img(sandbox: Sandbox, log: Log) -> None:
    code, answer = ask(f"{sandbox.url}/sdapi/v1/txt2img", {**REQUEST, "unknown_field": 1, "force_task_id": "my-task"})
    info = json.loads(answer["info"])
    assert code == 200 and len(answer["images"]) == 1 and answer["parameters"]["steps"] == 2
    assert info["version"] == "sandbox" and info["all_seeds"] == [3]
    assert log.of("before_process")[0]["thread"] == "AnyIO worker thread"
    from modules import progress

    assert progress.finished_tasks[-1] == "my-task"


def test_missing_script_arguments_are_the_defaults(sandbox: Sandbox, log: Log) -> None:
    for args, expected in (({}, (True, "default text")), ({"args": [False]}, (False, "default text")),
                           ({"args": [False, "own", "too many"]}, (False, "own"))):
        log.clear()
        ask(f"{sandbox.url}/sdapi/v1/txt2img", {**REQUEST, "alwayson_scripts": {"pRoBe": args}})
        assert log.of("before_process")[0]["args"] == expected


@pytest.mark.parametrize(("path", "body", "code", "text"), [
    ("txt2img", {"alwayson_scripts": {"nobody": {}}}, 422, "Script 'nobody' not found"),
    ("txt2img", {"alwayson_scripts": {"Two passes": {}}}, 422, "selectable script"),
    ("txt2img", {"script_name": "nobody"}, 422, "Script 'nobody' not found"),
    ("txt2img", {"steps": "many"}, 422, "not a valid int"),
    ("txt2img", {"override_settings": {"no_such_option": 1}}, 500, "no_such_option"),
    ("txt2img", {"refiner_checkpoint": "none such"}, 500, "Could not find checkpoint"),
    ("img2img", {}, 404, "Init image not found"),
    ("img2img", {"init_images": ["rubbish"]}, 500, "Invalid encoded image"),
    ("options", {"sd_model_checkpoint": "none such"}, 500, "not found"),
])
def test_errors(sandbox: Sandbox, log: Log, path: str, body: dict[str, Any], code: int, text: str) -> None:
    got, answer = ask(f"{sandbox.url}/sdapi/v1/{path}", {**(REQUEST if path != "options" else {}), **body})
    assert got == code and text in json.dumps(answer)


def test_unknown_upscaler_fails_after_the_first_hooks_and_leaves_the_task(sandbox: Sandbox, log: Log) -> None:
    from modules import progress

    body = {**REQUEST, "enable_hr": True, "hr_upscaler": "No such", "force_task_id": "stale"}
    code, answer = ask(f"{sandbox.url}/sdapi/v1/txt2img", body)
    assert code == 500 and answer["errors"] == "could not find upscaler named No such"
    assert log.names() == ["setup", "before_process", "process"]
    assert progress.current_task == "stale"
    ask(f"{sandbox.url}/sdapi/v1/txt2img", REQUEST)
    assert progress.current_task is None


def test_unknown_sampler_becomes_the_first(sandbox: Sandbox, log: Log) -> None:
    _, answer = ask(f"{sandbox.url}/sdapi/v1/txt2img", {**REQUEST, "sampler_name": "No such"})
    assert "Sampler: DPM++ 2M, Schedule type: Karras" in answer["info"]


def test_img2img_and_png_info(sandbox: Sandbox, log: Log, picture: str) -> None:
    _, answer = ask(f"{sandbox.url}/sdapi/v1/img2img", {**REQUEST, "init_images": [picture], "denoising_strength": 0.5})
    assert answer["parameters"]["init_images"] is None
    log.clear()
    _, info = ask(f"{sandbox.url}/sdapi/v1/png-info", {"image": answer["images"][0]})
    assert info["parameters"]["Denoising strength"] == "0.5" and info["parameters"]["Size-1"] == "64"
    assert len(log.of("on_infotext_pasted")) == 1


def test_options_are_stored(sandbox: Sandbox, log: Log) -> None:
    assert ask(f"{sandbox.url}/sdapi/v1/options", {"samples_format": "png", "probe_option": 8})[0] == 200
    assert ask(f"{sandbox.url}/sdapi/v1/options")[1]["probe_option"] == 8
    assert json.loads((sandbox.data_dir / "config.json").read_text())["probe_option"] == 8


def test_lists(sandbox: Sandbox) -> None:
    base = f"{sandbox.url}/sdapi/v1"
    assert "Euler a" in [x["name"] for x in ask(f"{base}/samplers")[1]]
    assert ask(f"{base}/upscalers")[1][0]["name"] == "None"
    assert ask(f"{base}/sd-models")[1][0]["model_name"] == "sandbox-hills-v1"
    assert ask(f"{base}/cmd-flags")[1]["sandbox"] is True
    names = ask(f"{base}/scripts")[1]
    assert names["txt2img"][:5] == ["prompt matrix", "prompts from file or textbox", "x/y/z plot", "adetailer", "probe"]
    assert names["img2img"][:6] == ["loopback", "poor man's outpainting", "prompt matrix", "prompts from file or textbox",
                                    "sd upscale", "x/y/z plot"]
    info = next(x for x in ask(f"{base}/script-info")[1] if x["name"] == "probe")
    assert [x["label"] for x in info["args"]] == ["Probe this", "Probe text"]
    assert ask(f"{base}/progress")[1]["progress"] == 0
    assert ask(f"{base}/interrupt", {})[0] == ask(f"{base}/skip", {})[0] == 200
    assert ask(f"{sandbox.url}/internal/ping")[0] == 200
    assert ask(f"{sandbox.url}/internal/progress", {"id_task": "x"})[1]["active"] is False


def test_page_says_that_it_is_a_sandbox_and_brings_the_extensions_files(sandbox: Sandbox) -> None:
    with urllib.request.urlopen(sandbox.url) as answer:
        page = answer.read().decode()
    assert "<title>Sandbox" in page or '"title":"Sandbox' in page.replace(" ", "")
    address = page.split('src="sandbox-file/probe/', 1)[1].split('"')[0]
    with urllib.request.urlopen(f"{sandbox.url}/sandbox-file/probe/{address}") as answer:
        assert b"probeLoaded" in answer.read()
    assert ask(f"{sandbox.url}/sandbox-file/probe/scripts/probe.py")[0] == 404


def test_reload_keeps_the_address(sandbox: Sandbox) -> None:
    sandbox.reload_ui()
    assert ask(f"{sandbox.url}/internal/ping")[0] == 200


def test_login_is_asked_for(start: Starter) -> None:
    sandbox = start(server=True, page=False, argv=["--api-auth", "ann:secret"])
    url = f"{sandbox.url}/sdapi/v1/samplers"
    assert ask(url)[0] == 401 and ask(url, login="ann:wrong")[0] == 401
    assert ask(url, login="ann:secret")[0] == 200


def test_hidden_paths_and_frozen_settings(start: Starter) -> None:
    start(page=False, argv=["--hide-ui-dir-config", "--freeze-specific-settings", "save_txt"])
    from modules.shared import opts

    assert opts.set("samples_filename_pattern", "[none]") is False
    with pytest.raises(AssertionError):
        opts.set("save_txt", True)
    assert opts.set("samples_format", "jpg") is True
