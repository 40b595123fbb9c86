"""No record tells a user's home, keys or, where they are not wanted, prompts."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.hosts.request import read_request
from lib_sdpipe.hosts.to_data import PictureBox
from lib_sdpipe.record.facts import DetailerPass, ImageValues, JobKey, Json, PassFacts, RunOptions
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.privacy import PROMPTS_REASON, is_secret, shorten_home, without_prompts

ANN, WINDOWS = "/home/ann", r"C:\Users\Ann Smith"


@pytest.mark.parametrize(("home", "text", "shortened"), [
    (ANN, "/home/ann", "~"),
    (ANN, "/home/ann/loras/a.pt", "~/loras/a.pt"),
    (ANN, "cannot open '/home/ann/x': no such file", "cannot open '~/x': no such file"),
    (ANN, "saved in /home/ann.", "saved in ~."),
    (ANN, "file:///home/ann/x and /home//ann/y", "file://~/x and ~/y"),
    (ANN, "/home/anna/x /home/ann.b/x /home/ann-b", "/home/anna/x /home/ann.b/x /home/ann-b"),
    (ANN, "/mnt/c/Users/ann/x /media/ann/disk", "/mnt/c/Users/~/x /media/~/disk"),
    (ANN, r"C:\Users\Ann\x", r"C:\Users\~\x"),
    (ANN, "ann walks home", "ann walks home"),
    (ANN + "/", "/home/ann/x", "~/x"),
    (WINDOWS, r"c:\users\ann smith\x", r"~\x"),
    (WINDOWS, "C:/Users/Ann Smith/x", "~/x"),
    (WINDOWS, r"C:\\Users\\Ann Smith\\x", r"~\\x"),
    (WINDOWS, r"D:\Users\Ann Smith\x", r"D:\Users\~\x"),
    ("/", "/anything", "/anything"),
    ("", "/anything", "/anything"),
    ("C:\\", r"C:\anything", r"C:\anything"),
    ("/root", "/root/x of /rooted/x", "~/x of /rooted/x"),
])
def test_the_home_folder_is_a_tilde_with_either_slash(home: str, text: str, shortened: str) -> None:
    assert shorten_home(text, home) == shortened
    assert shorten_home({"a": [text, 1, None], text: True}, home) == {"a": [shortened, 1, None], shortened: True}


@pytest.mark.parametrize(("name", "value"), [
    ("API key", "x"), ("Civitai API Key (optional)", "x"), ("hf_token", "x"), ("HuggingFace token", "x"), ("openaiApiKey", "x"),
    ("Password", "x"), ("client_secret", "x"), ("Token", "x"), ("apikey", "x"), ("access_tokens", ["", "x"]),
    ("key", "0123456789abcdef0123456789abcdef"), ("anything", "hf_abcdefghijklmnopqrst"),
])
def test_keys_and_passwords_are_known_by_their_names(name: str, value: Any) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(("name", "value"), [
    ("Token merging ratio", 0.5), ("Token merging ratio", "0.5"), ("API key", ""), ("Password", None), ("hotkey", "Ctrl"),
    ("key", "Prompt"),
    ("keyframes", "0: a cat"), ("Monkey", "yes"), ("max tokens", "75"), ("Token normalization", "mean"), ("prompt", "a secret garden"),
    ("remember_password", True),
])
def test_other_fields_are_no_secrets(name: str, value: Any) -> None:
    assert not is_secret(name, value)


# --- prompts ---

WORD = "zebraword"
around = st.text(alphabet="ab ,<>:\\/()\n\"'", max_size=8)
planted = st.builds(lambda before, after: f"{before}{WORD}{after}", around, around)
prompt_keys = st.sampled_from(["prompt", "ad_prompt", "Negative Prompt", "hr_prompt", "PROMPTS", "styles", "infotext"])
plain = st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet="xyz", max_size=5)
# A prompt under any name of its own, at any depth, as text, list or object.
anywhere = st.recursive(
    st.dictionaries(prompt_keys, planted | st.lists(planted, max_size=2) | st.fixed_dictionaries({"text": planted}), max_size=3),
    lambda inner: st.lists(inner | plain, max_size=3) | st.dictionaries(st.text(alphabet="klm", max_size=4), inner | plain, max_size=3),
    max_leaves=6,
)
typed = st.recursive(planted, lambda inner: st.lists(inner | plain, max_size=3) | st.dictionaries(
    st.sampled_from(["text", "lines", "$type", "value"]), inner | plain, max_size=3), max_leaves=5)


class _Script:
    filename = "script.py"
    args_from, args_to = 0, 3

    def title(self) -> str:
        return "Wildcards"


def request_with(prompt: str, argument: Any, detailer: Any) -> SimpleNamespace:
    controls = [
        SimpleNamespace(value="", label="Text", type="textbox"), SimpleNamespace(value=None, label=None),
        SimpleNamespace(value="a", label="Pick", choices=["a", ("B", "b")]),
    ]
    return SimpleNamespace(
        prompt=prompt, negative_prompt=[prompt], styles=[prompt], enable_hr=True, hr_prompt=prompt, hr_negative_prompt=prompt, steps=20,
        override_settings={"CLIP_stop_at_last_layers": 2, "save_images_before_highres_fix": True},
        scripts=SimpleNamespace(alwayson_scripts=[_Script()], selectable_scripts=[], inputs=controls),
        script_args=(argument, detailer, "b"),
    )


@given(prompt=planted, argument=typed, detailer=anywhere | typed)
def test_no_word_of_a_prompt_is_in_a_run_without_prompts(prompt: str, argument: Any, detailer: Any) -> None:
    request = read_request(request_with(prompt, argument, detailer), PictureBox())
    job = Job(JobKey("task(x)", 1.0), "20251225_143022_a", RunOptions(prompts=False), "txt2img")
    line = job.run_line(request, "task(x)", "a", {}, 0.0, True)
    assert WORD in json.dumps(line)
    cleaned = without_prompts(line)
    assert WORD not in json.dumps(cleaned)
    assert cleaned["not_replayable"] == [*line["not_replayable"], PROMPTS_REASON]
    assert cleaned["run"]["config"]["override_settings"] == line["run"]["config"]["override_settings"]
    assert cleaned["run"]["config"]["steps"] == 20
    assert cleaned["run"]["config"]["scripts"][0]["args"][-1] == {"index": 2, "label": "Pick", "value": "b"}
    assert without_prompts(cleaned) == cleaned


@given(prompt=planted, hires=anywhere, detailer=anywhere, extra=anywhere, values=st.dictionaries(st.sampled_from("ab"), typed, max_size=2))
def test_no_word_of_a_prompt_is_in_a_manifest_without_prompts(prompt: str, hires: Any, detailer: Any, extra: Any, values: Json) -> None:
    job = Job(JobKey("task(x)", 1.0), "20251225_143022_a", RunOptions(prompts=False), "txt2img")
    settings = {"steps": 20, "styles": [prompt], "hr_prompt": prompt}
    outer = job.start_pass(PassFacts("txt2img", 1, settings, 7, first_pass=settings))
    outer.details[(0, 0)] = [DetailerPass({**settings, "prompt": prompt, "negative_prompt": prompt}, 7, 1)]
    image = ImageValues(0, 1, 0, 1, {
        "prompt": prompt, "negative_prompt": prompt, "infotext": prompt, "hires": hires, "adetailer": detailer, "tile": extra,
        "model": "sd15", "loras": [{"name": WORD, "weight": 1.0, "hash": None}, {"name": "known", "weight": 1.0, "hash": "d21508cd908c"}],
        "variant": {"pack": None, "row": 0, "index": 0, "values": {**values, "Seed": 7, "Prompt S/R": prompt}},
    })
    cleaned = without_prompts(job.image_line(outer, "final", (0, 0), image, 0.0))
    assert WORD not in json.dumps(cleaned)
    manifest = cleaned["manifest"]
    assert (manifest["model"], manifest["config"]["steps"], manifest["variant"]["values"]["Seed"]) == ("sd15", 20, 7)
    assert [lora["name"] for lora in manifest["loras"]] == ["known"]


def test_a_picture_in_an_argument_stays_without_prompts() -> None:
    unit = {"$type": "Unit", "image": {"$picture": "p0", "as": "base64"}, "text": WORD}
    line = {"kind": "run", "not_replayable": [], "run": {"config": {"scripts": [{"args": [
        {"index": 0, "label": "Unit", "value": unit, "free_text": True},
    ]}]}}}
    (argument,) = without_prompts(line)["run"]["config"]["scripts"][0]["args"]
    assert argument["value"] == {"$type": None, "image": {"$picture": "p0", "as": "base64"}, "text": None}


def test_other_lines_stay_as_they_are() -> None:
    for line in ({"kind": "end", "run": {"status": "completed"}}, {"kind": "saved", "path": "x"}, {"kind": "pass", "claim": None}):
        assert without_prompts(line) == line


def test_an_error_that_may_quote_a_prompt_keeps_its_kind_alone() -> None:
    error = {"stage": "txt2img", "type": "ValueError", "message": f"cannot read {WORD}"}
    line = {"kind": "end", "run": {"status": "failed", "error": error}}
    assert without_prompts(line)["run"]["error"] == {"stage": "txt2img", "type": "ValueError", "message": None}
