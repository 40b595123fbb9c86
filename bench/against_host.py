"""Holds what SDPipe recorded against what the host itself says. Shares no code with the recorder.

    python3 bench/against_host.py URL DATA_DIR [--images 100]

URL is a WebUI with SDPipe, DATA_DIR its data path. Makes jobs of many kinds until so many images are saved, then
compares every manifest of role `final` with the host's own reading of the file (`/sdapi/v1/png-info`) and with the
bytes on disk, and every new file of the output folders with the manifests. Exit 1 if anything differs.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import re
import struct
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".avif"}
PROMPTS = [
    "a lighthouse\non a cliff, dramatic: sky, naïve art", "red cube AND blue sphere :0.7", "夜の森と狐, 4k, детальный фон",
    'portrait of an old sailor, "storm" behind, [soft:hard:0.5]', "market at dusk, <b>lanterns</b> & <script>alert(1)</script>",
]


def call(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)


def random_job(rng: random.Random, last_image: str | None) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {
        "prompt": rng.choice(PROMPTS), "negative_prompt": rng.choice(["", "blurry, (worst quality:1.4)"]), "steps": rng.choice([1, 2, 3]),
        "width": rng.choice([64, 72, 96]), "height": 64, "sampler_name": rng.choice(["Euler a", "Euler", "DPM++ 2M"]),
        "scheduler": rng.choice(["Karras", "Automatic"]), "cfg_scale": rng.choice([4.5, 7]), "save_images": True, "seed": -1,
        "batch_size": rng.choice([1, 1, 2]), "n_iter": rng.choice([1, 1, 2]), "alwayson_scripts": {},
        "override_settings": {"samples_format": rng.choice(["png", "png", "webp"])},
    }
    if rng.random() < 0.25:
        body.update(subseed=rng.randrange(1000), subseed_strength=0.3)
    if rng.random() < 0.3:
        model = rng.choice(["always_yolov8n.pt", "never_yolov8n.pt"])
        body["alwayson_scripts"]["ADetailer"] = {"args": [True, False, {"ad_model": model}]}
    if last_image and rng.random() < 0.3:
        return "img2img", {**body, "init_images": [last_image], "denoising_strength": 0.5}
    if rng.random() < 0.3:
        body.update(enable_hr=True, hr_scale=2, hr_upscaler="Latent", denoising_strength=0.5, hr_additional_modules=["Use same choices"])
        body["override_settings"]["save_images_before_highres_fix"] = rng.random() < 0.5
    return "txt2img", body


def output_files(data_dir: Path) -> set[Path]:
    return {p for p in (data_dir / "outputs").rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES}


def pixel_digest(path: Path) -> str:
    """As docs/formats.md describes it, written again from its words."""
    with Image.open(path) as image:
        digest = hashlib.sha256(struct.pack(">II", *image.size) + image.convert("RGB").tobytes())
        if "A" in image.getbands():
            alpha = image.getchannel("A")
            if alpha.getextrema()[0] < 254:
                digest.update(alpha.tobytes())
        return digest.hexdigest()


def host_reads(url: str, path: Path) -> dict[str, str]:
    """The parameter line as the host's own reader gives it back, split by the rule of its own format."""
    text = call(f"{url}/sdapi/v1/png-info", {"image": base64.b64encode(path.read_bytes()).decode()})["info"]
    pairs = dict(re.findall(r'(?:^|, )([\w][\w \-/]+): ("(?:\\.|[^\\"])+"|[^,]*)', text.split("\n")[-1]))
    head = text[: text.rindex("\n")]
    pairs["Prompt"], _, pairs["Negative prompt"] = head.partition("\nNegative prompt: ")
    pairs["whole text"] = text
    return pairs


def compare(url: str, data_dir: Path, manifest: dict[str, Any]) -> list[str]:
    path = data_dir / "outputs" / manifest["path"]
    if manifest["root"] != "outputs" or not path.is_file():
        return [f"{manifest['name']}: {manifest['root']}:{manifest['path']} is no file"]
    said = host_reads(url, path)
    settings, image, data = manifest["config"], manifest["image"], path.read_bytes()
    size = {"width": settings["width"], "height": settings["height"]}
    if manifest["stage"] == "adetailer":
        before = next(h for h in reversed(manifest["stage_history"]) if h["role"] == "before-adetailer")["settings"]
        settings, size = before, {"width": before["width"], "height": before["height"]}
    pairs = {
        "infotext": (manifest["infotext"], said["whole text"]), "seed": (str(manifest["actual_seed"]), said["Seed"]),
        "prompt": (manifest["prompt"], said["Prompt"]), "negative prompt": (manifest["negative_prompt"], said["Negative prompt"]),
        "sampler": (settings["sampler_name"], said["Sampler"]), "size": (f"{size['width']}x{size['height']}", said["Size"]),
        "model": (manifest["model"], said["Model"]), "run id": (manifest["run_id"], said["Run ID"]),
        "sha256": (image["sha256"], hashlib.sha256(data).hexdigest()), "pixel_sha256": (image["pixel_sha256"], pixel_digest(path)),
    }
    return [f"{manifest['run_id']}/{manifest['name']}: {what}: recorded {a!r}, host {b!r}" for what, (a, b) in pairs.items() if a != b]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, url = random.Random(arguments.seed), arguments.url.rstrip("/")
    files_before, runs_before = output_files(arguments.data_dir), set((arguments.data_dir / "runs").glob("2*"))
    jobs, last_image = 0, None
    while len(output_files(arguments.data_dir) - files_before) < arguments.images:
        endpoint, body = random_job(rng, last_image)
        last_image = call(f"{url}/sdapi/v1/{endpoint}", body)["images"][-1]
        jobs += 1
    time.sleep(6)
    new_runs = set((arguments.data_dir / "runs").glob("2*")) - runs_before
    manifests = [json.loads(p.read_bytes()) for run in sorted(new_runs) for p in sorted((run / "manifests").glob("*.json"))]
    open_runs = [run.name for run in new_runs if json.loads((run / "run_metadata.json").read_bytes())["status"] != "completed"]
    faults = [f"{name}: not completed" for name in open_runs]
    for manifest in manifests:
        if manifest["role"] == "final":
            faults += compare(url, arguments.data_dir, manifest)
    recorded = [arguments.data_dir / "outputs" / m["path"] for m in manifests]
    new_files = output_files(arguments.data_dir) - files_before
    faults += [f"{p}: no manifest" for p in new_files - set(recorded)] + [f"{p}: no file" for p in set(recorded) - new_files]
    faults += [f"{len(recorded) - len(set(recorded))} files with two manifests"] if len(recorded) != len(set(recorded)) else []
    stages = {stage: sum(m["stage"] == stage for m in manifests) for stage in sorted({m["stage"] for m in manifests})}
    counts = {"jobs": jobs, "runs": len(new_runs), "manifests": len(manifests), "files": len(new_files), "stages": stages}
    print(json.dumps({**counts, "faults": faults}, indent=2))
    return 1 if faults or len(new_runs) != jobs else 0


if __name__ == "__main__":
    sys.exit(main())
