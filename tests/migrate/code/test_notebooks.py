"""Notebooks: names across cells, magic kept, every byte outside changed sources kept."""

import json

import pytest

import diptych

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate.code.notebooks import migrate_notebook


def code(*lines, **more):
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": list(lines), **more}


def notebook(*cells, indent=1, ascii_=False):
    return (
        json.dumps({"cells": list(cells), "metadata": {"é": 1}, "nbformat": 4}, indent=indent, ensure_ascii=ascii_)
        + "\n"
    )


ASK = 'r = client.completions.create(model="m", prompt="Café", max_tokens=5)'
ASKED = 'r = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Café"}], max_completion_tokens=5)'


@pytest.mark.parametrize("indent", [None, 1, 2])
@pytest.mark.parametrize("ascii_", [True, False])
def test_names_are_followed_from_cell_to_cell(indent, ascii_):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# client.completions.create\n"]},
        code(
            "%pip install openai\n", "!ls *.txt\n", "files = !ls\n", "from openai import OpenAI\n", "client = OpenAI()"
        ),
        code("if client:\n", "    %time 1\n", f"    {ASK}\n", "\n", "client?"),
        code("r.choices[0].text"),
        code(),
    ]
    before = notebook(*cells, indent=indent, ascii_=ascii_)
    cells[2]["source"][2] = f"    {ASKED}\n"
    cells[3]["source"] = ["r.choices[0].message.content"]
    found = migrate_notebook(before, "n.ipynb")
    assert found.source == notebook(*cells, indent=indent, ascii_=ascii_)
    assert [str(change.place) for change in found.changes] == ["n.ipynb[cell 3]:3:9", "n.ipynb[cell 4]:1:1"]
    again = migrate_notebook(found.source)
    assert (again.source, again.changes) == (found.source, ())


def test_a_source_may_be_one_text_and_the_layout_is_kept_as_it_was():
    text = json.dumps(ASK, ensure_ascii=False)
    before = '{ "cells" :[\t{"source":' + text + ' , "cell_type":"code"} ,\n{"cell_type":"raw","source":[]}]\n}'
    assert migrate_notebook(before).source == before.replace(text, json.dumps(ASKED, ensure_ascii=False))


def test_a_line_that_begins_with_a_percent_sign_may_be_python():
    before = notebook(code('q = ("%s"\n', "%q)\n", ASK))
    assert migrate_notebook(before).source == notebook(code('q = ("%s"\n', "%q)\n", ASKED))


def test_top_level_await_is_python_here():
    before = notebook(code(ASK.replace("client", "await client")))
    assert "await client.chat.completions" in migrate_notebook(before).source


@pytest.mark.parametrize("magic", ["%%time\n", "%%capture out\n", "%time ", "\n%%timeit -n 1\n", "%timeit "])
def test_magic_before_python_is_kept(magic):
    *head, last = magic.splitlines(keepends=True)
    cells = [code(*([*head, last, text] if last.endswith("\n") else [*head, last + text])) for text in (ASK, ASKED)]
    assert migrate_notebook(notebook(cells[0])).source == notebook(cells[1])


def test_what_a_shell_asks_for_is_listed():
    before = notebook(code(ASK), code("%%bash\n", "curl https://x.io/v1/completions"), code("!curl a/v1/completions"))
    found = migrate_notebook(before, "n.ipynb")
    assert [(str(r.place), r.code) for r in found.refusals] == [
        ("n.ipynb[cell 2]:2:18", "other-language"), ("n.ipynb[cell 3]:1:8", "other-language"),
    ]  # fmt: skip
    assert found.changes


@pytest.mark.parametrize("magic", [("%%writefile a.py\n", ASK), (f"%timeit -n 1 {ASK}",)])
def test_a_call_inside_magic_refuses_all_calls(magic):
    before = notebook(code(ASK), code(*magic), code("r.choices[0].text"))
    found = migrate_notebook(before, "n.ipynb")
    assert found.source == before
    assert {r.code for r in found.refusals} == {"magic", "shared-result"}
    assert str(found.refusals[-1].place).startswith("n.ipynb[cell 2]:")


def test_refusals_have_their_place_in_the_cell():
    before = notebook(code("import openai"), code("\n", 'openai.Completion.create(model="m", prompt=p, suffix=s)'))
    found = migrate_notebook(before, "n.ipynb")
    assert [(str(r.place), r.code) for r in found.refusals] == [("n.ipynb[cell 2]:2:1", "suffix")]


def test_a_cell_that_is_no_python_is_passed_over():
    before = notebook(code("this is no python"), code(ASK))
    assert migrate_notebook(before).source == notebook(code("this is no python"), code(ASKED))


@pytest.mark.parametrize(
    "text", ["/completions", '{"/completions": 1}', '["/completions"]', '{"cells": [1], "a": "/completions"}']
)
def test_what_is_no_notebook_is_an_error(text):
    with pytest.raises(diptych.MigrationError, match="no notebook"):
        migrate_notebook(text)
