"""Templates as dotprompt files: dotprompt's own implementation says what the template says, or a loss tells."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from diptych import Template
from diptych.cli.app import make_app
from diptych.errors import MigrationError, TemplateSyntaxError
from diptych.loss import Severity
from diptych.migrate import migrate_template, to_dotprompt

CLIENTS = Path(os.environ.get("DIPTYCH_CLIENTS", Path(__file__).resolve().parents[3] / ".clients"))
FRONT = """---
inputs:
  s: string
  e: {type: string, default: ""}
  n: integer
  xs: {type: array, items: {type: string}}
  ps: {type: array, items: {type: object, properties: {k: {type: string}, ys: {type: array}}}}
  o: {type: object, properties: {k: {type: string}}}
  past: messages
---
"""
INPUT = {
    "s": "S {{x}} \\", "e": "", "n": 3, "xs": ["a", "b{"], "o": {"k": "O"},
    "ps": [{"k": "K", "ys": ["1"]}, {"k": "L", "ys": []}],
}  # fmt: skip
text = st.sampled_from(
    ["a", "a b", "\n", "{", "}", "b\n", "\\", "# x\n", "{{ '{{' }}", "{% raw %}{{ z }}{% endraw %}", "é", "---"]
)
value = st.sampled_from(
    [
        "{{ s }}",
        "{{ e }}",
        "{{ o.k }}",
        "{{ xs[0] }}",
        "{{ s|tojson(separators=[',', ':']) }}",
        "{{ xs|tojson(indent=2) }}",
        "{{ s if e else o.k }}",
        "{{ e|default('') }}",
    ]
)
test = st.sampled_from(["s", "e", "n", "xs", "not e", "not s", "s == 'x'", "n != 3", "o.k", "n == 3", 's != "it\'s"'])


def _blocks(inner, is_whole):
    chain = st.tuples(test, test, inner).map(
        lambda x: f"{{% if {x[0]} %}}\n{x[2]}\n{{% elif {x[1]} %}}\nb\n{{% endif %}}\n"
    )
    return st.one_of(
        *([chain] if is_whole else []),
        st.tuples(test, inner, inner).map(lambda x: f"{{% if {x[0]} %}}{x[1]}{{% else %}}{x[2]}{{% endif %}}"),
        inner.map(lambda x: f"{{% for x in xs %}}\n- {{{{ x }}}}{x}{{{{ loop.index0 }}}}\n{{% endfor %}}\n"),
        inner.map(
            lambda x: (
                f"{{% for p in ps %}}{{{{ p.k }}}}{{% for y in p.ys %}}{{{{ y }}}}{{{{ p.k }}}}{{{{ s }}}}{{% if loop.last %}}.{{% endif %}}{{% endfor %}}{x}{{% endfor %}}"
            )
        ),
    )


def bodies(is_whole):
    """Return bodies, messages, and messages around a history; without chains of tests where they are not whole."""
    piece = st.recursive(
        text | value, lambda inner: _blocks(st.lists(inner, max_size=3).map("".join), is_whole), max_leaves=5
    )
    body = st.lists(piece, max_size=5).map("".join)
    turn = st.one_of(
        st.tuples(st.sampled_from(["system", "user", "assistant"]), body).map(
            lambda x: f"{{% {x[0]} %}}{x[1]}{{% end{x[0]} %}}\n"
        ),
        body.map(lambda x: f"{{% for p in ps %}}\n{{% user %}}{{{{ p.k }}}}{x}{{% enduser %}}\n{{% endfor %}}\n"),
    )
    turns = st.lists(turn, min_size=1, max_size=3).map("".join)
    return body | turns | st.tuples(turns, turns).map("{% history past %}\n".join)


class Npm:
    """The npm package, which gives one line of JSON for each that it is given."""

    PROGRAM = """const {Dotprompt}=require('dotprompt');
