"""The Extras tab: no request, its own texts, and what operations of extensions are given."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, opened

SMALL = {"width": 64, "height": 64, "steps": 2}


def upscale(name: str = "Lanczos", by: float = 2.0) -> list[Any]:
    return [True, 0, by, 0, 512, 512, True, name, "None", 0.0]


def run(sandbox: Sandbox, mode: int, image: Any = None, folder: Any = None, args: Any = None, output_dir: str = "") -> Any:
    from modules.postprocessing import run_postprocessing_webui

    return run_postprocessing_webui("task(x)", mode, image, None, folder, output_dir, True, *(args or upscale()))


@pytest.fixture
def source(sandbox: Sandbox, log: Log) -> Path:
    sandbox.generate(prompt="x", seed=7, save_images=True, **SMALL)
    path = Path(log.of("on_image_saved")[0]["filename"])
    log.clear()
    return path


def test_saved_picture_has_the_texts_of_its_source_and_of_the_job(sandbox: Sandbox, log: Log, source: Path) -> None:
    run(sandbox, 0, opened(source))
    event = log.of("on_image_saved")[0]
    assert event["type"] == "NoneType" and Path(event["filename"]).name[:5].isdigit()
    texts = opened(event["filename"]).info
    assert texts["parameters"].startswith("x\nSteps: 2")
    assert texts["extras"] == texts["postprocessing"] == "Postprocess upscale by: 2.0, Postprocess upscaler: Lanczos"
    assert list(texts) == ["parameters", "postprocessing", "extras"]


def test_jpeg_has_the_job_text_only(sandbox: Sandbox, log: Log, source: Path) -> None:
    from modules import images
    from modules.shared import opts

    opts.samples_format = "jpg"
    run(sandbox, 0, opened(source))
    text, _ = images.read_info_from_image(opened(log.of("on_image_saved")[0]["filename"]))
    assert text == "Postprocess upscale by: 2.0, Postprocess upscaler: Lanczos"


def test_folder_keeps_the_names_and_passes_over_what_is_no_picture(sandbox: Sandbox, log: Log, source: Path,
                                                                 tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(source, tmp_path / "in" / name)
    (tmp_path / "in" / "a.txt").write_text("no picture")
    run(sandbox, 2, folder=str(tmp_path / "in"), output_dir=str(tmp_path / "out"))
    assert [Path(x["filename"]) for x in log.of("on_image_saved")] == [tmp_path / "out" / "a.png", tmp_path / "out" / "b.png"]


def test_frame_of_the_job_has_the_names_of_the_host(sandbox: Sandbox, log: Log, source: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import script_callbacks

    seen: dict[str, Any] = {}

    def look(params: Any) -> None:
        frame: Any = sys._getframe()
        while frame.f_code.co_name != "run_postprocessing":
            frame = frame.f_back
        seen.update(frame.f_locals)

    script_callbacks.on_before_image_saved(look)
    run(sandbox, 0, opened(source))
    script_callbacks.remove_callbacks_for_function(look)
    assert seen["extras_mode"] == 0 and seen["save_output"] is True and seen["name"] is None
    assert seen["args"] == tuple(upscale()) and seen["initial_pp"].info["Postprocess upscaler"] == "Lanczos"
    assert isinstance(seen["image_placeholder"], Image.Image)


def test_api_saves_nothing_and_answers_with_the_texts(sandbox: Sandbox, log: Log, picture: str) -> None:
    from modules.api.requests import decode_base64_to_image

    one = sandbox.api.extras_single_image_api({"image": picture, "upscaler_1": "Nearest", "upscaling_resize": 3})
    image = decode_base64_to_image(one["image"])
    assert image.size == (192, 192) and image.info["postprocessing"].endswith("Postprocess upscaler: Nearest")
    many = sandbox.api.extras_batch_images_api({"imageList": [{"data": picture, "name": "a"}] * 2})
    assert len(many["images"]) == 2 and many["html_info"] == "<p></p>"
    assert log.names() == []


def test_operations_run_in_order_and_may_make_more_pictures(sandbox: Sandbox, log: Log, source: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import scripts
    from modules.scripts_postprocessing import ScriptPostprocessing

    class Twice(ScriptPostprocessing):
        name, order, controls, args_from, args_to = "Twice", 2000, {"on": None}, 10, 11

        def process(self, pp: Any, on: bool) -> None:
            pp.extra_images.append(pp.create_copy(pp.image, nametags=["twin"]))

    monkeypatch.setattr(scripts.scripts_postproc, "scripts", [Twice(), *scripts.scripts_postproc.scripts_in_preferred_order()])
    run(sandbox, 0, opened(source), args=[*upscale(), True])
    first, second = [Path(x["filename"]) for x in log.of("on_image_saved")]
    assert second.name == f"{int(first.stem) + 1:05}--twin.png"  # the host writes two dashes, too
    assert opened(second).size == (128, 128)


def test_operation_without_controls_breaks_the_start(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import scripts
    from modules.scripts_postprocessing import ScriptPostprocessing

    monkeypatch.setattr(scripts.scripts_postproc, "scripts", [ScriptPostprocessing()])
    with pytest.raises(AttributeError):
        scripts.scripts_postproc.setup_ui()


def test_job_of_the_page_ends_as_its_own_job(sandbox: Sandbox, log: Log, source: Path) -> None:
    from modules import progress, shared
    from modules.call_queue import wrap_gradio_gpu_call
    from modules.postprocessing import run_postprocessing_webui

    answer = wrap_gradio_gpu_call(run_postprocessing_webui)("task(ex)", 0, opened(source), None, "", "", True, *upscale())
    assert "Postprocess upscaler" in answer[1] and progress.finished_tasks[-1] == "task(ex)"
    assert shared.state.job == "" and json.dumps(shared.state.dict())
