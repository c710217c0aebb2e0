"""What stands beside the choices of a response: its id, usage, and the fields that only one server knows.

Rule: a field that the neutral response has no place for is kept in ``native`` under the name of
the API that it came from, and with it a known field whose value says nothing (null, ""), so that
the same API gives it back. Another API takes over what is a server's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from ..errors import FormatError
from ..loss import Loss
from ..model import FrozenMap, thaw
from ..projection import ABSENT
from ..response import HEAD, Event, Response, ResponseChoice, Usage
from .chat.calls import index_of
from .counts import CHAT

Name = Literal["chat", "completions"]
_PREFIXES: Final = {"chat": "chatcmpl-", "completions": "cmpl-"}
OBJECTS: Final = {"chat": "chat.completion", "completions": "text_completion"}
#: Fields of a Chat body that Completions has no place for.
CHAT_ONLY: Final = ("service_tier", "moderation")
#: Fields that each API writes from the neutral value, whatever another API said of them.
OWN: Final = frozenset({
    *HEAD, "object", "choices", "usage", "index", "message", "delta", "text", "finish_reason", "logprobs",
})  # fmt: skip


def choices_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the choices of a body or a chunk, none where it has none. Raises FormatError where they are malformed."""
    choices = body.get("choices")
    if choices is None:
        return []
    if not isinstance(choices, list):
        raise FormatError("the choices of an answer are not a list", path="$.choices")
    for position, choice in enumerate(choices):
        if not isinstance(choice, Mapping):
            raise FormatError(f"choice {position} of an answer is not an object", path=f"$.choices[{position}]")
    return choices


def indices_of(choices: list[Mapping[str, Any]], *, whole: bool = False) -> list[int]:
    """Return the index of every choice: its own, else its position.

    A ``whole`` body whose choices are all numbered 0 has them numbered anew: they stay apart.
    """
    own = [index_of(choice, "a choice") for choice in choices]
    found = [position if index is None else index for position, index in enumerate(own)]
    return list(range(len(found))) if whole and len(set(found)) < len(found) else found


def known(value: Any, kind: type) -> bool:
    """Return whether a field says something: "" stands for "unknown" on some servers."""
    return value is not None and value != "" and isinstance(value, kind)


def read_head(body: Mapping[str, Any], api: Name) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the neutral fields beside the choices of a whole body, and the others."""
    fields = {name: body[name] for name, kind in HEAD.items() if known(body.get(name), kind)}
    rest = {name: value for name, value in body.items() if name not in fields and name not in ("choices", "usage")}
    if isinstance(body.get("usage"), Mapping):
        fields["usage"] = read_usage(body["usage"])
    elif "usage" in body:
        rest["usage"] = body["usage"]
    if rest.get("object") == OBJECTS[api]:
        del rest["object"]
    elif "object" not in rest:
        rest["object"] = ABSENT
    return fields, rest


def write_head(response: Response, api: Name, root: str, losses: list[Loss]) -> dict[str, Any]:
    """Return the fields of a whole body before its choices."""
    fields: dict[str, Any] = {"id": id_for(api, response.id, response.native), "object": OBJECTS[api]}
    fields |= {"created": response.created, "model": response.model, "system_fingerprint": response.system_fingerprint}
    found = {name: value for name, value in fields.items() if value is not None}
    return _with(found, beside(response.native, api, root, losses), "object")


def _with(found: dict[str, Any], further: Mapping[str, Any], made: str) -> dict[str, Any]:
    """Return fields with further ones beside them; ``made`` names the one that stands only where the source had it.

    What the neutral value says stands: a further field of the same name is one that said nothing.
    """
    if further.get(made) == ABSENT:
        del found[made]
    elif made in further:
        found[made] = further[made]
    return found | {name: value for name, value in further.items() if name not in found and name != made}


def beside(native: FrozenMap, api: Name, root: str, losses: list[Loss]) -> dict[str, Any]:
    """Return the further fields of a body or a choice: its own, or those that its server added in the other API."""
    if api in native:
        own: dict[str, Any] = thaw(native[api])
        return own
    found: dict[str, Any] = {}
    for fields in (native[name] for name in native if name in OBJECTS):
        found |= crossing(thaw(fields), api, root, losses)
    return found


def crossing(fields: Mapping[str, Any], api: Name, root: str, losses: list[Loss]) -> dict[str, Any]:
    """Return the fields of another API that a body of this one takes over."""
    found = {name: value for name, value in fields.items() if name not in OWN}
    for name in CHAT_ONLY if api == "completions" else ():
        if found.pop(name, None) is not None:
            losses.append(Loss(f"{root}.{name}", "field-dropped"))
    return found


def head_of_chunk(event: Event, api: Name, losses: list[Loss]) -> dict[str, Any]:
    """Return the fields that an event of the head adds to every chunk of a stream."""
    fields, source = event.value, (event.name or "",)
    if api in source:
        return dict(fields)
    found = {name: fields[name] for name in HEAD if name in fields} | crossing(fields, api, "$", losses)
    return found | ({"id": id_for(api, found["id"], source)} if "id" in found else {})


def id_for(api: Name, id_: str | None, native: Collection[str]) -> str | None:
    """Return an id with the prefix that the API gives its own.

    >>> id_for("completions", "chatcmpl-1", ["chat"])
    'cmpl-1'
    """
    if id_ is None or api in native or id_.startswith(_PREFIXES[api]):
        return id_
    return _PREFIXES[api] + id_.removeprefix(_PREFIXES["completions" if api == "chat" else "chat"])


def of_choice(choice: Mapping[str, Any], content: str) -> dict[str, Any]:
    """Return the fields of a choice beside its ``content`` that no neutral field holds."""
    rest = {name: value for name, value in choice.items() if name != content and not _carries(name, value)}
    return rest if "index" in choice else rest | {"index": ABSENT}


def _carries(name: str, value: Any) -> bool:
    if name == "logprobs":
        return isinstance(value, Mapping)
    return name in ("index", "finish_reason") and value is not None and value != ""


def write_choice(
    choice: ResponseChoice, content: dict[str, Any], further: Mapping[str, Any], api: Name
) -> dict[str, Any]:
    """Return a choice of a body: its index, content, end and further fields."""
    own = api in choice.native
    ends = {"finish_reason": choice.finish_reason, "logprobs": content.pop("logprobs")}
    found: dict[str, Any] = {"index": choice.index, **content}
    found |= {name: value for name, value in ends.items() if value is not None or not own}
    return _with(found, further, "index")


# usage ----------------------------------------------------------------------------------------------


def read_usage(value: Mapping[str, Any]) -> Usage:
    """Read the ``usage`` of a body.

    >>> read_usage({"prompt_tokens": 3, "completion_tokens": 2}).total_tokens
    5
    """
    return CHAT.read(value)


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return the ``usage`` of a body: as the server stated it, with the counts that were changed since."""
    return CHAT.write(usage, own=True)


def sum_usage(usages: list[Usage]) -> Usage | None:
    """Return what several usages make, the only one as it is."""
    if len(usages) < 2:
        return usages[0] if usages else None
    totals = {name: sum(getattr(usage, name) for usage in usages) for name in ("prompt_tokens", "completion_tokens")}
    return Usage(**totals, source=usages[0].source)
