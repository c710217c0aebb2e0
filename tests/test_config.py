"""Settings: what stands above what, and what a configuration file may hold."""

import json
import os

import pytest

import diptych
from diptych import config

#: The file, where in it the settings stand, and the line of the first of them.
FILES = {
    "diptych.toml": ("{}", 1),
    "pyproject.toml": ('[project]\nname = "x"\nmodel = "no setting"\n\n[tool.diptych]\n{}\n[tool.other]\nmodle = 1', 6),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    for setting in config.SETTINGS:
        for name in (setting.variable, setting.fallback):
            if name:
                monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder, name, text):
    (folder / name).write_text(FILES[name][0].replace("{}", text))


def in_force(name, **flags):
    return next(entry for entry in config.in_force(flags) if entry.name == name)


@pytest.mark.parametrize("name", FILES)
def test_flag_then_environment_then_file(folder, monkeypatch, name):
    write(folder, name, 'model = "of-the-file"')
    path = (folder / name).resolve()
    assert in_force("model") == ("model", "of-the-file", f"{path}:{FILES[name][1]}")
    monkeypatch.setenv("DIPTYCH_MODEL", "of-the-environment")
    assert in_force("model") == ("model", "of-the-environment", "DIPTYCH_MODEL")
    assert in_force("model", model="of-the-flag") == ("model", "of-the-flag", "flag")
    assert config.setting("model", "of-the-flag") == "of-the-flag"
    monkeypatch.setenv("DIPTYCH_MODEL", "")
    assert config.setting("model") is None


def test_the_variables_of_openai_stand_below(folder, monkeypatch):
    assert in_force("base_url") == ("base_url", None, "default")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://a.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert in_force("base_url") == ("base_url", "https://a.example/v1", "OPENAI_BASE_URL")
    assert in_force("api_key") == ("api_key", "(set)", "OPENAI_API_KEY")
    write(folder, "diptych.toml", 'base_url = "https://b.example/v1"')
    assert config.setting("base_url") == "https://b.example/v1"


@pytest.mark.parametrize("setting", config.SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_a_type_a_sentence_and_a_place(folder, monkeypatch, setting):
    assert setting.doc.endswith(".")
    assert in_force(setting.name).origin == "default"
    if setting.variable:
        assert setting.variable == f"DIPTYCH_{setting.name.upper()}"
        monkeypatch.setenv(setting.variable, "a")
        assert config.setting(setting.name) == ("a" if setting.kind == "text" else ["a"])
        monkeypatch.delenv(setting.variable)
    if not setting.is_secret:
        write(folder, "diptych.toml", f'{setting.name} = "a"' if setting.kind == "text" else f'{setting.name} = ["a"]')
        assert config.setting(setting.name) == ("a" if setting.kind == "text" else ["a"])


def test_folders_of_templates_are_relative_to_the_file(folder, monkeypatch):
    (folder / "prompts").mkdir()
    write(folder, "diptych.toml", 'templates = ["prompts", "package:folder"]')
    assert config.setting("templates") == [os.path.join("..", "prompts"), "package:folder"]
    monkeypatch.setenv("DIPTYCH_TEMPLATES", os.pathsep.join(("a", "b")))
    assert config.setting("templates") == ["a", "b"]


WRONG = {
    "modle = 'x'": ("unknown setting 'modle'", "did you mean 'model'?", 0),
    "format = 'x'\nzzz = 1": ("unknown setting 'zzz'", "known: base_url, exclude, format, model, templates", 1),
    "model = 3": ("model must be a string", None, 0),
    "exclude = 'x'": ("exclude must be a list of strings", None, 0),
    "model = ['x']": ("model must be a string", None, 0),
    "templates = [1]": ("templates must be a string or a list of strings", None, 0),
    "api_key = 'sk-x'": ("api_key must not stand in a file", "set OPENAI_API_KEY in the environment", 0),
    "model = \nformat = 'x'": ("the configuration cannot be read: Invalid value", None, 0),
}


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("name", FILES)
def test_what_is_no_setting_is_an_error_with_its_place(folder, name, text):
    write(folder, name, text)
    message, hint, below = WRONG[text]
    with pytest.raises(diptych.ConfigError) as caught:
        config.setting("model")
    place = f"{(folder / name).resolve()}:{FILES[name][1] + below}"
    assert (caught.value.path.removesuffix(":9"), caught.value.hint) == (place, hint)
    assert caught.value.message.startswith(message)
    assert "sk-x" not in str(caught.value)


def test_a_table_in_place_of_a_setting_has_a_line(folder):
    write(folder, "pyproject.toml", "format = 'x'\n\n[tool.diptych.check]\nselect = []")
    with pytest.raises(diptych.ConfigError, match=r"pyproject.toml:8: unknown setting 'check'"):
        config.setting("model")


def test_the_nearest_file_counts_and_others_are_passed_over(folder):
    write(folder, "diptych.toml", 'model = "above"')
    (folder / "sub" / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert config.setting("model") == "above"
    (folder / "sub" / "diptych.toml").write_text("")
    assert config.setting("model") is None


@pytest.mark.parametrize("command", ["run --dry-run", "render --as request", "cost --json"])
def test_a_templates_own_model_stands_between_flag_and_setting(folder, monkeypatch, command):
    from typer.testing import CliRunner

    from diptych.cli.app import make_app

    def model(template, *flags):
        name, *options = command.split()
        return json.loads(CliRunner().invoke(make_app(), [name, f"../{template}", *options, *flags]).stdout)["model"]

    (folder / "own.jinja").write_text("---\nmodel: gpt-4.1\n---\nHi")
    (folder / "none.jinja").write_text("Hi")
    for place in ("file", "environment"):
        if place == "file":
            (folder / "diptych.toml").write_text('model = "gpt-4o"')
        else:
            monkeypatch.setenv("DIPTYCH_MODEL", "gpt-4o-mini")
        assert model("own.jinja") == "gpt-4.1"
        assert model("none.jinja") == ("gpt-4o" if place == "file" else "gpt-4o-mini")
        assert model("own.jinja", "--model", "gpt-5.4") == "gpt-5.4"
