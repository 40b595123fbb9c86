"""Prompt packs as files: blocks, tables and JSON, StableNew's among them; whatever else they hold, they are read or told."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.errors import RecordError
from lib_sdpipe.pipeline.packs.document import format_document, parse_document
from lib_sdpipe.pipeline.packs.expansion import find_refusal
from lib_sdpipe.pipeline.packs.pack import MOST_ROWS, RANDOM, Matrix, Pack, Row, Slot
from lib_sdpipe.pipeline.packs.preset import build_stages
from lib_sdpipe.pipeline.packs.reading import parse_pack
from lib_sdpipe.pipeline.packs.rows import to_host_words
from lib_sdpipe.pipeline.recipes import check_stages
from lib_sdpipe.pipeline.records import Stage

TEXT = """# castles
<embedding:glow> (<embedding:detail>:1.2)
(masterpiece), wide shot
a ruined [[kind]] in mist
<lora:add-detail:0.6> <lora:style:1.0>
neg: <embedding:bad-hands>
neg: blurry, text

# the next one is short

a lighthouse <lora:sea:0.5>
Neg: people
"""
# As StableNew writes them.
DOCUMENT: dict[str, Any] = {
    "pack_data": {
        "name": "Castles", "version": "1.0", "show_preview": True,
        "slots": [
            {"index": 0, "text": "(masterpiece), wide shot\na ruined [[kind]] in mist", "negative": "blurry, text", "template_id": "",
             "positive_embeddings": ["glow", ["detail", 1.2]], "negative_embeddings": ["bad-hands"],
             "loras": [["add-detail", 0.6], ["style", 1.0]]},
            {"index": 1, "text": "", "negative": "", "positive_embeddings": [], "negative_embeddings": [], "loras": []},
        ],
        "matrix": {"enabled": True, "mode": "fanout", "limit": 8, "slots": [{"name": "kind", "values": ["castle", "tower", 7]}]},
    },
    "preset_data": {"txt2img": {"steps": 20}},
}


def as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_blocks_are_rows_of_what_their_lines_are() -> None:
    first, second = parse_pack("p", {".txt": TEXT.encode()}).rows
    assert first.lines == ("(masterpiece), wide shot", "a ruined [[kind]] in mist") and first.title == "a ruined [[kind]] in mist"
    assert first.prompt == "glow (detail:1.2) (masterpiece), wide shot a ruined [[kind]] in mist <lora:add-detail:0.6> <lora:style:1.0>"
    assert first.negative_prompt == "bad-hands, blurry, text"
    assert (second.prompt, second.negative_prompt, second.title) == ("a lighthouse <lora:sea:0.5>", "people", "a lighthouse <lora:sea:0.5>")


def test_json_holds_the_same_row_as_text() -> None:
    pack = parse_pack("p", {".json": as_bytes(DOCUMENT)})
    text = parse_pack("p", {".txt": TEXT.encode()})
    assert (pack.rows[0].prompt, pack.rows[0].negative_prompt) == (text.rows[0].prompt, text.rows[0].negative_prompt)
    assert len(pack.rows) == 1 and pack.matrix.slots == (Slot("kind", ("castle", "tower", "7")),) and pack.matrix.limit == 8
    assert pack.preset == {"txt2img": {"steps": 20}} and pack.warnings == ()


def test_two_files_of_a_name_are_one_pack() -> None:
    pack = parse_pack("p", {".txt": TEXT.encode(), ".json": as_bytes(DOCUMENT)})
    assert len(pack.rows) == 2 and pack.matrix.slots and pack.warnings == ("p.txt and p.json hold different rows; those of p.txt are used",)
    block = TEXT.split("\n\n")[0].encode()
    assert parse_pack("p", {".txt": block, ".json": as_bytes(DOCUMENT)}).warnings == ()


def test_an_older_json_has_its_negative_prompt_as_a_slot() -> None:
    slots = [{"name": "Positive Prompt", "text": "a [[job]]"}, {"name": "Negative Prompt", "text": "blurry"}]
    (row,) = parse_pack("p", {".json": as_bytes({"pack_data": {"slots": slots}})}).rows
    assert (row.prompt, row.negative_prompt) == ("a [[job]]", "blurry")


def test_settings_alone_are_a_pack_without_prompts() -> None:
    pack = parse_pack("p", {".json": as_bytes({"pack_data": {"slots": []}, "preset_data": {"txt2img": {"steps": 5}}})})
    assert pack.rows == () and find_refusal(pack) == "the pack has no prompts"
    assert build_stages(pack.preset).stages == [Stage(stage="txt2img", settings={"steps": 5})]


def test_a_weight_is_written_as_it_stands_there() -> None:
    slots = [{"text": "x", "loras": [["a", 0.2967032967032967], ["b", 1], "c", {"name": "d", "weight": "0.5"}, ["<lora:e:2>"], [], None]}]
    (row,) = parse_pack("p", {".json": as_bytes({"slots": slots})}).rows
    assert row.loras == ("<lora:a:0.2967032967032967>", "<lora:b:1>", "<lora:c:1>", "<lora:d:0.5>", "<lora:e:2>")


def test_a_table_has_a_row_a_line() -> None:
    data = "# both\na cat\tdog\r\na tree\n\n\tonly negative\nx\ty\tz\n".encode()
    pack = parse_pack("p", {".tsv": data})
    assert [(row.prompt, row.negative_prompt) for row in pack.rows] == [("a cat", "dog"), ("a tree", ""), ("x", "y")]
    assert pack.warnings == ("line 5: no prompt before its first tab, left out", "line 6: 3 columns; only the first two are read")


@pytest.mark.parametrize("data", [
    codecs.BOM_UTF8 + "Möwe\n".encode(), "Möwe".encode("utf-16"), "\r\n\r\n Möwe \r\n".encode(), "Möwe\r\r".encode(), "#x\nMöwe".encode(),
])
def test_what_editors_write_is_read(data: bytes) -> None:
    (row,) = parse_pack("p", {".txt": data}).rows
    assert row.prompt == "Möwe"


@pytest.mark.parametrize(("suffix", "data", "text"), [
    (".txt", "Möwe".encode("latin-1"), r"p.txt: not readable as UTF-8 \(byte 2\); save it as UTF-8"),
    (".txt", "Möwe".encode("utf-16-le"), "save it as UTF-8"), (".txt", b"a" * (5 << 20), "larger than 4 MB"), (".txt", b"", "no row"),
    (".txt", b"# only\n\n# comments", "no row"), (".txt", b"a\n\n" * (MOST_ROWS + 1), "more than 10,000 rows"),
    (".txt", b"#\n" * 100_001, "more than 100,000 lines"), (".tsv", b"\r" * 100_001, "more than 100,000 lines"),
    (".txt", b"a" * 20_001, "p.txt, line 1: a prompt of 20,001 characters"), (".tsv", b"a\t" + b"b" * 20_001, "line 1: a prompt of"),
    (".json", b"{", "not readable JSON"), (".json", b"{}", "no prompt pack"), (".json", b'{"pack_data": {"slots": 3}}', "no prompt pack"),
    (".json", b'{"schema": "sdpipe.run/1"}', "no prompt pack"), (".json", b'{"slots": []}', "no row"),
    (".json", b'{"a":' * 300 + b"1" + b"}" * 300, "nested"), (".json", as_bytes({"slots": [{}] * 10_001}), "more than 10,000 rows"),
    (".json", as_bytes({"matrix": {"slots": [{"name": "a", "values": ["x"] * 1001}]}}), "'a' has 1,001 values"),
    (".json", as_bytes({"matrix": {"slots": [{"name": "a", "values": ["x"]}] * 51}}), "51 slots"),
    (".json", as_bytes({"slots": [{"text": "x" * 20_001}]}), "row 1: a text of 20,001"),
])
def test_what_is_no_pack_is_told_in_a_sentence(suffix: str, data: bytes, text: str) -> None:
    with pytest.raises(RecordError, match=text) as fault:
        parse_pack("p", {suffix: data})
    assert "p" + suffix in str(fault.value) and len(str(fault.value)) < 300


def test_what_is_odd_is_left_out_and_said() -> None:
    matrix = {"mode": "rotate", "limit": "many", "enabled": True, "slots": [
        {"name": "a, b", "values": ["x"]}, {"name": "[[c]]", "values": [None, "x"]}, {"name": "c", "values": ["y"]}, {"name": "d"}, 3,
    ]}
    rows = [{"text": "a [[c]]", "template_id": "t1"}, {"negative": "n"}, "odd"]
    pack = parse_pack("p", {".json": as_bytes({"slots": rows, "matrix": matrix})})
    assert len(pack.rows) == 1 and pack.matrix == Matrix((Slot("c", ("x",)),))
    assert pack.warnings == (
        "row 1: its template 't1' is StableNew's own and is not used, only its text", "row 2: no prompt, left out",
        "row 3: 'odd' is no row, left out", "matrix: the mode 'rotate' is not known; its combinations are taken in order",
        "matrix: limit must be a whole number, not 'many'; there is none now",
        "matrix: slot 1 has no name that can stand in [[ ]], left out",
        "matrix: slot 'c' has values that are neither text nor numbers, left out", "matrix: slot 3 is a second 'c', left out",
        "matrix: slot 'd' has no values, left out", "matrix: slot 5 has no name that can stand in [[ ]], left out",
    )


def test_there_is_an_end_to_warnings() -> None:
    warnings = parse_pack("p", {".txt": b"a\n\n" + b"neg: b\n\n" * 500}).warnings
    assert len(warnings) == 51 and warnings[-1] == "and 450 more of this kind"


@pytest.mark.parametrize(("written", "read"), [
    ("<embedding:glow>", "glow"), ("(<embedding:glow>:0.8)", "(glow:0.8)"), ("<embedding:glow:0.8>", "(glow:0.8)"),
    ("a <EMBEDDING: glow > b", "a glow b"), ("(<embedding:glow>:1.0)", "glow"), ("<embedding:>", "<embedding:>"),
    ("<lora:x:1>", "<lora:x:1>"),
])
def test_embeddings_are_called_as_the_hosts_call_them(written: str, read: str) -> None:
    assert to_host_words(written) == read


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="#<>()\t"), min_size=1, max_size=12)
names = st.from_regex(r"\A[a-z_]{1,8}\Z")
slots = st.builds(Slot, names, st.lists(words, min_size=1, max_size=4).map(tuple))
packs = st.builds(
    Pack, name=words, rows=st.lists(st.builds(
        Row, lines=st.lists(words, min_size=1, max_size=3).map(tuple), negative=words | st.just(""),
        embeddings=st.lists(words, max_size=2).map(tuple), negative_embeddings=st.lists(words, max_size=2).map(tuple),
        loras=st.lists(words.map("<lora:{}:1>".format), max_size=2).map(tuple),
        extra=st.just({}) | st.just({"template_variables": {"a": 1}}),
    ), max_size=4).map(tuple),
    matrix=st.builds(
        Matrix, slots=st.lists(slots, max_size=3, unique_by=lambda slot: slot.name).map(tuple),
        enabled=st.booleans(), mode=st.sampled_from(["sequential", RANDOM]), limit=st.none() | st.integers(1, 100),
        extra=st.just({"later": []}),
    ),
    global_positive=words | st.just(""), global_negative=words | st.just(""), preset=st.just({"txt2img": {"steps": 3}}),
    extra=st.just({"version": "1.0"}), outer=st.just({}) | st.just({"by": "me"}),
)


@given(packs)
def test_a_pack_as_json_is_the_same_pack(pack: Pack) -> None:
    assert parse_document(format_document(pack), "p", "p.json") == pack


data_of = st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))


@given(data_of, st.sampled_from([".txt", ".tsv", ".json"]))
def test_no_bytes_break_it(data: bytes, suffix: str) -> None:
    try:
        pack = parse_pack("p", {suffix: data})
    except RecordError:
        return
    assert (pack.rows or pack.preset) and all(row.prompt for row in pack.rows)


def test_a_preset_becomes_the_stages_that_are_on() -> None:
    found = build_stages({
        "txt2img": {"model": "photo", "vae": "", "sampler_name": "Euler", "steps": 34, "clip_skip": 2, "enable_hr": False, "hr_scale": 1.5,
                    "denoising_strength": 0.27, "hr_checkpoint_name": "Use base model", "secret_sauce": 3},
        "img2img": {"steps": 15},
        "upscale": {"upscaler": "4x", "upscaling_resize": 2.0, "steps": 15, "tile_size": 0, "face_restore": False},
        "adetailer": {"ad_model": "face.pt", "ad_steps": 8, "ad_mask_k_largest": 3, "ad_prompt": "<embedding:eyes>", "mask_feather": 5,
                      "enable_hands_pass": True, "hands_model": "hand.pt"},
        "pipeline": {"images_per_prompt": 2, "txt2img_enabled": True, "img2img_enabled": False, "adetailer_enabled": True,
                     "upscale_enabled": True},
    })
    first, face, upscale = found.stages
    assert check_stages(found.stages) == []
    assert first.settings == {
        "sampler_name": "Euler", "steps": 34, "n_iter": 2,
        "override_settings": {"sd_model_checkpoint": "photo", "CLIP_stop_at_last_layers": 2},
    }
    tab = {"ad_model": "face.pt", "ad_steps": 8, "ad_use_steps": True, "ad_mask_k": 3, "ad_prompt": "eyes"}
    assert face.settings == {"adetailer": [tab, {**tab, "ad_model": "hand.pt"}]}
    assert upscale.settings == {"upscaler_1": "4x", "upscaling_resize": 2.0}
    assert found.notes == [
        "txt2img: 'secret_sauce' of the preset has no place here", "adetailer: 'mask_feather' of the preset has no place here",
    ]


PRESET_KEYS = ["steps", "ad_model", "model", "txt2img_enabled", "upscale_enabled", "ad_steps", "x"]
presets = st.dictionaries(st.sampled_from(["txt2img", "img2img", "adetailer", "upscale", "pipeline"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(PRESET_KEYS), inner), max_leaves=10,
))


@given(presets)
def test_a_preset_may_hold_anything(preset: dict[str, Any]) -> None:
    for fault in check_stages(build_stages(preset).stages or build_stages({"pipeline": {"txt2img_enabled": True}}).stages):
        assert "upscaler_1" in fault or "ad_" in fault
