"""`demo`: a miniature WebUI with SDPipe in it, its first runs recorded by the real extension, on a machine without a GPU.

The sandbox and what it needs (gradio, fastapi) are imported only when the verb runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import DEFAULT_NAME, find_webui, named_folder, open_workspace
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.cli.serving import add_page_arguments, choose_port, ended_by_signal, open_browser
from lib_sdpipe.errors import NoLibraryError, SdPipeError, UsageError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.store.atomic import write_atomic

NAME = "demo"
SUMMARY = "record first runs in a miniature WebUI and serve its page"

DATA_NAME = "sdpipe-sandbox"
_CLOSE_SECONDS = 60.0
_STEP_MS = 15.0
_REPOSITORY = Path(__file__).resolve().parents[3]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        f"Record first runs in a miniature WebUI (no diffusion model, no GPU) and serve its page on 127.0.0.1 until Ctrl-C. "
        f"The runs go to ./{DEFAULT_NAME} or --runs DIR; the sandbox's settings, models and outputs to {DATA_NAME} beside it."
    )
    add_page_arguments(parser)
    parser.add_argument("--once", action="store_true", help="stop after the first runs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    runs = _choose_runs(arguments.runs)
    known = set(_list_runs(runs))
    # What a host prints is not our answer.
    with contextlib.redirect_stdout(sys.stderr), ended_by_signal(), _sandbox(arguments, runs, output) as sandbox:
        _generate(sandbox, output)
        recorded = _wait_until_closed(runs, known, output)
        summary = _summary(runs, recorded)
        output.lines(_build_summary_text(summary, recorded, arguments))
        if output.is_json:
            output.document(summary if arguments.once else {**summary, "url": sandbox.url})
        output.flush()
        if not arguments.once:
            _serve(sandbox, arguments, output)
    return 0


def _choose_runs(named: str | None) -> Path:
    """Never by itself the library of a real WebUI: demo pictures do not belong there."""
    if named is not None:
        return named_folder(named)
    if (webui := find_webui(Path.cwd())) is not None:
        raise UsageError(f"this folder belongs to the WebUI in {webui}: say where the demo may write, with --runs DIR")
    return Path.cwd() / DEFAULT_NAME


def _list_runs(runs: Path) -> dict[str, str | None]:
    """Run ids and statuses; none where there is no library yet."""
    try:
        page = open_workspace(runs).list_runs(limit=sys.maxsize - 1)
    except NoLibraryError:
        return {}
    return {summary.run_id: summary.status for summary in page.runs}


@contextlib.contextmanager
def _sandbox(arguments: argparse.Namespace, runs: Path, output: Output) -> Iterator[Any]:
    try:
        from lib_sdpipe.sandbox.boot import SandboxError
        from lib_sdpipe.sandbox.launch import start_sandbox
    except ImportError as fault:
        raise SdPipeError(f"the demo needs {fault.name}; `python3 install.py demo` makes an environment that has it") from fault
    if not (_REPOSITORY / "scripts" / "sdpipe.py").is_file():
        raise UsageError(f"the demo runs SDPipe as an extension, and {_REPOSITORY} is not a checkout of it: run it from one")
    data = runs.parent / DATA_NAME
    port = 0 if arguments.once else choose_port(arguments.port)
    _write_settings(data, runs)
    output.progress("Starting the sandbox WebUI ...")
    try:
        sandbox = start_sandbox(
            data, [f"sdpipe={_REPOSITORY}"], port=port, server=not arguments.once, step_ms=0.0 if arguments.once else _STEP_MS,
        )
    except SandboxError as fault:
        raise SdPipeError(str(fault)) from fault
    try:
        yield sandbox
    finally:
        # Stopping cuts what browsers keep open, and uvicorn reports each of those with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        sandbox.stop()


def _write_settings(data: Path, runs: Path) -> None:
    """Name the runs folder to the host before it starts; what was set in an earlier demo stays."""
    data.mkdir(parents=True, exist_ok=True)
    config = data / "config.json"
    try:
        settings = json.loads(config.read_bytes())
    except (OSError, ValueError):
        settings = {}
    settings = settings if isinstance(settings, dict) else {}
    write_atomic(config, format_json({**settings, "sdpipe_runs_folder": str(runs)}))


def _generate(sandbox: Any, output: Output) -> None:
    """Three presses of Generate: two pictures with hires fix and a grid, one made from them, one with ADetailer."""
    output.progress("Generating: txt2img with hires fix ...")
    hires: dict[str, Any] = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.55}
    first = sandbox.generate("txt2img", **_request(batch_size=2, **hires))
    output.progress("Generating: img2img from the first picture ...")
    # The grid, where there is one, comes first.
    sandbox.generate("img2img", **_request(init_images=[first["images"][-2]], denoising_strength=0.4))
    output.progress("Generating: txt2img with ADetailer ...")
    sandbox.generate("txt2img", **_request({"ADetailer": {"args": [True, False, {"ad_model": "always_yolov8n.pt"}]}}, seed=2025))


def _request(scripts: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "prompt": "a lighthouse above the sea, evening light, gulls", "negative_prompt": "blurry, low quality",
        "sampler_name": "Euler a", "steps": 12, "cfg_scale": 6.5, "width": 384, "height": 512, "seed": 1225,
        "save_images": True, **fields,
        "alwayson_scripts": {"SDPipe": {"args": [{"label": "demo", "record": True}]}, **(scripts or {})},
    }


def _wait_until_closed(runs: Path, known: set[str], output: Output) -> list[str]:
    """The new runs, oldest first, once SDPipe has closed them: it does so when the host was idle for two seconds."""
    output.progress("Waiting until the runs are complete ...")
    deadline = time.monotonic() + _CLOSE_SECONDS
    while True:
        recorded = {run_id: status for run_id, status in _list_runs(runs).items() if run_id not in known}
        if recorded and all(status not in (None, "running") for status in recorded.values()):
            return sorted(recorded)
        if time.monotonic() > deadline:
            raise SdPipeError(f"the sandbox generated, but its runs in {runs} were not completed within {_CLOSE_SECONDS:g} s")
        time.sleep(0.1)


def _summary(runs: Path, recorded: list[str]) -> dict[str, Any]:
    workspace = open_workspace(runs)
    manifests = sum(len(workspace.view_run(run_id).manifests) for run_id in recorded)
    return {"runs": recorded, "manifests": manifests, "runs_dir": str(runs)}


def _build_summary_text(summary: dict[str, Any], recorded: list[str], arguments: argparse.Namespace) -> list[str]:
    place = "" if arguments.runs is None else f" --runs {shlex.quote(arguments.runs)}"
    return [escape_text(line) for line in (
        f"Recorded {format_count(len(recorded), 'run')} with {format_count(summary['manifests'], 'manifest')} in {summary['runs_dir']}:",
        *(f"  {run_id}" for run_id in recorded),
        "The pictures are drawn by a small program: the sandbox has no diffusion model. All else is the real extension.",
        "Try next:",
        f"  {program_name()} runs{place}",
        f"  {program_name()} show {recorded[-1]}{place}",
    )]


def _serve(sandbox: Any, arguments: argparse.Namespace, output: Output) -> None:
    """Until Ctrl-C."""
    output.line(f"The page: {sandbox.url} (press Generate, then look at the Runs tab). Ctrl-C stops it.")
    output.flush()
    open_browser(sandbox.url, arguments)
    while True:
        time.sleep(3600)
