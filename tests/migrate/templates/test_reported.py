"""Template files that went wrong once: what each must become, by the tool that it was written for."""

import json

import pytest

from diptych import Template
from diptych.errors import MigrationError
from diptych.migrate.templates import migrate_templates

TWO = """from langchain_core.prompts import ChatPromptTemplate
def a():
    prompt = ChatPromptTemplate.from_messages([("human", "A {x}")])
    return prompt
def b():
    prompt = ChatPromptTemplate.from_messages([("human", "B {y}")])
    return prompt
"""
BODY = {
    "model": "claude-sonnet-4-5",
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "Hi {{name}}"}],
    "max_tokens": 9,
}
TURNS = "{% for i in h %}\nuser:\n{{i.q}}\nassistant:\n{{i.a}}\n{% endfor %}\n"
#: File, text, inputs and messages of each template, and whether another meaning must be named.
FILES = {
    "role labels": ("c.jinja2", "# system:\nBe brief.\n\n# user:\n{{q}}\n", [({"q": "Q"}, ["system: Be brief.", "user: Q"])]),
    "role labels in a loop": (
        "c.jinja2",
        f"system:\nBe brief.\n\n{TURNS}\nuser:\n{{{{q}}}}",
        [({"h": [{"q": "a", "a": "b"}], "q": "Q"}, ["system: Be brief.", "user: a", "assistant: b", "user: Q"])],
    ),
    "a conversion": ("a.txt", "Repr {y!r}", [({"y": "a"}, ["user: Repr 'a'"])]),
    "a body of Anthropic": ("an.json", json.dumps(BODY), [({"name": "Ann"}, ["system: Be brief.", "user: Hi Ann"])]),
    "two functions with one name": ("two.py", TWO, [({"x": 1}, ["user: A 1"]), ({"y": 2}, ["user: B 2"])]),
}  # fmt: skip
REFUSED = {
    "POML": ("a.poml", "<poml><role>Teacher</role><task>Explain {{x}}</task></poml>"),
    "BAML": ("a.baml", 'function F(x: string) -> string { client GPT4 prompt #"{{ _.role("user") }} {{x}}"# }'),
    "a variable of an editor": ("a.prompt.md", "Do ${input:thing}\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_becomes(name):
    file, text, golden = FILES[name]
    found = migrate_templates(text, file)
    assert not found.refusals
    said = [
        [f"{m['role']}: {m['content']}" for m in Template.from_string(one.source).render(**inputs).messages]
        for one, (inputs, _) in zip(found, golden, strict=True)
    ]
    assert said == [messages for _, messages in golden]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    file, text = REFUSED[name]
    with pytest.raises(MigrationError) as caught:
        migrate_templates(text, file)
    assert str(caught.value.path).startswith(file)


def test_a_file_without_templates_gives_none():
    found = migrate_templates("from haystack.components.builders import ChatPromptBuilder\n", "h.py")
    assert (list(found), found.refusals) == ([], ())
