"""Fitting into a window: what stays, what goes, and that all of it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import Conversation, Message, Request, Template, TokenError, count, fit

SYSTEM = {"role": "system", "content": "You are brief."}


def said(role, words, word="word"):
    return {"role": role, "content": f"{word} " * words}


def talk(turns):
    return [SYSTEM, *(said(("user", "assistant")[i % 2], 40, f"w{i}") for i in range(turns)), said("user", 5, "last")]


def test_what_fits_is_left_alone():
    found = fit(talk(4), "gpt-4o")
    assert found.messages == talk(4)
    assert (found.dropped, found.saved_tokens) == ((), 0)


def test_the_oldest_go_and_the_report_adds_up():
    messages = talk(12)
    found = fit(messages, "gpt-4o", limit=700, reserve=100)
    assert found.tokens == count(found.messages, "gpt-4o").tokens <= 600
    assert found.messages[0] == SYSTEM
    assert found.messages[-1] == messages[-1]
    assert [d.path for d in found.dropped] == [f"$.messages[{i + 1}]" for i in range(len(found.dropped))]
    assert found.saved_tokens == count(messages, "gpt-4o").tokens - found.tokens


def test_the_prefix_stays_for_several_turns():
    first = [len(fit(talk(turns), "gpt-4o", limit=1600).dropped) for turns in range(20, 44)]
    assert first == sorted(first)
    assert len(set(first)) < len(first) / 2


def test_a_call_goes_with_its_results():
    call = {"role": "assistant", "tool_calls": [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in "ab"
    ]}  # fmt: skip
    results = [{"role": "tool", "tool_call_id": i, "content": "x " * 60} for i in "ab"]
    messages = [SYSTEM, said("user", 30), call, *results, said("assistant", 30), said("user", 10)]
    for limit in range(30, count(messages, "gpt-4o").tokens, 7):
        kept = fit(messages, "gpt-4o", limit=limit).messages
        assert sum(m in kept for m in (call, *results)) in (0, 3)


def test_priorities_of_a_template():
    template = Template.from_string(
        "{% system %}Brief.{% endsystem %}"
        '{% message role="user" priority=5 %}Important {{ text }}{% endmessage %}'
        '{% message role="user" %}Chatter {{ text }}{% endmessage %}'
        "{% user %}Last{% enduser %}"
    )
    rendered = template.render(text="word " * 40)
    assert rendered.priorities == [None, 5.0, None, None]
    found = fit(rendered, "gpt-4o", limit=75)
    assert [m["content"][:9] for m in found.messages] == ["Brief.", "Important", "Last"]
    assert found.dropped[0].priority == 0


def test_trimming_cuts_one_text_at_a_space():
    messages = [SYSTEM, said("user", 300, "alpha"), said("user", 5)]
    found = fit(messages, "gpt-4o", limit=150, trim=True)
    assert found.messages[1]["content"].endswith("alpha […]")
    assert 130 < found.tokens <= 150
    assert found.dropped[0].kept_tokens > 0


def test_what_must_stay_and_does_not_fit_is_refused():
    with pytest.raises(TokenError, match="must stay"):
        fit([said("user", 400)], "gpt-4o", limit=100)
    with pytest.raises(TokenError, match="window"):
        fit([said("user", 4)], "gpt-9-vast")
    with pytest.raises(TokenError, match="only messages"):
        fit("text", "gpt-4o")


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.integers(1, 60), st.none() | st.integers(-2, 2)), min_size=1, max_size=10),
    st.integers(20, 400),
    st.booleans(),
)  # fmt: skip
def test_the_result_fits_or_is_refused(turns, limit, trim):
    messages = [said(role, words) for role, words, _ in turns]
    priorities = [p for _, _, p in turns]
    try:
        found = fit(messages, "gpt-4o", limit=limit, priorities=priorities, trim=trim)
    except TokenError:
        return
    assert count(found.messages, "gpt-4o").tokens <= limit
    assert len(found.messages) == len(messages) - sum(d.kept_tokens == 0 for d in found.dropped)
    assert found.messages[-1]["role"] == messages[-1]["role"]


@pytest.mark.parametrize("value", [-5, 1.5, True, "5"], ids=repr)
@pytest.mark.parametrize("name", ["reserve", "limit"])
def test_a_number_of_tokens_is_whole_and_not_negative(name, value):
    with pytest.raises(TokenError, match=f"^{name} is .*; expected a whole number of at least 0"):
        fit([{"role": "user", "content": "Hi"}], "gpt-4o", **{name: value})


# what is asked for ---------------------------------------------------------------------------

HI = {"role": "user", "content": "Hi"}
ALIKE = [{"role": "user", "content": "word " * 100} for _ in range(100)]


def test_a_step_of_one_drops_no_more_than_needed():
    over = count(ALIKE, "gpt-4o").tokens - 1
    assert len(fit(ALIKE, "gpt-4o", limit=over, step=1).dropped) == 1
    assert len(fit(ALIKE, "gpt-4o", limit=over).dropped) > 1


def test_a_talk_starts_on_the_role_that_is_asked_for():
    system = {"role": "system", "content": "Be brief."}
    talk = [system, {"role": "user", "content": "a " * 50}, {"role": "assistant", "content": "b " * 5}, HI]
    assert [m["role"] for m in fit(talk, "gpt-4o", limit=45).messages] == ["system", "assistant", "user"]
    found = fit(talk, "gpt-4o", limit=45, start_on="user")
    assert [m["role"] for m in found.messages] == ["system", "user"]
    assert [one.path for one in found.dropped] == ["$.messages[1]", "$.messages[2]"]


def test_the_cap_of_the_request_is_reserved():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a " * 50}, HI], "max_tokens": 80, "n": 2}
    assert len(fit(body, limit=200).messages) == 1
    assert len(fit(body, limit=200, reserve=0).messages) == 2


def test_a_legacy_call_goes_with_its_result():
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    talk = [call, {"role": "function", "name": "f", "content": "a " * 50}, HI]
    assert fit(talk, "gpt-4o", limit=30).messages == [HI]


def test_messages_of_the_model_and_requests_are_fitted():
    talk = (Message("user", "a " * 50), Message("user", "Hi"))
    for x in (list(talk), Request(Conversation(talk))):
        assert [m["content"] for m in fit(x, "gpt-4o", limit=30).messages] == ["Hi"]
