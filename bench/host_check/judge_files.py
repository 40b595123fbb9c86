"""Every file has exactly one manifest, every manifest its file, and both say what the host reads from it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from host_check.faults import Faults
from host_check.host import Host, Json
from host_check.job import UNRECORDED_FOLDER, Job
from host_check.judge_runs import Pairs
from host_check.pictures import LOSSLESS, pixel_digest
from host_check.recorded import Library, RecordedRun, is_image

Owner = tuple[Job, RecordedRun, Json]


def judge_files(pairs: Pairs, library: Library, new_files: set[Path], host: Host, faults: Faults) -> list[tuple[Owner, Path]]:
    """The manifests whose file is still theirs, with it."""
    owners: dict[Path, list[Owner]] = defaultdict(list)
    for job, run in pairs:
        for manifest in run.manifests:
            path = library.resolve(manifest["root"], manifest["path"])
            if manifest["path"] is not None:
                name = f"{run.run_id}/{manifest['name']}: {manifest['root']}:{manifest['path']}"
                if faults.check("a manifest's file exists", path is not None and path.is_file(), job, name):
                    owners[path].append((job, run, manifest))  # type: ignore[index]
    theirs = [pair for path, claims in owners.items() for pair in _settle(path, claims, faults)]
    beside = _judge_beside(owners, faults)
    for path in sorted(new_files - beside):
        if path.parent.name == UNRECORDED_FOLDER:
            faults.check("an unrecorded file has no manifest", path not in owners, None, str(path))
        elif is_image(path):
            faults.check("a file has a manifest", path in owners, None if path in owners else _job_of(path, pairs, host), str(path))
        elif path.suffix == ".txt":
            faults.check("a text file is named beside its image", False, _job_of(path, pairs, host), str(path))
    return theirs


def _settle(path: Path, claims: list[Owner], faults: Faults) -> list[tuple[Owner, Path]]:
    """Of several manifests of one path the newest one's bytes must be there; earlier ones were written over."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    claims.sort(key=lambda claim: (claim[2]["timestamp"], claim[2]["name"]))
    matching = [claim for claim in claims if (claim[2]["image"] or {}).get("sha256") == digest or _is_the_init_image(path, claim[2])]
    job, run, newest = claims[-1]
    name = f"{run.run_id}/{newest['name']}: {path}"
    faults.check("a file has one manifest", len(matching) == 1, job,
                 f"{name}: the sha256 of {len(matching)} of {len(claims)} manifests is the file's")
    if not faults.check("the newest manifest's sha256 is the file's", claims[-1] in matching, job, name):
        return []
    may_overwrite = all(c[0].overrides.get("save_images_add_number") is False for c in claims[:-1]) or newest["role"] == "init"
    faults.check("one path, one manifest", len(claims) == 1 or may_overwrite, job, f"{name}: {len(claims)} manifests")
    for earlier_job, earlier_run, earlier in claims[:-1]:
        told = (earlier["image"] or {}).get("sha256") is not None or earlier.get("lost_at") is not None
        faults.check("an overwritten image is told", told, earlier_job, f"{earlier_run.run_id}/{earlier['name']}")
    return [(claims[-1], path)]


def _is_the_init_image(path: Path, manifest: Json) -> bool:
    """The host names it by its pixels: sent again with other text it is another file of one name."""
    if manifest["role"] != "init" or manifest["image"] is None:
        return False
    with Image.open(path) as image:
        return manifest["image"]["pixel_sha256"] == pixel_digest(image)


def _judge_beside(owners: dict[Path, list[Owner]], faults: Faults) -> set[Path]:
    """Files that the host wrote with an image; each must be there."""
    found: set[Path] = set()
    for path, claims in owners.items():
        for job, run, manifest in claims:
            for name in manifest.get("beside") or []:
                found.add(path.parent / name)
                faults.check("what is beside exists", (path.parent / name).is_file(), job, f"{run.run_id}/{manifest['name']}: {name}")
    return found


def _job_of(path: Path, pairs: Pairs, host: Host) -> Job | None:
    """Whose file it is, by the token in its text; a script's grid may have none."""
    if path.parent.name.startswith("init"):  # its text, if any, is that of the picture that was sent
        return None
    text = path.read_text("utf-8") if path.suffix == ".txt" else host.read_text(path.read_bytes())[0]
    return next((job for job, _ in pairs if job.token in text), None)


