"""LangChain's own classes judge what is made of compositions, changes, examples and formats."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diptych import Template
from diptych.migrate.templates import migrate_templates

core = pytest.importorskip("langchain_core.prompts", reason="the oracle of LangChain comes with the extra `dev`")
messages = pytest.importorskip("langchain_core.messages")

HEAD = """from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import (
    AIMessagePromptTemplate, ChatPromptTemplate, FewShotChatMessagePromptTemplate, FewShotPromptTemplate,
    HumanMessagePromptTemplate, MessagesPlaceholder, PromptTemplate, SystemMessagePromptTemplate,
)
"""
ROLES = {"human": "user", "ai": "assistant", "system": "system"}
PAST = [{"role": "user", "content": "before"}, {"role": "assistant", "content": "then"}]

FOLLOWED = {
    "a text behind a prompt": 'p = PromptTemplate.from_template("{a} ") + "and {b}"',
    "two prompts": 'p = PromptTemplate.from_template("{a} ") + PromptTemplate.from_template("{b}")',
    "over several lines": 'p = (\n    PromptTemplate.from_template("{a} ")\n    + "and {b}"\n    + "\\n"\n)',
    "partials of both": 'p = PromptTemplate.from_template("{a}{x}").partial(x="X") + PromptTemplate.from_template("{b}").partial(b="B")',
    "Jinja behind Jinja": 'p = PromptTemplate.from_template("{{ a }} ", template_format="jinja2") + "and {{ b }}"',
    "chats": 'a = ChatPromptTemplate([("system", "S {x}")])\np = a + a + ChatPromptTemplate([("human", "{q}")])',
    "a message and a text": 'p = SystemMessage("{as it is}") + HumanMessage("hi") + AIMessage("what?") + "{q}"',
    "a message under a name": 's = SystemMessage(content="S")\np = s + HumanMessagePromptTemplate.from_template("{q}")',
    "a pair is a list of two texts": 'p = ChatPromptTemplate([("system", "S")]) + ("human", "{x}")',
    "a list of pairs": 'p = ChatPromptTemplate([("system", "S")]) + [("human", "{x}"), MessagesPlaceholder("past")]',
    "a placeholder": 'p = ChatPromptTemplate([("system", "S")]) + MessagesPlaceholder("past") + "{q}"',
    "+=": 'p = PromptTemplate.from_template("{a}")\np += " and {b}"',
    "+= of a chat": 'p = ChatPromptTemplate([("system", "S")])\np += HumanMessage("{x}")\np += "{x}"',
    "append": 'p = ChatPromptTemplate([("system", "S")])\np.append(("human", "{x}"))\np.append("{y}")\np.append(AIMessage("{z}"))',
    "extend": 'p = ChatPromptTemplate([("system", "S")])\np.extend([("human", "{x}"), MessagesPlaceholder("past"), "{y}"])',
    "bound to a sum": 'p = ChatPromptTemplate([("system", "S")])\np = p + "{x}"\np = p.partial(x="X")',
    "bound to a partial": 'p = PromptTemplate.from_template("{a} {b}")\np = p.partial(a="A")',
    "a list that grows": 'ms = [("system", "S")]\nms.append(("human", "{q}"))\nms += [("ai", "{r}")]\np = ChatPromptTemplate.from_messages(ms)',
    "a text that grows": 'T = "a {x}"\nT += " b {y}"\np = PromptTemplate.from_template(T)',
    "between steps": 'p = ChatPromptTemplate([("system", "S")])\nq = p + "{x}"\np = p + "{y}"',
    "in a function": 'def f():\n    p = ChatPromptTemplate([("system", "S")])\n    p.append(("human", "{x}"))\n    return p\np = f()',
    "a prompt among messages": 'r = ChatPromptTemplate([("system", "S {x}")])\np = ChatPromptTemplate([r, ("human", "{q}")])',
    "examples as messages": (
        'e = ChatPromptTemplate([("human", "{i}"), ("ai", "{o}")])\n'
        'f = FewShotChatMessagePromptTemplate(example_prompt=e, examples=[{"i": "2+2", "o": "4"}, {"i": "{x}", "o": 5}])\n'
        'p = ChatPromptTemplate.from_messages([("system", "S"), f, ("human", "{q}")])'
    ),
    "examples of one message": (
        'p = FewShotChatMessagePromptTemplate(example_prompt=HumanMessagePromptTemplate.from_template("{i}!"), examples=[{"i": "a"}])'
    ),
    "examples behind a message": (
        'e = HumanMessagePromptTemplate.from_template("{i}") + AIMessagePromptTemplate.from_template("{o}")\n'
        'f = FewShotChatMessagePromptTemplate(examples=[{"i": "a", "o": "b"}], example_prompt=e)\n'
        'p = SystemMessagePromptTemplate.from_template("S {s}") + f + HumanMessagePromptTemplate.from_template("{q}")'
    ),
}  # fmt: skip


def run(code):
    """Return the names of a source as LangChain has them."""
    found: dict = {}
    exec(compile(HEAD + code, "a.py", "exec"), found)
    return found


def said_by(prompt, inputs):
    """Return the roles and texts of a prompt of LangChain."""
    if isinstance(prompt, core.StringPromptTemplate):
        return [("user", prompt.format(**inputs))]
    return [(ROLES[m.type], m.content) for m in prompt.format_messages(**inputs)]


def compare(prompt, found):
    """Assert that a template says what a prompt of LangChain says, with every input given."""
    # LangChain's own append does not add to its input_variables.
    texts = {name: f"<{name}> {{x}} {{{{ y }}}}" for name in "abcioqrsxyz"}
    past = [messages.HumanMessage("before"), messages.AIMessage("then")]
    template = Template.from_string(found.source)
    given_ = {**texts, "past": PAST}
    rendered = template.render(**{name: value for name, value in given_.items() if name in template.inputs})
    said = [(m["role"], m["content"]) for m in rendered.messages]
    meant = said_by(prompt, {**texts, "past": past})
    if any(loss.kind == "trimmed" for loss in found.losses):
        said, meant = ([(role, content.strip("\n")) for role, content in turns] for turns in (said, meant))
    assert said == meant


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_is_followed_says_what_langchain_says(name):
    there, found = run(FOLLOWED[name]), migrate_templates(HEAD + FOLLOWED[name], "a.py")
    assert not found.refusals
    assert "p" in {one.name for one in found}
    for one in found:
        compare(there[one.name], one)


# random programs --------------------------------------------------------------------------------

text = st.sampled_from(["{x}", "a {y} b", "{{z}}", "plain", "{x} {{{y}}}", "{x:>6}|", "{y!r}", "\\n- {x}", "é"]).map(
    lambda t: f'"{t}"'
)
pair = st.tuples(st.sampled_from(["system", "human", "ai"]), text).map(lambda x: f'("{x[0]}", {x[1]})')
said = st.one_of(
    pair, text, st.just('MessagesPlaceholder("past")'),
    st.tuples(st.sampled_from(["SystemMessage", "HumanMessage", "AIMessage"]), text).map(lambda x: f"{x[0]}({x[1]})"),
    text.map("HumanMessagePromptTemplate.from_template({})".format),
)  # fmt: skip
many = st.lists(said, min_size=1, max_size=3).map(lambda xs: f"[{', '.join(xs)}]")
chat = many.map("ChatPromptTemplate({})".format)
plain = text.map("PromptTemplate.from_template({})".format)
examples = text.map(
    lambda t: (
        f'FewShotChatMessagePromptTemplate(example_prompt=ChatPromptTemplate([("human", "{{i}}"), ("ai", {t.replace("{x", "{i").replace("{y", "{o")})]), examples=[{{"i": "1", "o": "2"}}])'
    )
)
name = st.sampled_from(["p", "q"])
operand = st.one_of(said.filter(lambda x: not x.startswith("(")), many, name, chat, examples)
statement = st.one_of(
    st.tuples(name, operand).map(lambda x: f"{x[0]} += {x[1]}"),
    st.tuples(name, said).map(lambda x: f"{x[0]}.append({x[1]})"),
    st.tuples(name, many).map(lambda x: f"{x[0]}.extend({x[1]})"),
    st.tuples(name, operand).map(lambda x: f"{x[0]} = {x[0]} + {x[1]}"),
    name.map(lambda x: f'{x} = {x}.partial(x="X")'),
    name.map(lambda x: f'r = {x}.partial(y="Y")'),
    st.tuples(name, operand).map(lambda x: f"s = {x[0]} + {x[1]}"),
)
programs = st.tuples(chat | plain, chat | plain | examples, st.lists(statement, max_size=4)).map(
    lambda x: "\n".join([f"p = {x[0]}", f"q = {x[1]}", *x[2]])
)


@given(code=programs)
def test_a_program_gives_what_langchain_gives_or_is_refused(code):
    try:
        there = run(code)
    except Exception:  # what LangChain does not take says nothing
        assume(False)
    found = migrate_templates(HEAD + code, "a.py")
    twice = {error.message.partition(":")[0] for error in found.refusals if "bound twice" in error.message}
    for one in found:
        if one.name not in twice:
            compare(there[one.name], one)
    known = (
        "is changed after it is used here",
        "is bound twice",
        "values of its own",
        "prompt of this kind among messages",
    )
    assert all(any(reason in str(error) for reason in known) for error in found.refusals), found.refusals
