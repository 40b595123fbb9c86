"""File names out of patterns such as `[seed]-[prompt_spaces]`."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from modules import errors, sd_samplers, sd_vae, shared
from modules.shared import cmd_opts, opts

SKIP = object()
"""Said by a part that does not apply; the text before it is left out too."""


def sanitize_filename_part(text: str | None, replace_spaces: bool = True) -> str | None:
    if text is None:
        return None
    bad = "/" if cmd_opts.unix_filenames_sanitization else '#<>:"/\\|?*\n\r\t'
    text = (text.replace(" ", "_") if replace_spaces else text).translate({ord(x): "_" for x in bad})
    return text.lstrip(" ")[: cmd_opts.filenames_max_length].rstrip(" .")


def _digest(text: str, length: Any) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[: int(length)]


def _clean(text: Any) -> str | None:
    return sanitize_filename_part(text, replace_spaces=False)


class FilenameGenerator:
    """`p` may be a request, a Processed, a plain object or None: a part that fails is reported and left as it stands."""

    def __init__(self, p: Any, seed: Any, prompt: Any, image: Any, zip: bool = False, basename: str | None = "") -> None:
        self.p, self.seed, self.prompt, self.image, self.zip, self.basename = p, seed, prompt, image, zip, basename

    replacements: ClassVar[dict[str, Callable[..., Any]]] = {
        "basename": lambda s: s.basename or "img",
        "seed": lambda s: "" if s.seed is None else s.seed,
        "seed_first": lambda s: s.seed if s.p.batch_size == 1 else s.p.all_seeds[0],
        "seed_last": lambda s: SKIP if s.p.batch_size == 1 else s.p.all_seeds[-1],
        "steps": lambda s: s.p and s.p.steps,
        "cfg": lambda s: s.p and s.p.cfg_scale,
        "width": lambda s: s.image.width,
        "height": lambda s: s.image.height,
        "sampler": lambda s: s.p and _clean(s.p.sampler_name),
        "scheduler": lambda s: s.p and s.schedule(),
        "sampler_scheduler": lambda s: s.p and s.schedule(f"{getattr(s.p, 'sampler_name', '')} "),
        "styles": lambda s: s.p and (_clean(", ".join(x for x in s.p.styles if x != "None")) or "None"),
        "model_hash": lambda s: getattr(s.p, "sd_model_hash", shared.sd_model.sd_model_hash),
        "model_name": lambda s: _clean(shared.sd_model.sd_checkpoint_info.name_for_extra),
        "date": lambda s: datetime.datetime.now().strftime("%Y-%m-%d"),
        "datetime": lambda s, form="": _clean(datetime.datetime.now().strftime(form or "%Y%m%d%H%M%S")),
        "job_timestamp": lambda s: getattr(s.p, "job_timestamp", shared.state.job_timestamp),
        "prompt_hash": lambda s, n=8: _digest(s.prompt, n),
        "negative_prompt_hash": lambda s, n=8: _digest(s.p.negative_prompt, n),
        "full_prompt_hash": lambda s, n=8: _digest(f"{s.p.prompt} {s.p.negative_prompt}", n),
        "hasprompt": lambda s, *wanted: s.has_prompt(wanted),
        "prompt_no_styles": lambda s: _clean(s.prompt),
        "prompt": lambda s: sanitize_filename_part(s.prompt),
        "prompt_spaces": lambda s: _clean(s.prompt),
        "prompt_words": lambda s: s.words(),
        "batch_number": lambda s: SKIP if s.p.batch_size == 1 or s.zip else s.p.batch_index + 1,
        "batch_size": lambda s: s.p.batch_size,
        "generation_number": lambda s: (SKIP if (s.p.n_iter == 1 and s.p.batch_size == 1) or s.zip
                                        else s.p.iteration * s.p.batch_size + s.p.batch_index + 1),
        "clip_skip": lambda s: opts.CLIP_stop_at_last_layers,
        "denoising": lambda s: s.p.denoising_strength if s.p and s.p.denoising_strength else SKIP,
        "user": lambda s: s.p.user,
        "vae_filename": lambda s: s.vae(),
        "image_hash": lambda s, n=64: hashlib.sha256(s.image.tobytes()).hexdigest()[: int(n)],
        "none": lambda s: "",
    }

    def schedule(self, before: str = "") -> Any:
        if not hasattr(self.p, "scheduler") or not hasattr(self.p, "sampler_name"):
            return SKIP
        name = self.p.scheduler
        if name == "Automatic":
            config = sd_samplers.find_sampler_config(self.p.sampler_name)
            name = config.options.get("scheduler", "Automatic") if config else name
        return _clean(before + name.capitalize())

    def has_prompt(self, wanted: tuple[str, ...]) -> Any:
        """Of each `word|default` the word if it is in the prompt, else the default."""
        parts = [x.split("|") for x in wanted]
        return _clean("".join(x[0].lower() if x[0].lower() in self.prompt.lower() else "".join(x[1:2]) for x in parts if x[0]))

    def vae(self) -> str:
        path = sd_vae.loaded_path()
        return "NoneType" if path is None else os.path.basename(path).split(".")[0]

    def words(self) -> str | None:
        found = [x for x in re.split(r"[\W_]+", self.prompt or "") if x] or ["empty"]
        return _clean(" ".join(found[: opts.directories_max_prompt_words]))

    def apply(self, pattern: str) -> str:
        res = ""
        for text, part in re.findall(r"(.*?)(?:\[([^\[\]]+)\]|$)", pattern):
            if not part:
                res += text
                continue
            value = self._value(part)
            if value is SKIP:
                continue
            res += text + (f"[{part}]" if value is None else str(value))
        return res

    def _value(self, part: str) -> Any:
        name, *args = re.split(r"<([^>]*)>", part)
        function = self.replacements.get(name.lower())
        if function is None:
            return None
        try:
            return function(self, *args[::2])
        except Exception:
            errors.report(f"Error adding [{part}] to filename", exc_info=True)
            return None


def get_next_sequence_number(path: str, basename: str | None) -> int:
    """One more than the highest number at the start of any name in the folder, whatever its kind."""
    prefix = f"{basename}-" if basename else ""
    res = -1
    for name in os.listdir(path):
        number = os.path.splitext(name[len(prefix):])[0].split("-")[0] if name.startswith(prefix) else ""
        with suppress(ValueError):
            res = max(res, int(number))
    return res + 1
