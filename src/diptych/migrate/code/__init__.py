"""Python call sites of the Completions API become Chat calls; what would change meaning is refused.

Rule: only what is certain is changed, formatting and comments stay, and a second run
changes nothing. A refusal says why and where, and leaves its call, and every use of its
answer, as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...catalogue import DEFAULT_MODEL
from ...errors import MigrationError, MissingExtra
from .model import CODES, KINDS, NOTHING_HELD, Change, CodeMigration, Held, Place, Refusal

if TYPE_CHECKING:
    from .models import Models
    from .targets import Target

__all__ = [
    "CODES",
    "DEFAULT_MODEL",
    "KINDS",
    "Change",
    "CodeMigration",
    "Place",
    "Refusal",
    "may_concern",
    "migrate_code",
]

#: One way over a source.
_Pass: TypeAlias = Callable[[str], CodeMigration]
#: A source without these words has nothing to migrate: it is not even parsed. Plain texts, which are quickly
#: found, stand before the words that hold them.
_WORDS: Final = (
    (("Completion", "create"), (re.compile(r"\bCompletion\b"), re.compile(r"\ba?create\b"))),
    (("completions", "create"), (re.compile(r"\bcompletions\b"), re.compile(r"\ba?create\b"))),
    (("/completions",), (re.compile(r"/completions\b"),)),
    (("completions", "v1"), (re.compile(r"\bcompletions\b"), re.compile(r"/v1\b|\bv1/"))),
    (("text_completion", "litellm"), (re.compile(r"\btext_completion\b"), re.compile(r"\blitellm\b"))),
    (("langchain", "OpenAI"), (re.compile(r"\blangchain"), re.compile(r"OpenAI\b"))),
)
#: What only code of openai before 1 says.
_OLD_SDK: Final = re.compile(
    r"\b(?:ChatCompletion|Completion|Embedding|Moderation|Image|Audio|Edit|Model|FineTune|File|Engine)\.\w+\("
    r"|\bopenai\.(?:error|api_\w+|organization)\b"
)
_CHAT: Final = re.compile(r"\bchat\.completions\b|\bChatCompletion\b|\bChatOpenAI\b|\bresponses\.create\b|\bopenai\b")
_MARK: Final = "\ufeff"
#: A carriage return alone: Python ends a line there, and libcst does not.
_BARE: Final = re.compile(r"\r(?!\n)")


def may_concern(source: str, *, chat: bool = False) -> bool:
    """Tell whether a source holds the words of a call of the Completions API; most do not, and cost nothing.

    ``chat`` asks for calls of Chat, too.

    >>> may_concern("x = 1"), may_concern("client.completions.create()")
    (False, True)
    """
    if chat and _CHAT.search(source):
        return True
    if "ompletion" not in source and "OpenAI" not in source:  # of which every row has one
        return False
    return any(all(t in source for t in texts) and all(w.search(source) for w in words) for texts, words in _WORDS)


def migrate_code(
    source: str,
    filename: str = "<string>",
    *,
    outside: Collection[str] = (),
    todo: bool = False,
    model: str = DEFAULT_MODEL,
    model_map: Mapping[str, str] | None = None,
    dated: bool = False,
    new_sdk: bool = False,
    target: str = "chat",
    line_length: int | None = None,
    held: Held = NOTHING_HELD,
) -> CodeMigration:
    """Migrate the Completions calls of a Python source to Chat.

    ``outside`` names functions that other modules use: what they return is not changed.
    ``todo`` puts a comment over every refused statement. ``model`` replaces the models that
    were shut down; ``model_map`` names other replacements by old name; ``dated`` also replaces the
    models of Chat calls whose last day is announced; ``new_sdk`` turns code of openai before 1 into
    client code of openai 1. ``target`` is the API that the calls become: "chat" or "responses".
    ``line_length`` wraps the lines that the changes would make longer, as a formatter does; None wraps none.
    ``held`` names calls and mocks, by line and column, that stay for a reason outside this source.
    Raises MissingExtra without libcst, MigrationError for a source that does not parse.

    >>> found = migrate_code('r = client.completions.create(model="m", prompt=p, max_tokens=5)')
    >>> found.source
    'r = client.chat.completions.create(model="m", messages=[{"role": "user", "content": p}], max_completion_tokens=5)'
    """
    if not isinstance(source, str):
        raise MigrationError(f"a Python source is text, not {type(source).__name__}")
    from .models import Models

    models = Models(model, model_map or {}, dated, new_sdk, target_named(target), line_length)
    return migrate_text(source, filename, outside=outside, todo=todo, models=models, held=held)


def migrate_text(
    source: str,
    filename: str,
    *,
    outside: Collection[str],
    todo: bool,
    models: Models,
    held: Held,
    is_configured_elsewhere: bool = False,
) -> CodeMigration:
    """Migrate a source as :func:`migrate_code` does, with the models of a run."""
    if not may_concern(source, chat=models.looks_at_chat):
        _check_syntax(source, filename)
        return CodeMigration(source)
    mark = _MARK if source.startswith(_MARK) else ""

    def to_target(text: str) -> CodeMigration:
        from .migration import migrate_source

        return migrate_source(_parsed(text, filename), outside, todo=todo, models=models, held=held)

    def to_new_sdk(text: str) -> CodeMigration:
        if not _OLD_SDK.search(text):
            return CodeMigration(text)
        from .modern import modernised

        away = is_configured_elsewhere
        return modernised(_parsed(text, filename), is_configured_elsewhere=away, width=models.width)

    found = in_order(source[len(mark) :], to_target, to_new_sdk, models)
    return CodeMigration(mark + found.source, found.changes, found.refusals, found.links, found.prompts)


def in_order(text: str, to_target: _Pass, to_new_sdk: _Pass, models: Models) -> CodeMigration:
    """Make the passes over a text that a run asks for; openai before 1 does not have Responses, so it goes first."""
    passes = [to_target, *[to_new_sdk for _ in range(models.new_sdk)]]
    found = CodeMigration(text)
    for each in reversed(passes) if models.target.name == "responses" else passes:
        more = each(found.source)
        found = CodeMigration(
            more.source,
            (*found.changes, *more.changes),
            (*found.refusals, *more.refusals),
            found.links + more.links,
            found.prompts + more.prompts,
        )
    return found


def target_named(name: str) -> Target:
    """Return a target by its name. Raises MigrationError for any other."""
    from .targets import TARGETS

    if name not in TARGETS:
        raise MigrationError(f"unknown target {name!r} (known: {', '.join(TARGETS)})")
    return TARGETS[name]


def required_libcst() -> Any:
    """Return libcst. Raises MissingExtra where it is not installed."""
    try:
        import libcst
    except ImportError:
        raise MissingExtra.of("migrate", "libcst") from None
    return libcst


def _parsed(source: str, filename: str) -> Any:
    """Return the parsed source. Raises MigrationError, also where its text could not be given back as it was."""
    libcst = required_libcst()
    from .source import Source

    try:
        found = Source(source, filename)
    except libcst.ParserSyntaxError as error:
        place = f"{filename}:{error.raw_line}:{error.raw_column + 1}"
        raise MigrationError(f"the source does not parse: {error.message}", path=place) from None
    except libcst.CSTValidationError as error:  # a letter that this Python does not know yet
        raise MigrationError(f"the source does not parse: {error}", path=f"{filename}:1:1") from None
    except RecursionError:
        raise MigrationError("the source is nested too deeply", path=f"{filename}:1:1") from None
    if found.module.code != source or _BARE.search(source):
        raise MigrationError("its lines end as those of no system do today", path=f"{filename}:1:1")
    return found


def _check_syntax(source: str, filename: str) -> None:
    """Raise for what is no Python; a file without any word of the API is reported, too."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source.removeprefix(_MARK))
        except SyntaxError as error:
            place = f"{filename}:{error.lineno or 1}:{error.offset or 1}"
            raise MigrationError(f"the source does not parse: {error.msg}", path=place) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise MigrationError(f"the source does not parse: {error}", path=f"{filename}:1:1") from None
