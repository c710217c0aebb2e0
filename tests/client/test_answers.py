"""An answer is read whole, or it is an error: streamed or not, with whatever a server leaves out."""

import copy
import importlib.util
import itertools
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diptych
from diptych import Client
from diptych.client import Cassette, compat
from diptych.client.answer import StreamReader, check_complete
from diptych.client.batch import read_results, run_batch
from diptych.testing import Server, raw

_spec = importlib.util.spec_from_file_location("drivers", Path(__file__).with_name("drivers.py"))
_drivers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_drivers)
CHAT = [{"role": "user", "content": "one two three"}]
EVENT, JSON = "text/event-stream", "application/json"


def choice(message, finish="stop", **more):
    return {"index": 0, "message": message, "finish_reason": finish, **more}


def body(*choices, **more):
    return {"id": "x", "model": "m", "choices": list(choices), **more}


def said(content, **more):
    return body(choice({"role": "assistant", "content": content, **more}))


def deltas(*parts, finish="stop", **more):
    """Return the chunks of one choice; the last one ends it."""
    chunks = [body({"index": 0, "delta": part, "finish_reason": None}) for part in parts]
    return [*chunks, body({"index": 0, "delta": {}, "finish_reason": finish, **more})]


def calls(*fragments):
    """Return the chunks of these fragments of tool calls, one each; a list is one chunk."""
    lists = [fragment if isinstance(fragment, list) else [fragment] for fragment in fragments]
    return deltas(*({"tool_calls": fragments} for fragments in lists), finish="tool_calls")


def call(index=None, id=None, name=None, arguments=None, **more):
    found = {"index": index, "id": id, **more}
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    return {k: v for k, v in {**found, "function": function or None}.items() if v is not None}


def made(*named, ids=None):
    return [
        {"id": i, "type": "function", "function": {"name": n, "arguments": a}}
        for i, (n, a) in zip(ids or [f"c{n}" for n in range(1, 9)], named, strict=False)
    ]


def sse(chunks, done=True):
    return "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + ("data: [DONE]\n\n" if done else "")


def read(value, *, api="chat", expected=1, tools=frozenset()):
    """Return the reader that has read a body, or the chunks of a list."""
    data = sse(value) if isinstance(value, list) else json.dumps(value)
    reader = StreamReader(api, expected, tools=tools)
    reader.feed(data.encode())
    if not reader.over:
        reader.finish()
    check_complete(reader, streamed=isinstance(value, list))
    return reader


def message_of(value, **kwargs):
    (found,) = read(value, **kwargs).answer().choices
    return dict(found.message)


# contents ---------------------------------------------------------------------------------------

