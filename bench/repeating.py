"""What a host repeats pixel for pixel and what it does not, through its own API alone.

    python3 bench/repeating.py URL [--edge 64] [--steps 6] [--detector face_yolov8n.pt] [--markdown]

Each case makes pictures in two ways and compares their 8-bit RGB values. Nothing is saved by the host. Needs numpy and Pillow;
shares no code with the extension, which may be off.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import math
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from PIL import Image

Pictures = list[np.ndarray]


@dataclass(frozen=True)
class Difference:
    """Of all values of all pictures of a case: how many differ, the largest difference of 255, the worst picture's PSNR in dB."""

    share: float
    largest: int
    psnr: float

    def __str__(self) -> str:
        if not self.largest:
            return "pixel-identical"
        return f"{100 * self.share:.2f} % of values differ, by {self.largest} at most; PSNR {self.psnr:.1f} dB"


class Host:
    """One WebUI."""

    def __init__(self, url: str, edge: int, steps: int) -> None:
        self.url = url.rstrip("/")
        self._same = {
            "prompt": "a lighthouse at dusk, waves", "negative_prompt": "blurry", "seed": 1234, "steps": steps, "cfg_scale": 7,
            "width": edge, "height": edge, "sampler_name": "Euler a", "save_images": False, "override_settings": {"return_grid": False},
        }

    def post(self, route: str, body: Any) -> Any:
        request = urllib.request.Request(self.url + route, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=1800) as response:
            return json.load(response)

    def txt2img(self, **given: Any) -> Pictures:
        options = {**self._same["override_settings"], **given.pop("options", {})}  # type: ignore[dict-item]
        return _decode(self.post("/sdapi/v1/txt2img", {**self._same, **given, "override_settings": options})["images"])

    def img2img(self, picture: np.ndarray, **given: Any) -> Pictures:
        body = {**self._same, "init_images": [_encode(picture)], "denoising_strength": 0.5, **given}
        return _decode(self.post("/sdapi/v1/img2img", body)["images"])

    def upscale(self, picture: np.ndarray, upscaler: str) -> Pictures:
        body = {"image": _encode(picture), "upscaler_1": upscaler, "upscaling_resize": 2}
        return _decode([self.post("/sdapi/v1/extra-single-image", body)["image"]])


def _decode(images: list[str]) -> Pictures:
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(image))).convert("RGB"), np.int16) for image in images]


def _encode(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def compare(one: Pictures, other: Pictures) -> Difference:
    if [picture.shape for picture in one] != [picture.shape for picture in other]:
        raise ValueError(f"pictures of other sizes: {[p.shape for p in one]} and {[p.shape for p in other]}")
    gaps = [np.abs(first - second) for first, second in zip(one, other)]
    squares = max(float((gap.astype(np.float64) ** 2).mean()) for gap in gaps)
    share = sum(int((gap > 0).sum()) for gap in gaps) / sum(gap.size for gap in gaps)
    return Difference(share, max(int(gap.max()) for gap in gaps), 10 * math.log10(255**2 / squares) if squares else math.inf)


def twice(make: Callable[[], Pictures]) -> Difference:
    return compare(make(), make())


def build_cases(host: Host, detector: str) -> dict[str, Callable[[], Difference]]:
    """By what is done, in the words of the page that shows them."""
    picture = host.txt2img()[0]
    mask = np.zeros_like(picture)
    mask[: mask.shape[0] // 2] = 255
    detailer = {"alwayson_scripts": {"ADetailer": {"args": [True, False, {"ad_model": detector, "ad_confidence": 0.01}]}}}
    three = {"n_iter": 3}, {"batch_size": 3}
    return {
        "the same request twice": lambda: twice(host.txt2img),
        "the same with another job in between": lambda: compare(host.txt2img(), (host.txt2img(prompt="a fox", seed=5), host.txt2img())[1]),
        "a sampler without noise of its own (Euler)": lambda: twice(lambda: host.txt2img(sampler_name="Euler")),
        "DPM++ 2M SDE": lambda: twice(lambda: host.txt2img(sampler_name="DPM++ 2M SDE")),
        "hires fix (Latent)": lambda: twice(lambda: host.txt2img(enable_hr=True, hr_scale=2, hr_upscaler="Latent", denoising_strength=0.6)),
        "variation seed": lambda: twice(lambda: host.txt2img(subseed=9, subseed_strength=0.3)),
        "img2img": lambda: twice(lambda: host.img2img(picture)),
        "img2img, with a txt2img job in between": lambda: compare(
            host.img2img(picture), (host.txt2img(seed=5), host.img2img(picture))[1]),
        "inpaint": lambda: twice(lambda: host.img2img(picture, mask=_encode(mask), inpainting_fill=1)),
        "ADetailer": lambda: twice(lambda: host.txt2img(**detailer)),
        "upscale (Lanczos)": lambda: twice(lambda: host.upscale(picture, "Lanczos")),
        "the whole batch again, batch size 3": lambda: twice(lambda: host.txt2img(**three[1])),
        "image 2 of batch count 3, made alone": lambda: compare(host.txt2img(**three[0])[1:2], host.txt2img(seed=1235)),
        "image 2 of batch size 3, made alone": lambda: compare(host.txt2img(**three[1])[1:2], host.txt2img(seed=1235)),
        "image 2 of batch size 3, in a batch of 2": lambda: compare(host.txt2img(**three[1])[1:2], host.txt2img(batch_size=2)[1:2]),
        "clip skip 2 instead of 1": lambda: compare(host.txt2img(), host.txt2img(options={"CLIP_stop_at_last_layers": 2})),
        "another random number source (CPU, GPU)": lambda: compare(
            host.txt2img(options={"randn_source": "CPU"}), host.txt2img(options={"randn_source": "GPU"})),
        "eta noise seed delta 31337": lambda: compare(host.txt2img(), host.txt2img(options={"eta_noise_seed_delta": 31337})),
        "token merging 0.5": lambda: compare(host.txt2img(), host.txt2img(options={"token_merging_ratio": 0.5})),
        "one step more": lambda: compare(host.txt2img(), host.txt2img(steps=int(host._same["steps"]) + 1)),  # type: ignore[call-overload]
        "a blank more at the end of the prompt": lambda: compare(host.txt2img(), host.txt2img(prompt="a lighthouse at dusk, waves ")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--edge", type=int, default=64)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--detector", default="face_yolov8n.pt")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    cases = build_cases(Host(arguments.url, arguments.edge, arguments.steps), arguments.detector)
    for name, measure in cases.items():
        try:
            outcome = str(measure())
        except (urllib.error.HTTPError, ValueError) as fault:
            outcome = f"not possible here ({fault})"
        print(f"| {name} | {outcome} |" if arguments.markdown else f"{name:48} {outcome}", flush=True)


if __name__ == "__main__":
    main()
