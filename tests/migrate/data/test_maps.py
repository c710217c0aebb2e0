"""Maps of columns, from files of three tools and from flags: the same rows come out."""

import json

import pytest
from typer.testing import CliRunner

import diptych
from diptych.cli.app import make_app
from diptych.migrate import convert_dataset
from diptych.migrate.data.map_file import read_map

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"},
        {"role": "assistant", "content": "Hello."}]  # fmt: skip
#: Files as the tools' own pages have them, and rows that they fit; all become ``CHAT``.
FILES = {
    "own": (
        {"columns": {"messages": "talk.turns"}, "turn": {"role": "who", "content": "what"},
         "roles": {"user": "kunde", "assistant": ["bot", "ki"]}, "constants": {}, "drop": ["id"]},
        {"talk": {"turns": [{"who": "system", "what": "Be brief."}, {"who": "kunde", "what": "Hi?"},
                            {"who": "ki", "what": "Hello."}]}, "id": 3},
    ),
    "axolotl": (
        {"datasets": [{"path": "x/y", "type": "chat_template", "field_messages": "conversations", "split": "train",
                       "message_property_mappings": {"role": "from", "content": "value"}, "roles_to_train": ["x"],
                       "roles": {"user": ["human"], "assistant": ["gpt", "model"], "system": ["system"]}}]},
        {"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Hi?"},
                           {"from": "model", "value": "Hello."}]},
    ),
    "axolotl prompt": (
        {"datasets": [{"path": "x", "type": {"system_prompt": "Be brief.", "field_instruction": "frage",
                                             "field_output": "antwort", "format": "{instruction}\n{input}"}}]},
        {"frage": "Hi?", "antwort": "Hello."},
    ),
    "factory alpaca": (
        {"mine": {"file_name": "a.json", "columns": {"prompt": "frage", "query": "", "response": "antwort",
                                                     "system": "rolle"}}},
        {"frage": "Hi?", "antwort": "Hello.", "rolle": "Be brief."},
    ),
    "factory sharegpt": (
        {"mine": {"hf_hub_url": "x/y", "formatting": "sharegpt", "columns": {"messages": "chat", "system": "rolle"},
                  "tags": {"role_tag": "who", "content_tag": "what", "user_tag": "u", "assistant_tag": "a"}}},
        {"chat": [{"who": "u", "what": "Hi?"}, {"who": "a", "what": "Hello."}], "rolle": "Be brief."},
    ),
    "factory openai": (
        {"mine": {"file_name": "x.json", "formatting": "openai", "columns": {"messages": "chat"},
                  "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "U", "assistant_tag": "A",
                           "system_tag": "S"}}},
        {"chat": [{"role": "S", "content": "Be brief."}, {"role": "U", "content": "Hi?"},
                  {"role": "A", "content": "Hello."}]},
    ),
}  # fmt: skip


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", FILES)
def test_files_of_every_tool(tmp_path, name):
    described, row = FILES[name]
    file, source, out = tmp_path / "map.json", tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text(json.dumps(described))
    source.write_text(json.dumps(row) + "\n")
    counts = convert_dataset(source, out, {**read_map(file), "on_loss": "raise"})
    assert counts.converted == 1, (tmp_path / "out.jsonl.rejects.jsonl").read_text()
    assert rows_of(out) == [{"messages": CHAT}]


def test_flags_say_the_same_as_a_file(tmp_path):
    described, row = FILES["own"]
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(row) + "\n")
    (tmp_path / "map.yml").write_text(json.dumps(described))
    flags = ["--column", "messages=talk.turns", "--turn", "role=who", "--turn", "content=what", "--role", "user=kunde",
             "--role", "assistant=bot", "--role", "assistant=ki", "--drop", "id"]  # fmt: skip
    for name, options in (("a", flags), ("b", ["--map", str(tmp_path / "map.yml")])):
        done = CliRunner().invoke(make_app(), ["migrate", "data", str(source), str(tmp_path / name), *options])
        assert done.exit_code == 0, done.output
        assert rows_of(tmp_path / name) == [{"messages": CHAT}]


def test_flags_go_before_the_file(tmp_path):
    (tmp_path / "map.yml").write_text("columns: {question: q, answer: nothing}\nconstants: {}\n")
    source = tmp_path / "in.jsonl"
    source.write_text('{"q": "Hi?", "a": "Hello."}\n')
    options = ["--map", str(tmp_path / "map.yml"), "--column", "answer=a", "--from", "question_answer"]
    done = CliRunner().invoke(make_app(), ["migrate", "data", str(source), str(tmp_path / "out.jsonl"), *options])
    assert done.exit_code == 0, done.output
    assert rows_of(tmp_path / "out.jsonl") == [{"messages": CHAT[1:]}]


@pytest.mark.parametrize("layout", ["auto", "question_answer"])
def test_a_column_that_no_row_has_is_an_error_before_the_first_row(tmp_path, layout):
    source = tmp_path / "in.jsonl"
    source.write_text('{"frage": "Hi?", "answer": "Hello."}\n')
    with pytest.raises(diptych.MigrationError, match="did you mean 'frage'"):
        convert_dataset(source, tmp_path / "out.jsonl", {"from": layout, "columns": {"question": "frag"}})
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize(
    ("described", "place", "said"),
    [
        ({"columns": {}, "rolls": {}}, "$.rolls", "roles"),
        ({"datasets": [{"path": "x", "type": "chat_template", "field_mesages": "a"}]}, "$.field_mesages", "messages"),
        ({"datasets": [{"path": "x", "type": "sharegpt.load_role"}]}, "$.type", "chat_template"),
        ({"datasets": [{"path": "x", "type": {"format": "Q: {instruction}"}}]}, "$.type.format", "frames"),
        ({"a": {"file_name": "x", "columns": {"prompts": "y"}}}, "$.columns.prompts", "prompt"),
        ({"a": {"file_name": "x", "formatting": "xml"}}, "$.formatting", "sharegpt"),
        ({"a": {"file_name": "x"}, "b": {"file_name": "y"}}, "$", "#a"),
        ([1], "$", ""),
    ],
)
def test_what_a_map_file_says_wrongly_is_told_with_its_place(tmp_path, described, place, said):
    file = tmp_path / "map.json"
    file.write_text(json.dumps(described))
    with pytest.raises(diptych.MigrationError) as caught:
        read_map(file)
    assert caught.value.path == f"{file}: {place}"
    assert said in (caught.value.hint or "")


def test_one_of_several_is_named(tmp_path):
    file = tmp_path / "info.json"
    file.write_text(
        json.dumps({"a": {"columns": {"prompt": "x"}, "file_name": "f"}, "b": FILES["factory alpaca"][0]["mine"]})
    )
    assert read_map(f"{file}#a")["columns"] == {"instruction": "x"}
    assert read_map(f"{file}#1")["columns"]["instruction"] == "frage"
    with pytest.raises(diptych.MigrationError, match="no data set 'c'"):
        read_map(f"{file}#c")


@pytest.mark.parametrize("text", [None, "a: [", "\x00"])
def test_a_file_that_is_none_is_an_error(tmp_path, text):
    file = tmp_path / "map.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(diptych.MigrationError) as caught:
        read_map(file)
    assert caught.value.path == str(file)
