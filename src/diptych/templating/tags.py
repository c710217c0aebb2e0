"""The tags that make messages: message and its aliases, history, image, audio, file.

Rule: tags become structure at parse time. ``{% message %}`` turns into a start
event, its body, and an end event, so messages follow loops, includes, blocks and
macros like any other output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Undefined, UndefinedError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from ..errors import DiptychError, RoleError, TemplateError
from ..model import ROLES, AudioPart, FilePart, FrozenMap, ImagePart, ToolCall
from ..sandbox.filters import tojson
from .events import HistoryEvent, MessageEnd, MessageStart, PartEvent, Place
from .history import read_history
from .media import FilePath, address_of, audio_of

_ROLE_TAGS = {"system", "developer", "user", "assistant", "tool"}
_MESSAGE_FIELDS = {"role", "name", "tool_call_id", "priority", "prefill", "cache_control"}
_END = MessageEnd()


class TagError(Exception):
    """What went wrong in a tag, and where the tag stands: the engine unwraps it."""

    def __init__(self, error: Exception, place: Place) -> None:
        super().__init__(error, place)
        self.error, self.place = error, place


def _at_tag(make: Callable[..., Any]) -> Callable[..., Any]:
    """Let what a tag raises say which tag it was; a field that is undefined is an error."""

    @wraps(make)
    def made(self: Any, place: tuple[str | None, int, str], *values: Any, **fields: Any) -> Any:
        try:
            for value in fields.values():
                if isinstance(value, Undefined):
                    str(value)  # raises what says its name
            return make(self, place, *values, **fields)
        except (DiptychError, UndefinedError) as error:
            raise TagError(error, Place(*place)) from None

    return made


class MessageTags(Extension):
    """Jinja extension for the message tags; see the module."""

    tags = {"message", "chat", "history", "image", "audio", "file", "tool_call", *_ROLE_TAGS}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        token = next(parser.stream)
        if token.value == "history":
            return [self._history(parser, token.lineno)]
        if token.value in ("image", "audio", "file"):
            return [self._part(parser, token.value, token.lineno)]
        if token.value == "tool_call":
            return [self._tool_call(parser, token.lineno)]
        return self._message(parser, token.value, token.lineno)

    def _tool_call(self, parser: Parser, lineno: int) -> nodes.Node:
        fields = self._fields(parser, "tool_call", positional="name")
        if not {"name", "id"} <= set(fields) or set(fields) - {"name", "arguments", "id"}:
            parser.fail('write {% tool_call name="look" id="c1" arguments={"q": query} %}', lineno)
        return self._structural(parser, "tool_call", fields, lineno)

    def _message(self, parser: Parser, tag: str, lineno: int) -> list[nodes.Node]:
        fields = self._fields(parser, tag, positional="role" if tag in ("message", "chat") else None)
        if tag in _ROLE_TAGS:
            if "role" in fields:
                parser.fail(f"{{% {tag} %}} is a role already: leave out role=", lineno)
            fields["role"] = nodes.Const(tag, lineno=lineno)
        if "role" not in fields:
            parser.fail(f'{{% {tag} %}} needs a role, as in {{% {tag} role="user" %}}', lineno)
        if unknown := set(fields) - _MESSAGE_FIELDS:
            parser.fail(f"{{% {tag} %}} has no field {sorted(unknown)[0]!r}", lineno)
        body = parser.parse_statements((f"name:end{tag}",), drop_needle=True)
        start = self._structural(parser, "start", fields, lineno, tag)
        start.message_fields = fields  # type: ignore[attr-defined]  # read by the plan
        return [start, *body, self._structural(parser, "end", {}, lineno)]

    def _history(self, parser: Parser, lineno: int) -> nodes.Node:
        fields = self._fields(parser, "history", positional="messages")
        if "messages" not in fields or set(fields) - {"messages", "roles"}:
            parser.fail("write {% history messages %}, or {% history messages roles=['user'] %}", lineno)
        node = self._structural(parser, "history", fields, lineno)
        node.history_fields = fields  # type: ignore[attr-defined]
        return node

    def _part(self, parser: Parser, tag: str, lineno: int) -> nodes.Node:
        fields = self._fields(parser, tag, positional="value")
        if "value" not in fields:
            parser.fail(f"{{% {tag} %}} needs a value, as in {{% {tag} {tag}_input %}}", lineno)
        allowed = {"image": {"detail"}, "audio": {"format"}, "file": {"filename"}}[tag]
        if unknown := set(fields) - allowed - {"value"}:
            parser.fail(f"{{% {tag} %}} has no field {sorted(unknown)[0]!r}", lineno)
        return self._structural(parser, tag, fields, lineno)

    def _fields(self, parser: Parser, tag: str, positional: str | None) -> dict[str, nodes.Expr]:
        fields: dict[str, nodes.Expr] = {}
        stream = parser.stream
        while stream.current.type != "block_end":
            stream.skip_if("comma")
            if stream.current.type == "name" and stream.look().type == "assign":
                name = next(stream).value
                next(stream)
                if name in fields:
                    parser.fail(f"{{% {tag} %}} has {name!r} twice", stream.current.lineno)
                fields[name] = parser.parse_expression()
            elif positional and positional not in fields:
                fields[positional] = parser.parse_expression()
            else:
                parser.fail(f"{{% {tag} %}} takes name=value fields", stream.current.lineno)
        return fields

    def _structural(
        self, parser: Parser, method: str, fields: Mapping[str, nodes.Expr], lineno: int, tag: str | None = None
    ) -> nodes.Output:
        """Return an output node whose event is yielded as it is, never as text."""
        place = nodes.Const((parser.name, lineno, tag or method), lineno=lineno)
        keywords = [nodes.Keyword(name, value, lineno=lineno) for name, value in fields.items()]
        call = self.call_method(f"make_{method}", [place], keywords, lineno=lineno)
        call.structural = True  # type: ignore[attr-defined]  # read by the code generator
        return nodes.Output([call], lineno=lineno)

    @property
    def _folder(self) -> Path | None:
        folder: Path | None = getattr(self.environment, "media", None)
        return folder

    # at run time -----------------------------------------------------------------

    @_at_tag
    def make_start(
        self,
        place: tuple[str | None, int, str],
        role: Any,
        name: Any = None,
        tool_call_id: Any = None,
        priority: Any = None,
        prefill: Any = False,
        cache_control: Any = None,
    ) -> MessageStart:
        if not isinstance(prefill, bool | None):
            raise TemplateError(f"prefill is true or false, not {prefill!r:.40}", hint="write prefill=true")
        if prefill and role != "assistant":
            raise RoleError(f"a {role} message cannot be a prefill", hint="write {% assistant prefill=true %}")
        return MessageStart(
            check_role(role),
            None if name is None else str(name),
            None if tool_call_id is None else str(tool_call_id),
            None if priority is None else read_priority(priority),
            bool(prefill),
            read_cache_control(cache_control),
            Place(*place),
        )

    def make_end(self, place: Any) -> MessageEnd:
        return _END

    @_at_tag
    def make_history(self, place: Any, messages: Any, roles: Any = None) -> HistoryEvent:
        return HistoryEvent(read_history(messages, roles), None, Place(*place))

    @_at_tag
    def make_image(self, place: Any, value: Any, detail: Any = None) -> PartEvent:
        url = value.get("url") if isinstance(value, Mapping) else value
        if isinstance(value, Mapping) and detail is None:
            detail = value.get("detail")
        return PartEvent(ImagePart(address_of("image", url, self._folder), detail), Place(*place))

    @_at_tag
    def make_audio(self, place: Any, value: Any, format: Any = None) -> PartEvent:
        address = address_of("audio", value, self._folder)
        sound = AudioPart(*audio_of(address, None if format is None else str(format)))
        return PartEvent(sound, Place(*place))

    @_at_tag
    def make_file(self, place: Any, value: Any, filename: Any = None) -> PartEvent:
        address = address_of("file", value, self._folder)
        if address.startswith("data:"):
            named = filename or (PurePath(value).name if isinstance(value, FilePath) else None)
            return PartEvent(FilePart(data=address, filename=named), Place(*place))
        return PartEvent(FilePart(file_id=address, filename=filename), Place(*place))

    @_at_tag
    def make_tool_call(self, place: Any, name: Any, id: Any, arguments: Any = None) -> PartEvent:
        for field, value in (("name", name), ("id", id)):
            if not isinstance(value, str) or not value:
                hint = 'write {% tool_call name="look" id="c1" %}'
                raise TemplateError(f"{{% tool_call %}} needs text as its {field}", hint=hint)
        return PartEvent(ToolCall(str(id), str(name), read_arguments(arguments)), Place(*place))


def read_arguments(value: Any) -> str:
    """Return the arguments of a tool call as the text of a JSON object.

    >>> read_arguments({"q": "tea"}), read_arguments(None)
    ('{"q": "tea"}', '{}')
    """
    if isinstance(value, str):
        try:
            if isinstance(json.loads(value), dict):
                return str(value)
        except (ValueError, RecursionError):
            pass
    elif isinstance(value, Mapping | None):
        return tojson({} if value is None else value)
    hint = 'write arguments={"q": query}'
    raise TemplateError("the arguments of a tool call are a mapping, or the text of a JSON object", hint=hint)


def read_priority(value: Any) -> float:
    """Return the priority of a message. Raises TemplateError for what is not a number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise TemplateError(f"priority must be a number, not {type(value).__name__}", hint="write priority=1") from None


def read_cache_control(value: Any) -> FrozenMap | None:
    """Return where a prompt cache may end, as Anthropic and the servers that follow it write it.

    >>> read_cache_control("1h")
    FrozenMap({'type': 'ephemeral', 'ttl': '1h'})
    """
    if not value:
        return None
    if isinstance(value, Mapping):
        return FrozenMap(value)
    if value in (True, "ephemeral"):
        return FrozenMap({"type": "ephemeral"})
    if value in ("5m", "1h"):
        return FrozenMap({"type": "ephemeral", "ttl": value})
    raise TemplateError(f"cache_control cannot be {value!r}", hint="write cache_control=true, '5m' or '1h'")


def check_role(role: Any) -> str:
    """Return the role if it is one of the known ones, letter for letter.

    Raises RoleError.
    """
    if isinstance(role, str) and role in ROLES:
        return str.__str__(role) if type(role) is not str else role
    raise RoleError(f"{role!r} is not a role", hint=f"a role is one of {', '.join(ROLES)}")