require('readline').createInterface({input:process.stdin}).on('line', async line => { const x = JSON.parse(line);
  try { const r = await new Dotprompt().render(x.source, x.data);
    console.log(JSON.stringify(r.messages.map(m => [m.role, m.content.map(c => c.text).join('')]))) }
  catch (e) { console.log(JSON.stringify({error: String(e)})) } })"""

    @staticmethod
    def is_there():
        return shutil.which("node") is not None and (CLIENTS / "node_modules" / "dotprompt").is_dir()

    def __init__(self):
        environment = {**os.environ, "NODE_PATH": str(CLIENTS / "node_modules")}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            ["node", "-e", self.PROGRAM], stdin=pipe, stdout=pipe, text=True, env=environment
        )

    def render(self, source, messages):
        data = {"input": INPUT, "messages": [{"role": "user", "content": [{"text": one}]} for one in messages]}
        self.process.stdin.write(json.dumps({"source": source, "data": data}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Port:
    """The port to Python. Behind ``{{else}}`` of a chain it differs from the package that it is a port of."""

    def __init__(self):
        self.typing = pytest.importorskip("dotpromptz.typing", reason="it comes with the extra `dev`")
        self.dotprompt = pytest.importorskip("dotpromptz").Dotprompt()

    def render(self, source, messages):
        typing = self.typing
        said = [typing.Message(role=typing.Role.USER, content=[typing.TextPart(text=one)]) for one in messages]
        data = typing.DataArgument(input=INPUT, messages=said)
        found = asyncio.run(self.dotprompt.render(source, data)).messages
        return [(m.role.value, "".join(part.text for part in m.content)) for m in found]

    def close(self):
        pass


def test_dotprompt_says_what_the_template_says():
    peer = Npm() if Npm.is_there() else Port()

    @given(source=bodies(isinstance(peer, Npm)))
    def holds(source):
        try:
            template = Template.from_string(FRONT + source)
        except TemplateSyntaxError:  # {{{ is none of Jinja
            assume(False)
        try:
            found = to_dotprompt(template)
        except MigrationError as error:  # dotprompt takes back slashes before braces for an escape of its own
            refused = str(error)
        else:
            refused = ""
        if refused:
            assert "a backslash before two braces" in refused
            return
        lost = {loss.kind for loss in found.losses if loss.severity > Severity.EXACT}
        assert lost <= {"trimmed", "message-dropped", "substituted"}
        rendered = template.render(**INPUT, past=[{"role": "user", "content": "before"}]).messages
        said = [(m["role"], m["content"]) for m in rendered if m["content"].strip()]
        there = peer.render(found.source, ["before"] if "past" in source else [])
        there = [(role.replace("model", "assistant"), content) for role, content in there if content.strip()]
        if lost:
            said, there = ([(role, content.strip()) for role, content in turns] for turns in (said, there))
        assert there == said, found.source

    try:
        holds()
    finally:
        peer.close()


def test_what_goes_along():
    source = """---
description: d
model: m
params: {max_tokens: 5, stop: [x], logit_bias: {}}
inputs:
  n: {type: integer, description: how many}
  q: {type: string, default: Q}
  photo: image
  past: messages
response_format: {type: object, properties: {city: {type: string}}, required: [city], additionalProperties: false}
tools: [{name: f, description: d, parameters: {type: object, properties: {q: {type: string}}, required: [q]}}]
x-mine: 1
---
{% system %}Brief. {{ n }}{% endsystem %}
{% history past %}
{% user name="ann" %}{{ q }} {% image photo %}{% enduser %}
"""
    template = Template.from_string(source)
    there = to_dotprompt(template, name="t")
    assert {loss.path: loss.kind for loss in there.losses} == {
        "$.messages": "name-dropped", "$.inputs.past": "renamed", "$.x-mine": "field-dropped",
    }  # fmt: skip
    back = Template.from_string(migrate_template(there.source, "t.prompt").source)
    assert (back.model, back.description) == ("m", "d")
    assert back.params == {"max_tokens": 5, "stop": ["x"]} or back.params == template.params
    assert back.metadata["response_format"] == template.metadata["response_format"]
    assert back.tools == template.tools
    assert {name: item.required for name, item in back.inputs.items()} == {
        "n": True,
        "q": False,
        "photo": True,
        "history": True,
    }


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a\n{{ x|upper }}", "prompt:2: the filter 'upper'"),
        ("{% set a = 1 %}{{ a }}", "the tag 'set'"),
        ("{% if x and y %}a{% endif %}", "the expression and"),
        ("{% if x is defined %}a{% endif %}", "the expression test"),
        ("{{ x + 1 }}", "the expression add"),
        ("{% for x in xs if x %}a{% endfor %}", "a loop with a condition"),
        ("{% for x in xs %}{{ loop.index }}{% endfor %}", "loop.index "),
        ('{% message role="tool" %}a{% endmessage %}', "a message of the role 'tool'"),
        ("{% message role=r %}a{% endmessage %}", "that data decides"),
        ("{% history a %}{% history b %}{% user %}x{% enduser %}", "a second history"),
        ("{% user %}{% audio a %}{% enduser %}", "the tag 'audio'"),
    ],
)  # fmt: skip
def test_what_dotprompt_cannot_say(source, reason):
    with pytest.raises(MigrationError, match=reason):
        to_dotprompt(Template.from_string(source))


@pytest.mark.parametrize("schema", ["boolean", "number", "object", "{type: array}"])
def test_what_is_printed_in_another_way_is_a_loss(schema):
    template = Template.from_string(f"---\ninputs:\n  x: {schema}\n---\n{{{{ x }}}}")
    assert [loss.kind for loss in to_dotprompt(template).losses] == ["substituted"]


def test_the_command_writes_dotprompt(tmp_path):
    (tmp_path / "hello.jinja").write_text("{% system %}Brief.{% endsystem %}{% user %}Hi {{ x }}{% enduser %}", "utf-8")
    done = CliRunner().invoke(
        make_app(), ["migrate", "templates", str(tmp_path), "--to", "dotprompt", "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.stderr
    written = (tmp_path / "out" / "hello.prompt").read_text("utf-8")
    assert written == '{{role "system"}}Brief.{{role "user"}}Hi {{x}}'
