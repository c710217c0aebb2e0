"""A Hugging Face chat template: the Jinja text that a model brings along, rendered as
transformers renders it, in our sandbox.

Rule: the bytes are those of ``apply_chat_template`` (transformers 5): immutable sandbox,
trimmed blocks, loop controls, a ``generation`` tag, ``tojson`` without HTML escapes,
``raise_exception``, ``strftime_now``. Nothing but a :class:`TemplateError` leaves it, and
every loop is charged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension

from ..errors import DiptychError, FormatError, Location, ResourceLimit, TemplateError, TemplateSyntaxError
from . import limits
from .costs import FILTER_COSTS, metered
from .environment import make_environment
from .filters import check_json
from .given import MOST_VALUES, copied, plain
from .limits import Limits
from .mistakes import Mistake, mistake_of, mistakes, unknown_in_message
from .names import undeclared_names
from .printing import Helper, text

_NAME: Final = "<chat template>"
#: Appended to a message that is to be continued, then found again; white space at its end shows
#: whether the template trims (transformers, ``continue_final_message``).
_TAG: Final = "CONTINUE_FINAL_MESSAGE_TAG "
#: The default caps: a chat template loops over whole conversations.
CHAT_LIMITS: Final = Limits(seconds=10.0)


class _Generation(Extension):
    """``{% generation %}`` marks what the assistant says; the text goes through unchanged."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own shape

    def parse(self, parser: Any) -> nodes.Node:
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_through"), [], [], body).set_lineno(lineno)

    def _through(self, caller: Callable[[], str]) -> str:
        return caller()


