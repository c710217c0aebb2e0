"""Names of formats, and formats that others bring: by a call, or by an entry point."""

import importlib.metadata
import json
import sys
from types import ModuleType

import pytest

import diptych
from diptych import registered
from diptych.__main__ import main
from diptych.conversion.registry import get, qualified
from diptych.format import Format
from diptych.text.grammar import turns_of
from diptych.text.registry import by_name, grammar_of, grammars_in

GRAMMAR = grammar_of("chatml").variant("angle", markers=("<<",), mapping="an example")
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


def api(name="mine", **changes):
    def read(value):
        return get("chat").read(value["talk"])

    def write(conversation):
        messages, losses = get("chat").write(conversation)
        return {"talk": messages}, losses

    def detect(value):
        return 1.0 if isinstance(value, dict) and "talk" in value else 0.0

    fields = {"kind": "api", "mapping": "talk: the messages", "read": read, "write": write, "detect": detect} | changes
    return Format(name=name, **fields)


@pytest.fixture(autouse=True)
def nothing_brought(monkeypatch):
    """Start without formats of others, and leave none."""
    monkeypatch.setattr(registered, "given", [])
    bring(monkeypatch)


def bring(monkeypatch, **values):
    """Have entry points of these names; a value that is an exception is raised when it is loaded."""

    class Point:
        def __init__(self, name, value):
            self.name, self.value, self.dist = name, value, type("Dist", (), {"name": f"dist-{name}"})

        def load(self):
            if isinstance(self.value, Exception):
                raise self.value
            return self.value

    points = [Point(*item) for item in values.items()]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == "diptych.formats" else [])
    registered._loaded.cache_clear()


# names ---------------------------------------------------------------------------------------


def test_every_format_has_one_of_three_kinds_and_a_name_of_its_own():
    entries = diptych.list_formats()
    assert {entry.kind for entry in entries} == {"text", "api", "dataset"}
    assert len({qualified(entry) for entry in entries}) == len(entries)
    for entry in entries:
        assert get(qualified(entry)) == get(entry.name) == entry
        assert entry in diptych.list_formats(entry.kind)
    with pytest.raises(diptych.FormatError, match="no kind of format 'messages'"):
        diptych.list_formats("messages")


def test_no_data_set_has_the_name_of_an_api():
    apis = {name for entry in diptych.list_formats("api") for name in (entry.name, *entry.aliases)} - {"messages"}
    assert {"chat", "completions", "responses", "anthropic", "gemini", "bedrock"} <= apis
    assert not apis & {name for entry in diptych.list_formats("dataset") for name in (entry.name, *entry.aliases)}


@pytest.mark.parametrize("target", ["chat", "openai_chat", "api:chat", get("chat")])
def test_one_api_under_all_its_names(target):
    assert diptych.convert("hello", target=target).output == [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize("name", ["dataset:chat", "text:anthropic", "api:chatml", "fnord:chat", "cht"])
def test_what_has_no_such_name_is_told(name):
    with pytest.raises(diptych.FormatError, match="there is no format"):
        get(name)


def test_the_template_and_fill_in_the_middle_are_listed():
    entries = {entry.name: entry for entry in diptych.list_formats("text")}
    assert entries["diptych-template"].direction == "write"
    assert diptych.convert("hi", target="diptych-template").output == "hi"
    assert entries["fim-codestral"].mapping.startswith("[SUFFIX]after[PREFIX]before ")


def test_a_template_has_no_place_for_a_name():
    found = diptych.convert([{"role": "user", "name": "ann", "content": "x"}], target="diptych-template", on_loss="ignore")
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.messages[0].name", "name-dropped")]


# whole bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [
    BODY, {"model": "m", "prompt": "Hi", "max_tokens": 5}, {"model": "m", "prompt": ["a", "b"]},
    {"object": "text_completion", "model": "m", "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]},
])  # fmt: skip
@pytest.mark.parametrize("to", ["completions", "chat"])
def test_convert_does_what_the_command_does(value, to, tmp_path, capfdbinary, monkeypatch):
    file = tmp_path / "body.json"
    file.write_text(json.dumps(value))
    monkeypatch.setattr(sys, "argv", ["diptych", "convert", str(file), "--to", to, "--on-loss", "ignore"])
    with pytest.raises(SystemExit, match="0"):
        main()
    shown = json.loads(capfdbinary.readouterr().out)
    if isinstance(shown, list):
        with pytest.raises(diptych.FormatError, match="becomes 2 requests"):
            diptych.convert(value, target=to, on_loss="ignore")
    else:
        assert diptych.convert(value, target=to, on_loss="ignore").output == shown


def test_a_list_becomes_a_list_and_a_body_a_body():
    talk = BODY["messages"]
    assert diptych.convert(talk, target="chat").output == talk
    assert diptych.convert(BODY, target="chat").output == BODY
    contents = [{"role": "user", "parts": [{"text": "x"}]}]
    assert diptych.convert({"contents": contents}, target="chat").output == talk  # a conversation alone
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    body = diptych.convert({"contents": contents, "tools": tools}, target="chat").output
    assert (body["messages"], body["tools"][0]["function"]["name"]) == (talk, "f")


def test_a_text_is_a_prompt_as_it_stands():
    assert diptych.convert("Human: Hi", target="completions").output == {"prompt": "Human: Hi"}
    chat = diptych.convert({"model": "m", "prompt": "Hi"}, target="chatml", on_loss="ignore")
    assert (chat.format, chat.output[:15]) == ("completions", "<|im_start|>use")


