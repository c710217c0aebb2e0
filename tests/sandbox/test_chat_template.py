"""Hugging Face chat templates: the bytes of transformers, in our sandbox."""

import gzip
import json
import pickle
from collections import Counter
from datetime import datetime

import pytest

import diptych
from diptych import ChatTemplate, DiptychError, FormatError, ResourceLimit, TemplateError, TemplateSyntaxError

USER = [{"role": "user", "content": "Hi"}]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def test_chatml_template_equals_our_format():
    text = ChatTemplate(CHATML).render(USER, add_generation_prompt=True)
    assert text == diptych.to_prompt(USER, format="chatml").text


def test_special_tokens_are_undefined_where_they_are_empty():
    template = "{% if bos_token is defined %}{{ bos_token }}{% else %}none{% endif %}"
    assert ChatTemplate(template).render(USER) == "none"
    assert ChatTemplate(template, bos_token="<s>").render(USER) == "<s>"
    assert ChatTemplate(template, bos_token="<s>").render(USER, bos_token="<b>") == "<b>"


def test_tojson_is_that_of_transformers():
    text = ChatTemplate("{{ tools | tojson }}|{{ tools | tojson(indent=1) }}").render(USER, tools=[{"a": "<é>"}])
    assert text == '[{"a": "<é>"}]|[\n {\n  "a": "<é>"\n }\n]'


def test_generation_tag_loop_controls_and_time():
    source = (
        "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}{{ strftime_now('%Y-%m-%d') }}"
    )
    assert ChatTemplate(source).render([*USER, *USER], now=datetime(2026, 2, 3)) == "Hi2026-02-03"


def test_what_the_template_refuses_is_said_in_its_words():
    template = ChatTemplate("line\n{{ raise_exception('roles must alternate') }}")
    with pytest.raises(TemplateError) as caught:
        template.render(USER)
    assert caught.value.message == "roles must alternate"
    assert caught.value.location.line == 2


def test_continue_final_message():
    chat = [*USER, {"role": "assistant", "content": "I am "}]
    assert ChatTemplate(CHATML).render(chat, continue_final_message=True).endswith("assistant\nI am ")
    trimming = CHATML.replace("message['content']", "message['content'] | trim")
    assert ChatTemplate(trimming).render(chat, continue_final_message=True).endswith("assistant\nI am")
    with pytest.raises(FormatError):
        ChatTemplate(CHATML).render(chat, continue_final_message=True, add_generation_prompt=True)
    with pytest.raises(TemplateError, match="cannot be continued"):
        ChatTemplate("nothing").render(chat, continue_final_message=True)
    assert chat[1]["content"] == "I am "


def test_from_tokenizer_config(tmp_path):
    config = {"chat_template": CHATML + "{{ eos_token }}", "eos_token": {"content": "</s>"}, "bos_token": None}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert ChatTemplate.from_tokenizer_config(tmp_path).render(USER).endswith("</s>")
    named = {"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(named))
    assert ChatTemplate.from_tokenizer_config(tmp_path, name="tool_use").render(USER) == "b"
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(FormatError, match="names no chat template"):
        ChatTemplate.from_tokenizer_config(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("beside")
    assert ChatTemplate.from_tokenizer_config(tmp_path).render(USER) == "beside"


def test_syntax_errors_have_a_place():
    with pytest.raises(TemplateSyntaxError) as caught:
        ChatTemplate("ok\n{% if %}")
    assert caught.value.location.line == 2


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.__class__ }}{{ messages.__init__.__globals__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__self__ }}",
        "{{ messages.append(1) }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ lipsum() }}",
        "{% for c in cycler.__init__.__globals__ %}{{ c }}{% endfor %}",
    ],
)
def test_hostile_templates_end_in_our_errors_or_in_nothing(source):
    try:
        shown = ChatTemplate(source).render(USER)
    except (TemplateError, ResourceLimit):
        shown = ""
    assert len(shown) < 200
    assert "class" not in shown


def test_messages_must_be_plain_data():
    with pytest.raises(FormatError) as caught:
        ChatTemplate(CHATML).render([{"role": "user", "content": object()}])
    assert caught.value.path == "$.messages[0].content"


def test_templates_of_real_models(shared):
    """2,392 renderings of transformers: byte for byte, errors of the template in its own words."""
    file = shared / "corpora" / "chat_templates.jsonl.gz"
    if not file.is_file():
        pytest.skip("no chat templates in the folder of samples")
    total, wrong = 0, Counter()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            total += 1
            if not _equals(row["expected"], _rendered(row)):
                wrong[row["template_id"]] += 1
    print(f"{total - wrong.total()} of {total} renderings are identical")
    assert not wrong


def _rendered(row):
    context = dict(row["context"])
    now = context.get("frozen_now")
    try:
        return ChatTemplate(row["template"]).render(
            context["messages"],
            tools=context.get("tools"),
            documents=context.get("documents"),
            add_generation_prompt=context.get("add_generation_prompt", False),
            continue_final_message=context.get("continue_final_message", False),
            now=datetime.fromisoformat(now) if now else None,
            **(context.get("template_kwargs") or {}),
        )
    except DiptychError as error:
        return error


def _equals(expected, found):
    if isinstance(expected, dict):
        said = isinstance(found, DiptychError) and found.message == expected["error"]
        return said or (isinstance(found, DiptychError) and expected.get("error_kind") != "template_raise")
    return found == expected


def test_a_configuration_that_is_not_there_is_told(tmp_path):
    with pytest.raises(diptych.FormatError, match=r"cannot read .*nothing\.json"):
        diptych.ChatTemplate.from_tokenizer_config(tmp_path / "nothing.json")


def test_a_template_is_pickled_with_its_tokens_and_limits():
    template = ChatTemplate(
        "{{ bos_token }}{{ pad_token }}", bos_token="<s>", pad_token="_", limits=diptych.Limits(seconds=3)
    )
    copy = pickle.loads(pickle.dumps(template))
    assert (copy.render(USER), copy.limits) == ("<s>_", template.limits)
