"""Bodies of the Responses API in the shape of Chat, for counting.

Rule: the instructions are a first system message, every item one message; each call is a message
of its own. The places of the items are kept, so that lines and errors name those of the body.
What the body does not hold (a stored response, a conversation, a stored prompt) cannot be counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..errors import TokenError
from .shapes import expect

#: What refers to text that the server keeps.
STORED: Final = ("previous_response_id", "conversation", "prompt")
_PARTS: Final = {"input_text": "text", "output_text": "text", "summary_text": "text", "text": "text"}


class Shape(NamedTuple):
    """A Chat body that is counted as the Responses body is, and the place of each of its messages."""

    body: dict[str, Any]
    paths: tuple[str, ...]

    def place(self, path: str) -> str:
        """Return the place in the Responses body of a place in the Chat body.

        >>> chat_shape({"input": "Hi"}).place("$.messages[0]")
        '$.input'
        """
        head, bracket, rest = path.partition("$.messages[")
        index, _, rest = rest.partition("]")
        return path if head or not bracket else self.paths[int(index)] + rest


def chat_shape(body: Mapping[str, Any]) -> Shape:
    """Return a Responses body in the shape of Chat. Raises TokenError on an input that is malformed.

    >>> chat_shape({"input": "Hi", "instructions": "Be brief."}).body["messages"][0]
    {'role': 'system', 'content': 'Be brief.'}
    """
    rows = list(_messages(body))
    found = {name: body[name] for name in ("tools", "tool_choice") if body.get(name) is not None}
    if (wanted := _format(body)) is not None:
        found["response_format"] = wanted
    return Shape({"messages": [message for _, message in rows], **found}, tuple(path for path, _ in rows))


def _messages(body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    instructions, given = body.get("instructions"), body.get("input")
    if instructions is not None:
        expect(instructions, (str, list, tuple), "$.instructions", "a string")
        if isinstance(instructions, str):
            yield "$.instructions", {"role": "system", "content": instructions}
        else:
            yield from _items(instructions, "$.instructions")
    if isinstance(given, str):
        yield "$.input", {"role": "user", "content": given}
    elif given is not None:
        expect(given, (list, tuple), "$.input", "a string or a list of items")
        yield from _items(given, "$.input")


def _items(items: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, item in enumerate(items):
        place = f"{path}[{index}]"
        expect(item, (Mapping,), place, "an object")
        read = _READERS.get(str(item.get("type") or "message"), _other)
        try:
            message = read(item)
        except TokenError as error:
            raise TokenError(error.message, path=f"{place}{(error.path or '$')[1:]}", hint=error.hint) from None
        beside = [items[at] for at in (index - 1, index + 1) if 0 <= at < len(items)]
        if message["role"] == "reasoning":
            message["is_open"] = bool(beside) and _is_call(beside[-1])
        elif _is_call(item) and any(map(_is_call, beside)):
            message["tool_calls"][0]["is_known"] = False  # several calls at once cost no more with their ids
        yield place, message


def _is_call(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("type") in ("function_call", "custom_tool_call")


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": item.get("role"), "content": _content(item.get("content"))}


def _content(content: Any) -> Any:
    return [_part(part) for part in content] if isinstance(content, list | tuple) else content


def _part(part: Any) -> Any:
    if not isinstance(part, Mapping):
        return part
    kind = part.get("type")
    if isinstance(kind, str) and kind in _PARTS:
        return {"type": "text", "text": part.get("text")}
    if kind == "input_image":
        image = {"url": part.get("image_url") or f"file:{part.get('file_id')}", "detail": part.get("detail")}
        return {"type": "image_url", "image_url": image}
    if kind == "input_file":
        return {"type": "file", "file": {"file_data": part.get("file_data")}}
    return dict(part)


def _call(item: Mapping[str, Any]) -> dict[str, Any]:
    expect(item.get("name"), (str,), "$.name", "a string")
    function = {"name": item.get("name"), "arguments": item.get("arguments", item.get("input"))}
    call = {"id": item.get("call_id"), "type": "function", "function": function, "is_known": bool(item.get("id"))}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _result(item: Mapping[str, Any]) -> dict[str, Any]:
    output = item.get("output")
    expect(output, (str, list, tuple), "$.output", "a string or a list of parts")
    return {"role": "tool", "tool_call_id": item.get("call_id"), "content": _content(output)}


def _reasoning(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "reasoning", "content": item.get("encrypted_content")}


def _other(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of a kind that no rule knows as a message with one part of that kind."""
    return {"role": "assistant", "content": [dict(item)]}


_READERS: Final = {
    "reasoning": _reasoning,
    "message": _message,
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _result,
    "custom_tool_call_output": _result,
}


def _format(body: Mapping[str, Any]) -> dict[str, Any] | None:
    text = body.get("text")
    wanted = text.get("format") if isinstance(text, Mapping) else None
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return None
    return {"type": "json_schema", "json_schema": {name: value for name, value in wanted.items() if name != "type"}}
