"""The synthetic index of `bench/search.py`: deterministic, written through the index's own functions."""

from __future__ import annotations

import hashlib
import random
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from lib_sdpipe.index.database import transaction
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import RunRow
from lib_sdpipe.manifest.names import build_run_id
from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.manifest.times import format_utc

RARE = "zyxomma"
_START, _END = 1_672_531_200, 1_767_225_600  # 2023 to 2025
_BATCH = 2_000
_SUBJECTS = ("1girl", "a cat", "castle", "portrait of a woman", "mountain lake", "robot", "dragon", "old man", "city street", "spaceship")
_SCRIPTS = ("美しい少女", "東京の夜景", "山水画", "풍경", "красивый закат", "ночной город", "γυναίκα", "女の子、桜", "古い寺", "سماء")
_STYLE = (
    "masterpiece, best quality", "highly detailed", "8k, sharp focus", "by greg rutkowski", "<lora:add_detail:0.6>", "cinematic lighting",
)
_SAMPLERS = ("Euler a", "DPM++ 2M Karras", "DPM++ SDE", "UniPC", "DDIM")
_FACTS = {"images": {"planned": 4, "returned": 4, "saved": 4}}
_SIZES = ((512, 512), (512, 768), (768, 512), (1024, 1024), (832, 1216))
_SYLLABLES = [a + b for a in "bcdfghjklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "is", "or", "um")]

QUERIES = {
    "empty": "",
    "common word": "masterpiece",
    "rare word": RARE,
    "part of a word": "masterp",
    "two words": "castle cinematic",
    "two words, one rare": f"castle {RARE}",
    "word and model": "dragon model:checkpoint_03",
    "word and rare model": "masterpiece model:checkpoint_199",
    "seed": "seed:123456",
    "date range": "date:2024-02..2024-03",
    "word in old dates": "castle date:2023-02",
    "exclude": "castle -dragon -fog",
    "2 characters of CJK": "少女",
    "1 character of CJK": "寺",
    "2 rare characters of CJK": "鱻鱻",
    "matches nothing": "qqxxyyzz",
    "common word, rare LoRA": "masterpiece lora:lora_0399",
    "common word, rare steps": "masterpiece steps:150",
    "rare steps": "steps:149",
    "common word, rare run": "masterpiece run:label_7_99",
    "common word, rare cfg": "masterpiece cfg:9.5",
    "common word, no such stage": "masterpiece stage:inpaint",
    "word of the first year": "archaic",
    "OR": "castle OR robot OR 少女",
    "negative": "negative:watermark_77",
    "unrecorded": "recorded:no",
    "status": "status:failed",
    "quoted": '"portrait of a woman"',
    "words never together": "dragon seed:5..9 spaceship",
}


def fill_index(path: Path, rows: int, seed: int) -> dict[str, Any]:
    """Seconds and microseconds a row."""
    rng = random.Random(seed)
    words = sorted({"".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3))) for _ in range(20_000)})
    index = Index(path)
    connection = index._connection
    connection.execute("PRAGMA synchronous = OFF")
    recorded = rows * 9 // 10
    inserting = 0.0
    for first in range(0, recorded, _BATCH):
        manifests = list(_iter_manifests(rng, words, first, min(_BATCH, recorded - first), recorded))
        started = time.perf_counter()
        with transaction(connection):
            for manifest in manifests:
                index.pictures.insert(manifest.to_json())
            for run_id, status in _runs(first, len(manifests), recorded):
                index.records.set_run(RunRow(run_id, (9, 9), status=status, label=run_id[16:], source="ui", facts=_FACTS))
        inserting += time.perf_counter() - started
    inserted = time.perf_counter()
    _add_files(index, rng, words, rows - recorded)
    filed = time.perf_counter()
    index.search.complete()
    completed = time.perf_counter()
    index.close()
    return {
        "us a recorded row": round(1e6 * inserting / max(recorded, 1)),
        "us a file row": round(1e6 * (filed - inserted) / max(rows - recorded, 1)),
        "us a row of `complete`": round(1e6 * (completed - filed) / rows),
        "seconds of `complete`": round(completed - filed, 1),
    }


def read_sample(index: Index, number: int) -> list[tuple[str, str, str]]:
    """(sha256, pixel_sha256, perceptual hash) of recorded pictures from all over."""
    query = (
        "SELECT sha256, pixel_sha256, '1:' || lower(hex(brightness_steps)) || ':' || lower(hex(tile_colours)) FROM pictures"
        " WHERE id % 7919 = 1 AND colour_sum IS NOT NULL LIMIT ?"
    )
    return index._connection.execute(query, (number,)).fetchall()


