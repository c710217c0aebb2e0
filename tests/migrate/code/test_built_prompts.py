"""Prompts that a function in sight builds: a text becomes one message, and what is not text is refused for that."""

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code

CALL = "    print(client.completions.create(model='davinci-002', prompt={}).choices[0].text)\n"
HEAD = "import openai\n\nclient = openai.OpenAI()\n\n\n"
BODIES = {
    "return f'Say {x}'": "",
    "return 'Say ' + x if x else 'Say it'": "",
    "if x:\n        return None\n    return 'Say it'": "",
    "return [f'Say {y}' for y in x]": "prompt-list",
    "return [x]": "prompt-list",
    "return 'Say', x": "prompt-list",
    "if x:\n        return 'Say it'\n    return [x, x]": "prompt-list",
    "out = []\n    for y in x:\n        out.append(y)\n    return out": "prompt-list",
    "for y in x:\n        yield y": "prompt-list",
    "return x.split()": "prompt-list",
    "return ENCODING.encode(x)": "prompt-tokens",
    "return b'a'": "prompt-tokens",
    "return None": "no-prompt",
    "return f'<|im_start|>user\\n{x}<|im_end|>'": "prompt-markup",
}
WAYS = {
    "a function": ("def build(x):\n    {body}\n\n\ndef go(q):\n", "build(q)"),
    "a function of a function": (
        "def inner(x):\n    {body}\n\n\ndef build(x):\n    return inner(x)\n\n\ndef go(q):\n",
        "build(q)",
    ),
    "a name": ("def build(x):\n    {body}\n\n\ndef go(q):\n    p = build(q)\n", "p"),
    "an annotation": ("def build(x) -> {annotation}:\n    return load(x)\n\n\ndef go(q):\n", "build(q)"),
}


@pytest.mark.parametrize("way", ["a function", "a function of a function", "a name"])
@pytest.mark.parametrize("body", BODIES)
def test_what_a_function_returns_decides(body, way):
    head, prompt = WAYS[way]
    source = HEAD + head.replace("{body}", body) + CALL.format(prompt)
    found = migrate_code(source)
    assert [r.code for r in found.refusals] == ([BODIES[body]] if BODIES[body] else [])
    assert (found.source == source) is bool(BODIES[body])


@pytest.mark.parametrize(
    ("annotation", "code"),
    [("str", ""), ("list[str]", "prompt-list"), ("Iterator[str]", "prompt-list"), ("List[int]", "prompt-list")],
)
def test_an_annotation_says_it_where_the_body_does_not(annotation, code):
    head, prompt = WAYS["an annotation"]
    found = migrate_code(HEAD + head.replace("{annotation}", annotation) + CALL.format(prompt))
    assert [r.code for r in found.refusals] == ([code] if code else [])


def test_a_method_of_ones_own_is_looked_at_and_a_foreign_one_is_not():
    body = "class Asker:\n    def build(self, x):\n        return [x, x]\n\n    def go(self, q):\n    " + CALL.format(
        "self.build(q)"
    )
    assert [r.code for r in migrate_code(HEAD + body).refusals] == ["prompt-list"]
    assert migrate_code(HEAD + body.replace("self.build(q)", "other.build(q)")).refusals == ()


def test_a_lambda_is_a_function():
    source = HEAD + "build = lambda x: ['a', x]\n\n\ndef go(q):\n" + CALL.format("build(q)")
    assert [r.code for r in migrate_code(source).refusals] == ["prompt-list"]
