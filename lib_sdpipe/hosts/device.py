"""What computes: the device with its driver, its precision, and the attention in use. No place imports torch for it."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from modules import devices, shared

from lib_sdpipe.record.facts import Json

_NVIDIA = Path("/proc/driver/nvidia/version")
_AMD = Path("/sys/module/amdgpu/version")
_ASK_SECONDS = 5.0
# A1111 knows the others when it has loaded a checkpoint; they follow from its flags and options. Forge knows them at once.
_DTYPES = ("dtype", "dtype_vae", "dtype_inference")
# Where the hosts keep the function that they have chosen: Forge, then the hosts on ldm_patched.
_ATTENTION = (("backend.attention", "attention_function"), ("ldm_patched.ldm.modules.attention", "optimized_attention"))


def read_device() -> Json:
    """The device images are made on. May take a while where the driver's own program must be asked."""
    torch: Any = sys.modules.get("torch")
    device = getattr(shared, "device", None) or getattr(devices, "device", None)
    found: Json = {
        "name": str(device) if device else None, "accelerator": None, "capability": None, "memory_mb": None, "driver": None,
        "cuda": None, "hip": None, "cudnn": None,
    }
    if torch is None:
        return found
    found["cuda"], found["hip"] = torch.version.cuda, getattr(torch.version, "hip", None)
    if getattr(device, "type", None) == "cuda":
        # The index is named: the current device is each thread's own.
        properties = torch.cuda.get_device_properties(device.index or 0)
        found.update(
            accelerator=properties.name, capability=f"{properties.major}.{properties.minor}",
            memory_mb=properties.total_memory // 2**20, cudnn=torch.backends.cudnn.version(),
            driver=read_amd_driver() if found["hip"] else read_nvidia_driver(),
        )
    elif getattr(device, "type", None) == "xpu" and hasattr(torch, "xpu"):
        found["accelerator"] = torch.xpu.get_device_name(device.index or 0)
    return found


def read_nvidia_driver() -> str | None:
    """The driver's version; None where nothing tells it."""
    try:
        match = re.search(r"NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s", _NVIDIA.read_text("utf-8", "replace"))
    except OSError:
        match = None
    return match.group(1) if match else _ask_nvidia_smi()


def read_amd_driver() -> str | None:
    try:
        return _AMD.read_text("utf-8", "replace").strip() or None
    except OSError:
        return None


def _ask_nvidia_smi() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows each console program would open one
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False, creationflags=no_window,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = answer.stdout.split()
    return lines[0] if answer.returncode == 0 and lines else None


@lru_cache(maxsize=1)
def read_processor() -> str | None:
    """The CPU's name, as its maker writes it: on a CPU, pictures differ by it."""
    import platform

    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1).strip() if match else platform.processor() or None


def read_precision() -> Json:
    """Number formats by the host's own names, as they are whether a checkpoint is loaded or not."""
    found = {name: _plain(getattr(devices, name)) for name in _DTYPES if hasattr(devices, name)}
    forge: Any = sys.modules.get("backend.memory_management")
    if forge is not None:
        found |= {"dtype_unet": _plain(forge.unet_dtype()), "dtype_text_encoder": _plain(forge.text_encoder_dtype())}
    torch: Any = sys.modules.get("torch")
    if torch is not None and getattr(getattr(devices, "device", None), "type", None) == "cuda":
        found |= {
            "tf32": bool(torch.backends.cuda.matmul.allow_tf32), "cudnn_tf32": bool(torch.backends.cudnn.allow_tf32),
            "cudnn_benchmark": bool(torch.backends.cudnn.benchmark),
            "deterministic": bool(torch.are_deterministic_algorithms_enabled()),
        }
    return found


def read_attention() -> str | None:
    """The attention in use, as the host calls it; None where the host has not chosen yet."""
    for module, name in _ATTENTION:
        function = getattr(sys.modules.get(module), name, None)
        if function is not None:
            return str(function.__name__)
    hijack = getattr(sys.modules.get("modules.sd_hijack"), "model_hijack", None)
    method = getattr(hijack, "optimization_method", None)
    return "none" if method == "" else method if isinstance(method, str) else None


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value).removeprefix("torch.")