def judge_picture(owner: Owner, path: Path, library: Library, faults: Faults) -> None:
    """What the manifest says of its file, and the copy in the run folder."""
    job, run, manifest = owner
    name, facts, data = f"{run.run_id}/{manifest['name']}", manifest["image"], path.read_bytes()
    if manifest["role"] != "init":
        faults.equal("bytes", facts["bytes"], len(data), job, name)
    if manifest["kept"] is not None:
        kept = library.runs / manifest["kept"]
        faults.check("the kept copy", kept.is_file() and kept.read_bytes() == data, job, f"{name}: {manifest['kept']}")
    elif job.choices.get("keep_images") and manifest["role"] == "final" and manifest["root"] != "runs":
        faults.check("the kept copy", False, job, f"{name}: none")
    try:
        with Image.open(path) as image:
            faults.equal("size and format", (facts["width"], facts["height"], facts["format"]), (*image.size, image.format), job, name)
            if image.format in LOSSLESS:
                faults.equal("pixel_sha256", facts["pixel_sha256"], pixel_digest(image), job, name)
    except UnidentifiedImageError:
        return  # a format that this Pillow does not read


def judge_text(owner: Owner, path: Path, host: Host, faults: Faults) -> dict[str, str]:
    """Infotext verbatim, and each fact of it, as the host's own reader gives them back; returns these facts."""
    job, run, manifest = owner
    if manifest["role"] == "init" or manifest["root"] == "runs":
        return {}
    name = f"{run.run_id}/{manifest['name']}"
    whole, said = host.read_text(path.read_bytes())
    if not whole and not job.expected.text:
        told = [None, "", *job.info.get("infotexts", [])]
        is_checked = manifest["role"] == "final" and manifest["stage"] != "grid" and job.expected.variant is None and job.status == 200
        faults.check("infotext of a file without text", not is_checked or manifest["infotext"] in told, job, name)
        return {}
    # A grid that a script saves without text gets the word None from A1111.
    faults.equal("infotext", manifest["infotext"] or "", "" if whole == "None" else whole, job, name)
    if manifest["role"] == "final" and said.get("Steps"):
        # Forge writes the texts of all lines into one combined picture; read back, the last one's numbers win.
        is_of_all_lines = job.expected.variant == "line" and manifest["stage"] == "grid"
        for what, (recorded, expected) in _facts(manifest, said).items():
            if not is_of_all_lines or what in ("prompt", "negative prompt", "model"):
                faults.equal(f"text: {what}", recorded, expected, job, name)
    wants_id = job.choices.get("write_run_id", True) and "Steps" in said
    faults.equal("text: run id", said.get("Run ID"), run.run_id if wants_id else None, job, name)
    return said


def _facts(manifest: Json, said: dict[str, str]) -> dict[str, tuple[Any, Any]]:
    settings = manifest["config"]
    if manifest["stage"] == "adetailer":
        settings = next(h for h in reversed(manifest["stage_history"]) if h["role"] == "before-adetailer")["settings"]
    is_script_grid = manifest["stage"] == "grid" and not settings.get("sampler_name")
    facts: dict[str, tuple[Any, Any]] = {
        "seed": (str(manifest["actual_seed"]), said.get("Seed")), "prompt": (manifest["prompt"], said.get("Prompt")),
        "negative prompt": (manifest["negative_prompt"], said.get("Negative prompt")), "model": (manifest["model"], said.get("Model")),
        "sampler": (settings.get("sampler_name"), said.get("Sampler")), "steps": (str(settings.get("steps")), said.get("Steps")),
        "size": (f"{settings.get('width')}x{settings.get('height')}", f"{said.get('Size-1')}x{said.get('Size-2')}"),
        "cfg scale": (float(settings.get("cfg_scale") or 0), float(said.get("CFG scale", 0))),
    }
    if said.get("Variation seed") is not None and said.get("Variation seed strength", "0") != "0":
        facts["variation seed"] = (str(manifest["actual_subseed"]), said["Variation seed"])
    if "Refiner" in said:
        facts["refiner"] = (manifest["refiner"] is not None, True)
    if "Hires upscaler" in said and said["Hires upscaler"] != "None":
        facts["hires upscaler"] = ((manifest["hires"] or {}).get("hr_upscaler"), said["Hires upscaler"])
    if "Lora hashes" in said:
        facts["loras"] = ([x["name"] for x in manifest["loras"]], [x.split(":")[0].strip() for x in said["Lora hashes"].split(",")])
    if is_script_grid:
        return {what: pair for what, pair in facts.items() if what in ("seed", "prompt") and manifest["actual_seed"] is not None}
    return facts
