"""What the fuzzer starts from: small sound files of every kind, made here."""

from __future__ import annotations

import gzip
import io
import json
import struct
from typing import Any

import numpy as np
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.exif_edit import build_exif
from lib_sdpipe.manifest.records import Manifest, Run

INFOTEXT = (
    'a lighthouse, "oil, on canvas" <lora:paint:0.8>, café\nNegative prompt: blurry, low quality\nSteps: 20, Sampler: Euler a, '
    'Schedule type: Automatic, CFG scale: 7.0, Seed: 123456789, Size: 512x768, Model hash: 0123456789, Model: "a, model", '
    'Lora hashes: "paint: 0123456789ab, other: ba9876543210", Hires prompt: "one\\ntwo: three", Run ID: 20251225_143022_my_pack, '
    'Version: v1.10.1'
)
STEALTH = (b"stealth_pnginfo", b"stealth_pngcomp", b"stealth_rgbinfo", b"stealth_rgbcomp")


def seeds() -> dict[str, list[bytes]]:
    """Inputs by kind of target."""
    plain = INFOTEXT.encode()
    return {
        "PNG": _pngs(), "JPEG": _with_exif("JPEG"), "WEBP": _with_exif("WEBP", lossless=True) + _with_exif("WEBP"), "AVIF": _avifs(),
        "stealth": [name + struct.pack(">I", 8 * len(body)) + body for name in STEALTH for body in (plain, gzip.compress(plain, mtime=0))],
        "manifest": _documents(Manifest, "sdpipe.manifest/1"), "run": _documents(Run, "sdpipe.run/1"),
        "infotext": [INFOTEXT.encode(), b"a: b: c, d: \"e\", f: g, hh: ii", b"", b"Negative prompt: x\nSteps: 1, Seed: 2, Size: 3x4"],
    }


def _picture(mode: str = "RGB", edge: int = 12) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (edge, edge, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def _save(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _exifs() -> list[bytes]:
    """As the hosts write it, as Pillow writes a camera's, and both orders of bytes."""
    ours = build_exif(b"UNICODE\0" + INFOTEXT.encode("utf-16-be"))
    exif = Image.Exif()
    exif[0x010F], exif[0x0131], exif[0x0112], exif[0x9C9C] = "workflow:{}", "Paint", 6, "xp".encode("utf-16-le")
    cameras = exif.tobytes()[6:]
    head = struct.pack("<4sIH", b"II*\0", 8, 2)
    entries = struct.pack("<HHI4sHHII", 0x0110, 2, 4, b"abc\0", 0x8769, 4, 1, 38) + struct.pack("<I", 0)
    little = head + entries + struct.pack("<HHHIIHHII", 2, 0x9286, 7, 12, 68, 0x9003, 2, 4, 0x333231) + struct.pack("<I", 0)
    return [ours, cameras, little + b"ASCII\0\0\0text" + b"behind"]


def _with_exif(image_format: str, **options: Any) -> list[bytes]:
    modes = ("RGB", "L") if image_format == "JPEG" else ("RGB", "RGBA")
    files = [_save(_picture(mode), image_format, **options) for mode in modes]
    return files + [_save(_picture(), image_format, exif=b"Exif\0\0" + exif, **options) for exif in _exifs()]


def _pngs() -> list[bytes]:
    files = []
    for number, exif in enumerate([None, *_exifs()]):
        info = PngInfo()
        info.add_text("parameters", INFOTEXT, zip=number == 1)
        info.add_itxt("prompt", '{"1": {}}', zip=number == 2)
        info.add_text("Software", "x", zip=True)
        files.append(_save(_picture(("RGB", "RGBA", "P", "L")[number]), "PNG", pnginfo=info, **({"exif": exif} if exif else {})))
    info = PngInfo()
    info.add_itxt("parameters", "夜 " + INFOTEXT)
    return [*files, _save(_picture(), "PNG"), _save(_picture("1"), "PNG", pnginfo=info)]


def _avifs() -> list[bytes]:
    if "avif" not in features.modules or not features.check("avif"):
        return [b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf\0\0\0\x0cmeta\0\0\0\0"]
    return _with_exif("AVIF", speed=10)


def _documents(kind: type[Any], schema: str) -> list[bytes]:
    full: dict[str, Any] = {**kind().to_json(), "schema": schema}
    full.update(
        run_id="20251225_143022_my_pack", name="txt2img_001", stage="txt2img", prompt=INFOTEXT, infotext=INFOTEXT, status="completed",
        timestamp="2025-12-25T13:30:22.000Z", config={"steps": 20, "scripts": [{"title": "x", "args": [1, None]}]},
        stage_history=[{"stage": "txt2img", "settings": {}, "actual_seed": 1}], stage_outputs=[{"stage": "txt2img", "name": "txt2img_001"}],
        loras=[{"name": "paint", "weight": 0.8}], parent={"run_id": "x", "name": "y", "by": "pixels"}, images={"planned": 1},
        image={"width": 1, "height": 2, "sha256": "0" * 64}, batch={"index": 0}, error={"message": "x"}, replay={"of": {"name": "x"}},
    )
    older = {"name": "txt2img_001", "stage": "upscaled", "final_prompt": "x", "seeds": {"final_seed": 5}, "output_path": "C:/x.png"}
    return [json.dumps(full).encode(), json.dumps(older).encode(), b"{}", json.dumps({**full, "schema": None}).encode()]
