"""Whole requests against sums written out by hand: what each part of a request costs."""

import base64
import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.catalogue.models import model_info
from diptych.encodings.encoding import encoding
from diptych.errors import TokenError
from diptych.tokens.media import audio_seconds
from diptych.tokens.rules import LINES, explain

HELLO = {"role": "user", "content": "Translate the following English text to French: 'Good morning'"}
SYSTEM = {"role": "system", "content": "You are brief."}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Its name"},
                "days": {"type": "integer"},
                "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
            },
            "required": ["city"],
        },
    },
}
WEATHER_TEXT = """# Tools

## functions

namespace functions {

// The weather of a city
type get_weather = (_: {
// Its name
city: string,
days?: number,
unit?: "c" | "f", // default: c
}) => any;

} // namespace functions"""


@pytest.fixture(scope="module")
def tokens():
    bpe = encoding("o200k_base")
    return lambda text: len(bpe.encode_ordinary(text))


def count(messages, model="gpt-4o", **body):
    return diptych.count({"messages": messages, "model": model, **body})


def test_a_message_is_three_its_role_and_its_text(tokens):
    assert count([HELLO]).tokens == 3 + 1 + tokens(HELLO["content"]) + 3
    assert count([SYSTEM, HELLO]).tokens == count([HELLO]).tokens + 4 + tokens("You are brief.")
    assert count([HELLO]).basis == "exact"


def test_reasoning_models_open_the_reply_with_two_and_gpt5_adds_channels():
    past = [HELLO, {"role": "assistant", "content": "Bonjour"}, HELLO]
    chat = count(past).tokens
    assert count(past, "o3-mini").tokens == chat - 1
    assert count(past, "gpt-5").tokens == chat - 1 + 2


def test_a_name_is_a_colon_and_the_name(tokens):
    assert count([HELLO | {"name": "ann"}]).tokens == count([HELLO]).tokens + tokens(":ann")


def test_parts_are_joined_without_a_separator():
    parts = [{"type": "text", "text": "Good mor"}, {"type": "text", "text": "ning"}]
    whole = [{"role": "user", "content": "Good morning"}]
    assert count([{"role": "user", "content": parts}]).tokens == count(whole).tokens


def test_tools_are_a_typescript_namespace(tokens):
    own = tokens(WEATHER_TEXT) - 1 + 4
    assert count([HELLO], tools=[WEATHER]).tokens == count([HELLO]).tokens + own
    joined = tokens("brief.\n\n#") - tokens("brief.") - 1
    assert count([SYSTEM, HELLO], tools=[WEATHER]).tokens == count([SYSTEM, HELLO]).tokens + own - 4 + joined


def test_a_forced_function_is_seven_and_its_name(tokens):
    base = count([HELLO], tools=[WEATHER]).tokens
    forced = {"type": "function", "function": {"name": "get_weather"}}
    assert count([HELLO], tools=[WEATHER], tool_choice=forced).tokens == base + 7 + tokens("get_weather")
    assert count([HELLO], tools=[WEATHER], tool_choice="none").tokens == base + 1
    assert count([HELLO], tools=[WEATHER], tool_choice="required").tokens == base


