"""The commands and where they live; nothing here imports a command before it is asked for."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from .commands import WIDTH, Application, Lazy
from .unknown import Commands

#: The module of every command, in the order of the help. The command is its function ``NAME_command``, and a
#: group of commands its application ``NAME_app``.
COMMANDS: Final = {
    "render": "render",
    "convert": "convert",
    "count": "count",
    "tokens": "tokens",
    "cost": "cost",
    "run": "run",
    "batch": "batch",
    "serve": "serve",
    "formats": "lookup",
    "models": "lookup",
    "check": "check",
    "diff": "diff",
    "types": "types",
    "schema": "types",
    "explain": "lookup",
    "audit": "audit",
    "play": "play",
    "report": "report",
    "doctor": "doctor",
    "migrate": "migrate",
    "templates": "lookup",
}


def _found(name: str) -> Any:
    """Return the function of a command, or the application of a group."""
    module = import_module(f".{COMMANDS[name]}", __package__)
    return getattr(module, f"{name}_command", None) or getattr(module, f"{name}_app")


class Root(Commands):
    """The commands of the table, each loaded when it is asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = Lazy({name: partial(_found, name) for name in COMMANDS})

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def summary(self, name: str) -> str:
        """Return the first paragraph of the help of one command."""
        return str(self.commands.summary(name))


def _version(value: bool) -> None:
    if value:
        from .. import __version__

        print(f"diptych {__version__}")
        raise typer.Exit


def make_app() -> typer.Typer:
    """Return the application."""
    app = Application(
        name="diptych",
        cls=Root,
        add_completion=True,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
        help=(
            "Prompt templates as Completions prompts and Chat messages, with token counts, prices and a client.\n\n"
            "Try: diptych render translate -p text=Hello"
        ),
        epilog=(
            "Use --debug to show tracebacks, --quiet to leave out warnings and notes. "
            "Exit codes: 0 ok, 1 findings, 2 usage, 3 network."
        ),
    )

    @app.callback()
    def root(
        version: Annotated[
            bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        """Render, convert, count, price and send prompts."""

    return app
