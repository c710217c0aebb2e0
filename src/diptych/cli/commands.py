"""What commands are made of: loaded when they are asked for, with plain help that leaves nothing out.

Rule: what a command does not need is not loaded. A group knows the names of its commands and builds the one
that is asked for; the help is Click's own text, since Typer's frames load Rich, Markdown and tracebacks, and
values that need no conversion do not load Pydantic, with which Typer converts them.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

#: The flags that every command has, which are taken before it is run.
_ALSO: Final = "Also: --debug (show tracebacks), --quiet (no warnings and notes)."

#: The help is as wide as the window, up to this.
WIDTH: Final = 100


_HelpFormatter: Any = typer.Context.formatter_class


class _Formatter(_HelpFormatter):  # type: ignore[misc]
    """Click's help, with headings and names in colour on a terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, _styled("Usage:", bold=True) + " " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        super().write_heading(_styled(heading, bold=True))

    def write_dl(self, rows: Any, *args: Any, **options: Any) -> None:
        super().write_dl([(_styled(name, fg="cyan"), text) for name, text in rows], *args, **options)


def _styled(text: str, **style: Any) -> str:
    shown = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return typer.style(text, **style) if shown else text


class _Plain:
    """What a command and a group share: the help, and values that stay as they are given."""

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        ctx.formatter_class = _Formatter
        return str(super().get_help(ctx))  # type: ignore[misc]

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        params = list(super().get_params(ctx))  # type: ignore[misc]
        for param in params:
            _ease(param)
        return params


class Command(_Plain, TyperCommand):
    """A command."""


class Group(_Plain, TyperGroup):
    """A group of commands, in whose help no sentence is cut."""

    def summary(self, name: str) -> str:
        """Return the first paragraph of the help of one command."""
        return _first(self.commands[name].help or "")

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write every command with the first paragraph of its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary(name)) for name in self.list_commands(ctx)])


class Application(typer.Typer):
    """An application of such groups and commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"cls": Group, "add_completion": False, "rich_markup_mode": None, **options})

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a function as a command."""
        also = _ALSO if name != "serve" else "Also: --debug (show tracebacks)."  # serve has a --quiet of its own
        return super().command(name, **{"cls": Command, "epilog": also, **options})


class Lazy(Mapping[str, Any]):
    """Commands by name, each built when it is asked for.

    Arguments:
        found: The function or the application of every name.
    """

    def __init__(self, found: Mapping[str, Callable[[], Any]]) -> None:
        self._found, self._built = found, dict[str, Any]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            self._built[name] = _built(name, self._found[name]())
        return self._built[name]

    def summary(self, name: str) -> str:
        """Return the first paragraph of a command's help, without building the command."""
        found = self._found[name]()
        return _first((found.info.help if isinstance(found, typer.Typer) else inspect.getdoc(found)) or "")


def _first(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def _built(name: str, found: Any) -> Any:
    """Return the command of a function or of an application."""
    if not isinstance(found, typer.Typer):
        found, function = Application(), found
        found.command(name)(function)
    command = typer.main.get_command(found)
    command.name = name
    return command


def _ease(param: Any) -> None:
    """Let a parameter leave alone what is as it should be, and have the rest converted as ever.

    Typer 0.29 builds a validator of Pydantic for every parameter, even for a text that stays a text; earlier
    versions do not know the method that is replaced here, and never call it.
    """
    convert = getattr(type(param), "get_runtime_param", None)
    if convert is not None:
        convert = convert.__get__(param)
        param.get_runtime_param = lambda: _Eased(convert)


class _Eased:
    """Typer's conversion of one parameter, entered only where a value needs it."""

    def __init__(self, convert: Callable[[], Any]) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of a parameter."""
        annotation = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if annotation in (str, bool) and type(value) is annotation:
            return value
        if annotation == list[str] and isinstance(value, list | tuple):
            return list(value)
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            member = {each.value: each for each in annotation}.get(value)
            return value if isinstance(value, annotation) else member or self._convert().coerce(value, param, ctx)
        return self._convert().coerce(value, param, ctx)