TEXT, IMAGE = {"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "data:,"}}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}


@pytest.mark.parametrize(
    ("content", "text", "kept"),
    [
        ("Hi", "Hi", "Hi"),
        (None, "", ""),
        ([], "", ""),
        ([TEXT], "Hi", "Hi"),
        ([TEXT, TEXT], "HiHi", "HiHi"),
        ([{"type": "output_text", "text": "Hi", "annotations": []}], "Hi", "Hi"),
        ([THOUGHT, TEXT, TEXT], "HiHi", [THOUGHT, {"type": "text", "text": "HiHi"}]),
        ([TEXT, IMAGE, TEXT], "HiHi", [TEXT, IMAGE, TEXT]),
    ],
)
def test_contents_are_texts_or_parts(content, text, kept):
    pieces = content if isinstance(content, list) else [content]
    wholes = [said(content), deltas({"content": content})]
    split = deltas(*({"content": [piece] if isinstance(piece, dict) else piece} for piece in pieces))
    for value in (*wholes, split):
        (found,) = read(value).answer().choices
        assert (found.text, found.message["content"]) == (text, kept)


@pytest.mark.parametrize(
    "content",
    [
        5,
        1.5,
        True,
        {},
        {"text": "a"},
        ["a"],
        [None],
        [{}],
        [{"type": "text"}],
        [{"type": "text", "text": 3}],
        [{"type": ["text"]}],
    ],
)
def test_a_content_of_a_wrong_type_is_no_answer(content):
    with pytest.raises(diptych.InvalidResponse):
        read(said(content))
    with pytest.raises(diptych.StreamInterrupted):
        read(deltas({"content": content}))


@pytest.mark.parametrize(
    ("wrong", "api"),
    [
        ({"index": 0, "finish_reason": "stop"}, "chat"),
        ({"index": 0, "finish_reason": "stop", "message": None}, "chat"),
        ({"index": 0, "finish_reason": "stop", "text": None}, "completions"),
        ({"index": 0, "finish_reason": "stop", "text": 5}, "completions"),
        ({"index": 0, "finish_reason": "stop", "message": "Hi"}, "chat"),
        ({"index": "0", "finish_reason": "stop", "text": "a"}, "completions"),
        ({"index": 0, "finish_reason": 5, "text": "a"}, "completions"),
        (choice({"role": 5, "content": "a"}), "chat"),
        (choice({"refusal": ["a"], "content": None}), "chat"),
        (choice({"tool_calls": {"id": "a"}}), "chat"),
        (choice({"tool_calls": [None]}), "chat"),
        (choice({"tool_calls": [{"id": 3, "function": {"name": "f", "arguments": ""}}]}), "chat"),
        (choice({"tool_calls": [{"id": "a"}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "type": 3}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "function": "f"}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "function": {"name": "", "arguments": "{}"}}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "function": {"name": ["f"], "arguments": "{}"}}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": ["{}"]}}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": float("inf")}}]}), "chat"),
        (choice({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"a": float("nan")}}}]}), "chat"),
        (choice({"tool_calls": [{"index": "0", "function": {"name": "f"}}]}), "chat"),
        (choice({"function_call": {"arguments": "{}"}}), "chat"),
        (choice({"function_call": "f"}), "chat"),
    ],
)
def test_a_malformed_choice_is_no_answer(wrong, api):
    with pytest.raises(diptych.InvalidResponse):
        read(body(wrong), api=api)
    chunk = {("delta" if name == "message" else name): value for name, value in wrong.items()}
    with pytest.raises(diptych.StreamInterrupted):
        read([body(chunk)], api=api)


def test_choices_that_are_all_numbered_zero_stay_apart():
    reader = read(body(choice({"content": "a"}), choice({"content": "b"})), expected=2)
    assert [(c.index, c.text) for c in reader.answer().choices] == [(0, "a"), (1, "b")]


# errors in a choice -----------------------------------------------------------------------------

FAILED = {"code": 502, "message": "upstream died"}


@pytest.mark.parametrize("error", [FAILED, "upstream died", {"message": "upstream died"}])
@pytest.mark.parametrize("delta", [{"content": ""}, {}, None])
def test_an_error_in_a_chunk_is_an_error(error, delta):
    chunk = {"index": 0, "finish_reason": "error", "error": error, **({} if delta is None else {"delta": delta})}
    with pytest.raises(diptych.StreamInterrupted, match="choice 0: upstream died"):
        read([*deltas({"content": "Bon"})[:1], body(chunk)])
    with pytest.raises(diptych.StreamInterrupted):
        read([body(chunk)])


def test_an_error_in_a_whole_choice_is_an_error():
    with pytest.raises(diptych.ApiError, match="upstream died") as caught:
        read(body(choice({"content": "Bon"}), {**choice({"content": ""}), "index": 1, "error": FAILED}))
    assert caught.value.status == 502
    with pytest.raises(diptych.ApiError, match="finish reason"):
        read(body(choice({"content": "Bon"}, "error")))


# tool calls --------------------------------------------------------------------------------------

