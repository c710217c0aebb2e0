"""Help in a narrow window leaves out nothing: every name that one must type stands there, whole or folded."""

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
def test_help_is_folded_and_not_cut(path: tuple[str, ...]) -> None:
    shown = CliRunner(env={"COLUMNS": "60", "TERMINAL_WIDTH": "60"}).invoke(APP, [*path, "--help"])
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
