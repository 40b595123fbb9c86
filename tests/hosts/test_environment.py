"""The environment: all that changes pictures, nothing private, and the same bytes while nothing changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.hosts.conftest import Host


def environment(options: dict[str, Any] | None = None) -> dict[str, Any]:
    from lib_sdpipe.hosts.environment import read_environment

    return read_environment(options or {})


def test_options_that_can_change_a_picture_stay(host: Host) -> None:
    options = {
        "token_merging_ratio": 0.5, "persistent_cond_cache": True, "cache_fp16_weight": False,
        "postprocessing_enable_in_main_ui": ["Upscale"],
        "prioritized_callbacks_script_process": [], "disabled_extensions": ["x"], "live_preview_content": "Prompt", "eta_ancestral": 1.0,
        "forge_unet_storage_dtype": "Automatic", "directories_max_prompt_words": 8, "user_metadata_scale": 2,
    }
    assert environment(options)["options"] == options


def test_private_options_do_not(host: Host) -> None:
    options = {
        "civitai_api_key": "k", "hf_token": "t", "my_password": "p", "outdir_samples": "out", "temp_dir": "", "api_useragent": "me",
        "proxy_url": "x", "some_model": "/models/a.pt", "other_model": "D:\\models\\a.pt", "third": "~/x", "list": ["a", "/models/a.pt"],
        "any": "sk-" + "a1" * 20, "nothing": None, "nested": {"a": 1}, "broken": float("nan"), "sdpipe_label": "x",
        "sd_model_checkpoint": "tiny",
    }
    assert environment(options)["options"] == {}


def test_a_number_is_the_same_however_the_host_saved_it(host: Host) -> None:
    assert json.dumps(environment({"tile": 192.0, "list": [1.0]})) == json.dumps(environment({"list": [1], "tile": 192}))


def test_a_default_is_the_same_however_the_page_saved_it(host: Host) -> None:
    script = SimpleNamespace(args_from=0, args_to=2, title=lambda: "x", filename="x.py")
    host.txt2img.alwayson_scripts = [script]
    found = []
    for number, text in ((-1, None), (-1.0, "")):
        host.txt2img.inputs = [SimpleNamespace(label="n", value={"a": [number]}), SimpleNamespace(label="t", value=text, lines=1)]
        found.append(json.dumps(environment()))
        from lib_sdpipe.hosts.environment import forget_script_defaults

        forget_script_defaults()
    assert found[0] == found[1]


def test_flags_are_those_that_were_given(host: Host) -> None:
    vars(host.flags).update({
        "no_half": True, "precision": "autocast", "use_cpu": ["all"], "vae_path": "/models/ae.pt", "pin_shared_memory": True,
        "medvram": False, "gradio_auth": "u:p", "port": 7860, "share": True, "ngrok": "t", "data_dir": "/data",
        "gradio_allowed_path": ["/data"], "hf_token": "t",
    })
    defaults = {"precision": "autocast"}
    host.module("modules.shared_cmd_options", parser=SimpleNamespace(get_default=defaults.get))
    assert environment()["flags"] == {"no_half": True, "pin_shared_memory": True, "use_cpu": ["all"], "vae_path": "ae.pt"}


def test_extensions_have_their_commit_before_the_host_was_asked_for_it(host: Host) -> None:
    class Extension(SimpleNamespace):
        def read_info_from_repo(self) -> None:
            self.version = self.commit_hash = "36189cbe"

    host.extensions += [Extension(name=name, version="", commit_hash="", is_builtin=name == "Lora") for name in ("b", "a", "Lora")]
    assert environment()["extensions"] == [{"name": name, "version": "36189cbe", "commit": "36189cbe"} for name in "ab"]


def test_a_stored_key_that_a_field_shows_is_not_among_the_defaults(host: Host) -> None:
    controls = [
        SimpleNamespace(label="API key", value="k1"), SimpleNamespace(label="Secret", value="k2", type="password"),
        SimpleNamespace(label="Scale", value=2),
    ]
    script = SimpleNamespace(args_from=0, args_to=3, title=lambda: "x", filename="x.py")
    host.txt2img.alwayson_scripts, host.txt2img.inputs = [script], controls
    assert [argument["value"] for argument in environment()["script_defaults"]["txt2img"][0]["args"]] == [None, None, 2]


def test_the_home_folder_is_not_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    assert environment({"pattern": "[seed] in /home/ann/x"})["options"]["pattern"] == "[seed] in ~/x"


# --- device ---


def fake_torch(hip: str | None = None) -> dict[str, Any]:
    properties = SimpleNamespace(name="NVIDIA RTX", major=8, minor=9, total_memory=24 * 2**30)
    flags = SimpleNamespace(allow_tf32=True, benchmark=False, version=lambda: 90100)
    return {
        "version": SimpleNamespace(cuda=None if hip else "12.4", hip=hip),
        "cuda": SimpleNamespace(get_device_properties=lambda index: properties if index == 1 else None),
        "backends": SimpleNamespace(cudnn=flags, cuda=SimpleNamespace(matmul=flags)),
        "are_deterministic_algorithms_enabled": lambda: False,
    }


def test_the_device_is_the_one_images_are_made_on(host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from lib_sdpipe.hosts import device

    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (dvs-builder@U16)\nGCC version:  gcc 12.3.0\n",
    )
    monkeypatch.setattr(device, "_NVIDIA", tmp_path / "version")
    host.module("torch", **fake_torch())
    host.shared.device = host.devices.device = SimpleNamespace(type="cuda", index=1)
    found = device.read_device()
    assert found | {"name": "cuda:1"} == {
        "name": "cuda:1", "accelerator": "NVIDIA RTX", "capability": "8.9", "memory_mb": 24576, "driver": "550.54.14", "cuda": "12.4",
        "hip": None, "cudnn": 90100,
    }
    assert device.read_precision() == {
        "dtype": "float16", "dtype_vae": "float32", "tf32": True, "cudnn_tf32": True, "cudnn_benchmark": False, "deterministic": False,
    }


@pytest.mark.parametrize(("answer", "driver"), [
    (subprocess.CompletedProcess([], 0, "550.54.14\n550.54.14\n"), "550.54.14"),
    (subprocess.CompletedProcess([], 9, "failed"), None),
    (FileNotFoundError(), None), (subprocess.TimeoutExpired("nvidia-smi", 5), None),
])
def test_where_no_file_tells_the_driver_its_program_is_asked(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Any, driver: str | None,
) -> None:
    from lib_sdpipe.hosts import device

    def run(*_: Any, **__: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(device, "_NVIDIA", tmp_path / "missing")
    monkeypatch.setattr(device.subprocess, "run", run)
    assert device.read_nvidia_driver() == driver


def test_attention_is_what_the_host_has_chosen(host: Host) -> None:
    from lib_sdpipe.hosts.device import read_attention

    assert read_attention() is None
    hijack = host.module("modules.sd_hijack", model_hijack=SimpleNamespace(optimization_method="sdp-no-mem")).model_hijack
    assert read_attention() == "sdp-no-mem"
    hijack.optimization_method = ""
    assert read_attention() == "none"

    def attention_xformers() -> None: ...

    host.module("backend.attention", attention_function=attention_xformers)
    assert read_attention() == "attention_xformers"


def test_forge_has_its_own_number_formats(host: Host) -> None:
    from lib_sdpipe.hosts.device import read_precision

    host.module("backend.memory_management", unet_dtype=lambda: "torch.bfloat16", text_encoder_dtype=lambda: "torch.float16")
    assert read_precision() == {
        "dtype": "float16", "dtype_vae": "float32", "dtype_unet": "bfloat16", "dtype_text_encoder": "float16",
    }