LS, CAT = ("ls", '{"a":1}'), ("cat", '{"b":1}')
CASES = {
    "two calls, no index, two ids": (calls(call(None, "c1", *LS), call(None, "c2", *CAT)), made(LS, CAT)),
    "two calls, one index, two ids": (calls(call(0, "c1", *LS), call(0, "c2", *CAT)), made(LS, CAT)),
    "two calls in one list, one index": (calls([call(0, "c1", *LS), call(0, "c2", *CAT)]), made(LS, CAT)),
    "two calls in one list, nothing else": (
        calls([call(None, None, *LS), call(None, None, *CAT)]),
        made(LS, CAT, ids=["", ""]),
    ),
    "two calls, no index, no ids": (
        calls(call(None, None, *LS), call(None, None, *CAT)),
        made(LS, CAT, ids=["", ""]),
    ),
    "two calls, one index, no ids": (calls(call(0, None, *LS), call(0, None, *CAT)), made(LS, CAT, ids=["", ""])),
    "the same call twice, no ids": (calls(call(None, None, *LS), call(None, None, *LS)), made(LS, LS, ids=["", ""])),
    "an index restarts, with fragments": (
        calls(call(0, "c1", "ls", ""), call(0, None, None, '{"a"'), call(0, None, None, ":1}"),
              call(0, "c2", "cat", ""), call(0, None, None, '{"b":1}')),
        made(LS, CAT),
    ),
    "fragments that take turns under one index": (
        calls(call(0, "c1", "ls", '{"a"'), call(0, "c2", "cat", '{"b"'), call(0, "c1", None, ":1}"), call(0, "c2", None, ":1}")),
        made(LS, CAT),
    ),
    "fragments that take turns by index": (
        calls(call(1, "c2", "cat", '{"b"'), call(0, "c1", "ls", '{"a"'), call(1, None, None, ":1}"), call(0, None, None, ":1}")),
        made(LS, CAT),
    ),
    "one id for two indices": (calls(call(0, "c1", *LS), call(1, "c1", *CAT)), made(LS, CAT, ids=["c1", "c1"])),
    "an empty id continues": (calls(call(0, "c1", "ls", '{"a"'), call(0, "", None, ":1}")), made(LS)),
    "an empty name continues": (calls(call(0, "c1", "ls", '{"a"'), call(0, "c1", "", ":1}")), made(LS)),
    "the id comes later": (calls(call(0, None, "ls", '{"a"'), call(0, "c1", None, ":1}")), made(LS)),
    "the index comes later": (calls(call(None, "c1", "ls", '{"a"'), call(0, None, None, ":1}")), made(LS)),
    "the index comes once": (calls(call(0, "c1", "ls", '{"a"'), call(None, None, None, ":1}")), made(LS)),
    "the name in every chunk": (
        calls(call(0, "c1", "ls", ""), call(0, "c1", "ls", '{"a"'), call(0, "c1", "ls", ":1}")),
        made(LS),
    ),
    "the name in every chunk, the id once": (
        calls(call(0, "c1", "ls", ""), call(0, None, "ls", ""), call(0, None, "ls", '{"a"'), call(0, None, "ls", ":1}")),
        made(LS),
    ),
    "a name in fragments": (calls(call(0, "c1", "l", ""), call(0, None, "s", ""), call(0, None, None, '{"a":1}')), made(LS)),
    "a name in fragments, then repeated": (
        calls(call(0, "c1", "c", ""), call(0, "c1", "at", '{"b"'), call(0, "c1", "cat", ":1}")),
        made(CAT),
    ),
    "arguments as an object": (calls(call(0, "c1", "ls", {"a": 1})), made(("ls", '{"a": 1}'))),
    "further fields": (
        calls(call(0, "c1", *LS, extra_content={"google": {"thought_signature": "s"}})),
        [{**made(LS)[0], "extra_content": {"google": {"thought_signature": "s"}}}],
    ),
    "a custom call": (
        calls({"index": 0, "id": "c1", "type": "custom", "custom": {"name": "f", "input": "ab"}},
              {"index": 0, "custom": {"input": "c"}}),
        [{"id": "c1", "type": "custom", "custom": {"name": "f", "input": "abc"}}],
    ),
    "two custom calls without ids": (
        calls({"type": "custom", "custom": {"name": "f", "input": "ab"}}, {"type": "custom", "custom": {"name": "g", "input": "c"}}),
        [{"id": "", "type": "custom", "custom": {"name": n, "input": i}} for n, i in (("f", "ab"), ("g", "c"))],
    ),
    "a call of a type that is the server's own": (
        calls({"index": 0, "id": "c1", "type": "web_search", "web_search": {"query": "q"}}),
        [{"id": "c1", "type": "web_search", "web_search": {"query": "q"}}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_calls_of_a_stream_stay_apart(case):
    chunks, expected = CASES[case]
    assert message_of(chunks) == {"role": "assistant", "content": None, "tool_calls": expected}
    # As a whole message they are read the same.
    assert message_of(body(choice({"content": None, "tool_calls": expected}, "tool_calls")))["tool_calls"] == expected


@pytest.mark.parametrize(
    ("tools", "name"), [(set(), "go"), ({"go"}, "go"), ({"gogo"}, "gogo"), ({"go", "gogo"}, "gogo")]
)
def test_a_fragment_that_equals_the_name_so_far_is_a_repetition_unless_the_tools_say_otherwise(tools, name):
    chunks = calls(call(0, "c1", "go", ""), call(0, None, "go", ""), call(0, None, None, "{}"))
    assert message_of(chunks, tools=frozenset(tools))["tool_calls"] == made((name, "{}"))
    again = calls(call(0, "c1", "go", ""), call(0, "c1", "go", ""), call(0, None, None, "{}"))
    assert message_of(again, tools=frozenset(tools))["tool_calls"] == made(("go", "{}"))


def test_tools_of_the_request_part_calls_without_arguments():
    chunks = calls(call(0, None, "ls", ""), call(0, None, "cat", ""))
    assert message_of(chunks, tools=frozenset({"ls", "cat"}))["tool_calls"] == made(
        ("ls", ""), ("cat", ""), ids=["", ""]
    )
    # Nothing else tells them from one name in fragments.
    assert message_of(chunks)["tool_calls"] == made(("lscat", ""), ids=[""])


@pytest.mark.parametrize(
    "parts",
    [
        [{"name": "ls", "arguments": '{"a":1}'}],
        [{"name": "ls", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ":1}"}],
        [{"name": "ls"}, {"name": "ls", "arguments": '{"a"'}, {"name": "ls", "arguments": ":1}"}],
        [{"name": "l"}, {"name": "s", "arguments": '{"a":1}'}],
    ],
)
def test_a_function_call_adds_up(parts):
    expected = {"role": "assistant", "content": None, "function_call": {"name": "ls", "arguments": '{"a":1}'}}
    assert message_of(deltas(*({"function_call": part} for part in parts), finish="function_call")) == expected


def test_annotations_and_audio_add_up():
    parts = [
        {"annotations": [{"n": 1}], "audio": {"id": "a", "transcript": "Hel"}},
        {"annotations": [{"n": 2}], "audio": {"data": "AA", "transcript": "lo"}},
        {"audio": {"data": "BB", "expires_at": 3}},
    ]
    found = message_of(deltas(*parts))
    assert found["annotations"] == [{"n": 1}, {"n": 2}]
    assert found["audio"] == {"id": "a", "transcript": "Hello", "data": "AABB", "expires_at": 3}


# a stream equals the whole, however it is cut ---------------------------------------------------------

words = st.text('abcdefgh_ \n"\\é€😀', max_size=12)
names = st.sampled_from(["ls", "cat", "get_weather", "f", "search.web"])
arguments = st.dictionaries(words, words | st.integers(), max_size=3).map(json.dumps)
functions = st.builds(lambda n, a: {"type": "function", "function": {"name": n, "arguments": a}}, names, arguments)
customs = st.builds(lambda n, a: {"type": "custom", "custom": {"name": n, "input": a}}, names, words)
messages = st.fixed_dictionaries(
    {"content": st.none() | words | st.lists(words.map(lambda t: {"type": "text", "text": t}), max_size=3)},
    optional={
        "refusal": words,
        "reasoning_content": words,
        "tool_calls": st.lists(functions | customs, max_size=3),
        "function_call": functions.map(lambda call: call["function"]),
    },
)


def cut(draw, text):
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def fragments(draw, number, whole, style):
    """Return the fragments of one call in a style of servers."""
    kind = whole["type"]
    field = "arguments" if kind == "function" else "input"
    texts = cut(draw, whole[kind][field])
    name = whole[kind]["name"]
    split = draw(st.integers(1, len(name))) if style["splits"] and name == "get_weather" else len(name)
    found = []
    if split < len(name):
        found.append({"type": kind, kind: {"name": name[:split]}})
        found.append({kind: {"name": name[split:], field: texts[0]}})
    else:
        found.append({"type": kind, kind: {"name": name, field: texts[0]}})
    found += [{kind: {field: text}} for text in texts[1:]]
    for place, fragment in enumerate(found):
        if style["names"] and split == len(name):
            fragment[kind]["name"] = name
        if style["ids"] == "always" or (style["ids"] == "once" and place == 0):
            fragment["id"] = whole["id"]
        elif style["ids"] == "empty":
            fragment["id"] = whole["id"] if place == 0 else ""
        if style["index"] == "own":
            fragment["index"] = number
        elif style["index"] == "zero":
            fragment["index"] = 0
    return found


@st.composite
def streamed(draw):
    """Return a message and the deltas of a stream of it."""
    message = draw(messages)
    for number, one in enumerate(message.get("tool_calls", ())):
        one["id"] = f"c{number}"
    style = {
        "ids": draw(st.sampled_from(["once", "always", "empty"])),
        "index": draw(st.sampled_from(["own", "zero", "none"])),
        "names": draw(st.booleans()),
        "splits": draw(st.booleans()),
    }
    rows = []
    content = message["content"]
    pieces = content if isinstance(content, list) else cut(draw, content or "")
    rows.append([{"content": [piece] if isinstance(piece, dict) else piece} for piece in pieces])
    for name in ("refusal", "reasoning_content"):
        if name in message:
            rows.append([{name: text} for text in cut(draw, message[name])])
    if "function_call" in message:
        own = {"type": "function", "function": message["function_call"]}
        parts = fragments(draw, 0, own, {**style, "ids": "never", "index": "none"})
        rows.append([{"function_call": part["function"]} for part in parts])
    own = [fragments(draw, n, one, style) for n, one in enumerate(message.get("tool_calls", ()))]
    # Only fragments that say whose they are can take turns.
    mixed = own if style["index"] == "own" or style["ids"] == "always" else [list(itertools.chain(*own))]
    rows += [[{"tool_calls": [fragment]} for fragment in row] for row in mixed]
    rows = [row for row in rows if row]
    found = [{"role": "assistant"}]
    while rows:
        row = draw(st.sampled_from(rows)) if style["index"] == "own" or style["ids"] == "always" else rows[0]
        found.append(row.pop(0))
        rows = [row for row in rows if row]
    return message, found


@given(streamed())
def test_a_stream_adds_up_to_the_whole_message(case):
    message, parts = case
    whole = message_of(body(choice({"role": "assistant", **message})))
    found = message_of(deltas(*parts))
    own = found.pop("tool_calls", []), whole.pop("tool_calls", [])
    assert sorted(own[0], key=lambda c: c["id"]) == own[1]
    assert found == whole


# any damage is a typed error --------------------------------------------------------------------------

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "stop", "\ud800", "error", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "message", "content", "text", "a"]), inner, max_size=3)
    ),
    max_leaves=4,
)
WHOLE = body(
    choice({
        "role": "assistant", "content": [TEXT, THOUGHT], "refusal": None, "reasoning_content": "r",
        "tool_calls": [call(0, "c1", *LS), {"id": "c2", "type": "custom", "custom": {"name": "f", "input": "a"}}],
        "function_call": {"name": "f", "arguments": "{}"}, "annotations": [{}], "audio": {"id": "a", "data": "b"},
    }, logprobs={"content": [{"token": "a", "logprob": -1.0}]}),
    system_fingerprint="fp", usage={"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}},
)  # fmt: skip
CHUNKS = [
    {**WHOLE, "choices": [{"index": 0, "delta": WHOLE["choices"][0]["message"], "finish_reason": None}]},
    {
        **WHOLE,
        "choices": [
            {
                "index": 0,
                "delta": WHOLE["choices"][0]["message"],
                "finish_reason": None,
                "logprobs": WHOLE["choices"][0]["logprobs"],
            }
        ],
    },
    {**WHOLE, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
]


def places(value, path=()):
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def damaged(draw, value):
    """Return the value with up to three places replaced, taken out, or doubled."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([path for path in places(value) if path] or [("choices",)]))
        at = value
        for step in way:
            at = at[step]
        kind = draw(st.sampled_from(["junk", "out", "double"]))
        if kind == "junk":
            at[last] = draw(junk)
        elif kind == "out":
            del at[last]
        elif isinstance(at, list):
            at.insert(last, copy.deepcopy(at[last]))
    return value


def settled(reader, streamed):
    """Read all that a reply is made of."""
    check_complete(reader, streamed=streamed)
    json.dumps(reader.answer().body)
    return reader.problem(), reader.answer().spells_key


@given(st.data(), st.booleans(), st.booleans())
def test_a_damaged_answer_is_an_answer_or_a_typed_error(data, streamed, damages_bytes):
    value = damaged(data.draw, CHUNKS if streamed else WHOLE)
    content = (sse(value) if streamed else json.dumps(value)).encode()
    if damages_bytes:
        at = data.draw(st.integers(0, len(content)))
        content = content[:at] + data.draw(st.binary(max_size=4)) + content[at + data.draw(st.integers(0, 3)) :]
    reader = StreamReader("chat", 1)
    try:
        reader.feed(content)
        reader.finish()
        settled(reader, streamed)
    except diptych.DiptychError as error:
        str(error).encode()
    # What has arrived can be asked for at any time.
    reader.answer().body


@settings(max_examples=max(1, settings.default.max_examples // 3))
@given(st.data(), st.booleans())
def test_a_damaged_answer_over_a_wire(data, streamed):
    value = damaged(data.draw, CHUNKS if streamed else WHOLE)
    with Server() as server:
        server.next(answer(value))
        try:
            _drivers.DRIVERS["sync-httpx"].call(
                server.base_url, CHAT, stream=streamed, model="gpt-4o-mini", options={"retries": 0}
            )
        except diptych.DiptychError as error:
            str(error).encode()


PLAIN = said([TEXT])
PLAIN["choices"][0]["logprobs"] = {
    "content": [{"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -1.0}]}]
}
PLAIN_CHUNKS = [{**PLAIN, "choices": [{"index": 0, "delta": {"content": [TEXT]}, "finish_reason": None}]}, CHUNKS[-1]]


@given(st.data(), st.booleans())
@pytest.mark.filterwarnings("ignore::diptych.LossWarning")
def test_a_damaged_answer_in_the_old_call_shape(data, streamed):
    value = damaged(data.draw, PLAIN_CHUNKS if streamed else PLAIN)
    content = (sse(value) if streamed else json.dumps(value)).encode()
    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=httpx.ByteStream(content)))
    with httpx.Client(transport=transport) as http, Client("http://127.0.0.1:1/v1", http=http, retries=0) as client:
        try:
            found = compat.Completions(client).create(model="gpt-4o-mini", prompt="Hi", stream=streamed)
            json.dumps(list(found) if streamed else found)
        except diptych.DiptychError as error:
            str(error).encode()


# every door ---------------------------------------------------------------------------------------------


def answer(value):
    data = (sse(value) if isinstance(value, list) else json.dumps(value)).encode()
    kind = EVENT if isinstance(value, list) else JSON
    return raw(
        f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\nconnection: close\r\n\r\n".encode()
        + data
    )


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.mark.parametrize("name", _drivers.DRIVERS)
def test_clients_and_cassettes_read_calls_and_parts(server, name, tmp_path):
    driver = _drivers.DRIVERS[name]
    chunks, expected = CASES["two calls, one index, two ids"]
    parts = [[THOUGHT, {"type": "text", "text": "HiHi"}], None]
    values = [
        chunks,
        said(None, tool_calls=expected),
        said([THOUGHT, TEXT, TEXT]),
        deltas({"content": [THOUGHT, TEXT]}, {"content": "Hi"}),
    ]
    server.next(*map(answer, values))
    found = {}
    for mode in ("all", "none"):
        options = {"cassette": Cassette(tmp_path / "tape.jsonl", mode=mode)}
        found[mode] = [
            driver.call(server.base_url, CHAT, stream=isinstance(value, list), model="gpt-4o-mini", seed=n, options=options)
            for n, value in enumerate(values)
        ]  # fmt: skip
    for mode in found:
        assert [reply.message.get("tool_calls") for reply in found[mode][:2]] == [expected, expected]
        assert [reply.message["content"] for reply in found[mode][2:]] == [parts[0], parts[0]]
        assert [reply.text for reply in found[mode][2:]] == ["HiHi", "HiHi"]


@pytest.mark.parametrize("name", _drivers.DRIVERS)
def test_an_error_in_a_choice_keeps_what_came_and_stays_spent(server, name):
    chunks = [
        *deltas({"content": "Bon"})[:1],
        body({"index": 0, "delta": {"content": ""}, "finish_reason": "error", "error": FAILED}),
    ]
    budget = diptych.Budget(tokens=10_000)
    options = {"retries": 2, "budget": budget}
    server.next(answer(chunks), answer(body({**choice({"content": "Bon"}), "error": FAILED})))
    with pytest.raises(diptych.StreamInterrupted) as caught:
        _drivers.DRIVERS[name].call(
            server.base_url, CHAT, stream=True, model="gpt-4o-mini", max_tokens=5, options=options
        )
    assert caught.value.partial.text == "Bon"
    spent = budget.spent_tokens
    assert spent > 0
    with pytest.raises(diptych.ApiError):
        _drivers.DRIVERS[name].call(server.base_url, CHAT, model="gpt-4o-mini", max_tokens=5, options=options)
    assert budget.spent_tokens == 2 * spent
    assert len(server.requests) == 2


def test_one_damaged_answer_is_one_line_of_a_batch(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    line = {"method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": CHAT}}
    source.write_text("".join(json.dumps({"custom_id": str(n), **line}) + "\n" for n in range(4)))
    bad = {"id": "a", "function": {"name": "f", "arguments": [1]}}
    good = {"id": "a", "function": {"name": "f", "arguments": {"a": 1}}}
    server.next(answer(said(None, tool_calls=[bad])), answer(said(5)), answer(said(None, tool_calls=[good])))
    with Client(server.base_url, retries=0) as client:
        counts = run_batch(client, source, out, concurrency=1)
    results = read_results(out)
    assert (counts.done, counts.failed) == (2, 2)
    assert [(results[str(n)]["error"] or {}).get("code") for n in range(4)] == ["invalid-response"] * 2 + [None] * 2


def test_the_old_call_shape_reads_parts(server):
    with Client(server.base_url, retries=0) as client:
        completions = compat.Completions(client)
        server.next(answer(said([TEXT])), answer(deltas({"content": [TEXT]}, {"content": " you"})), answer(said(5)))
        assert completions.create(model="gpt-4o-mini", prompt="Hi").choices[0].text == "Hi"
        assert (
            "".join(
                c.choices[0].text
                for c in completions.create(model="gpt-4o-mini", prompt="Hi", stream=True)
                if c.choices
            )
            == "Hi you"
        )
        with pytest.raises(diptych.InvalidResponse):
            completions.create(model="gpt-4o-mini", prompt="Hi")


def test_the_testing_server_streams_what_it_sends_whole(server):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "string"}}}}}]
    found = [
        _drivers.DRIVERS["sync-httpx"]
        .call(server.base_url, CHAT, stream=stream, model="gpt-4o-mini", tools=tools, tool_choice="required")
        .message
        for stream in (False, True)
    ]
    assert found[0] == found[1]
    assert found[0]["tool_calls"][0]["function"]["name"] == "f"