def _time_of(number: int, rows: int) -> float:
    return _START + (_END - _START) * number / max(rows, 1)


def _run_id(number: int, rows: int) -> str:
    return build_run_id(datetime.fromtimestamp(_time_of(number // 4 * 4, rows)), f"label_{number // 4 % 50}", number // 4)


def _runs(first: int, batch: int, rows: int) -> list[tuple[str, str]]:
    numbers = range(first // 4 * 4, first + batch, 4)
    return [(_run_id(number, rows), "failed" if number // 4 % 997 == 0 else "completed") for number in numbers]


def _iter_manifests(rng: random.Random, words: list[str], first: int, batch: int, rows: int) -> Any:
    prompt, negative = "", ""
    for number in range(first, first + batch):
        if number % 4 == 0 or not prompt:
            prompt, negative = _prompt(rng, words, number / rows), _negative(rng)
        width, height = rng.choice(_SIZES)
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        image = ImageFacts(
            width=width, height=height, bytes=400_000 + number % 1000, sha256=digest, pixel_sha256=digest[::-1],
            perceptual_hash=_looks(rng),
        )
        yield Manifest.construct(
            run_id=_run_id(number, rows), name=f"txt2img_{number % 4 + 1:03d}", stage="txt2img", role="final",
            timestamp=format_utc(_time_of(number, rows)), prompt=prompt, negative_prompt=negative, root="outputs",
            path=f"txt2img-images/2025-01-01/{number:07d}-{number * 7919 % 2**32}.png", kept=None, lost_at=None,
            config={
                "sampler_name": rng.choice(_SAMPLERS), "steps": _of(number, 100_003, 150, rng.choice((20, 25, 28, 30))), "cfg_scale": 7.0,
            },
            model=f"checkpoint_{_of(number, 50_021, 199, min(int(rng.expovariate(0.3)), 198)):02d}",
            actual_seed=_of(number, 65_537, 123456, number * 7919 % 2**32),
            loras=[{"name": f"lora_{_of(number, 30_011, 399, min(int(rng.expovariate(0.05)), 398)):04d}"}] if number % 3 == 0 else [],
            image=image, infotext=prompt + str(number),
        )


def _of(number: int, one_in: int, rare: int, usual: int) -> int:
    return rare if number % one_in == 6 else usual


def _prompt(rng: random.Random, words: list[str], share: float) -> str:
    """Words with a long tail: few are in many prompts, most in few."""
    parts = [rng.choice(_SUBJECTS) if rng.random() < 0.85 else rng.choice(_SCRIPTS)]
    parts += [words[min(int(rng.paretovariate(0.35)) - 1, len(words) - 1)] for _ in range(rng.randint(8, 30))]
    parts += [style for style in _STYLE if rng.random() < 0.35]
    if share < 0.33 and rng.random() < 0.3:
        parts.append("archaic")
    if rng.random() < 0.0001:
        parts.append(RARE)
    return ", ".join(parts)


def _negative(rng: random.Random) -> str:
    return f"lowres, bad anatomy, watermark_{min(int(rng.paretovariate(0.8)), 400)}, blurry"


def _looks(rng: random.Random) -> str:
    """Steps are as good as random; colours lie about a mean that differs from picture to picture."""
    mean = rng.gauss(110, 38)
    colours = bytes(max(0, min(255, int(rng.gauss(mean, 30)))) for _ in range(48))
    return f"1:{rng.getrandbits(256):064x}:{colours.hex()}"


def _add_files(index: Index, rng: random.Random, words: list[str], number: int) -> None:
    connection = index._connection
    with transaction(connection):
        connection.execute("INSERT INTO folders (id, root, path) VALUES (1, 'outputs', 'old')")
        for each in range(number):
            text = (
                f"{_prompt(rng, words, 0.0)}\nNegative prompt: {_negative(rng)}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {each},"
                f" Size: 512x512, Model: checkpoint_{rng.randint(0, 9):02d}"
            )
            mtime_ns = int(1e9 * (_START + (_END - _START) * rng.random()))
            connection.execute(
                "INSERT INTO files (folder, name, bytes, mtime_ns, inode, device, format, width, height, infotext)"
                " VALUES (1, ?, 300000, ?, ?, 1, 'PNG', 512, 512, ?)", (f"{each:07d}.png", mtime_ns, each, text),
            )
