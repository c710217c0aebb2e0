"""Control tokens that no grammar explains, and hints that match nothing, are never certain."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import diptych
from diptych import convert_request
from diptych.cli.app import make_app
from diptych.migrate import migrate_code
from diptych.migrate.findings.prompts import prompt_finding
from diptych.text.marks import unknown_marks
from diptych.text.registry import grammars

#: Prompts of models whose format is not registered, with the first mark that is reported.
UNKNOWN = {
    "headers": ("<|head_start|>user<|head_end|>\n\nHi<|eox|><|head_start|>assistant<|head_end|>\n\n", "<|head_start|>"),
    "roles": ("<|start_of_part|>user<|end_of_part|>Hi<|end_of_words|>\n", "<|start_of_part|>"),
    "a token a role": ("<|im_person|>user<|im_middle|>Hi<|im_end|><|im_robot|>assistant<|im_middle|>", "<|im_person|>"),
    "another half of Kimi": ("<|im_middle|>Hi<|im_end|>", "<|im_middle|>"),
    "another half of EXAONE": ("[|user|]Hi\n[|endofturn|]", "[|user|]"),
    "Laguna": ("〈|EOS|〉<user>\nHi\n</user>\n<assistant>\n", "〈|EOS|〉"),
    "EXAONE, on one line": ("[|system|]S[|endofturn|] [|user|]Hi", "[|system|]"),
    "Baize": ("A chat.\n[|Human|]Hi\n[|AI|]", "[|Human|]"),
    "GLM": ("[gMASK]<sop>Hi", "[gMASK]"),
    "Nemotron": ("<extra_id_0>System\n\n<extra_id_1>User\nHi\n<extra_id_1>Assistant\n", "<extra_id_0>"),
    "Nemotron H": ("<SPECIAL_10>System\nS\n<SPECIAL_11>User\nHi", "<SPECIAL_10>"),
    "MiniMax text": ("<beginning_of_sentence>user name=u\nHi<end_of_sentence>\n", "<beginning_of_sentence>"),
    "RedPajama": ("<human>: Hi\n<bot>:", "<human>:"),
    "GigaChat": ("user<|role_sep|>Hi<|message_sep|>assistant<|role_sep|>", "<|role_sep|>"),
    "wide bars": ("<｜用户｜>Hi<｜助手｜>", "<｜用户｜>"),
    "wide bars and angles": ("＜｜User｜＞Hi", "＜｜User｜＞"),
    "box bars": ("<│User│>Hi", "<│User│>"),
    "another spelling of Gemma": ("<startofturn>user\nHi<endofturn>\n", "<startofturn>"),
    "Gemma in capitals": ("<START_OF_TURN>user\nHi", "<START_OF_TURN>"),
    "Gemma with hyphens": ("<start-of-turn>user\nHi", "<start-of-turn>"),
    "Gemma closing as XML": ("<start_of_turn>user Hi</start_of_turn>", "</start_of_turn>"),
    "half a bar": ("<|im_start>user\nHi", "<|im_start>"),
    "the other half": ("<im_end|>", "<im_end|>"),
    "no bars": ("<im_start>user\nHi<im_end>", "<im_start>"),
    "an end alone": ("Hello there.<|im_end|>", "<|im_end|>"),
    "a beginning of a text": ("<|begin_of_text|>Hi", "<|begin_of_text|>"),
    "a mark that is named": ("What does <|im_start|> mean?", "<|im_start|>"),
    "an end of sequence": ("Hello</s>", "</s>"),
    "a beginning of sequence": ("<s>Hello", "<s>"),
    "Gemma's first token": ("<bos>Hello", "<bos>"),
    "tools of Mistral": ("[AVAILABLE_TOOLS][][/AVAILABLE_TOOLS]Hi", "[AVAILABLE_TOOLS]"),
    "Llama 2 without its frame": ("<<SYS>>\nS\n<</SYS>>\nHi", "<<SYS>>"),
    "a reserved token": ("a<|reserved_special_token_3|>b", "<|reserved_special_token_3|>"),
    "a time stamp": ("<|0.00|> Hello<|1.20|>", "<|0.00|>"),
}  # fmt: skip

#: Ordinary texts that look a little like marks.
ORDINARY = [
    "Say hello", "<b>bold</b> and <i>thin</i>", "if a < b and c > d:", "See [1] and [2, 3].", "- [ ] do\n- [x] done",
    "[link](https://example.invalid/a|b)", "<https://example.invalid>", "Mail <ann@example.invalid> today",
    "<user>ann</user>", "<system>\nBe brief.\n</system>\n<question>Why?</question>", "<instructions>x</instructions>",
    "<br/><hr>", "<!-- note --><?xml version='1.0'?><a:b xmlns:a='x'/>", "<p>Old: <s>10</s> New: 9</p>",
    "xs |> List.map f", "f <| g x", "f <| x |> g", "print <| user |> show", "let (<|>) a b = a", "a <|> b <|> c",
    "text <| Debug.toString |> x", "[|1; 2; 3|]", "[|x|]", "let users = [|user|]", "[| a | b |]", "| a | b |\n|---|---|\n| c | d |",
    "cat <<EOF\nhi\nEOF", "std::cout << user >> x;", "vector<pair<int, int>> v;", "Map<String, List<T>>", "Array<string|null>",
    "I <3 you", ">|<", "<_<", "x <- y", "a << 2 >> b", "p(x|y) < p(y|x)", "<x|y>", "<|x|>", "|0><1|", "the norm <|psi|^2>",
    "<NAME>, <YOUR_API_KEY>, <your name here>", "[NAME], [YOUR CITY], [TODO]", "[INFO] started\n[SYS] ready", "{name} {{x}} ${y} %(z)s",
    "<div class=\"user\">|</div>", "`<|`", "a||b && c|d", "<start>\ntext\n<end>", "<END>", "END OF TEXT", "start_of_turn", "</b>",
    "<EndOfService>2020</EndOfService>", "<think>\nhm\n</think>\nYes", "<tool_call>{}</tool_call>", "<unk> and <pad>", "[MASK] is blue",
    "<#C123|general> <@U12|bob> <!here|>", "(?P<a>x|y)|<b|c>", "$|user|$", "#user|#bot", "**User** asks", "《user》", "a <-> b",
    "<eos>x</eos>", "<bot>R2</bot>", "\\[|x|\\]", "!!|user|!!", "x = a[|b|]", "SELECT a FROM b WHERE c <> d",
]  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_mark_that_no_grammar_explains_is_ambiguous_and_located(name):
    text, mark = UNKNOWN[name]
    reading = diptych.to_messages(text)
    assert reading.verdict == "ambiguous"
    before = text[: text.index(mark)]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    assert f"control token {mark!r} at {place}" in reading.detail
    assert "plain" in reading.detail  # the way out
    assert diptych.to_messages(text, "plain").verdict == "lossless"


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays_certain(text):
    reading = diptych.to_messages(text)
    assert (reading.verdict, reading.format, reading.detail) == ("lossless", "plain", "")


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays_certain_inside_marks(text):
    chat = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    assert diptych.to_messages(chat).verdict == "lossless"


def known_of(grammar):
    return [mark for mark in grammar.markers if mark[:1] in "<[" and mark[:2] != "[|" and mark not in ("<s>", "</s>")]


@pytest.mark.parametrize("name", sorted(grammars()))
def test_every_marker_of_every_grammar_is_seen_alone(name):
    grammar = grammars()[name]
    for mark in known_of(grammar):
        assert [found.text for found in unknown_marks(f"a {mark} b")] == [mark]
        assert unknown_marks(f"a {mark} b", name) == []


@pytest.mark.parametrize("name", sorted(name for name, g in grammars().items() if g.is_certain and not g.plain))
def test_a_strange_mark_in_a_content_is_ambiguous(name):
    text = diptych.to_prompt([{"role": "user", "content": "a <|fnord_start|> b"}], format=name).text
    reading = diptych.to_messages(text, name)
    assert reading.verdict == "ambiguous"
    assert "unknown control token '<|fnord_start|>' at " in reading.detail
    assert diptych.to_messages(text.replace("fnord_start", " x "), name).verdict == "lossless"


def test_a_mark_in_data_is_text():
    assert diptych.to_messages("Say <|fnord|>.").verdict == "ambiguous"
    template = diptych.Template.from_string("Say {{ x }}.")
    assert diptych.to_messages(template.render(x="<|fnord|>")).verdict == "lossless"


words = st.sampled_from(
    ["<|", "|>", "<", ">", "|", "[", "]", "user", "im_start", "a", " ", "\n", "/", "｜", "eos", ":", "s"]
)


@given(st.lists(words, max_size=12).map("".join))
def test_marks_stand_where_they_are_said(text):
    for found in unknown_marks(text):
        assert text[found.start :].startswith(found.text)
        assert diptych.to_messages(text).verdict != "lossless"


@given(
    st.lists(
        words | st.sampled_from(["User: ", "Assistant: ", "<|im_start|>", "<|im_end|>", "[INST]"]), max_size=12
    ).map("".join)
)
def test_what_is_ambiguous_says_why(text):
    try:
        reading = diptych.to_messages(text)
    except diptych.DiptychError:
        return
    assert (reading.verdict != "ambiguous") or reading.detail


# hints --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hints", [{"Customer": "user"}, {"user_labels": ["Customer:"], "assistant_labels": ["Clerk:"]}, {"": "user"}]
)
@pytest.mark.parametrize(
    "text",
    [
        "Hello there",
        "The Customer said so",
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        "[INST] Hi [/INST]",
    ],
)
def test_hints_that_match_nothing_are_ambiguous(hints, text):
    reading = diptych.to_messages(text, hints=hints)
    assert reading.verdict == "ambiguous"
    assert "hint" in reading.detail
    assert diptych.to_messages(text).messages == reading.messages


def test_hints_beside_a_format_that_reads_no_labels_are_not_passed_over():
    reading = diptych.to_messages("Customer: Hi", "plain", hints={"Customer": "user"})
    assert (reading.verdict, len(reading.messages)) == ("ambiguous", 1)
    assert "'Customer'" in reading.detail


def test_the_hint_that_is_missing_is_named():
    hints = {"Customer": "user", "Clerk": "assistant", "Chief": "assistant"}
    reading = diptych.to_messages("Customer: Hi\nClerk:", hints=hints)
    assert [m["content"] for m in reading.messages] == ["Hi"]
    assert "'Chief'" in reading.detail
    assert "'Clerk'" not in reading.detail


@pytest.mark.parametrize(
    ("text", "users", "assistants", "roles"),
    [
        ("用户：你好\n助手：", ["用户："], ["助手："], [("user", "你好")]),
        ("用户：你好\n助手：", ["用户"], ["助手"], [("user", "你好")]),
        ("<|USER|>hi<|ASSISTANT|>yo<|USER|>bye<|ASSISTANT|>", ["<|USER|>"], ["<|ASSISTANT|>"], [("user", "hi"), ("assistant", "yo"), ("user", "bye")]),
        ("[|user|]hi\n[|assistant|]", ["[|user|]"], ["[|assistant|]"], [("user", "hi")]),
        ("<user> hi\n<bot> yo\n<user> x", ["<user>"], ["<bot>"], [("user", "hi"), ("assistant", "yo"), ("user", "x")]),
        ("ann> hi\nbot> ", ["ann>"], ["bot>"], [("user", "hi")]),
        ("Customer: hi\nClerk:", ["Customer:"], ["Clerk:"], [("user", "hi")]),
    ],
)  # fmt: skip
def test_hinted_marks_are_found(text, users, assistants, roles):
    reading = diptych.to_messages(text, hints={"user_labels": users, "assistant_labels": assistants})
    assert [(m["role"], m["content"]) for m in reading.messages] == roles
    assert reading.verdict == "ambiguous"


@pytest.mark.parametrize(
    "hints", ["Human", ["Human"], {"Human": 3}, {"user_labels": "Human:"}, {1: "user", "x": "none"}]
)
def test_hints_of_another_shape_are_refused(hints):
    with pytest.raises(diptych.DiptychError, match="hint"):
        diptych.to_messages("Human: hi", hints=hints)


# the other doors ----------------------------------------------------------------------------

STRANGE = UNKNOWN["headers"][0]


def test_through_convert():
    found = diptych.convert(STRANGE)
    assert found.verdict == "ambiguous"
    assert "'<|head_start|>' at 1:1" in found.detail
    assert diptych.convert(STRANGE, target="diptych-template").verdict == "ambiguous"
    assert diptych.convert("Hi <b>you</b>").verdict == "lossless"


@pytest.mark.parametrize(
    ("row", "source", "path"),
    [
        ({"prompt": STRANGE, "completion": "yo"}, "trl_prompt_completion", "$.prompt"),
        ({"prompt": STRANGE, "completion": " yo"}, "auto", "$.prompt"),
    ],
)
def test_through_rows(row, source, path):
    found = diptych.convert(row, source=source, on_loss="ignore")
    assert found.verdict == "ambiguous"
    assert f"{path}: unknown control token '<|head_start|>' at 1:1" in found.detail


def test_a_text_of_unknown_marks_is_no_row_to_train_on():
    with pytest.raises(diptych.LossError, match="does not read as a conversation"):
        diptych.convert({"text": STRANGE}, source="trl_text", on_loss="ignore")


def test_a_row_of_messages_says_who_speaks():
    row = {
        "messages": [{"role": "user", "content": "What is <|fnord|>?"}, {"role": "assistant", "content": "A token."}]
    }
    assert diptych.convert(row, source="finetune_chat", on_loss="ignore").verdict == "lossless"


def test_through_the_command(tmp_path):
    file = tmp_path / "p.txt"
    file.write_text(STRANGE, "utf-8")
    done = CliRunner().invoke(make_app(), ["convert", str(file), "--json"])
    document = json.loads(done.stdout)
    assert document["verdict"] == "ambiguous"
    assert "'<|head_start|>' at 1:1" in document["detail"]
    assert "'<|head_start|>' at 1:1" in CliRunner().invoke(make_app(), ["convert", str(file)]).stderr


def test_through_a_request_body():
    (found,) = convert_request({"model": "m", "prompt": STRANGE}, to="chat", on_loss="ignore")
    assert found.verdict == "ambiguous"
    assert any("<|head_start|>" in loss.detail for loss in found.losses)


def test_through_the_migration_of_code():
    code = f"from openai import OpenAI\nclient = OpenAI()\nr = client.completions.create(model='m', prompt={STRANGE!r}, max_tokens=5)\n"
    (refusal,) = migrate_code(code).refusals
    assert refusal.code == "prompt-markup"
    assert "<|head_start|>" in refusal.reason


def test_through_the_audit():
    assert dict(prompt_finding(STRANGE, "a:1:1").facts)["verdict"] == "ambiguous"


@pytest.mark.parametrize(
    "text",
    [
        "User: <｜User｜>x\n\nAssistant:",
        "### User:\nA <｜User｜>x\n",
        "<user>\n<｜User｜>x\n</user>\n",
        "[INST] a [/INST]\n\nUSER: q\nASSISTANT:",
        "<|user|>\nx\n\nUSER: q\nASSISTANT:",
        "<|user|>\r\na\r\r\nb",
        "System: s\nUser: q",
        "A talk.\r\n\r\nUser: one\r\ntwo\r\n",
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n<tool_call>\n"
        '{"name": "f", "arguments": {}}\n</tool_call><|im_end|>\n<|im_start|>user\nr<|im_end|>\n',
    ],
)
def test_marks_that_may_stand_in_a_message_make_no_reading_certain(text):
    """Texts that templates write whose conversations hold marks of other formats, or JSON in the shape of a call."""
    assert diptych.to_messages(text).verdict != "lossless"