class ChatTemplate:
    """A chat template with its special tokens.

    ``source`` is the Jinja text; ``bos_token``, ``eos_token`` and ``special`` are names that
    it uses, undefined in it where they are empty. ``limits`` caps its source, the nesting of
    what it is given, and each render (10 seconds by default). Raises TemplateSyntaxError, and
    ResourceLimit for a source over its cap.

    >>> source = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}"
    >>> ChatTemplate(source, eos_token="#").render([{"role": "user", "content": "Hi"}])
    '[user] Hi#'
    """

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        limits: Limits = CHAT_LIMITS,
        **special: Any,
    ) -> None:
        if len(source) > limits.here.source:
            raise ResourceLimit(
                f"a chat template of over {limits.here.source:,} characters", hint="shorten it, or raise Limits.source"
            )
        self.source = source
        self.limits = limits
        named = {"bos_token": bos_token, "eos_token": eos_token, **special}
        self.special = {name: token for name, token in named.items() if token not in ("", None)}
        self._template = _compiled(source)

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names that the template reads and does not set itself.

        >>> sorted(ChatTemplate("{{ messages }}{% if enable_thinking %}{% endif %}").variables)
        ['enable_thinking', 'messages']
        """
        return undeclared_names(_environment()._parse(self.source, _NAME, _NAME))

    def __repr__(self) -> str:
        return f"<ChatTemplate of {len(self.source)} characters>"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(ChatTemplate, self.source, limits=self.limits, **self.special), ()

    @classmethod
    def from_tokenizer_config(
        cls, path: str | os.PathLike[str], *, name: str = "default", limits: Limits = CHAT_LIMITS
    ) -> ChatTemplate:
        """Return the template of a ``tokenizer_config.json``, or of the folder that holds it.

        ``name`` chooses among several templates. A ``chat_template.jinja`` beside it is
        taken where the file names none. Raises FormatError where there is no template.
        """
        file = Path(path)
        file = file / "tokenizer_config.json" if file.is_dir() else file
        try:
            config = json.loads(file.read_text("utf-8"))
        except OSError as error:
            hint = "give the file or its folder"
            raise FormatError(f"cannot read {str(path)!r}: {error.strerror}", hint=hint) from None
        except ValueError as error:
            raise FormatError(f"{file.name} is not JSON: {error}", path="$") from None
        if not isinstance(config, dict):
            raise FormatError(f"{file.name} holds no object", path="$")
        source = _chosen(config.get("chat_template"), name)
        named = "chat_template.jinja" if name == "default" else f"additional_chat_templates/{name}.jinja"
        beside = file.parent / named
        if source is None and beside.is_file():
            source = beside.read_text("utf-8")
        if source is None:
            raise FormatError(f"{file.name} names no chat template {name!r}", path="$.chat_template")
        special = {key: _token(value) for key, value in config.items() if key.endswith("_token")}
        return cls(source, limits=limits, **{key: token for key, token in special.items() if token is not None})

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Any] | None = None,
        documents: Sequence[Any] | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        now: datetime | None = None,
        parse_arguments: bool = False,
        **kwargs: Any,
    ) -> str:
        """Return the prompt, byte for byte as transformers makes it.

        ``now`` is what ``strftime_now`` sees; ``kwargs`` are further names for the template.
        ``parse_arguments`` passes the arguments of tool calls as objects, as servers do: OpenAI's
        messages hold them as JSON text, which most templates would encode once more.
        Raises TemplateError for what the template refuses (its own words) and for
        anything that goes wrong in it; ResourceLimit over a cap; FormatError for
        messages that are not plain data.
        """
        deepest = self.limits.here.depth
        chat = plain(list(islice(messages, MOST_VALUES + 1)), "$.messages", deepest)
        chat = with_objects(chat) if parse_arguments else chat
        if continue_final_message:
            if add_generation_prompt:
                raise FormatError("a message is continued, or a new one is begun: not both")
            chat = _tagged(chat, deepest)
        values = {
            **self.special,
            "messages": chat,
            "tools": plain(tools, "$.tools", deepest),
            "documents": plain(documents, "$.documents", deepest),
            "add_generation_prompt": add_generation_prompt,
            **{name: plain(value, f"$.{name}", deepest) for name, value in kwargs.items()},
        }
        text = self._run_somewhere(values, now or datetime.now())
        return _continued(text) if continue_final_message else text

    def _run_somewhere(self, values: dict[str, Any], now: datetime) -> str:
        if not self.limits.isolate:
            return self._run(values, now)
        from .isolation import run_isolated

        within = ChatTemplate(self.source, limits=self.limits.within)
        return run_isolated(_run_here, within, values, now, limits=self.limits)

    def _run(self, values: dict[str, Any], now: datetime) -> str:
        values.setdefault("strftime_now", Helper("strftime_now", partial(_strftime, now)))
        token = limits.open_account(self.limits)
        try:
            return str(self._template.render(values))
        except TemplateError as error:
            error.location = error.location or _place(error, self.source)
            raise error from None
        except (RecursionError, MemoryError) as error:
            raise ResourceLimit(f"the chat template needs too much ({type(error).__name__})") from None
        except OverflowError as error:
            raise ResourceLimit("a number is too large to compute with", location=_place(error, self.source)) from None
        except Exception as error:
            place = _place(error, self.source)
            if found := unknown_in_message(str(error), _environment(), place.line if place else None):
                raise _mistaken(found, self.source) from None
            raise TemplateError(str(error) or type(error).__name__, location=place) from None
        finally:
            limits.close_account(token)


def _run_here(template: ChatTemplate, values: dict[str, Any], now: datetime) -> str:
    """Render in this process, as the function of a module, which pickle copies by its name."""
    return template._run(values, now)


def prepare_worker() -> None:
    """Make what every render in a worker process needs, and compile once, before the process forks."""
    ChatTemplate("{{ a }}").render([])


def _chosen(value: Any, name: str) -> str | None:
    """Return the template of that name among one, several named ones, or none."""
    if isinstance(value, str):
        return value if name == "default" else None
    if isinstance(value, list):
        value = {entry.get("name"): entry.get("template") for entry in value if isinstance(entry, dict)}
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _token(value: Any) -> str | None:
    """Return a special token that is a text, or an object with its ``content``."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


# arguments of tool calls -------------------------------------------------------------------


def with_objects(messages: list[Any]) -> list[Any]:
    """Return messages whose tool calls hold their arguments as objects, where these are JSON texts of objects.

    >>> with_objects([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]}])
    [{'role': 'assistant', 'tool_calls': [{'function': {'name': 'f', 'arguments': {'a': 1}}}]}]
    """
    return [_message_with_objects(m) if isinstance(m, dict) and m.get("tool_calls") else m for m in messages]


