"""Messages that come as data: the history of a conversation.

Rule: roles of a history come from its structure, never from its text; every role
is checked against the known ones, and the caller's list is copied, not kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import itemgetter
from typing import Any

from ..apis.chat.messages import read_messages
from ..errors import RoleError, TemplateError
from ..model import ROLES, Message

_ROLES = frozenset(ROLES)


def read_history(messages: Any, roles: Any = None) -> tuple[Message, ...]:
    """Read a list of Chat messages; ``roles`` narrows which roles it may hold.

    Raises RoleError, TemplateError or FormatError with the path of the bad message.
    """
    if not isinstance(messages, list | tuple):
        raise TemplateError(
            f"{{% history %}} takes a list of messages, not {type(messages).__name__}",
            hint='pass [{"role": "user", "content": "…"}, …]',
        )
    roles = None if roles is None else _known_roles(roles)
    conversation = read_messages(list(messages))
    check_history_roles([message.role for message in conversation.messages], roles)
    return conversation.messages


def _known_roles(roles: Any) -> frozenset[str]:
    """Return the roles that a history may hold. Raises RoleError for what is not a list of known ones."""
    if not isinstance(roles, list | tuple | set | frozenset):
        hint = "write roles=['user', 'assistant']"
        raise RoleError(f"roles takes a list of roles, not {roles!r:.40}", hint=hint)
    for role in roles:
        if role not in ROLES:
            raise RoleError(f"{role!r:.40} is not a role", hint=f"a role is one of {', '.join(ROLES)}")
    return frozenset(roles)


def check_history_roles(found: list[str], roles: Collection[str] | None) -> None:
    """Raise RoleError for a role that is unknown or not among those allowed here."""
    allowed = _ROLES if roles is None else frozenset(roles)
    for index, role in enumerate(found):
        if role not in allowed:
            raise RoleError(
                f"the history's message {index} has the role {role!r}",
                path=f"$[{index}].role",
                hint=f"allowed here: {', '.join(sorted(allowed))}",
            )


_FAST_ROLES = frozenset({"system", "developer", "user", "assistant"})
_get_role, _get_content = itemgetter("role"), itemgetter("content")


def copy_simple_history(messages: Any, roles: frozenset[str] | None = None) -> tuple[list[dict[str, Any]], int] | None:
    """Copy a list of plain ``{role, content}`` messages at C speed and say how many characters they hold.

    Returns None where it must be read the careful way. Two hundred messages cost about 20 µs.
    """
    if type(messages) is not list:
        return None
    try:
        copies = list(map(dict.copy, messages))  # refuses what is not a dict
        contents = list(map(_get_content, copies))
        if set(map(len, copies)) - {2} or set(map(type, contents)) - {str}:
            return None
        allowed = _FAST_ROLES if roles is None else _FAST_ROLES & roles
        if not allowed.issuperset(map(_get_role, copies)):
            return None
        text = "".join(contents)
        if not text.isascii():
            text.encode()  # a lone surrogate takes the careful way
    except (KeyError, TypeError, UnicodeEncodeError):
        return None
    return copies, len(text)


def plain_message(message: Mapping[str, Any]) -> Message:
    """Return the neutral message of a plain ``{role, content}`` mapping."""
    return Message(message["role"], message["content"])
