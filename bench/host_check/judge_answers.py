"""The API's answers against the records: every picture it returned, every text, every seed."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from host_check.faults import Faults
from host_check.job import Job
from host_check.pictures import LOSSLESS, decode, difference, pixel_digest
from host_check.recorded import Library, RecordedRun

# Mean difference of the channels that JPEG, WebP or AVIF may make of noisy small pictures; two jobs' pictures are far above.
ALIKE = 25.0


def judge_answer(job: Job, recorded: RecordedRun, library: Library, faults: Faults) -> None:
    digests = {(m["image"] or {}).get("pixel_sha256") for m in recorded.manifests}
    overwritten = any((m["image"] or {}).get("pixel_sha256") is None for m in recorded.manifests)
    for number, encoded in enumerate(job.images):
        image = decode(encoded)
        found = pixel_digest(image) in digests or job.expected.shrunk or _is_in_a_lossy_file(image, recorded, library)
        # The answer may have been encoded while the other client's format was in force, the file written over by another job.
        if image.format not in LOSSLESS or job.overrides.get("save_images_add_number") is False:
            found = found or any((m["image"] or {}).get("width") == image.width for m in recorded.manifests)
        where = f"{recorded.run_id}: returned image {number} of {len(job.images)}, {image.size[0]}x{image.size[1]}"
        faults.check("a returned image is recorded", found or overwritten, job, where)
        if job.endpoint.startswith("extra") and "postprocessing" in image.info:
            texts = [m["infotext"] for m in recorded.manifests]
            faults.check("postprocessing text", image.info["postprocessing"] in texts, job, f"{where}: {image.info['postprocessing']}")
    if job.endpoint.startswith("extra") or job.press or job.status != 200:
        return
    texts = {m["infotext"] for m in recorded.manifests}
    for text in job.info.get("infotexts", []):
        is_told = text in texts or not job.expected.text and None in texts  # neither written nor carried by the image
        faults.check("a returned text is recorded", is_told, job, f"{recorded.run_id}: {text!r}")
    if "script_name" not in job.body:
        finals = recorded.finals()
        faults.equal("seeds", [m["actual_seed"] for m in finals], job.info["all_seeds"], job, recorded.run_id)
        faults.equal("subseeds", [m["actual_subseed"] for m in finals], job.info["all_subseeds"], job, recorded.run_id)
        asked = None if job.body["seed"] == -1 else job.body["seed"]
        faults.equal("requested seed", {m["requested_seed"] for m in finals}, {asked}, job, recorded.run_id)


def _is_in_a_lossy_file(image: Image.Image, recorded: RecordedRun, library: Library) -> bool:
    for manifest in recorded.manifests:
        facts, path = manifest["image"] or {}, library.resolve(manifest["root"], manifest["path"])
        if facts.get("format") in LOSSLESS or path is None or (facts.get("width"), facts.get("height")) != image.size:
            continue
        if _looks_alike(image, path):
            return True
    return False


def _looks_alike(image: Image.Image, path: Path) -> bool:
    try:
        with Image.open(path) as saved:
            return difference(image, saved) < ALIKE
    except (OSError, UnidentifiedImageError):
        return path.is_file()  # gone is another rule's; a format that this Pillow does not read counts as alike