def _message_with_objects(message: dict[str, Any]) -> dict[str, Any]:
    calls = message["tool_calls"]
    return message | {"tool_calls": [*map(_call_with_object, calls)]} if isinstance(calls, list) else message


def _call_with_object(call: Any) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    text = function.get("arguments") if isinstance(function, dict) else None
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return call
    return {**call, "function": {**function, "arguments": value}} if isinstance(value, dict) else call  # type: ignore[dict-item]


# continuing the last message ---------------------------------------------------------------


def _tagged(chat: list[Any], levels: int) -> list[Any]:
    """Return a copy with the tag at the end of the text of the last message."""
    chat = copied(chat, "$.messages", levels)
    content = chat[-1].get("content") if chat and isinstance(chat[-1], dict) else None
    if isinstance(content, str):
        chat[-1]["content"] = content + _TAG
        return chat
    for part in reversed(content if isinstance(content, list) else []):
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            part["text"] += _TAG
            return chat
    raise FormatError("the last message has no text to continue", path=f"$.messages[{len(chat) - 1}].content")


def _continued(text: str) -> str:
    tag = _TAG.strip()
    if tag not in text:
        raise TemplateError(
            "the last message cannot be continued: the template does not write it",
            hint="some templates drop or rewrite the last message",
        )
    at = text.rindex(tag)
    # A template that trims took the tag's white space; then that of the message goes, too.
    return text[:at] if text.startswith(_TAG, at) else text[:at].rstrip()


# the environment ---------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _environment() -> Any:
    env = make_environment(undefined=jinja2.Undefined, extensions=[_Generation])
    env.filters["tojson"] = metered(_tojson, FILTER_COSTS["tojson"])
    env.globals["raise_exception"] = Helper("raise_exception", _raise)
    env.globals["lipsum"] = Helper("lipsum", _no_lipsum)
    return env


@lru_cache(maxsize=256)
def _compiled(source: str) -> Any:
    env = _environment()
    try:
        with limits.compiling():
            tree = env._parse(source, _NAME, _NAME)
            # An unknown filter in a branch is an error when the branch is taken, as in transformers.
            for mistake in mistakes(tree, env, in_branches=False):
                raise _mistaken(mistake, source)
            code = env.compile(tree, _NAME, _NAME)
    except DiptychError:
        raise
    except Exception as error:
        found = mistake_of(error, env)
        if found is None:
            raise ResourceLimit(f"the chat template is nested too deeply ({type(error).__name__})") from None
        raise _mistaken(found, source) from None
    # Not make_globals, whose chain of mappings takes longer to copy than ten messages to write.
    return env.template_class.from_code(env, code, dict(env.globals))


def _mistaken(mistake: Mistake, source: str) -> TemplateSyntaxError:
    lines = source.splitlines()
    line, column, width = mistake.place(lines) or (mistake.line or 1, 1, 1)
    shown = lines[line - 1][:200] if 0 < line <= len(lines) else ""
    return TemplateSyntaxError(mistake.message, location=Location(_NAME, line, column, shown, width), hint=mistake.hint)


def _raise(message: Any) -> None:
    raise TemplateError(text(message)[:_LONGEST_MESSAGE])


def _no_lipsum(*_: Any, **__: Any) -> str:
    raise TemplateError("lipsum is not available in chat templates")


def _strftime(now: datetime, form: str) -> str:
    if len(form) > _LONGEST_FORM:
        raise ResourceLimit(f"a form of a date of more than {_LONGEST_FORM:,} characters")
    return now.strftime(form)


#: Characters of a message that a template raises.
_LONGEST_MESSAGE: Final = 10_000
#: Python lets each character become 256.
_LONGEST_FORM: Final = 1_000


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    check_json(value, indent, separators)
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    limits.check_size(len(text))
    return text


def _place(error: BaseException, source: str) -> Location | None:
    """Return the line of the template that an error comes from."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _NAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    if line is None:
        return None
    lines = source.splitlines()
    return Location(_NAME, line, 1, lines[line - 1][:200] if 0 < line <= len(lines) else "")
