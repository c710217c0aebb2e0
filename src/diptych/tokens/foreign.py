"""Bodies of Anthropic, Gemini, Bedrock and Ollama, read as their converters do and counted as Chat.

How it works: the marks of its API tell such a body, and its reader and the writer of Chat give a body of
Chat. What Chat cannot carry is a range beside it, from nothing to its text; media that are dropped, and what
no conversion may change, leave the count unknown. Lines and errors name the places of the body that was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..apis.detection import MARKS, fits
from ..errors import FormatError, LossError, TokenError
from ..loss import Loss, Severity
from .shapes import expect
from .tally import Item

#: The APIs whose bodies are counted by way of Chat.
APIS: Final = frozenset({"anthropic", "gemini", "bedrock", "ollama"})
#: Fields of a body that only these APIs have. A field that servers of Chat take as well is no mark.
HEADS: Final = frozenset(mark for api in APIS for mark in MARKS[api] if mark.isidentifier()) | {"system"}
#: Where a body has its conversation and what declares it.
_TALK: Final = re.compile(r"\$\.(?:messages|contents|system|systemInstruction|system_instruction|tools|toolConfig)\b")
#: What names, marks or proves something and holds no text that a model reads.
_SILENT: Final = frozenset({
    "id", "signature", "thoughtSignature", "thought_signature", "cache_control", "cachePoint", "citations", "type",
    "is_error", "status", "data", "encrypted_content",
})  # fmt: skip
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class Foreign(NamedTuple):
    """A Chat body that is counted as the body of another API is, its further lines, and its places.

    ``reason`` says why there is no count.
    """

    body: Mapping[str, Any]
    items: tuple[Item, ...] = ()
    places: Mapping[int, str] = {}
    rest: str = "$"
    reason: str | None = None

    def place(self, path: str) -> str:
        """Return the place in the body that was given of a place in the Chat body."""
        head, bracket, tail = path.partition("$.messages[")
        if head or not bracket:
            return path
        index, _, tail = tail.partition("]")
        found = self.places.get(int(index))
        return self.rest if found is None else found


def is_foreign(body: Mapping[str, Any]) -> bool:
    """Say whether a body may be of another API: by its fields, or by parts that Chat does not know.

    >>> is_foreign({"contents": []}), is_foreign({"messages": [{"role": "user", "content": "Hi"}]})
    (True, False)
    """
    if not HEADS.isdisjoint(body):
        return True
    messages = body.get("messages")
    return isinstance(messages, list | tuple) and any(map(_is_odd, messages))


def _is_odd(message: Any) -> bool:
    if type(message) is not dict:
        return False
    content = message.get("content")
    if type(content) is list:
        return any(type(part) is dict and part.get("type") not in _CHAT_PARTS for part in content)
    return "images" in message


_CHAT_PARTS: Final = frozenset({"text", "image_url", "input_audio", "file", "refusal"})


def read_foreign(body: Mapping[str, Any], count: Any) -> Foreign | None:
    """Return the body of another API in the shape of Chat, None where it is one of Chat.

    ``count`` counts a text. Raises TokenError with the place of what is malformed.
    """
    if "contents" in body:
        expect(body["contents"], (str, list, tuple), "$.contents", "a list of contents")
    if "messages" in body:
        expect(body["messages"], (list, tuple), "$.messages", "a list")
    names = fits(body)
    if not names or not APIS.issuperset(names):
        if body.get("system") is not None:
            expect(body["system"], (str, list, tuple), "$.system", "a string or a list")
        if "contents" in body and "messages" not in body:
            raise TokenError("contents hold no content", path="$.contents")
        return None
    from ..conversion.bodies import convert_request

    try:
        found = convert_request(body, to="chat", source=names[0], on_loss="ignore")[0]
    except LossError as error:
        return Foreign(body, reason=f"the body has no equal in Chat: {error.message}")
    except FormatError as error:
        raise TokenError(error.message, path=error.path, hint=error.hint) from None
    if media := next((loss for loss in found.losses if loss.kind == "media-dropped"), None):
        return Foreign(body, reason=f"no rule is known for the media at {media.path}")
    items = tuple(_dropped(body, found.losses, count))
    output = found.output if isinstance(found.output, dict) else {"messages": found.output}
    return Foreign(output, items, *_places(body, output["messages"]))


def _dropped(body: Mapping[str, Any], losses: Sequence[Loss], count: Any) -> list[Item]:
    """Return a range for everything that Chat cannot carry. Raises TokenError for a text that is none."""
    items = []
    for loss in losses:
        if loss.severity < Severity.DROPPED or not _TALK.match(loss.path):
            continue
        name = loss.path.rpartition(".")[2]
        value = _value_at(body, loss.path)
        _check_text(value, loss.path)
        if name in _SILENT or value in (None, True, False):
            continue
        tokens = count(value if isinstance(value, str) else json.dumps(value, default=str))
        is_tool = loss.path.startswith(("$.tools", "$.toolConfig"))
        items.append(Item(loss.path, "dropped", 0, "approximate", 0, 2 * tokens + (1000 if is_tool else 8)))
    return items


def _check_text(value: Any, path: str) -> None:
    if path.endswith(".text"):
        expect(value, (str,), path, "a string")
    elif isinstance(value, Mapping) and value.get("text") is not None:
        expect(value["text"], (str, Mapping), f"{path}.text", "a string")


def _value_at(body: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        if isinstance(body, Mapping):
            body = body.get(name)
        elif isinstance(body, list | tuple) and index and int(index) < len(body):
            body = body[int(index)]
        else:
            return None
    return body


def _places(body: Mapping[str, Any], messages: Sequence[Any]) -> tuple[dict[int, str], str]:
    """Return the place of each Chat message in the body, where one turn is one message, and that of the others."""
    field = "contents" if "contents" in body else "messages"
    system = next((name for name in ("system", "systemInstruction", "system_instruction") if body.get(name)), None)
    turns = body.get(field)
    first = 1 if system is not None and messages and messages[0].get("role") == "system" else 0
    found = {0: f"$.{system}"} if first else {}
    if isinstance(turns, list | tuple) and len(messages) - first == len(turns):
        found |= {index + first: f"$.{field}[{index}]" for index in range(len(turns))}
    return found, f"$.{field}"
