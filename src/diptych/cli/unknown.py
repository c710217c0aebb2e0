"""What is said about a command or an option that does not exist.

Rule: a name is suggested only where it is alike, and an unknown option of a command that renders a
template is taken for what it mostly is: an input of the template.
"""

from __future__ import annotations

from typing import Any, Final

from ..suggest import closest
from .commands import Group

#: Names are short, so that a lower ratio calls ``chat`` and ``schema`` alike.
_ALIKE: Final = 0.65


class Commands(Group):
    """A group of commands with careful suggestions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "suggest_commands": False})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments name. Raises a usage error with the name that is alike."""
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            near = closest(args[0], self.commands, _ALIKE)
            if near and hasattr(error, "message"):
                error.message = f"{str(error.message).rstrip('.')}. Did you mean {near!r}?"
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an option that it does not have is explained."""
        given = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        try:
            return super().invoke(ctx)
        except Exception as error:
            # By its shape: Typer brings a Click of its own, and which one depends on its version.
            if hasattr(error, "option_name") and hasattr(error, "possibilities"):
                _explain(error, given)
            raise


def _explain(error: Any, given: list[str]) -> None:
    """Keep the suggestions that are alike; without one, show how an input is given."""
    name = error.option_name.lstrip("-")
    alike = [option for option in error.possibilities or () if closest(name, [option.lstrip("-")], _ALIKE)]
    error.possibilities = alike or None
    if not alike and error.ctx and any("--param" in param.opts for param in error.ctx.command.params):
        error.message += f"; an input of the template is given as -p {name}={_value(error.option_name, given)}"


def _value(option: str, given: list[str]) -> str:
    """Return the value that follows an option, as a shell reads it, or a placeholder."""
    import shlex

    for place, argument in enumerate(given):
        if argument.startswith(f"{option}="):
            return shlex.quote(argument.partition("=")[2])
        following = given[place + 1 : place + 2]
        if argument == option and following and not following[0].startswith("-"):
            return shlex.quote(following[0])
    return "…"