def call(identity, arguments):
    return {"id": identity, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


def answer(identity, content):
    return {"role": "tool", "tool_call_id": identity, "content": content}


def test_one_call_and_its_result(tokens):
    said = {"role": "assistant", "tool_calls": [call("a", '{ "city": "Rome" }')]}
    own = 7 + tokens("get_weather") + tokens('{"city":"Rome"}')
    result = 5 + tokens("functions.get_weather") + tokens("sunny")
    assert count([HELLO, said, answer("a", "sunny")]).tokens == count([HELLO]).tokens + own + result


@pytest.mark.parametrize(
    "results",
    [
        ["sunny", "rain"],
        ["It rains!", "Warm."],
        ['{"c": 20}', '{"c":21.0}'],
        ["über 20°", "🌞"],
        ['[1,\n 2]', "true", "4"],
        ["a\nb"] * 9,
    ],
)  # fmt: skip
def test_results_of_several_calls_are_one_list_in_json(tokens, results):
    ids = [f"c{index}" for index in range(len(results))]
    said = {"role": "assistant", "tool_calls": [call(identity, '{"city":"Rome"}') for identity in ids]}
    uses = ",".join('{"recipient_name":"functions.get_weather","parameters":{"city":"Rome"}}' for _ in ids)
    calls = 4 + tokens(" to=multi_tool_use.parallel") + tokens(f'{{"tool_uses":[{uses}]}}')
    read = [json.loads(text) if text[0] in "[{" else text for text in results]
    listed = 6 + tokens("multi_tool_use.parallel") + tokens(json.dumps(read))
    found = count([HELLO, said, *(answer(i, text) for i, text in zip(ids, results, strict=True))])
    assert found.tokens == count([HELLO]).tokens + calls + listed
    assert sum(item.tokens for item in found.items) == found.tokens
    assert [item.path for item in found.items if item.kind == "tool_results"] == [
        f"$.messages[{index + 2}]" for index in range(len(results))
    ]


def test_gpt5_adds_tools_and_a_channel_a_call(tokens):
    said = {"role": "assistant", "tool_calls": [call("a", "{}")]}
    talk = [HELLO, said, answer("a", "sunny")]
    assert count(talk, "gpt-5", tools=[WEATHER]).tokens == count(talk, tools=[WEATHER]).tokens - 1 + 82 + 3 + 3
    trailing = {"role": "system", "content": "You are brief.\n   "}
    spaced, plain = count([trailing, HELLO], "gpt-5", tools=[WEATHER]), count([SYSTEM, HELLO], "gpt-5", tools=[WEATHER])
    assert spaced.tokens == plain.tokens


def test_a_schema_is_a_section_without_required(tokens):
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    text = '# Response Formats\n\n## answer\n\n{"type":"object","properties":{"a":{"type":"string"}}}'
    tag = 2 + tokens("answer")
    assert count([HELLO], response_format=wanted).tokens == count([HELLO]).tokens + tokens(text) + 4 + tag
    assert count([HELLO], response_format={"type": "json_object"}).tokens == count([HELLO]).tokens


def png(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()


@pytest.mark.parametrize(
    ("model", "size", "detail", "cost"),
    [
        ("gpt-4o", (1024, 1024), "high", 85 + 4 * 170),
        ("gpt-4o", (3008, 2000), "auto", 85 + 6 * 170),
        ("gpt-4o", (4000, 4000), "low", 85),
        ("gpt-4o-mini", (1, 1), None, 2833 + 5667),
        ("gpt-4.1-mini", (300, 346), None, 179),
        ("gpt-5-mini", (597, 566), None, 412),
        ("gpt-5.4", (60, 30), None, 4),
    ],
)
def test_images_by_tiles_and_by_patches(model, size, detail, cost):
    image = {"type": "image_url", "image_url": {"url": png(*size), **({"detail": detail} if detail else {})}}
    text = {"type": "text", "text": "What is this?"}
    both = count([{"role": "user", "content": [text, image]}], model).tokens
    assert both - count([{"role": "user", "content": [text]}], model).tokens == cost


def test_an_image_of_unknown_size_gives_a_range():
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    found = count([{"role": "user", "content": [image]}])
    assert found.basis == "approximate"
    assert found.low + 170 * 7 == found.high
    known = diptych.count(
        [{"role": "user", "content": [image]}], "gpt-4o", image_sizes={"https://example.com/a.png": (512, 512)}
    )
    assert known.basis == "fitted"
    assert known.tokens == found.low


def test_a_variable_bitrate_is_read_from_its_header():
    frame = b"\xff\xfb\x54\xc0" + bytes(17) + b"Xing" + struct.pack(">II", 1, 109)
    assert audio_seconds(b"ID3\x04\0\0\0\0\0\x05hello" + frame + bytes(9000)) == pytest.approx(109 * 1152 / 48_000)


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("prod-gpt-4o-eu", "gpt-4o"),
        ("GPT-4o-Mini", "gpt-4o-mini"),
        ("my_gpt-4.1-mini", "gpt-4.1-mini"),
        ("MyDeployment-2025-04-14", "gpt-4.1"),
    ],
)
def test_a_deployment_whose_name_speaks_of_a_model_is_an_approximation(model, base):
    assert model_info(model).base == base
    found = count([HELLO], model)
    assert (found.tokens, found.basis) == (count([HELLO], base).tokens, "approximate")
    assert found.low < found.tokens < found.high


@pytest.mark.parametrize("model", ["ada-llama", "mistral-7b", "llama-o1-style", ""])
def test_a_model_of_no_known_kind_gets_no_number(model):
    found = diptych.count([HELLO], model or "x")
    assert (found.tokens, found.basis) == (None, "unknown")
    with pytest.raises(TokenError):
        int(found)


def test_every_kind_of_line_has_its_rule():
    custom = {"type": "custom", "custom": {"name": "grammar", "description": "d"}}
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}
    file = {"type": "file", "file": {"file_id": "f"}}
    talk = [SYSTEM, {"role": "user", "content": [audio, file, {"type": "odd"}]}]
    for item in count(talk, tools=[WEATHER, custom], tool_choice="none").items:
        assert explain(item.kind) == LINES[item.kind]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "robot"]) | VALUES},
            optional={
                "content": VALUES,
                "name": VALUES,
                "tool_calls": VALUES,
                "tool_call_id": VALUES,
                "refusal": VALUES,
            },
        ),
        max_size=5,
    ),
    st.fixed_dictionaries(
        {}, optional={"tools": VALUES, "tool_choice": VALUES, "response_format": VALUES, "functions": VALUES}
    ),
    st.sampled_from(["gpt-4o", "gpt-5", "o3", "gpt-3.5-turbo", "nothing"]),
)
def test_nonsense_is_counted_or_refused_never_a_crash(messages, rest, model):
    try:
        found = count(messages, model, **rest)
    except TokenError:
        return
    assert found.tokens is None or sum(item.tokens for item in found.items) == found.tokens
