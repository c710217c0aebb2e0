"""Which model a changed call asks for: the map, dated Chat models, models that reason, what stays old."""

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from typer.testing import CliRunner

from diptych.catalogue import DEFAULT_MODEL, approximate_row
from diptych.cli.app import make_app
from diptych.migrate import migrate_code
from diptych.migrate.code.models import RESERVE, reasons

HEAD = "import openai\nclient = openai.OpenAI()\n"
ASK = HEAD + "r = client.completions.create(model='text-davinci-003', prompt='x', max_tokens=5, temperature=0)\n"
CHAT = HEAD + "r = client.chat.completions.create(model='gpt-4o', messages=[])\n"


def notes_of(found):
    return [change.what for change in found.changes if change.kind == "note"]


def test_a_model_that_can_be_asked_not_to_reason_is_asked_so():
    found = migrate_code(ASK, model="gpt-5.5")
    assert 'max_completion_tokens=5, temperature=0, reasoning_effort="none")' in found.source
    assert notes_of(found) == ['gpt-5.5 reasons unless it is asked not to: reasoning_effort="none"']


@pytest.mark.parametrize(
    ("cap", "after"),
    [
        (", max_tokens=5", f"max_completion_tokens={5 + RESERVE}"),
        (", max_tokens=n", f"max_completion_tokens=n + {RESERVE}"),
        ("", f"max_completion_tokens={16 + RESERVE}"),
    ],
)
def test_a_model_that_always_reasons_has_tokens_for_it(cap, after):
    found = migrate_code(ASK.replace(", max_tokens=5", cap), model="gpt-5-mini")
    assert after in found.source
    assert "the cap has 4096 tokens more for that" in notes_of(found)[0]
    assert any("refuses temperature" in note for note in notes_of(found))


def test_a_model_that_an_option_holds_is_known_to_reason():
    source = (
        HEAD + "import argparse\np = argparse.ArgumentParser()\np.add_argument('--model', default='text-davinci-003')\n"
    )
    call = "client.completions.create(model=p.parse_args().model, prompt='x')\n"
    assert f"max_completion_tokens={16 + RESERVE}" in migrate_code(source + call, model="o3").source


def test_what_reasons_is_what_the_table_says():
    for name in ("gpt-5.5", "gpt-5-mini", "o3", "gpt-5.4-mini", "gpt-4o", "my-llama"):
        row = approximate_row(name)
        assert bool(reasons(name)) == bool(row and row.reasoning and row.refuses.default_effort != "none")


def test_the_map_names_replacements_by_old_name():
    source = ASK.replace("text-davinci-003", "davinci:ft-acme") + ASK.replace(HEAD, "")
    found = migrate_code(source, model_map={"davinci:ft-acme": "ft:gpt-4o:acme", "gpt-4o": "gpt-5.4"})
    assert "'ft:gpt-4o:acme'" in found.source
    assert "'gpt-5.4-mini'" in found.source
    assert "'gpt-5.4'" in migrate_code(CHAT, model_map={"gpt-4o": "gpt-5.4"}).source


def test_dated_chat_models_are_replaced_where_that_is_asked_for():
    assert migrate_code(CHAT).source == CHAT
    found = migrate_code(CHAT, dated=True)
    assert found.source == CHAT.replace("gpt-4o", DEFAULT_MODEL)
    assert migrate_code(found.source, dated=True).changes == ()
    constant = HEAD + "M = 'gpt-4o'\nclient.chat.completions.create(model=M, messages=[])\n"
    assert "M = 'gpt-5.4-mini'" in migrate_code(constant, dated=True).source


@pytest.mark.parametrize(
    "source",
    [
        CHAT.replace("openai.OpenAI()", "openai.OpenAI(base_url='http://localhost:1/v1')"),
        CHAT.replace("openai.OpenAI()", "other.OpenAI()").replace("import openai", "import other"),
        CHAT.replace("gpt-4o", "gpt-5.4-mini"),
        CHAT.replace("gpt-4o", "my-own"),
    ],
)
def test_other_chat_calls_stay(source):
    assert migrate_code(source, dated=True).source == source


def test_what_stays_old_is_noted_with_its_place():
    source = (
        "import tiktoken\n"
        + ASK
        + "LIMIT_TOKENS = 4097\nn = 4000 - 5\nenc = tiktoken.encoding_for_model('text-davinci-003')\n"
        "other = 'text-curie-001'\n'text-ada-001'\nassert r.model == 'text-davinci-003'\n"
    )
    found = migrate_code(source, "a.py")
    told = {change.place.line: change.what for change in found.changes if change.kind == "note"}
    assert set(told) == {5, 6, 7, 8, 10}
    assert "window" in told[5]
    assert "window" in told[6]
    assert "encoding" in told[7]
    assert "text-curie-001 stays here" in told[8]
    assert "the reply names the model that answers now" in told[10]


def test_a_file_without_a_change_has_no_notes():
    assert migrate_code("LIMIT_TOKENS = 4097\nm = 'text-davinci-003'\nx.completions.create()\n").changes == ()


def test_the_command_takes_a_map(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(CHAT)
    run = CliRunner()
    assert (
        run.invoke(make_app(), ["migrate", "code", str(path), "--model-map", "gpt-4o=gpt-5.4", "--write"]).exit_code
        == 0
    )
    assert "'gpt-5.4'" in path.read_text()
    assert run.invoke(make_app(), ["migrate", "code", str(path), "--model-map", "gpt-4o"]).exit_code == 2
