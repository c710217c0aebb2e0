"""Help leaves out nothing in a narrow window, and values are those that Typer makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from diptych.cli.app import make_app

APP = make_app()


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(APP)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_is_wrapped_and_not_cut(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(APP, [*path, "--help"], max_content_width=60, terminal_width=60)
    assert shown.exit_code == 0
    assert "…" not in shown.output
    assert max(map(len, shown.output.splitlines())) <= 60
    for param in COMMANDS[path].params:
        for name in param.opts if param.param_type_name == "option" else ():
            assert name in shown.output


def test_every_option_and_argument_has_help() -> None:
    params = [(path, param) for path, of in COMMANDS.items() for param in of.params]
    bare = [(path, param.name) for path, param in params if not getattr(param, "help", None)]
    assert not bare


def test_every_command_stands_in_the_help_of_its_group_with_its_whole_sentence() -> None:
    for path, command in COMMANDS.items():
        for name, inner in getattr(command, "commands", {}).items():
            shown = CliRunner().invoke(APP, [*path, "--help"]).output
            assert " ".join((inner.help or "").partition("\n\n")[0].split()) in " ".join(shown.split()), name


def _samples(param: Any) -> list[Any]:
    """Values of every kind that a parameter may get: absent, fitting, of another kind."""
    several = param.multiple or param.nargs == -1
    texts = ["", "a", "7", "0.5", "-1", *map(str, getattr(param.type_descriptor, "choices", None) or ())]
    return [None, param.default, *([[], ["a", "7"]] if several else [True, *texts])]


def _converted(convert: Any, param: Any, value: Any) -> tuple[str, Any]:
    try:
        found = convert.coerce(value, param=param, ctx=typer.Context(COMMANDS[()]))
    except Exception as error:
        return "error", str(error)
    return "value", (type(found), found)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_values_are_what_typer_makes_of_them(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    for param in command.get_params(typer.Context(command)):
        typers = getattr(type(param), "get_runtime_param", None)
        for value in _samples(param) if typers else ():
            eased = param.get_runtime_param()
            assert _converted(eased, param, value) == _converted(typers(param), param, value), (param.name, value)
