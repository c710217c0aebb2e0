"""The tags that make messages: message and its aliases, history, image, audio, file.

Rule: tags become structure at parse time. ``{% message %}`` turns into a start
event, its body, and an end event, so messages follow loops, includes, blocks and
macros like any other output.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from ..errors import RoleError, TemplateError
from ..model import ROLES, AudioPart, FilePart, FrozenMap, ImagePart, ToolCall
from ..sandbox.guards import tojson
from .events import HistoryEvent, MessageEnd, MessageStart, PartEvent
from .history import read_history
from .media import FilePath, address_of, audio_of

_ROLE_TAGS = {"system", "developer", "user", "assistant", "tool"}
_MESSAGE_FIELDS = {"role", "name", "tool_call_id", "priority", "prefill", "cache_control"}
_END = MessageEnd()


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
        if "name" not in fields or set(fields) - {"name", "arguments", "id"}:
            parser.fail('write {% tool_call name="look" id="c1" arguments={"q": query} %}', lineno)
        return self._structural("tool_call", fields, lineno)

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
        start = self._structural("start", fields, lineno)
        start.message_fields = fields  # type: ignore[attr-defined]  # read by the plan
        return [start, *body, self._structural("end", {}, lineno)]

    def _history(self, parser: Parser, lineno: int) -> nodes.Node:
        fields = self._fields(parser, "history", positional="messages")
        if "messages" not in fields or set(fields) - {"messages", "roles"}:
            parser.fail("write {% history messages %}, or {% history messages roles=['user'] %}", lineno)
        node = self._structural("history", fields, lineno)
        node.history_fields = fields  # type: ignore[attr-defined]
        return node

    def _part(self, parser: Parser, tag: str, lineno: int) -> nodes.Node:
        fields = self._fields(parser, tag, positional="value")
        if "value" not in fields:
            parser.fail(f"{{% {tag} %}} needs a value, as in {{% {tag} {tag}_input %}}", lineno)
        allowed = {"image": {"detail"}, "audio": {"format"}, "file": {"filename"}}[tag]
        if unknown := set(fields) - allowed - {"value"}:
            parser.fail(f"{{% {tag} %}} has no field {sorted(unknown)[0]!r}", lineno)
        return self._structural(tag, fields, lineno)

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

    def _structural(self, method: str, fields: Mapping[str, nodes.Expr], lineno: int) -> nodes.Output:
        """Return an output node whose event is yielded as it is, never as text."""
        keywords = [nodes.Keyword(name, value, lineno=lineno) for name, value in fields.items()]
        call = self.call_method(f"make_{method}", [], keywords, lineno=lineno)
        call.structural = True  # type: ignore[attr-defined]  # read by the code generator
        return nodes.Output([call], lineno=lineno)

    @property
    def _folder(self) -> Path | None:
        folder: Path | None = getattr(self.environment, "media", None)
        return folder

    # at run time -----------------------------------------------------------------

    def make_start(
        self,
        role: Any,
        name: Any = None,
        tool_call_id: Any = None,
        priority: Any = None,
        prefill: Any = False,
        cache_control: Any = None,
    ) -> MessageStart:
        if prefill and role != "assistant":
            raise RoleError(f"a {role} message cannot be a prefill", hint="write {% assistant prefill=true %}")
        return MessageStart(
            check_role(role),
            None if name is None else str(name),
            None if tool_call_id is None else str(tool_call_id),
            None if priority is None else read_priority(priority),
            bool(prefill),
            read_cache_control(cache_control),
        )

    def make_end(self) -> MessageEnd:
        return _END

    def make_history(self, messages: Any, roles: Any = None) -> HistoryEvent:
        return HistoryEvent(read_history(messages, roles))

    def make_image(self, value: Any, detail: Any = None) -> PartEvent:
        url = value.get("url") if isinstance(value, Mapping) else value
        if isinstance(value, Mapping) and detail is None:
            detail = value.get("detail")
        return PartEvent(ImagePart(address_of("image", url, self._folder), detail))

    def make_audio(self, value: Any, format: Any = None) -> PartEvent:
        address = address_of("audio", value, self._folder)
        return PartEvent(AudioPart(*audio_of(address, None if format is None else str(format))))

    def make_file(self, value: Any, filename: Any = None) -> PartEvent:
        address = address_of("file", value, self._folder)
        if address.startswith("data:"):
            named = filename or (PurePath(value).name if isinstance(value, FilePath) else None)
            return PartEvent(FilePart(data=address, filename=named))
        return PartEvent(FilePart(file_id=address, filename=filename))

    def make_tool_call(self, name: Any, arguments: Any = None, id: Any = None) -> PartEvent:
        if not isinstance(name, str) or not name:
            raise TemplateError("{% tool_call %} needs a name", hint='write {% tool_call name="look" id="c1" %}')
        written = arguments if isinstance(arguments, str) else tojson({} if arguments is None else arguments)
        return PartEvent(ToolCall("" if id is None else str(id), str(name), str(written)))


def read_priority(value: Any) -> float:
    """Return the priority of a message. Raises TemplateError for what is no number."""
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
