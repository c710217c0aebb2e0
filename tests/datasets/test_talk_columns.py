"""Columns of text that hold a whole talk, and prompts that answers repeat: read right, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.conversion.registry import get, list_formats
from diptych.datasets.finetune import Separators, read_row
from diptych.datasets.layouts import detect_layout
from diptych.datasets.talks import question_of, tails, talk_of
from diptych.loss import Severity, worst
from diptych.model import Conversation, Message
from diptych.text.registry import grammars
from diptych.text.writing import write_text

PREAMBLE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
)
CHATML = "<|im_start|>user\nTides?<|im_end|>\n<|im_start|>assistant\n"


def user(text):
    return {"role": "user", "content": text}


def said(text):
    return {"role": "assistant", "content": text}


def human(*texts):
    """A transcript as HH-RLHF has them."""
    return "".join(f"\n\n{'Assistant' if i % 2 else 'Human'}: {text}" for i, text in enumerate(texts))


def pair(prompt, chosen, rejected):
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


SYSTEM = {"role": "system", "content": "Be brief."}
ASKED, HIGH, LOW = user("Tides?"), said("High."), said("Low.")
MORE = [ASKED, HIGH, user("When?")]

#: A row, and the prompt, the better and the worse answer that it holds: nothing above exact is told.
PAIRS = [
    ({"chosen": human("Tides?", "High."), "rejected": human("Tides?", "Low.")}, [ASKED], [HIGH], [LOW]),
    ({"chosen": human("Tides?", "High.").lstrip(), "rejected": human("Tides?", "Low.").lstrip()}, [ASKED], [HIGH], [LOW]),
    ({"chosen": human("Tides?", "High.", "When?", "High."), "rejected": human("Tides?", "High.", "When?", "Low.")}, MORE, [HIGH], [LOW]),
    ({"chosen": human("Tides? ", " High.\n"), "rejected": human("Tides? ", "Low. ")}, [user("Tides? ")], [said(" High.\n")], [said("Low. ")]),
    ({"chosen": "### Human: Tides?### Assistant: High.", "rejected": "### Human: Tides?### Assistant: Low."}, [ASKED], [HIGH], [LOW]),
    ({"chosen": f"{CHATML}High.<|im_end|>", "rejected": f"{CHATML}Low.<|im_end|>\n"}, [ASKED], [HIGH], [LOW]),
    (pair(human("Tides?", ""), " High.", " Low."), [ASKED], [HIGH], [LOW]),
    (pair(human("Tides?", "").rstrip(), " High.", " Low."), [ASKED], [HIGH], [LOW]),
    (pair(human("Tides?", "").rstrip(), "High.", "Low."), [ASKED], [HIGH], [LOW]),
    (pair(human("Tides?", "").rstrip(), human("Tides?", "High."), human("Tides?", "Low.")), [ASKED], [HIGH], [LOW]),
    (pair("Tides?", human("Tides?", "High."), human("Tides?", "Low.")), [ASKED], [HIGH], [LOW]),
    (pair("Tides?", [ASKED, HIGH], [ASKED, LOW]), [ASKED], [HIGH], [LOW]),
    (pair([ASKED], [ASKED, HIGH], [LOW]), [ASKED], [HIGH], [LOW]),
    (pair([SYSTEM, ASKED], [ASKED, HIGH], [ASKED, LOW]), [SYSTEM, ASKED], [HIGH], [LOW]),
    (pair("Tides?", [SYSTEM, ASKED, HIGH], [SYSTEM, ASKED, LOW]), [SYSTEM, ASKED], [HIGH], [LOW]),
    (pair("Tides?", [*MORE, HIGH], [*MORE, LOW]), MORE, [HIGH], [LOW]),
    (pair("Tides?", "High.", "Low."), [ASKED], [HIGH], [LOW]),
    (pair("", human("Tides?", "High."), human("Tides?", "Low.")), [ASKED], [HIGH], [LOW]),
    ({"chosen": "Human: Tides?\nAssistant: High.", "rejected": "Human: Tides?\nAssistant: Low."}, [ASKED], [HIGH], [LOW]),
    ({"chosen": "### Human: Tides?\n### Assistant: High.", "rejected": "### Human: Tides?\n### Assistant: Low."},
     [ASKED], [HIGH], [LOW]),
    (pair("Hello", "Hello there!", "Hello to you!"), [user("Hello")], [said("Hello there!")], [said("Hello to you!")]),
    (pair("Good day", "Good day!", "Good day, you."), [user("Good day")], [said("Good day!")], [said("Good day, you.")]),
    ({"input": {"messages": [ASKED]}, "preferred_output": [ASKED, HIGH], "non_preferred_output": [ASKED, LOW]}, [ASKED], [HIGH], [LOW]),
    ({"conversations": [ASKED], "chosen": [ASKED, HIGH], "rejected": [ASKED, LOW]}, [ASKED], [HIGH], [LOW]),
]  # fmt: skip


@pytest.mark.parametrize(("row", "prompt", "chosen", "rejected"), PAIRS)
def test_pairs_are_read_turn_by_turn(row, prompt, chosen, rejected):
    source = detect_layout([row], list_formats())[0]
    found = diptych.convert(row, source=source, target="trl_preference")
    assert found.output == pair(prompt, chosen, rejected)
    assert found.verdict == "lossless"
    taught = diptych.convert(row, source=source, target="finetune_chat", on_loss="ignore").output["messages"]
    assert [{k: v for k, v in m.items() if k != "weight"} for m in taught] == [*prompt, *chosen]


#: Rows of which nobody can say where the prompt ends, or whether it is said twice.
UNDECIDED = [
    {"chosen": "High.", "rejected": "Low."},
    {"chosen": "The tide is high.", "rejected": "The tide is low."},
    {"chosen": human("Tides?", "High."), "rejected": "Low."},
    {"chosen": human("Tides?", "High."), "rejected": human("Winds?", "Low.")},
    {"chosen": human("Tides?", "High.", "a", "b"), "rejected": human("Tides?", "High.", "c", "d")},
    {"chosen": human("Tides?", "High.", "a"), "rejected": human("Tides?", "High.", "a")},
    {"chosen": human("Tides?", ""), "rejected": human("Tides?", "")},
    {"chosen": "\n\nHuman: a\n\nHuman: b\n\nAssistant: c", "rejected": "\n\nHuman: a\n\nHuman: b\n\nAssistant: d"},
    {"chosen": "Q: Tides?\nA: High.", "rejected": "Q: Tides?\nA: Low."},
    {"chosen": [ASKED, HIGH], "rejected": [user("Winds?"), LOW]},
    pair("Tides?", "Tides? High.", "Tides? Low."),
    pair("Tides?\n", "Tides?\nHigh.", "Tides?\nLow."),
    pair("", "High.", "Low."),
    pair("Tides?", [user("Winds?"), HIGH], [user("Winds?"), LOW]),
    pair("Tides?", [ASKED], [ASKED]),
    pair("Q: a\nA: b\n\nQ: Tides?\nA:", "High.", "Low."),
    pair(human("Tides?", "High."), "High.", "Low."),
    pair("Tides?", human("Winds?", "High."), human("Winds?", "Low.")),
    {"input": {"messages": [ASKED]}, "preferred_output": [user("x"), HIGH], "non_preferred_output": [LOW]},
]


@pytest.mark.parametrize("on_loss", ["raise", "ignore"])
@pytest.mark.parametrize("row", UNDECIDED)
def test_pairs_of_which_nothing_is_certain_are_refused(row, on_loss):
    source = detect_layout([row], list_formats())[0]
    for target in ("trl_preference", "finetune_chat", "openai_dpo", "openai_chat"):
        with pytest.raises(diptych.LossError) as caught:
            diptych.convert(row, source=source, target=target, on_loss=on_loss)
        assert worst(caught.value.losses) is Severity.REFUSED


def test_a_prompt_of_examples_stays_one_message_and_is_told():
    found = diptych.convert(
        pair("Q: Tides?\nA:", "High.", "Low."), source="trl_preference", target="trl_preference", on_loss="ignore"
    )
    assert found.output["prompt"] == [user("Q: Tides?\nA:")]
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.prompt", "flattened")]


# one text ---------------------------------------------------------------------------------------

TEXTS = [
    (human("Tides?", "High."), [ASKED, HIGH]),
    (f"{PREAMBLE}### Instruction:\nTides?\n\n### Response:\nHigh.", [ASKED, HIGH]),
    ("### Instruction:\nTides?\n\n### Response:\nHigh.\n\n", [ASKED, HIGH]),
    ("USER: Tides? ASSISTANT: High.</s>", [ASKED, HIGH]),
    ("USER: Tides? ASSISTANT: High.", [ASKED, HIGH]),
    ("### User:\nTides?\n\n### Assistant:\nHigh.", [ASKED, HIGH]),
    (f"{CHATML}High.<|im_end|>", [ASKED, HIGH]),
    (f"{CHATML}High.<|im_end|>\n", [ASKED, HIGH]),
    ("<s>[INST] Tides? [/INST] High. </s>", [ASKED, HIGH]),
    (f"Be brief.{human('Tides?', 'High.')}", [SYSTEM, ASKED, HIGH]),
]


@pytest.mark.parametrize(("text", "messages"), TEXTS)
def test_a_text_that_is_a_talk_is_its_turns(text, messages):
    found = diptych.convert({"text": text}, source="trl_text", target="finetune_chat")
    assert found.output == {"messages": messages}
    assert found.verdict == "lossless"


def test_instruction_and_input_of_a_text_become_one_message_as_those_of_a_row():
    text = "### Instruction:\nTranslate\n\n### Input:\nrain\n\n### Response:\nlluvia"
    row = {"instruction": "Translate", "input": "rain", "output": "lluvia"}
    found = [diptych.convert(value, target="finetune_chat", on_loss="ignore") for value in ({"text": text}, row)]
    assert found[0].output == found[1].output
    assert [loss.kind for loss in found[0].losses] == ["merged"]


@pytest.mark.parametrize(("text", "kind"), [
    ("Some page about tides.", "unsupported"), ("", "unsupported"),
    ("Q: Tides?\nA: High.", "undecidable"),
    ("<|im_start|>user\n<|im_start|>x<|im_end|>\n<|im_start|>assistant\nHigh.<|im_end|>\n", "undecidable"),
    ("<PRE> a <SUF>b <MID>", "unsupported"),
])  # fmt: skip
def test_a_text_that_is_no_talk_is_no_message(text, kind):
    for target in ("finetune_chat", "sharegpt", "trl_prompt_completion", "trl_unpaired", "openai_chat"):
        with pytest.raises(diptych.LossError) as caught:
            diptych.convert({"text": text}, source="trl_text", target=target, on_loss="ignore")
        assert ("$.text", kind) in [(loss.path, loss.kind) for loss in caught.value.losses]
    same = diptych.convert({"text": text}, source="trl_text", target="trl_text")
    assert (same.output, same.verdict, same.losses) == ({"text": text}, "lossless", ())


LETTERS = st.text(st.sampled_from("abc d,."), min_size=1, max_size=12).filter(lambda text: text.strip() == text)
TALKS = st.lists(LETTERS, min_size=2, max_size=6).filter(lambda texts: len(texts) % 2 == 0)


@pytest.mark.parametrize("name", sorted(grammars()))
@given(texts=TALKS)
def test_what_a_format_writes_is_read_as_a_talk_or_refused(name, texts):
    messages = tuple(Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts))
    text = write_text(Conversation(messages), name, add_generation_prompt=False).text
    for written in (text, text.strip()):
        found, told = get("trl_text").read({"text": written})
        refused = worst(told) is Severity.REFUSED
        spoken = [(m.role, m.text.strip()) for m in found.messages if m.role != "system"]
        assert refused or spoken == [(m.role, m.text) for m in messages]


@given(TALKS, LETTERS)
def test_transcripts_with_an_implied_prompt(texts, worse):
    row = {"chosen": human(*texts), "rejected": human(*texts[:-1], worse)}
    found = diptych.convert(row, source="trl_preference", target="trl_preference").output
    assert [m["content"] for m in found["prompt"]] == texts[:-1]
    assert (found["chosen"], found["rejected"]) == ([said(texts[-1])], [said(worse)])


# prompt and completion ------------------------------------------------------------------------------

QUESTIONS = [human("Tides?", "").rstrip(), human("Tides?", ""), CHATML, CHATML.removesuffix("<|im_start|>assistant\n"),
             f"{PREAMBLE}### Instruction:\nTides?\n\n### Response:\n", "<s>[INST] Tides? [/INST]", "USER: Tides? ASSISTANT:"]  # fmt: skip


@pytest.mark.parametrize("prompt", QUESTIONS)
@pytest.mark.parametrize("layout", ["finetune_legacy", "trl_prompt_completion", "trl_unpaired"])
def test_a_prompt_that_is_a_talk_is_its_turns(layout, prompt):
    row = {"prompt": prompt, "completion": "High."} | ({"label": True} if layout == "trl_unpaired" else {})
    found, told = get(layout).read(row)
    assert [(m.role, m.text.strip()) for m in found.messages] == [("user", "Tides?"), ("assistant", "High.")]
    assert found.answer == 1
    assert worst(told) is Severity.EXACT
    assert prompt.rstrip().endswith(tails())


@pytest.mark.parametrize("prompt", [q for q in QUESTIONS if not q.endswith(" ")])
def test_a_prompt_of_a_batch_that_is_a_talk_is_its_turns(prompt):
    line = {"custom_id": "q", "url": "/v1/completions", "body": {"model": "m", "prompt": prompt, "max_tokens": 9}}
    found = diptych.convert(line, source="openai_batch", target="openai_batch")
    assert [(m["role"], m["content"].strip()) for m in found.output["body"]["messages"]] == [("user", "Tides?")]
    assert found.verdict == "lossless"


def test_what_ends_a_turn_belongs_to_no_answer():
    for layout in ("finetune_legacy", "trl_prompt_completion"):
        found, _ = get(layout).read({"prompt": CHATML, "completion": "High.<|im_end|>\n"})
        assert found.messages[-1].text == "High."
    found, _ = read_row({"prompt": human("Tides?", ""), "completion": " High. END"}, Separators("", " ", " END"))
    assert [m.text for m in found.messages] == ["Tides?", "High."]


@pytest.mark.parametrize(
    "prompt", ["The sky is", "Customer: Tides?\nAgent:", "Q: Tides?\nA:", "User: Tides?\nAssistant:"]
)
def test_labels_that_anyone_may_write_make_no_turns_of_a_legacy_prompt(prompt):
    assert question_of(prompt) is None
    found, _ = get("finetune_legacy").read({"prompt": prompt, "completion": " High."})
    assert [m.text for m in found.messages] == [prompt, "High."]


def test_a_separator_is_the_end_of_a_prompt_whatever_stands_before_it():
    found, _ = get("finetune_legacy").read({"prompt": f"{CHATML}\n\n###\n\n", "completion": " High. END"})
    assert found.messages[0].text == CHATML


@pytest.mark.parametrize("layout", ["trl_prompt_completion", "trl_unpaired"])
def test_a_completion_that_repeats_its_prompt_says_it_once(layout):
    row = {"prompt": "Tides?", "completion": [ASKED, HIGH]} | ({"label": False} if layout == "trl_unpaired" else {})
    found, told = get(layout).read(row)
    assert [m.text for m in found.messages] == ["Tides?", "High."]
    assert [(loss.path, loss.kind) for loss in told] == [("$.completion", "renamed")]


@pytest.mark.parametrize("name", [e.name for e in list_formats() if e.kind == "dataset"])
@pytest.mark.parametrize("text", [human("Tides?", "High."), CHATML, "Q: a\nA: b"])
def test_contents_are_no_structure(name, text):
    """What a layout writes for a message that quotes a talk is never read as that talk without a word."""
    messages = [user(text), HIGH]
    try:
        found = diptych.convert({"messages": messages}, source="finetune_chat", target=name, on_loss="ignore")
    except diptych.LossError:
        return
    again, _ = get(name).read(found.output)
    same = [m.text for m in again.messages] == [text, "High."][: len(again.messages)]
    assert same or found.verdict == "lossy"


def test_a_talk_is_read_as_one_whatever_its_path():
    assert talk_of("Tides?") is None
    assert talk_of(human("Tides?", "High."), "$.chosen").format == "claude"
