"""The host as an API client sees it: calls, what it offers, the options that the jobs start from."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# Every option that a job overrides must have a value of its own: the hosts restore only what their config holds.
BASE_OPTIONS: Json = {
    "samples_save": True, "samples_format": "png", "grid_save": True, "grid_format": "png", "return_grid": True,
    "grid_only_if_multiple": True, "grid_extended_filename": False, "save_to_dirs": True, "grid_save_to_dirs": True,
    "directories_filename_pattern": "[date]", "samples_filename_pattern": "", "save_images_add_number": True,
    "save_images_replace_action": "Replace", "enable_pnginfo": True, "save_txt": False, "export_for_4chan": False,
    "img_downscale_threshold": 4.0, "target_side_length": 4000.0, "save_init_img": False, "save_mask": False,
    "save_mask_composite": False, "return_mask": False, "return_mask_composite": False, "save_incomplete_images": False,
    "save_images_before_highres_fix": False, "save_images_before_color_correction": False, "img2img_color_correction": False,
    "ad_save_images_before": False, "ad_save_previews": False, "stealth_pnginfo_option": "Alpha", "CLIP_stop_at_last_layers": 1,
    "jpeg_quality": 85, "webp_lossless": False, "face_restoration": False,
    "sdpipe_paused": False, "sdpipe_record": True, "sdpipe_record_sources": ["Browser", "API"], "sdpipe_write_run_id": True,
    "sdpipe_keep_images": False, "sdpipe_keep_stages": False, "sdpipe_keep_inputs": True, "sdpipe_record_prompts": True, "sdpipe_label": "",
}


@dataclass(frozen=True)
class Answer:
    """`body` is the JSON answer, or the text of a refusal."""

    status: int
    body: Any


class Host:
    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.samplers = [s["name"] for s in self._offers("samplers", [])]
        self.checkpoints = [m["title"] for m in self._offers("sd-models", [])]
        self.loras = [x["name"] for x in self._offers("loras", [])]
        self.embeddings = list(self._offers("embeddings", {"loaded": {}})["loaded"])
        self.scripts: dict[str, list[str]] = self._offers("scripts", {"txt2img": [], "img2img": []})
        self._script_info = {(s["name"], s["is_img2img"]): s["args"] for s in self._offers("script-info", [])}
        self.options: Json = self._offers("options", {})
        self._before = {key: self.options[key] for key in BASE_OPTIONS if key in self.options}
        self.is_forge = "stealth_pnginfo_option" in self.options or "forge_preset" in self.options
        self.has_extras_batch = self.send("extra-batch-images").status == 405  # asked with the wrong method: the route is there

    def send(self, path: str, body: Any = None) -> Answer:
        """POST with a body, else GET; a path without a leading slash is the API's."""
        address = self.url + (path if path.startswith("/") else f"/sdapi/v1/{path}")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=900) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as fault:
            return Answer(fault.code, fault.read().decode("utf-8", "replace")[:500])

    def _offers(self, path: str, otherwise: Any) -> Any:
        answer = self.send(path)
        return answer.body if answer.status == 200 else otherwise

    def set_base_options(self) -> None:
        """An option that the host does not know is left out of the jobs' overrides."""
        for key, value in BASE_OPTIONS.items():
            if self.options.get(key) != value and self.send("options", {key: value}).status == 200:
                self.options[key] = value
        self.options = self._offers("options", {})

    def restore_options(self) -> None:
        self.send("options", self._before)

    def has_data_path(self, folder: Path) -> bool:
        """Whether this is the host of that data path: on one computer several may run. One that does not say is believed."""
        answer = self.send("/internal/sysinfo")
        return answer.status != 200 or Path(answer.body["Data path"]).resolve() == folder.resolve()

    def knows(self, option: str) -> bool:
        return option in self.options

    def has_script(self, tab: str, title: str) -> bool:
        return title.lower() in [name.lower() for name in self.scripts.get(tab, [])]

    def script_args(self, tab: str, title: str, chosen: Json) -> list[Any]:
        """All arguments of a script in the host's own order: its defaults, and by label what is chosen.

        Of two arguments with one label (text box and menu) the first gets the value.
        """
        left, values = dict(chosen), []
        for argument in self._script_info[(title.lower(), tab == "img2img")]:
            values.append(left.pop(argument["label"]) if argument["label"] in left else argument["value"])
        if left:
            raise ValueError(f"{title} has no {', '.join(left)}")
        return values

    def choices(self, tab: str, title: str, label: str) -> list[str]:
        arguments = self._script_info[(title.lower(), tab == "img2img")]
        return [str(c) for a in arguments if a["label"] == label for c in a.get("choices") or []]

    def read_text(self, data: bytes) -> tuple[str, dict[str, str]]:
        """What the host itself reads from a file: the whole infotext, and its pairs."""
        answer = self.send("png-info", {"image": base64.b64encode(data).decode()})
        text = answer.body["info"] or ""
        pairs = {key: str(value) for key, value in (answer.body.get("parameters") or {}).items()}
        if pairs:  # Forge takes the model out of its pairs and makes an option of it
            for key, value in re.findall(r"(?:^|, )(Model|Steps): ([^,]*)", text.split("\n")[-1]):
                pairs.setdefault(key, value)
        return text, pairs
