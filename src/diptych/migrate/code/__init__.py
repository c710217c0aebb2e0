"""Python call sites of the Completions API become Chat calls; what would change meaning is refused.

Rule: only what is certain is changed, formatting and comments stay, and a second run
changes nothing. A refusal says why and where, and leaves its call as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ...errors import MigrationError, MissingExtra
from ...wire.substitution import TO_CHAT

#: Arguments that Chat does not have, or has in another shape: no call is guessed at.
_REFUSED: Final = {
    "suffix": "Chat cannot insert before a suffix",
    "best_of": "Chat ranks no answers",
    "echo": "Chat does not repeat its prompt",
    "logprobs": "log probabilities have another shape in Chat",
    "stream": "the chunks of a stream have another shape in Chat: .choices[0].delta.content",
    "logit_bias": "token ids belong to the old model's encoding",
}
_CALLS: Final = {
    ("completions", "create"): ("chat.completions", "create"),
    ("Completion", "create"): ("ChatCompletion", "create"),
    ("Completion", "acreate"): ("ChatCompletion", "acreate"),
}


class Place(NamedTuple):
    """A place in a source file: 1-based line and column."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Change(NamedTuple):
    """What was changed, and where it stood."""

    place: Place
    what: str


class Refusal(NamedTuple):
    """A call that was left as it was, and why."""

    place: Place
    reason: str


@dataclass(frozen=True)
class CodeMigration:
    """The migrated source, what was changed and what was refused."""

    source: str
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def migrate_code(source: str, filename: str = "<string>") -> CodeMigration:
    """Migrate the Completions calls of a Python source to Chat.

    Raises MissingExtra without libcst, MigrationError for a source that does not parse.
    """
    try:
        import libcst
        from libcst.metadata import MetadataWrapper
    except ImportError:
        raise MissingExtra.of("migrate", "libcst") from None
    try:
        wrapper = MetadataWrapper(libcst.parse_module(source))
    except libcst.ParserSyntaxError as error:
        place = f"{filename}:{error.raw_line}:{error.raw_column + 1}"
        raise MigrationError(f"the source does not parse: {error.message}", path=place) from None
    from .rewrite import Finder, Rewriter

    finder = Finder(filename)
    wrapper.visit(finder)
    rewriter = Rewriter(filename, finder.good, finder.names)
    module = wrapper.visit(rewriter)
    changes = tuple(sorted(rewriter.changes, key=lambda change: change.place))
    return CodeMigration(module.code, changes, tuple(sorted(finder.refusals, key=lambda refusal: refusal.place)))


def reason_against(names: Sequence[str | None], stars: Sequence[str], prompt_is_list: bool) -> str | None:
    """Return why a call cannot be migrated, None where it can."""
    if any(stars):
        return "arguments that are unpacked cannot be seen"
    if None in names:
        return "positional arguments have no names"
    for name, reason in _REFUSED.items():
        if name in names:
            return reason
    if "prompt" not in names:
        return "there is no prompt"
    return "a list of prompts becomes as many calls" if prompt_is_list else None


def chat_call(path: Sequence[str]) -> tuple[str, str] | None:
    """Return the Chat call for the last two names of a Completions call, None for any other."""
    if len(path) < 2 or (path[-2] == "completions" and len(path) > 2 and path[-3] == "chat"):
        return None
    return _CALLS.get((path[-2], path[-1]))


def substitute_of(model: Any) -> str | None:
    """Return the Chat model that stands in for a Completions model, None for any other."""
    found = TO_CHAT.get(model) if isinstance(model, str) else None
    return found.model if found else None