# formats of others --------------------------------------------------------------------------------


def test_a_grammar_in_a_call():
    diptych.register(GRAMMAR)
    assert diptych.to_prompt(BODY["messages"], "angle").text == diptych.to_prompt(BODY["messages"], "chatml").text
    assert diptych.convert(BODY["messages"], target="text:angle").output == diptych.to_prompt(BODY["messages"]).text
    assert diptych.to_messages(diptych.to_prompt(BODY["messages"]).text, "angle").messages == BODY["messages"]
    assert "angle" in [entry.name for entry in diptych.list_formats("text")]


def test_detection_asks_built_in_grammars_first():
    marked = grammar_of("chatml").variant(
        "angle", turns=turns_of("<<{}>>", "<</>>", {"user": "U", "assistant": "A"}), markers=("<<U>>",), cue="<<A>>"
    )
    diptych.register(marked, grammar_of("chatml").variant("chatml-too"))
    text = diptych.to_prompt(BODY["messages"], "angle").text
    assert (diptych.to_messages(text).format, diptych.to_messages(text).messages) == ("angle", BODY["messages"])
    assert diptych.to_messages(diptych.to_prompt(BODY["messages"]).text).format == "chatml"


def test_an_api_in_a_call_and_detection_asks_it_last():
    diptych.register(api(detect=lambda value: 1.0))
    assert diptych.convert(BODY["messages"], target="mine").output == {"talk": BODY["messages"]}
    assert diptych.convert({"talk": BODY["messages"]}).output == {"messages": BODY["messages"]}
    assert diptych.convert(BODY, on_loss="ignore").format == "chat"  # though the other is surer


def test_a_format_itself_in_the_place_of_its_name():
    assert diptych.convert(BODY["messages"], target=api()).output == {"talk": BODY["messages"]}
    assert diptych.convert(BODY["messages"], target=GRAMMAR).output == diptych.to_prompt(BODY["messages"]).text


@pytest.mark.parametrize(("value", "problem"), [
    (grammar_of("plain").variant("chatml"), "'chatml' is taken: there is a built-in format text:chatml"),
    (api("anthropic"), "built-in format api:anthropic"), (api("chat", kind="dataset"), "built-in format api:chat"),
    (api(write=None), "needs a reader and a writer"), (api(kind="messages"), "no kind of format 'messages'"),
    ("chatml", "a format is a Format or a Grammar, not str"),
])  # fmt: skip
def test_what_cannot_be_registered(value, problem, monkeypatch):
    with pytest.raises(diptych.FormatError, match=problem):
        diptych.register(value)
    bring(monkeypatch, bad=value, good=GRAMMAR)
    assert qualified(get("angle")) == "text:angle"
    assert get("chatml").grammar is grammar_of("chatml")
    with pytest.raises(diptych.FormatError, match="no format 'fnord'") as caught:
        get("fnord")
    assert "dist-bad" in caught.value.hint
    assert problem in caught.value.hint


def test_registering_twice():
    diptych.register(GRAMMAR)
    with pytest.raises(diptych.FormatError, match="text:angle is registered already"):
        diptych.register(GRAMMAR)


def test_entry_points_load_on_the_first_unknown_name(monkeypatch):
    module = ModuleType("angles")
    module.GRAMMARS, module.FORMAT = (GRAMMAR, GRAMMAR.variant("square")), api()
    bring(monkeypatch, angles=module)
    assert diptych.to_prompt(BODY["messages"], "chatml").text
    assert not registered._loaded.cache_info().currsize
    assert diptych.to_prompt(BODY["messages"], "square").text
    assert get("mine").kind == "api"


def test_a_broken_one_breaks_nothing_else(monkeypatch, capsys):
    bring(monkeypatch, broken=ImportError("no module named fnord"), good=GRAMMAR)
    assert get("angle").kind == "text"
    with pytest.raises(diptych.FormatError, match="no format 'fnord'") as caught:
        get("fnord")
    assert "the distribution dist-broken could not load its format 'broken'" in caught.value.hint
    from diptych.cli.lookup import Kind, formats_command

    formats_command(Kind.text, json_=True)
    shown = capsys.readouterr()
    assert "dist-broken" in shown.err
    assert {row["kind"] for row in json.loads(shown.out)["formats"]} == {"text"}


def test_two_distributions_with_one_name(monkeypatch):
    bring(monkeypatch, one=api(), two=api(), three=GRAMMAR)
    assert get("angle").kind == "text"
    with pytest.raises(diptych.FormatError, match="ambiguous: api:mine, api:mine"):
        get("mine")


def test_a_bare_name_of_two_kinds(monkeypatch):
    bring(monkeypatch, one=api("angle"), two=GRAMMAR)
    with pytest.raises(diptych.FormatError, match="ambiguous: api:angle, text:angle") as caught:
        get("angle")
    assert "text:, api: or dataset:" in caught.value.hint
    assert get("text:angle").grammar is GRAMMAR


def test_two_built_in_files_with_one_name():
    one, two = ModuleType("formats.one"), ModuleType("formats.two")
    one.GRAMMAR = two.GRAMMAR = GRAMMAR
    with pytest.raises(diptych.FormatError, match=r"'angle': formats\.one and formats\.two"):
        by_name([one, two], grammars_in, lambda grammar: grammar.name)
