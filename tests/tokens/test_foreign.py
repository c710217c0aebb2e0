"""Bodies of every message API are counted through their readers: as the Chat body that they become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import TokenError, convert_request, count, estimate
from diptych.conversion.requests import APIS
from diptych.prices import Bulk
from diptych.tokens.foreign import is_foreign

TEXT = "What is the weather in Oslo today?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "A town"}}}
GIF = "R0lGODlhAQACAAAAACw="
CHAT = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": TEXT}, {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{GIF}"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
        ]},
        {"role": "tool", "tool_call_id": "call_a", "content": "Rain"},
        {"role": "assistant", "content": "It rains."},
        {"role": "user", "content": "Thanks"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "Tell it", "parameters": SCHEMA}}],
    "max_completion_tokens": 50,
}  # fmt: skip
FOREIGN = [api for api in APIS if api not in ("chat", "completions", "responses")]


def body_of(api, body=CHAT):
    return convert_request(body, to=api, on_loss="ignore", binary="base64")[0].output


@pytest.mark.parametrize("api", FOREIGN)
def test_a_body_counts_as_the_chat_body_that_it_becomes(api):
    body = body_of(api)
    assert is_foreign(body)
    chat = convert_request(body, to="chat", on_loss="ignore")[0].output
    found, wanted = count(body, "gpt-4o"), count(chat, "gpt-4o")
    assert (found.tokens, found.basis) == (wanted.tokens, wanted.basis)
    assert found.tokens == count(CHAT).tokens
    assert [item[1:] for item in found.items] == [item[1:] for item in wanted.items]


@pytest.mark.parametrize("api", FOREIGN)
def test_text_alone_is_exact(api):
    talk = {"model": "gpt-4o", "messages": [*CHAT["messages"][:1], {"role": "user", "content": TEXT}]}
    found = count(body_of(api, talk), "gpt-4o")
    assert (found.tokens, found.basis) == (count(talk).tokens, "exact")


@pytest.mark.parametrize("api", FOREIGN)
def test_other_models_and_tokenizers_count_it_too(api):
    talk = {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": TEXT}]}
    body = body_of(api, talk)
    assert count(body, "claude-sonnet-4-5") == count(talk, "claude-sonnet-4-5")
    assert count(body, "m", tokenizer=str.split).tokens == count(talk, "m", tokenizer=str.split).tokens


@pytest.mark.parametrize("api", [None, *APIS])
def test_a_template_counts_as_the_body_that_is_sent(api):
    template = diptych.Template.from_string("{% system %}Be brief.{% endsystem %}{% user %}{{ text }}{% enduser %}")
    rendered = template.render(text=TEXT)
    for model in ("gpt-4o", "claude-sonnet-4-5"):
        assert count(rendered, model, api=api) == count(rendered.request(api, model=model, on_loss="ignore"), model)


GEMINI = {"contents": [{"role": "user", "parts": [{"text": TEXT}]}]}


def test_a_body_names_its_model_where_its_api_does():
    bedrock = {
        "modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
    }
    assert count(bedrock).model == bedrock["modelId"]
    assert count({**GEMINI, "model": "models/gemini-2.5-flash"}).basis == "approximate"
    assert estimate({**GEMINI, "model": "models/gemini-2.5-flash"}).cost.expected > 0


#: What is malformed, and its place.
PLACES = [
    ({"contents": [{"role": "user", "parts": [{"text": "a"}, {"text": 5}]}]}, "$.contents[0].parts[1].text"),
    ({"contents": [5]}, "$.contents[0]"),
    ({"contents": {"role": "user", "parts": [{"text": "a"}]}}, "$.contents"),
    ({"system": "a", "messages": [{"role": 5, "content": "x"}]}, "$.messages[0].role"),
    ({"system": 5, "messages": [{"role": "user", "content": "x"}]}, "$.system"),
    ({"system": "a", "messages": 5}, "$.messages"),
    ({"modelId": "m", "messages": [{"role": "user", "content": [{"text": 5}]}]}, "$.messages[0].content[0].text"),
    ({"modelId": "m", "messages": [{"role": "user", "content": 5}]}, "$.messages[0].content"),
    ({"options": {}, "messages": [{"role": "user", "content": 5}]}, "$.messages[0].content"),
]


def test_lines_have_the_places_of_the_body():
    body = {"system": "Be brief.", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}
    assert [item.path for item in count(body, "gpt-4o").items] == ["$.system", "$.messages[0]", "$"]
    gemini = {**GEMINI, "systemInstruction": {"parts": [{"text": "Be brief."}]}}
    assert [item.path for item in count(gemini, "gpt-4o").items] == ["$.systemInstruction", "$.contents[0]", "$"]


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-5"])
@pytest.mark.parametrize(("body", "path"), PLACES, ids=str)
def test_what_is_malformed_is_an_error_with_its_place(body, path, model):
    with pytest.raises(TokenError) as caught:
        count(body, model)
    assert caught.value.path == path


def places(value, path=()):
    """Yield the path of every value inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


SPOTS = [(api, spot) for api in FOREIGN for spot in places(body_of(api)) if spot]


@given(
    st.sampled_from(SPOTS),
    st.sampled_from([None, 5, "x", [], {}, [5], {"text": 5}, True]),
    st.sampled_from(["gpt-4o", "claude-3"]),
)
def test_any_change_of_a_body_is_counted_or_a_token_error(spot, junk, model):
    api, path = spot
    try:
        found = count(replaced(body_of(api), path, junk), model)
    except TokenError:
        return
    assert found.tokens is None or found.low <= found.tokens <= found.high


def test_what_chat_cannot_carry_is_a_range():
    server = {"type": "web_search_20250305", "name": "web_search"}
    plain = {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}
    found, without = count({**plain, "tools": [server]}, "gpt-4o"), count(plain, "gpt-4o")
    assert (found.basis, found.tokens, found.low) == ("approximate", without.tokens, without.tokens)
    assert found.high > without.tokens + 1000


@pytest.mark.parametrize("model", ["gpt-4o", "gemini-2.5-flash"])
def test_media_that_no_rule_knows_leave_the_count_unknown(model):
    video = {"fileData": {"fileUri": "gs://bucket/film.mp4", "mimeType": "video/mp4"}}
    found = count({"contents": [{"role": "user", "parts": [{"text": "Tell it"}, video]}]}, model)
    assert (found.tokens, found.basis) == (None, "unknown")
    assert "$.contents[0].parts[1]" in found.reason


def test_images_beside_a_message_are_no_text_alone():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi", "images": [GIF]}]}
    found = count(body)
    assert any(item.kind == "image" for item in found.items)
    assert found.tokens > count([{"role": "user", "content": "Hi"}], "gpt-4o").tokens


@pytest.mark.parametrize("api", FOREIGN)
def test_a_file_of_such_bodies_is_priced_alike(api):
    body = body_of(api)
    bulk = Bulk(["gpt-4o", "claude-sonnet-4-6"])
    bulk.add(body)
    for name, totals in bulk.totals.items():
        found = estimate(body, name)
        assert (totals.prompt, totals.unpriced) == ((found.prompt.tokens or 0), int(found.cost is None))


def test_a_chat_body_with_a_vendors_own_field_stays_chat():
    body = {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "tool", "tool_call_id": "a", "content": "x"}],
        "n": 1,
    }
    assert count({**body, "thinking": {"type": "disabled"}}, "gpt-4o").tokens == count(body, "gpt-4o").tokens
