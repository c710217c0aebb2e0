"""Prompts of LangChain that are composed, changed or renamed: refused with their place, or right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import Template
from diptych.errors import DiptychError
from diptych.migrate.templates import is_template, migrate_templates

HEAD = "from langchain_core.prompts import ChatPromptTemplate, PromptTemplate\n"
RAG = f'{HEAD}rag = ChatPromptTemplate.from_messages([("system", "Use {{c}}."), ("human", "{{q}}")])\n'
P = f'{HEAD}p = PromptTemplate.from_template("{{a}} ")\n'

#: The source, the place of its refusal, and the templates that are still what they say.
REFUSED = {
    "a text and a literal": (HEAD + 'p = "and {b}" + PromptTemplate.from_template("{a} ")', "2:5", []),
    "a sum without a name": (RAG + "chain = (rag + other) | model", "3:16", ["rag"]),
    "a sum that is returned": (RAG + "def f():\n    return rag + tail", "4:18", ["rag"]),
    "a sum in a call": (RAG + "run(rag + tail)", "3:11", ["rag"]),
    "+= to a further name": (P + 'acc = ""\nacc += p', "4:1", ["p"]),
    "append to a literal": (HEAD + 'ChatPromptTemplate([("human", "{x}")]).append(("human", "{y}"))', "2:1", []),
    "insert": (RAG + 'rag.messages.insert(0, ("human", "{x}"))', "3:1", []),
    "pop": (RAG + "rag.messages.pop()", "3:1", []),
    "an item of the messages": (RAG + "rag.messages[0] = x", "3:1", []),
    "a slice of the messages": (RAG + "rag.messages[1:] = xs", "3:1", []),
    "+= of the messages": (RAG + "rag.messages += xs", "3:1", []),
    "del": (RAG + "del rag.messages[0]", "3:1", []),
    "the template": (P + 'p.template = "x"', "3:1", []),
    "+= of the template": (P + 'p.template += "x"', "3:1", []),
    "partial_variables": (P + 'p.partial_variables = {"a": "A"}', "3:1", []),
    "an item of partial_variables": (P + 'p.partial_variables["a"] = "A"', "3:1", []),
    "update of partial_variables": (P + 'p.partial_variables.update(a="A")', "3:1", []),
    "setattr": (P + 'setattr(p, "template", "x")', "3:1", []),
    "input_variables": (P + 'p.input_variables.append("x")', "3:1", []),
    "messages under a name": (RAG + "ms = rag.messages\nms.append(x)", "4:1", []),
    "messages in a loop": (RAG + "for m in rag.messages:\n    m.prompt = x", "4:5", []),
    "another name": (RAG + "other = rag", "3:9", ["rag"]),
    "a change under another name": (RAG + "other = rag\nother.append(x)", "3:9 4:1", []),
    "two targets": (HEAD + 'a = b = PromptTemplate.from_template("x")', "2:5", ["a"]),
    "a copy": (RAG + "c = rag.copy()", "3:5", ["rag"]),
    "a model copy": (RAG + "c = rag.model_copy(update={})", "3:5", ["rag"]),
    "deepcopy": (RAG + "import copy\nc = copy.deepcopy(rag)", "4:5", ["rag"]),
    "a slice": (RAG + "c = rag[1:]", "3:5", ["rag"]),
    "a partial of data": (RAG + "part = rag.partial(c=read())", "3:22", ["rag"]),
    "a partial without a name": (RAG + "chain = rag.partial(**given) | model", "3:23", ["rag"]),
    "a partial of a function": (HEAD + 'def f(x): return x\np = PromptTemplate.from_template("{a}").partial(a=f)', "3:51", []),
    "a partial of what is changed": (RAG + 'rag.append(x)\npart = rag.partial(c="x")', "3:12 3:12", []),
    "bound again to data": (P + "p = load()", "3:1", ["p"]),
    "bound again in a loop": (P + "for p in prompts:\n    pass", "3:5", ["p"]),
    "bound twice": (P + 'p = PromptTemplate.from_template("b")', "3:5", ["p"]),
    "an attribute": (HEAD + 'class A:\n    def __init__(self):\n        self.p = PromptTemplate.from_template("a")\n    def f(self):\n        self.p += "b"', "6:9", []),
    "an attribute that is appended to": (HEAD + 'class A:\n    p = ChatPromptTemplate([("human", "{x}")])\nA.p.append(x)', "4:1", []),
    "an item of a mapping": (HEAD + 'ps = {"a": ChatPromptTemplate([("human", "{x}")])}\nps["a"].append(x)', "3:1", []),
    "a sum of an item": (HEAD + 'ps = {"a": PromptTemplate.from_template("x")}\nb = ps["a"] + "y"', "3:5", ["prompt_2"]),
    "a parameter": (RAG + "def add(p):\n    p.append(x)\nadd(rag)", "4:5", []),
    "a parameter by keyword": (RAG + "def add(n, p):\n    p.messages.append(x)\nadd(1, p=rag)", "4:5", []),
    "a parameter with a type": (RAG + "def add(p: ChatPromptTemplate):\n    p.append(x)", "4:5", ["rag"]),
    "a parameter with a type in quotes": (RAG + "def add(p: 'ChatPromptTemplate | None'):\n    return p + x", "4:12", ["rag"]),
    "the result of a function": (HEAD + 'def make():\n    return PromptTemplate.from_template("a")\nq = make() + "b"', "4:5", ["prompt_3"]),
    "a change of a choice": (RAG + "q = rag if x else None\nq.append(x)", "4:1", []),
    "names in pairs": (RAG + "q, n = rag, 1\nq.append(x)", "3:8 4:1", []),
    "a loop over prompts": (HEAD + 'ps = [ChatPromptTemplate([("human", "a")])]\nfor p in ps:\n    p.append(x)', "4:5", []),
    "a loop over a mapping": (HEAD + 'ps = {"a": ChatPromptTemplate([("human", "a")])}\nfor k, p in ps.items():\n    p.append(x)', "4:5", []),
    "a comprehension": (HEAD + 'ps = [ChatPromptTemplate([("human", "a")])]\nqs = [p + x for p in ps]', "3:7", ["prompt_2"]),
    "reduce": (HEAD + 'q = reduce(add, [ChatPromptTemplate([("human", "a")]), ChatPromptTemplate([("human", "b")])])', "2:5", []),
    "operator.add": (P + 'q = operator.add(p, "b")', "3:5", ["p"]),
    "__add__": (P + 'q = p.__add__("b")', "3:5", ["p"]),
    "a method under a name": (RAG + "more = rag.append\nmore(x)", "4:1", []),
    "a method of the class": (RAG + "ChatPromptTemplate.append(rag, x)", "3:1", []),
    "calls of tools": (HEAD + 'p = ChatPromptTemplate([("human", "{q}"), AIMessage("x", tool_calls=[{"name": "f"}])])', "2:5", []),
    "values of a message": (HEAD + 'p = ChatPromptTemplate([HumanMessagePromptTemplate.from_template("{a}", partial_variables={"a": "A"})])', "2:5", []),
    "a choice": (RAG + "c = (rag if x else rag) + y", "3:5", ["rag"]),
    "a list that another name lets grow": (HEAD + 'ms = [("system", "a")]\nns = ms\nns += [1]\np = ChatPromptTemplate(ms)', "5:24", []),
    "a list that a function is given": (HEAD + 'ms = [("system", "a")]\nfill(ms)\np = ChatPromptTemplate(ms)', "4:24", []),
    "a method of the class under a name": (HEAD + 'make = PromptTemplate.from_template\np = make("a")', "2:1", []),
    "functools.partial": (HEAD + "make = partial(PromptTemplate, template='a')", "2:8", []),
    "map": (HEAD + "ps = list(map(PromptTemplate.from_template, xs))", "2:11", []),
    "a class of its own": (HEAD + "class Mine(PromptTemplate):\n    pass", "2:1", []),
    "a class that is not read": (HEAD + "p = FewShotChatMessagePromptTemplate(examples=[])", "2:5", []),
    "a history that is cut": (HEAD + 'p = ChatPromptTemplate([MessagesPlaceholder("h", n_messages=2), ("human", "{q}")])', "2:25", []),
}  # fmt: skip

READ = {
    "a pipe": RAG + "chain = rag | model | parser",
    "calls": RAG + "rag.format(c=1, q=2)\nx = rag.invoke({})\nrag.pretty_print()\nprint(rag.messages, len(rag.messages), rag.input_variables)",
    "an argument": RAG + "chain = LLMChain(llm=llm, prompt=rag)\nrun(rag)\nf(prompt=rag)",
    "a result": RAG + "def f():\n    return rag",
    "a loop that reads": RAG + "for m in rag.messages:\n    print(m)",
    "an attribute of another object": RAG + "class A:\n    def __init__(self, p=None):\n        self.p = p or rag",
    "a default that is none": f"{HEAD}rag = None\nif True:\n    rag = ChatPromptTemplate([('human', '{{q}}')])",
    "isinstance": RAG + "isinstance(rag, ChatPromptTemplate)",
    "lists of others": RAG + "xs = []\nxs.append(rag)\nxs += [1]\nys = xs + [2]\ny = 'a' + 'b'",
    "a name of another scope": RAG + "def f(ms):\n    rag = []\n    rag.append(1)\n    return rag + ms",
    "an import of the class under a name": 'from langchain.prompts import PromptTemplate as PT\nrag = PT.from_template("x")',
    "the class under a name": HEAD + 'PT = PromptTemplate\nrag = PT.from_template("x")',
    "a list that is read": HEAD + 'ms = [("human", "{q}")]\nprint(len(ms))\nrag = ChatPromptTemplate.from_messages(ms)',
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_changes_a_prompt_is_refused_with_its_place(name):
    source, places, kept = REFUSED[name]
    found = migrate_templates(source, "a.py")
    assert [error.path for error in found.refusals] == [f"a.py:{place}" for place in places.split()]
    assert [one.name for one in found] == kept
    assert is_template(source, "a.py")


@pytest.mark.parametrize("name", READ)
def test_what_only_uses_a_prompt_is_not_refused(name):
    found = migrate_templates(READ[name], "a.py")
    assert [str(error) for error in found.refusals] == []
    assert [one.name for one in found] == ["rag"]


def test_partial_of_a_definition_is_a_template_of_its_own():
    found = migrate_templates(RAG + 'part = rag.partial(c="x")\ndeep = part.partial(q="y")', "a.py")
    assert not found.refusals
    said = {one.name: Template.from_string(one.source) for one in found}
    assert list(said) == ["rag", "part", "deep"]
    assert [m["content"] for m in said["rag"].render(c="C", q="Q").messages] == ["Use C.", "Q"]
    assert [m["content"] for m in said["part"].render(q="Q").messages] == ["Use x.", "Q"]
    assert [m["content"] for m in said["deep"].render().messages] == ["Use x.", "y"]


def test_a_field_of_a_message_without_a_place_is_a_loss():
    source = (
        HEAD + 'p = ChatPromptTemplate([SystemMessage("x", name="ann", additional_kwargs={"k": 1}), ("human", "{q}")])'
    )
    (found,) = migrate_templates(source, "a.py")
    assert (found.verdict, [loss.path for loss in found.losses]) == ("lossy", ["$.messages[0].additional_kwargs"])


def test_each_function_has_names_of_its_own():
    source = HEAD + "".join(
        f'def {f}():\n    prompt = ChatPromptTemplate.from_messages([("human", "{f} {{x}}")])\n    return prompt\n'
        for f in "ab"
    )
    found = migrate_templates(source, "two.py")
    assert not found.refusals
    assert [(one.name, Template.from_string(one.source).render(x="X").messages[0]["content"]) for one in found] == [
        ("a.prompt", "a X"),
        ("b.prompt", "b X"),
    ]


def test_a_literal_of_another_function_is_not_taken():
    source = (
        HEAD
        + 'def f():\n    T = "a"\ndef g():\n    T = "b {x}"\n    p = PromptTemplate.from_template(T)\n    return p\n'
    )
    (found,) = migrate_templates(source, "a.py")
    assert Template.from_string(found.source).render(x="X").prompt == "b X"


def test_a_global_that_a_function_binds_is_not_literal():
    source = HEAD + 'T = "a"\ndef f():\n    global T\n    T = "b"\np = PromptTemplate.from_template(T)\n'
    found = migrate_templates(source, "a.py")
    assert [error.path for error in found.refusals] == ["a.py:6:34"]


PIECES = [
    "p", "q", "ms", " = ", " + ", " += ", "PromptTemplate.from_template('{a}')", "ChatPromptTemplate([('human', '{x}')])", ".partial(a='1')",
    ".append(x)", ".messages", "[0]", "[1:]", "\n", "def f(p): return p", "f(p)", "class A: pass", "self.p", "for p in ms: pass", "'t'", "{'a': p}",
    "(p := q)", "p if q else p", "del p", "global p", "lambda p: p", "[p for p in ms]", "import x", "with x as p: pass", "p.partial",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_source_is_read_or_refused(source):
    try:
        found = migrate_templates(HEAD + source, "a.py")
    except DiptychError:
        return
    assert len({one.name for one in found}) == len(found)
    places = [error.path.split(":") for error in found.refusals]
    assert all(place[0] == "a.py" and place[1].isdigit() and place[2].isdigit() for place in places)


def test_a_deep_sum_is_no_recursion():
    source = HEAD + "p = " + " + ".join(["'a'"] * 3000)
    try:
        migrate_templates(source, "a.py")
    except DiptychError as error:
        assert str(error).startswith("a.py")  # noqa: PT017 - either is right
