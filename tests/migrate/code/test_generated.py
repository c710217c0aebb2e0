"""Programs at random, run on both sides: nothing wrong, nothing touched that is another's, nothing missed in silence.

A program is a list of steps, each a function over a client or an address. Every step gives a value; the
migrated program must give the same ones, ask Chat wherever a step was not refused, and Completions elsewhere.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")
pytest.importorskip("requests", reason="requests comes with the extra `dev`")
openai = pytest.importorskip("openai", reason="openai comes with the extra `dev`")

from diptych.migrate import migrate_code  # noqa: E402
from diptych.testing import Server  # noqa: E402

#: Steps of one program, and programs of one run; `make laws` asks for as many as of any law.
STEPS = 5
PROGRAMS = settings.default.max_examples if settings.default.max_examples > 50 else 10

PROMPTS = [
    '"Say {mark}"', 'f"Say {{q}} {mark}"', '"Say {{}} {mark}".format(q)', '"Say " + q + " {mark}"', '"Say %s {mark}" % (q,)',
    '["Say {mark}"]', '"\\n".join(["Say", q, "{mark}"])', 'TEMPLATE.format(q=q) + " {mark}"',
]  # fmt: skip
CAPS = ["", ", max_tokens=7", ", max_tokens=None", ", max_tokens=cap"]
EXTRAS = [
    "",
    ", temperature=0",
    ", echo=False",
    ", best_of=1",
    ", logprobs=None",
    ", n=2",
    ", stop=None",
    ", user='me'",
    ", n=2, best_of=2",
]
READS = [
    "reply.choices[0].text", "reply.choices[0].text.strip()", "[choice.text for choice in reply.choices]",
    "''.join(choice.text for choice in reply.choices)", "(reply.choices[0].text, reply.choices[0].finish_reason)",
    "first(reply)", "reply.model_dump()['choices'][0]['text']", "max(reply.choices, key=lambda c: len(c.text)).text",
    "[c.text for i, c in enumerate(reply.choices)][-1]", "reply.choices[0].text or 'none'",
]  # fmt: skip
STREAMS = [
    "''.join(chunk.choices[0].text for chunk in reply if chunk.choices)",
    "gather(reply)",
    "[chunk.choices[0].text for chunk in list(reply) if chunk.choices and chunk.choices[0].text]",
]
REFUSALS = [", suffix='x'", ", best_of=3, n=1", ", stream=bool(0)"]
HEAD = '''from types import SimpleNamespace
from unittest.mock import patch

import requests

TEMPLATE = "Now {q}"
MODEL = "davinci-002"


def first(answer):
    return answer.choices[0].text


def gather(stream):
    text = ""
    for chunk in stream:
        text += chunk.choices[0].text
    return text


class Own:
    """A look-alike: its calls are its own."""

    def __init__(self):
        self.completions = self

    def create(self, **options):
        return SimpleNamespace(choices=[SimpleNamespace(text="own " + options["prompt"])])


own = Own()
'''


def call_of(pick, mark, more=""):
    model = pick(['"davinci-002"', "MODEL", '"text-davinci-003"', 'dict(a="davinci-002")["a"]'])
    return f"model={model}, prompt={pick(PROMPTS).format(mark=mark)}{pick(CAPS)}{more}"


def direct(pick, mark):
    return [f"reply = client.completions.create({call_of(pick, mark, pick(EXTRAS))})", f"return {pick(READS)}"]


def streamed(pick, mark):
    return [f"reply = client.completions.create({call_of(pick, mark)}, stream=True)", f"return {pick(STREAMS)}"]


def filled(pick, mark):
    return [
        f"options = dict(model=MODEL, prompt={pick(PROMPTS).format(mark=mark)})",
        "if cap:",
        "    options['" + pick(["max_tokens", "temperature"]) + "'] = " + pick(["1", "2"]),
        "reply = client.completions.create(**options)",
        f"return {pick(READS)}",
    ]


def wrapped(pick, mark):
    return [
        "def ask(**options):",
        "    return client.completions.create(**options)",
        f"reply = ask({call_of(pick, mark, pick(EXTRAS))})",
        f"return {pick(READS)}",
    ]


def flagged(pick, mark):
    return [
        f"def ask(stream={pick(['True', 'False'])}):",
        f"    reply = client.completions.create({call_of(pick, mark)}, stream=stream)",
        "    if stream:",
        f"        return {pick(STREAMS)}",
        f"    return {pick(READS)}",
        f"return ask({pick(['', 'True', 'stream=False'])})",
    ]


def listed(pick, mark):
    return [
        f'reply = client.completions.create(model=MODEL, prompt=[f"{{x}} {mark}" for x in (q, "b")]{pick(CAPS)})',
        f"return {pick(['[c.text for c in reply.choices]', 'reply.choices[1].text', 'len(reply.choices)'])}",
    ]


def posted(pick, mark):
    path = pick(['f"{base}/completions"', 'base + "/completions"'])
    return [
        f'body = {{"model": MODEL, "prompt": {pick(PROMPTS).format(mark=mark)}}}',
        *pick([[], ["if cap:", '    body["max_tokens"] = cap'], ['body["temperature"] = 0']]),
        f"reply = requests.post({path}, json=body, timeout=900).json()",
        "return " + pick(["reply['choices'][0]['text']", "[c['text'] for c in reply['choices']]"]),
    ]


def mocked(pick, mark):
    shape = f'SimpleNamespace(choices=[SimpleNamespace(text="{mark}")])'
    return [
        f'with patch.object(client.completions, "create", return_value={shape}):',
        f"    reply = client.completions.create({call_of(pick, mark)})",
        f"    return {pick(READS[:2])}",
    ]


def others(pick, mark):
    return [f'reply = own.completions.create(prompt="{mark}", model=MODEL)', "return reply.choices[0].text"]


def refused(pick, mark):
    return [f"reply = client.completions.create({call_of(pick, mark, pick(REFUSALS))})", "return reply.choices[0].text"]


KINDS = [direct, direct, streamed, filled, wrapped, flagged, listed, posted, mocked, others, refused]


def program_of(seed):
    """Return the source of a program, and the kind of each step."""
    pick = random.Random(seed).choice
    kinds, parts = [], [HEAD]
    for number in range(STEPS):
        kind = pick(KINDS)
        kinds.append(kind.__name__)
        body = "\n".join(f"    {line}" for line in kind(pick, f"m{seed}x{number}"))
        parts.append(f"\n\ndef step{number}(client, base, q, cap):\n{body}\n")
    return "".join(parts), kinds


def run(source, server):
    """Run every step; return the values (an error is one, too) and the paths that were asked."""
    scope = {"__name__": "program"}
    exec(compile(source, "program", "exec"), scope)
    found, paths = [], []
    with openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0, timeout=900) as client:
        for number in range(STEPS):
            server.requests.clear()
            found.append(scope[f"step{number}"](client, server.base_url, "one {two}", 3))
            paths.append({request.path for request in server.requests})
    return found, paths


def annotated(source):
    return source.replace("(client, base, q, cap)", "(client: openai.OpenAI, base, q, cap)").replace(
        "import requests\n", "import openai\nimport requests\n", 1
    )


@settings(max_examples=PROGRAMS)
@given(st.integers(0, 10**6))
def test_a_program_gives_the_same_before_and_after(seed):
    source, kinds = program_of(seed)
    source = annotated(source)
    found = migrate_code(source, "program.py")
    assert migrate_code(found.source, "program.py").changes == ()
    lines = source.splitlines()
    starts = [lines.index(f"def step{n}(client: openai.OpenAI, base, q, cap):") + 1 for n in range(STEPS)]
    kept = {
        max(n for n in range(STEPS) if starts[n] <= r.place.line) for r in found.refusals if r.place.line >= starts[0]
    }
    with Server() as server:
        before, _ = run(source, server)
        after, paths = run(found.source, server)
    assert after == before
    for number, kind in enumerate(kinds):
        if kind in ("others", "mocked"):
            assert paths[number] == set()
        elif number in kept:
            assert all("/chat/" not in path for path in paths[number])
        else:  # no silent miss: what is not refused asks Chat
            assert paths[number]
            assert all(path.endswith("/chat/completions") for path in paths[number])
    assert source.count("own.completions.create") == found.source.count("own.completions.create")


@settings(max_examples=max(1, PROGRAMS // 2))
@given(st.integers(0, 10**6))
def test_a_program_gives_the_same_from_responses(seed):
    source, kinds = program_of(seed)
    source = annotated(source).replace("max_tokens=7", "max_tokens=47")  # Responses gives 16 tokens or more
    found = migrate_code(source, "program.py", target="responses")
    assert migrate_code(found.source, "program.py", target="responses").changes == ()
    lines = source.splitlines()
    starts = [lines.index(f"def step{n}(client: openai.OpenAI, base, q, cap):") + 1 for n in range(STEPS)]
    places = [r.place.line for r in found.refusals if r.place.line >= starts[0]]
    kept = {max(n for n in range(STEPS) if starts[n] <= line) for line in places}
    with Server() as server:
        before, _ = run(source, server)
        after, paths = run(found.source, server)
    assert after == before
    for number, kind in enumerate(kinds):
        if kind in ("others", "mocked"):
            assert paths[number] == set()
        elif number in kept:
            assert all(not path.endswith("/responses") for path in paths[number])
        else:
            assert paths[number]
            assert all(path.endswith("/responses") for path in paths[number])
