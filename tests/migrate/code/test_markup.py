"""Prompts that are put together from special tokens never become the text of one user message."""

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code
from diptych.migrate.code.markup import MARK
from diptych.text.registry import grammars

HEAD = "from openai import OpenAI\nclient = OpenAI()\n"
ASK = "    return client.completions.create(model='m', prompt={}, max_tokens=5{}).choices[0].text\n"


def ask(prompt, before="", stop="", params="q"):
    return HEAD + before + f"def ask({params}):\n" + ASK.format(prompt, stop)


START, END = "'<|im_start|>user\\n'", "'<|im_end|>\\n<|im_start|>assistant\\n'"
REFUSED = {
    "format of a name": ask("T.format(a=A, q=q)", f"A = {START}\nT = '{{a}}{{q}}'\n"),
    "join": ask("''.join([A, q, B])", f"A = {START}\nB = {END}\n"),
    "join of a list": HEAD
    + f"def ask(q):\n    parts = [{START}]\n    parts.append(q)\n"
    + ASK.format("''.join(parts)", ""),
    "appended": HEAD + f"def ask(q):\n    parts = []\n    parts.append({START})\n" + ASK.format("''.join(parts)", ""),
    "grown": HEAD + f"def ask(q):\n    p = ''\n    p += {START}\n    p += q\n" + ASK.format("p", ""),
    "helper": ask("build(q)", f"def build(q):\n    text = {START} + q\n    return text\n"),
    "lambda": ask("build(q)", f"build = lambda q: {START} + q\n"),
    "method": HEAD
    + f"class A:\n    def build(self, q):\n        return {START} + q\n    def ask(self, q):\n    "
    + ASK.format("self.build(q)", ""),
    "attribute": HEAD
    + f"class A:\n    def __init__(self):\n        self.head = {START}\n    def ask(self, q):\n    "
    + ASK.format("self.head + q", ""),
    "class attribute": ask("Tokens.HEAD + q", f"class Tokens:\n    HEAD = {START}\n"),
    "dict": ask("T['user'] + q", f"T = {{'user': {START}}}\n"),
    "dict that is filled": ask("T['user'] + q", f"T = {{}}\nT['user'] = {START}\n"),
    "argument": ask("p", params="p") + f"ask({START} + 'x' + {END})\n",
    "keyword argument": ask("p", params="p") + f"ask(p={START} + input())\n",
    "default": ask("head + q", params=f"q, head={START}"),
    "loop": HEAD
    + f"def ask(q):\n    p = ''\n    for role in ({START}, {END}):\n        p = p + role\n"
    + ASK.format("p", ""),
    "branch": HEAD
    + f"def ask(q):\n    if q:\n        p = {START} + q\n    else:\n        p = q\n"
    + ASK.format("p", ""),
    "replace": ask("T.replace('X', q)", "T = '<start_of_turn>user\\nX<end_of_turn>\\n<start_of_turn>model\\n'\n"),
    "percent of a dict": ask("'<|user|>\\n%(q)s</s>\\n' % {'q': q}"),
    "jinja": ask("Template('<|im_start|>user\\n{{ q }}<|im_end|>\\n').render(q=q)", "from jinja2 import Template\n"),
    "a role inside a token": ask("t('user') + q", "def t(role):\n    return f'<|{role}|>\\n'\n"),
    "a token in parts": ask("A + 'im_start' + '|>' + q", "A = '<|'\n"),
    "written with escapes": ask("'\\x3c|im_start|>' + q"),
    "an enumeration": ask("T.USER.value + q", "from enum import Enum\nclass T(Enum):\n    USER = '<s>[INST]'\n"),
    "only a sequence mark": ask("'<s>' + q"),
    "chat template": ask("tok.apply_chat_template(q, tokenize=False)", "tok = load()\n"),
    "chat template in a helper": ask(
        "build(q)", "def build(q):\n    p = tok.apply_chat_template(q, tokenize=False)\n    return p\n"
    ),
    "tokenizer": ask("tok.bos_token + q"),
    "stop alone": ask("q", stop=", stop=['<|im_end|>']"),
    "hole between turns": ask(
        "f'<|im_start|>system\\nHi<|im_end|>\\n{h}<|im_start|>user\\n{q}<|im_end|>\\n<|im_start|>assistant\\n'",
        params="h, q",
    ),
    "http": f"import requests\nA = {START}\ndef ask(q):\n    r = requests.post('https://api.openai.com/v1/completions', json={{'model': 'm', 'prompt': A + q, 'max_tokens': 5}})\n    return r.json()['choices'][0]['text']\n",
    "old sdk": f"import openai\nA = {START}\ndef ask(q):\n    return openai.Completion.create(engine='m', prompt=A + q, max_tokens=5)['choices'][0]['text']\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name):
    found = migrate_code(REFUSED[name], "app.py")
    assert [refusal.code for refusal in found.refusals] == ["prompt-markup"]
    assert found.source == REFUSED[name]


#: Prompts that are put together from constants, with the messages that they are.
ASSEMBLED = {
    "constants": (ask("A + q + B", f"A = {START}\nB = {END}\n"), [("user", "{q}")]),
    "f-string": (ask("f'{B} {q} {E}'", "B, E = '[INST]', '[/INST]'\n"), [("user", "{q}")]),
    "format": (ask("'{}{}{}'.format(A, q, B)", f"A = {START}\nB = {END}\n"), [("user", "{q}")]),
    "percent": (ask("'%s%s%s' % (A, q, B)", f"A = {START}\nB = {END}\n"), [("user", "{q!s}")]),
    "by a name": (HEAD + f"A = {START}\nB = {END}\ndef ask(q):\n    p = A + q + B\n" + ASK.format("p", ""), [("user", "{q}")]),
    "a system turn": (
        ask("S + q + B", f"S = '<|im_start|>system\\nBe brief.<|im_end|>\\n<|im_start|>user\\n'\nB = {END}\n"),
        [("system", "Be brief."), ("user", "{q}")],
    ),
    "llama 3": (ask("H + q + '<|eot_id|>'", "H = '<|start_header_id|>user<|end_header_id|>\\n\\n'\n"), [("user", "{q}")]),
}  # fmt: skip


@pytest.mark.parametrize("name", ASSEMBLED)
def test_a_prompt_of_constants_becomes_its_messages(name):
    source, messages = ASSEMBLED[name]
    found = migrate_code(source, "app.py")
    assert found.refusals == ()
    told = [
        f'{{"role": "{role}", "content": {"f" if "{" in content else ""}"{content}"}}' for role, content in messages
    ]
    assert f"[{', '.join(told)}]" in found.source
    compile(found.source, "app.py", "exec")


LANGCHAIN = "from langchain_openai import OpenAI\nllm = OpenAI()\n"
CHAINS = [
    f"A = {START}\nprint(llm.invoke(A + q))\n",
    f"print(llm({START} + q))\n",
    f"print(llm.batch([{START} + q]))\n",
    f"from langchain_core.prompts import PromptTemplate\nfrom langchain_core.output_parsers import StrOutputParser\n"
    f"p = PromptTemplate.from_template({START} '{{q}}')\nchain = p | llm | StrOutputParser()\n",
    f"from langchain.chains import LLMChain\nchain = LLMChain(llm=llm, prompt=f({START}))\n",
]


@pytest.mark.parametrize("source", CHAINS)
def test_a_chain_of_special_tokens_is_refused(source):
    found = migrate_code(LANGCHAIN + source, "app.py")
    assert [refusal.code for refusal in found.refusals] == ["prompt-markup"]
    assert found.source == LANGCHAIN + source


TAKEN = {
    "plain": ask("q"),
    "other text has marks": ask("q") + f"LOG = {START}\n",
    "other prompt has marks": ask("q", f"def other(q):\n    return {START} + q\n"),
    "headings": ask("f'### Question: {q}\\n### Answer:'"),
    "comparisons in code": ask("f'if a < b | c > d: {q}'"),
    "the end of a text as a stop": ask("q", stop=", stop='<|endoftext|>'"),
    "tags of XML": ask("f'<user>{q}</user>'"),
    "markup of HTML": ask("f'<p>{q}</p>'"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_other_prompts_become_one_message(name):
    found = migrate_code(TAKEN[name], "app.py")
    assert found.refusals == ()
    assert '"role": "user"' in found.source


@pytest.mark.parametrize("where", ["A", "B"])
def test_a_grammar_reads_a_constant_that_others_read_too(where):
    source = ask(where, f"A = B = {START}'Hi'{END}\n", params="q") + "print(A, B)\n"
    found = migrate_code(source, "app.py")
    assert found.refusals == ()
    assert 'messages=[{"role": "user", "content": "Hi"}]' in found.source


def test_the_marks_of_every_certain_grammar_are_known():
    certain = [grammar for grammar in grammars().values() if grammar.is_certain]
    assert len(certain) > 10
    for grammar in certain:
        marks = [mark for mark in (*(turn.open for turn in grammar.turns.values()), *grammar.stop) if mark.strip()]
        assert any(MARK.search(mark) for mark in marks) or not marks, grammar.name
