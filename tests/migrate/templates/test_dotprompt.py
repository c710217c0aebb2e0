"""dotprompt: random bodies say what dotprompt's own implementation makes of them, partials and state among it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from diptych import Template
from diptych.cli.app import make_app
from diptych.errors import MigrationError
from diptych.loss import Severity
from diptych.migrate import migrate_template

dotpromptz = pytest.importorskip("dotpromptz", reason="the oracle of dotprompt comes with the extra `dev`")
typing = pytest.importorskip("dotpromptz.typing")

FRONT = """---
input:
  schema:
    s: string
    e?: string
    n: integer
    t: boolean
    f: boolean
    xs(array): string
    nil?(array): string
    ps(array):
      k: string
      v?: string
      ys(array): string
---
"""
INPUT = {
    "s": "S <b> & {{x}}", "n": 3, "t": True, "f": False, "xs": ["a", "b"],
    "ps": [{"k": "K", "ys": ["1", "2"]}, {"k": "L", "v": "V", "ys": []}],
}  # fmt: skip
STATE = {"name": "N", "deep": {"x": "X"}, "no": False}
PARTIALS = {
    "plain": "plain",
    "line": "a line {{s}}\n",
    "named": "<{{k}} {{s}}>",
    "block": "{{#if t}}\nyes\n{{else}}\nno\n{{/if}}\n",
    "outer": "[{{> named k=s}}]",
}
text = st.sampled_from(["a", " ", "b\n", "\n", "1. ", "{% x %}", "} ", "é", "- ", "#"])
value = st.sampled_from(["s", "e", "n", "t", "xs", "@state.name", "@state.deep.x", "@state.gone", "json xs", "@auth.x"])
asked = st.sampled_from(["s", "e", "n", "t", "f", "xs", "nil", "@state.no", "@state.name", "@state.gone"])
partial = st.sampled_from(["plain", "line", "named k=n", "named k=@state.name", "block", "outer"])


def _block(inner):
    """Return bodies of blocks over bodies."""
    chosen = st.tuples(st.sampled_from(["if", "unless"]), asked, inner, inner)
    compared = st.tuples(
        st.sampled_from(["ifEquals", "unlessEquals"]), st.sampled_from(['s "S"', "n 3", "n 4", "e s"]), inner, inner
    )
    looped = st.tuples(st.sampled_from(["xs", "nil"]), inner)
    nested = st.tuples(
        inner,
        st.sampled_from(
            [
                "{{k}}",
                "{{v}}",
                "{{> named this}}",
                "{{#each ys}}{{../k}}{{this}}{{@last}}{{/each}}",
                "{{@index}}",
                "{{../s}}",
            ]
        ),
    )
    return st.one_of(
        chosen.map(lambda x: f"{{{{#{x[0]} {x[1]}}}}}{x[2]}{{{{else}}}}{x[3]}{{{{/{x[0]}}}}}"),
        chosen.map(lambda x: f"{{{{#{x[0]} {x[1]}}}}}\n{x[2]}\n{{{{/{x[0]}}}}}\n"),
        compared.map(lambda x: f"{{{{#{x[0]} {x[1]}}}}}{x[2]}{{{{else}}}}{x[3]}{{{{/{x[0]}}}}}"),
        looped.map(
            lambda x: (
                f"{{{{#each {x[0]}}}}}{{{{this}}}}{x[1].replace('{{s}}', '{{../s}}')}{{{{/each}}}}"
                if "{{" not in x[1]
                else x[1]
            )
        ),
        nested.map(lambda x: f"{{{{#each ps}}}}{x[1]};{{{{/each}}}}{x[0]}"),
    )


leaf = text | value.map("{{{{{}}}}}".format) | partial.map("{{{{> {}}}}}".format)
piece = st.recursive(leaf, lambda inner: _block(st.lists(inner, max_size=3).map("".join)) | leaf, max_leaves=6)
body = st.lists(piece, min_size=1, max_size=6).map("".join)
roles = st.lists(st.tuples(st.sampled_from(["system", "user", "model"]), body), max_size=3)


def peers(source, state):
    """Return the roles and texts that dotprompt gives, without blank messages."""
    data = typing.DataArgument(input=INPUT, context={"state": state, "auth": {}})
    found = asyncio.run(dotpromptz.Dotprompt(partials=PARTIALS).render(source, data))
    said = [(str(m.role.value), "".join(part.text for part in m.content)) for m in found.messages]
    return [(role.replace("model", "assistant"), content.strip()) for role, content in said if content.strip()]


@given(first=body, turns=roles)
def test_a_body_says_what_dotprompt_says(first, turns):
    source = FRONT + first + "".join(f'{{{{role "{role}"}}}}{content}' for role, content in turns)
    found = migrate_template(source, "a.prompt", partials=PARTIALS)
    assert {loss.kind for loss in found.losses if loss.severity > Severity.EXACT} <= {"trimmed", "substituted"}
    template = Template.from_string(found.source)
    given_ = {name: value for name, value in {**INPUT, "state": STATE, "auth": {}}.items() if name in template.inputs}
    said = [(m["role"], m["content"].strip()) for m in template.render(**given_).messages]
    assert [turn for turn in said if turn[1]] == peers(source, STATE)


def test_a_partial_that_is_not_there_and_one_in_itself():
    with pytest.raises(MigrationError, match=r"a\.prompt:1: .*no partial 'x'"):
        migrate_template("{{> x}}", "a.prompt")
    with pytest.raises(MigrationError, match="stands in itself"):
        migrate_template("{{> x}}", "a.prompt", partials={"x": "{{> x}}"})


def test_an_indented_partial_says_what_it_loses():
    found = migrate_template("a\n  {{> p}}\nb", "a.prompt", partials={"p": "x\n\n{{#if z}}\nq\n{{/if}}\n"})
    assert Template.from_string(found.source).render(z="1").prompt == "a\n  x\n  \n  q\nb"
    assert [loss.kind for loss in found.losses if loss.severity > Severity.EXACT] == ["substituted"]


def test_the_command_takes_the_partials_beside_a_file(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "_above.prompt").write_text("above", "utf-8")
    (tmp_path / "prompts" / "_style.prompt").write_text("in the style of {{who}}", "utf-8")
    (tmp_path / "prompts" / "a.prompt").write_text("Write {{> style who=name}} {{> above}}.", "utf-8")
    done = CliRunner().invoke(make_app(), ["migrate", "templates", str(tmp_path / "prompts" / "a.prompt")])
    assert (done.exit_code, done.stdout) == (0, "Write in the style of {{ name }} above.")
