"""Templates rendered by the tool that they were written for, and by what they become: equal, or declared.

The folder ``peers`` is the registry: the first line of each program says where its tool is found;
``make clients`` installs it, and what is not there is skipped. ``GRAMMARS`` makes the templates.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from diptych import Template
from diptych.errors import MigrationError
from diptych.loss import Severity
from diptych.migrate import migrate_template

PEERS = {path.stem: path for path in sorted((Path(__file__).parent / "peers").iterdir()) if path.is_file()}
FOLDER = Path(os.environ.get("DIPTYCH_CLIENTS", Path(__file__).resolve().parents[3] / ".clients"))
COUNT = 40
INPUTS = {
    "a": "Ann",
    "b": "x < y & 'z'",
    "no": "",
    "xs": ["one", "two"],
    "mixed": ["one", "", 0, 2],
    "o": {"k": "K", "n": "N"},
    "os": [{"k": "1", "ks": ["x", "y"]}, {"k": "2", "ks": []}],
}


def kind_of(peer):
    """Return where a peer's tool is found (``here`` is the suite's own Python), and its name."""
    return PEERS[peer].read_text("utf-8").splitlines()[0].partition("peer: ")[2].split(", ")


def modules_of(kind):
    return FOLDER / kind.partition("/")[2] / "node_modules"


def command_for(peer):
    """Return how a peer is run, or skip the test where its tool is not installed."""
    path = PEERS[peer]
    kind, needed = kind_of(peer)
    if kind == "here":
        return [sys.executable, str(path)]
    if kind.startswith("node"):
        if shutil.which("node") and (modules_of(kind) / needed.split(" ")[0]).is_dir():
            return ["node", str(path)]
    elif (python := FOLDER / kind / "bin" / "python").is_file():
        return [str(python), str(path)]
    pytest.skip(f"{peer} needs {needed}: make clients installs it")


def asked(peer, cases):
    """Return what a peer says to each case: messages, or an object with an error."""
    environment = {**os.environ, "NODE_PATH": str(modules_of(kind_of(peer)[0]))}
    done = subprocess.run(command_for(peer), input=json.dumps(cases), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


# templates ---------------------------------------------------------------------------------------


class Grammar:
    """Makes templates of one tool: texts of pieces, and files of texts."""

    holes = ("{{ a }}", "{{b}}", "{{ no }}")
    blocks = (
        "{% if a %}\nyes\n{% endif %}\n", "{% if no %} no {% else %} else{% endif %} and", "{# note #}\n",
        "{% for x in xs %}\n- {{ x }}\n{% endfor %}\n", "{% for x in xs %}{{ loop.index }}. {{ x }} {% endfor %}.",
        "{% set c = a %}{{ c }}", "\n  {% if a %}  in{% endif %}  \n",
    )  # fmt: skip
    words = ("Hello", " world ", "\n", "\n\n", ": ", "JSON {\"k\": 1}", "1 > 0", "é 🎉", "- ", "  ", "end.\n", "# Title\n")  # fmt: skip

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, most=6):
        kinds = [self.words, self.words, self.holes, self.blocks]
        chosen = [
            self.random.choice(self.random.choice([k for k in kinds if k])) for _ in range(self.random.randint(1, most))
        ]
        return "".join(chosen)

    def roles(self):
        return self.random.choices(["system", "user", "assistant"], k=self.random.randint(1, 4))


class Promptflow(Grammar):
    peer, layout = "promptflow_chat", "promptflow"

    def case(self):
        labels = ["# {}:\n", "{}:\n", "#{} :\n\n", "{}:  \n"]
        turns = [f"{self.random.choice(labels).format(role)}{self.text()}\n" for role in self.roles()]
        if self.random.random() < 0.3:
            turns.insert(1, "{% for x in xs %}\nuser:\n{{ x }}\nassistant:\nR\n{% endfor %}\n")
        return {"file": "a.jinja2", "text": "".join(turns)}


class Kernel(Grammar):
    peer, layout = "kernel_prompts", "semantic-kernel"
    holes = ("{{$a}}", "{{ $b }}", "{{$no}}", "{{'v'}}", '{{ "a \\" b" }}')
    blocks = ("{{}}", "{ {", "}}", "{{ {{$a}}")
    form = "semantic-kernel"

    def case(self):
        if self.form == "semantic-kernel" and self.random.random() < 0.4:
            return {"file": "skprompt.txt", "text": f"T{self.text()}"}
        turns = [f'<message role="{role}">{self.text().replace("<", "")}</message>\n' for role in self.roles()]
        if self.random.random() < 0.3:
            turns.insert(0, f"S {self.text()}\n")
        if self.random.random() < 0.3:
            turns.append(f"U {self.text()}\n")
        template = "".join(turns)
        return {"file": "a.yaml", "text": yaml.safe_dump({"template_format": self.form, "template": template})}


class KernelJinja(Kernel):
    form = "jinja2"
    holes, blocks = Grammar.holes, tuple(block for block in Grammar.blocks if "xs" not in block)


class KernelHandlebars(Kernel):
    form = "handlebars"
    holes = ("{{a}}", "{{ b }}", "{{no}}")
    blocks = ("{{#if a}}yes{{else}}no{{/if}}", "{{#if no}}x{{/if}}.", "{{#unless no}}u{{/unless}}", "{{! note }}")


class Prompty(Grammar):
    peer, layout = "prompty_chat", "prompty"
    front, loop = "", "{% for x in xs %}\nuser:\n{{ x }}\nassistant:\nR\n{% endfor %}\n"

    def case(self):
        labels = ["{}:\n", "# {}:\n", "{} :  \n"]  # it loses the name in [name="x"]
        turns = [f"{self.random.choice(labels).format(role)}{self.text()}\n" for role in self.roles()]
        if self.random.random() < 0.3:
            turns.insert(0, f"S {self.text()}\n")
        if self.random.random() < 0.3:
            turns.append(self.loop)
        return {"file": "a.prompty", "text": f"---\nname: t\n{self.front}---\n{''.join(turns)}"}


class LangChainJinja(Grammar):
    peer, layout, form = "langchain_chat", "langchain", "jinja2"

    def case(self):
        roles = {"system": "system", "user": "human", "assistant": "ai"}
        turns = [{"role": roles[role], "template": self.text(), "template_format": self.form} for role in self.roles()]
        return {"file": "a.json", "text": json.dumps({"_type": "chat", "messages": turns})}


class LangChainFormat(LangChainJinja):
    form = "f-string"
    holes, blocks = ("{a}", "{b}", "{no}"), ("{a:>9}", "{a!r}", "{b:.3}", "{{", "}}", "{{ a }}", "{no:-^5}")
    words = tuple(word.replace("{", "{{").replace("}", "}}") for word in Grammar.words)


class Nunjucks(Grammar):
    peer, layout, file = "engines", "nunjucks", "a.njk"
    holes = (*Grammar.holes, "{{ a | upper }}", "{{ o.k }}", "{{ xs | join('+') }}", "{{ xs[1] }}", "{{ no | default('d', true) }}")  # fmt: skip
    blocks = (
        *Grammar.blocks,
        "{% if a === 'Ann' && b %}eq{% elseif no %}no{% endif %}",
        "{% raw %}{{ a }}{% endraw %}",
    )

    def case(self):
        return {"file": self.file, "text": f"T{self.text()}", "engine": "nunjucks"}


class Promptfoo(Nunjucks):
    peer, layout = "promptfoo_chat", "promptfoo"
    words = tuple(word.replace("{", "(").replace("}", ")") for word in Grammar.words)

    def case(self):
        turns = [{"role": role, "content": self.text()} for role in self.roles()]
        return {"file": "a.json", "text": json.dumps(turns)}


class HandlebarsFile(Nunjucks):
    layout, file = "handlebars", "a.hbs"
    holes = ("{{{a}}}", "{{{ b }}}", "{{{no}}}", "{{{o.k}}}", "{{&o.n}}")
    blocks = (
        "{{#if a}}\nyes\n{{else}}\nno\n{{/if}}\n", "{{#unless no}}u{{/unless}}", "{{! note }}\n", "\n{{!-- note --}}\n",
        "{{#each xs}}\n- {{{this}}}\n{{/each}}\n", "{{#each xs}}{{@index}}{{{this}}}{{#unless @last}}, {{/unless}}{{/each}}",
        "{{#with o}}{{{k}}}{{{../a}}}{{/with}}", "{{~#if a~}} y {{~/if~}}", "\\{{a}}",
    )  # fmt: skip

    def case(self):
        return {**super().case(), "engine": "handlebars"}


class Mustache(HandlebarsFile):
    file = "a.mustache"
    holes = ("{{{a}}}", "{{& b }}", "{{{no}}}", "{{{o.k}}}", "{{{none.at.all}}}")
    blocks = (
        "{{! note }}", "{ {", "}}", "{{#a}}yes{{/a}}", "{{^no}}\nnone\n{{/no}}\n", "{{#xs}}\n- {{{.}}}{{{a}}}\n{{/xs}}\n",
        "{{#o}}{{{k}}}{{{a}}}{{{n}}}{{/o}}", "  {{! alone }}  \n", "{{#os}}{{{k}}}{{#ks}}{{{.}}}{{{k}}};{{/ks}}{{^ks}}-{{/ks}}{{/os}}",
        "{{#missing}}x{{/missing}}{{^missing}}y{{/missing}}",
    )  # fmt: skip

    def case(self):
        return {**super().case(), "engine": "mustache"}


class LangChainMustache(LangChainJinja):
    form, holes = "mustache", ("{{{a}}}", "{{& b }}", "{{{no}}}", "{{{o.k}}}")
    blocks = (*(b for b in Mustache.blocks if "missing" not in b), "{{#mixed}}[{{{.}}}]{{/mixed}}{{^o}}no{{/o}}")


class PromptyMustache(Prompty):
    peer, front, loop = (
        "prompty_mustache",
        "template: {format: {kind: mustache}, parser: {kind: prompty}}\n",
        "{{#os}}\nuser:\n{{{k}}}\n{{/os}}\n",
    )
    holes, blocks = LangChainMustache.holes, (*LangChainMustache.blocks, "{{#missing}}x{{/missing}}")


class Liquid(Nunjucks):
    peer, layout, file = "liquid_text", "liquid", "a.liquid"
    holes = (
        *Grammar.holes,
        "{{ a | upcase }}",
        "{{ o.k }}",
        "{{ xs | join: '+' }}",
        "{{ xs[1] | downcase }}",
        "{{ a | size }}",
    )
    blocks = (
        "{% if no %}true{% else %}false{% endif %}", "{% unless no %}u{% else %}v{% endunless %}", "{% assign c = a %}{{ c }}",
        "{% for x in xs %}\n- {{ x }}{% if forloop.last %}.{% endif %}\n{% endfor %}\n", "{% comment %}x{% endcomment %}\n",
        "{% if a == 'Ann' and b != 'y' %}\nAnn\n{% elsif a %}e{% endif %}", "{%- if a -%} t {%- endif -%}",
    )  # fmt: skip


GRAMMARS = [
    Promptflow, Kernel, KernelJinja, KernelHandlebars, Nunjucks, Promptfoo, HandlebarsFile, Mustache,
    Liquid, Prompty, PromptyMustache, LangChainJinja, LangChainFormat, LangChainMustache,
]  # fmt: skip


def migrated(case):
    try:
        return migrate_template(case["text"], case["file"])
    except MigrationError as error:
        return error


def said(found, inputs):
    template = Template.from_string(found.source)
    rendered = template.render(**{name: inputs[name] for name in template.inputs if name in inputs})
    return [[m["role"], m["content"], m.get("name")] for m in rendered.messages if m["content"] or rendered.is_chat]


def stripped(messages):
    return [[role, content.strip(), name] for role, content, name in messages]


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_what_a_template_becomes_says_what_its_tool_says(grammar):
    cases, answers = answers_of(grammar.peer)[grammar]
    refused, sources = 0, {}
    for case, answer in zip(cases, answers, strict=True):
        found = sources.setdefault(case["text"], None) or migrated(case)
        sources[case["text"]] = found
        if isinstance(found, MigrationError):
            refused += 1
            assert found.path.startswith(case["file"])
            continue
        assert found.layout == grammar.layout
        if isinstance(answer, dict):
            continue  # the tool does not take it
        ours = said(found, case["inputs"])
        is_exact = all(loss.severity is Severity.EXACT for loss in found.losses)
        if found.verdict == "ambiguous" and ours != answer:
            continue
        if not is_exact:
            assert {loss.kind for loss in found.losses if loss.severity > Severity.EXACT} == {"trimmed"}, case
        if not is_exact or not case["inputs"]["no"]:
            ours, answer = stripped(ours), stripped(answer)
        assert ours == answer, (case["text"], found.source)
    assert sum(isinstance(answer, dict) for answer in answers) < COUNT, answers
    assert refused < COUNT / 2, refused


@lru_cache
def answers_of(peer):
    """Return the cases and answers of every grammar of a peer, which is asked once.

    Each template has inputs with and without an empty one: beside it, white space at an end of a message is the tool's.
    """
    grammars = [grammar for grammar in GRAMMARS if grammar.peer == peer]
    cases = []
    for grammar in grammars:
        made = grammar(11)
        templates = [made.case() for _ in range(COUNT)]
        cases += [{**case, "inputs": _inputs(grammar) | no} for case in templates for no in ({}, {"no": "N"})]
    answers = asked(peer, cases)
    part = 2 * COUNT
    return {
        grammar: (cases[index * part : (index + 1) * part], answers[index * part : (index + 1) * part])
        for index, grammar in enumerate(grammars)
    }


def _inputs(grammar):
    return {k: v for k, v in INPUTS.items() if isinstance(v, str) or not issubclass(grammar, Kernel)}
