"""Prompts of Haystack, LlamaIndex and banks in Python: what the tools themselves make of them."""

import re

import pytest

from diptych import Template
from diptych.migrate.templates import is_template, layout_of, migrate_templates

HAYSTACK = """from haystack.components.builders import ChatPromptBuilder, PromptBuilder
from haystack.dataclasses import ChatMessage
"""
LLAMA = """from llama_index.core import ChatPromptTemplate, PromptTemplate
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.prompts import RichPromptTemplate
"""
INPUTS = {"q": "Q {{ q }}", "xs": ["a", "b"], "name": "N"}


def said(found):
    template = Template.from_string(found.source)
    messages = template.render(**{name: INPUTS[name] for name in template.inputs}).messages
    return [(m["role"], m["content"]) for m in messages]


@pytest.mark.parametrize(
    "code",
    [
        'p = PromptBuilder("Answer {{ q }}:\\n{% for x in xs %}\\n- {{ x }}\\n{% endfor %}", required_variables=["q"])',
        'p = PromptBuilder(template="Hi" + " {{ name }}", required_variables="*")',
        'T = "{{ q|upper }}"\nT += "{% if name %}!{% endif %}"\np = PromptBuilder(template=T)',
        'p = ChatPromptBuilder([ChatMessage.from_system("Be {{ name }}."), ChatMessage.from_user("{{ q }}")])',
        'ms = [ChatMessage.from_system("S")]\nms.append(ChatMessage.from_user("{{ q }}"))\np = ChatPromptBuilder(template=ms)',
        'p = ChatPromptBuilder([ChatMessage.from_user("{{ q }}"), ChatMessage.from_assistant("{{ as it is }}"), ChatMessage.from_user("b")])',
        """p = ChatPromptBuilder('{% message role="system" %}S {{ name }}{% endmessage %}{% message role="user" %}{{ q }}{% endmessage %}')""",
    ],
)
def test_haystack(code, monkeypatch):
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    pytest.importorskip("haystack", reason="the oracle of Haystack comes with the extra `dev`")
    there: dict = {}
    exec(HAYSTACK + code, there)
    found = migrate_templates(HAYSTACK + code, "a.py")
    assert not found.refusals
    (one,) = found
    assert (one.name, one.layout) == ("p", "builders-python")
    prompt = there["p"].run(template_variables=INPUTS)["prompt"]
    assert said(one) == ([("user", prompt)] if isinstance(prompt, str) else [(m.role.value, m.text) for m in prompt])


LLAMA_TEXTS = [
    "Hi {name}",
    "{{name}} {q}",
    '{"a": {q}, "b": { name }} {}',
    "{0} {q!r} {a.b} {unknown b}",
    "{% x %} {{ {q}\\n",
    "{xs}",
]


@pytest.mark.parametrize("text", LLAMA_TEXTS)
def test_llama_index_takes_names_alone_for_holes(text):
    (found,) = migrate_templates(f"{LLAMA}p = PromptTemplate({text!r})", "a.py")
    meant = re.sub(r"\{([^{}]+)\}", lambda hole: str(INPUTS.get(hole[1], hole[0])), text)
    assert said(found) == [("user", meant)]
    core = pytest.importorskip(
        "llama_index.core", reason="llama-index-core is heavy: the test goes on where it is there"
    )
    assert meant == core.PromptTemplate(text).format(**INPUTS)


def test_llama_index_messages_and_partials():
    code = (
        'p = ChatPromptTemplate(message_templates=[ChatMessage(role=MessageRole.SYSTEM, content="Be {name}."), '
        'ChatMessage(content="{q}", role="user")])\n'
        'r = ChatPromptTemplate.from_messages([("system", "S"), ("user", "{q}")])\n'
        't = PromptTemplate("{name}: {q}")\nu = t.partial_format(name="X")\n'
        """v = RichPromptTemplate('{% chat role="user" %}{{ q }}{% endchat %}')\n"""
    )
    found = migrate_templates(LLAMA + code, "a.py")
    assert not found.refusals
    assert {one.name: said(one) for one in found if one.name != "u"} == {
        "p": [("system", "Be N."), ("user", INPUTS["q"])],
        "r": [("system", "S"), ("user", INPUTS["q"])],
        "t": [("user", f"N: {INPUTS['q']}")],
        "v": [("user", INPUTS["q"])],
    }
    (partial,) = [one for one in found if one.name == "u"]
    assert Template.from_string(partial.source).render(q="Q").prompt == "X: Q"


def test_names_and_refusals():
    code = (
        'pipe.add_component("ask", PromptBuilder(template="{{ q }}"))\n'
        "late = ChatPromptBuilder()\n"
        "made = PromptBuilder(template=read())\n"
        "many = ChatPromptBuilder([ChatMessage.from_tool(1)])\n"
    )
    found = migrate_templates(HAYSTACK + code, "a.py")
    assert [one.name for one in found] == ["ask"]
    assert [str(error).partition("\n")[0] for error in found.refusals] == [
        "a.py:4:8: late: its template comes when the pipeline runs",
        "a.py:5:31: made: read(…) is only known when it runs",
        "a.py:6:27: many: ChatMessage.from_tool(…) is only known when it runs",
    ]
    code = 'p = PromptTemplate("{a}", function_mappings={"a": f})'
    (refusal,) = migrate_templates(LLAMA + code, "a.py").refusals
    assert "f is not bound once" in refusal.message


def test_a_file_of_two_tools_gives_the_prompts_of_both():
    code = (
        "from langchain_core.prompts import ChatPromptTemplate\n"
        "from haystack.components.builders import PromptBuilder\n"
        'a = ChatPromptTemplate([("human", "{q}")])\nb = PromptBuilder(template="{{ q }}")\n'
    )
    assert sorted((one.name, one.layout) for one in migrate_templates(code, "a.py")) == [
        ("a", "langchain-python"), ("b", "builders-python"),
    ]  # fmt: skip


def test_classes_of_one_name_are_told_apart_by_their_import():
    code = LLAMA + "# not langchain\np = PromptTemplate('{q} { \"a\": 1 }')"
    assert is_template(code, "a.py")
    assert layout_of(code, "a.py") == "builders-python"
    (found,) = migrate_templates(code, "a.py")
    assert found.layout == "builders-python"


def test_banks_in_python():
    banks = pytest.importorskip("banks", reason="the oracle of banks comes with the extra `dev`")
    text = '{% chat role="system" %}Be {{ name }}.{% endchat %}\n{% chat role="user" %}\n{{ q }} {% for x in xs %}{{ x }}{% endfor %}\n{% endchat %}\n'
    (found,) = migrate_templates(f"from banks import Prompt\np = Prompt({text!r})", "a.py")
    there = [
        (m.role, m.content if isinstance(m.content, str) else "".join(b.text for b in m.content))
        for m in banks.Prompt(text).chat_messages(INPUTS)
    ]
    assert said(found) == [(role, content.strip()) for role, content in there]
