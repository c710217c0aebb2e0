"""A request body of the OpenAI API, Chat or Completions, as a template.

====================================  ====================================================
``model``                             ``model``
``messages``                          messages; ``{{ name }}`` or ``{name}`` in a text is a hole
parts of the types text, image_url    text and ``{% image %}``; audio and files likewise
``prompt``                            a prompt; a list of one text is one
``tools``, ``response_format``        ``tools``, ``response_format``
``functions``, ``function_call``      lost: the form before tools
other fields                          ``params``; what may be a secret is lost
tool calls in a message               refused: they answer a question that is data
several prompts, token ids            refused
``system``: a body of Anthropic's     refused
marks of another template language    ambiguous: the language of a text is only known by its marks
====================================  ====================================================
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any, Final

from ...text.template_text import holes_of
from .draft import Draft, closed
from .holes import ended
from .jinja import syntax_of, write_message
from .languages import language_of
from .model import Layout, Source
from .pieces import Piece, write

_OWN: Final = {"model", "messages", "prompt", "tools", "response_format", "functions", "function_call"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a request body. Raises MigrationError."""
    value = source.object()
    for name in ("system", "anthropic_version"):
        if name in value:
            hint = "name the layout anthropic-request"
            raise draft.refuse("the body is one of Anthropic's API, not of OpenAI's", f"$.{name}", hint=hint)
    fill(value, draft)


def fill(value: Mapping[str, Any], draft: Draft) -> None:
    """Fill the draft from a body of Chat or Completions. Raises MigrationError."""
    settings = draft.without_holes({name: given for name, given in value.items() if name not in _OWN - {"model"}})
    draft.text_field("model", settings.pop("model", None))
    draft.request_params(settings)
    for name in ("functions", "function_call"):
        if value.get(name):
            draft.lose(f"$.{name}", "tools-dropped", "the form before tools")
    if value.get("tools") is not None:
        draft.tools(value["tools"])
    _read_format(value.get("response_format"), draft)
    prompt = value.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if isinstance(prompt, str):
        draft.prompt(ended(_jinja(prompt, draft, "$.prompt")))
    elif prompt is not None:
        raise draft.refuse("several prompts, or token ids, are not a template", "$.prompt")
    else:
        _read_messages(value.get("messages"), draft)


def _read_format(given: Any, draft: Draft) -> None:
    kind = given.get("type") if isinstance(given, Mapping) else given
    if kind == "json_schema":
        inner = given.get("json_schema")
        draft.response_format(inner, "$.response_format")
    else:
        draft.response_format(kind, "$.response_format")


def _read_messages(messages: Any, draft: Draft) -> None:
    if not isinstance(messages, list) or not messages:
        raise draft.refuse("there are no messages")
    for index, message in enumerate(messages):
        place = f"$.messages[{index}]"
        if not isinstance(message, Mapping):
            raise draft.refuse("a message is not an object", place)
        if message.get("tool_calls") or message.get("tool_call_id") or message.get("role") in ("tool", "function"):
            raise draft.refuse("tool calls and their results come with a history", place, hint="pass them as data")
        draft.drop(message, ("role", "content", "name"), place)
        source = _content(message.get("content"), place, draft)
        role = draft.role(message.get("role", "user"), place)
        write_message(role, source, draft, f"{place}.content", message.get("name"))


def _content(content: Any, place: str, draft: Draft) -> str:
    if isinstance(content, str):
        return _jinja(content, draft, f"{place}.content")
    if not isinstance(content, list):
        raise draft.refuse("a message without text cannot be migrated", place)
    parts = [_part(part, f"{place}.content[{number}]", draft) for number, part in enumerate(content)]
    is_text = [not part.startswith("{%") for part in parts if part]
    if any(left and right for left, right in itertools.pairwise(is_text)):
        draft.lose(f"{place}.content", "merged", "texts beside each other are one text")
    return "".join(closed(part) for part in parts)


def _part(part: Any, place: str, draft: Draft) -> str:
    """Return a part as text or a tag; what has no tag is lost."""
    kind = part.get("type") if isinstance(part, Mapping) else None
    inner = part.get(str(kind)) if isinstance(part, Mapping) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return _jinja(part["text"], draft, f"{place}.text")
    if kind == "image_url" and isinstance(inner, Mapping) and isinstance(inner.get("url"), str):
        detail = f" detail={inner['detail']!r}" if isinstance(inner.get("detail"), str) else ""
        return f"{{% image {_value(inner['url'], draft)}{detail} %}}"
    if kind == "input_audio" and isinstance(inner, Mapping) and isinstance(inner.get("data"), str):
        return f"{{% audio {_value(inner['data'], draft)} format={str(inner.get('format', 'wav'))!r} %}}"
    if kind == "file" and isinstance(inner, Mapping):
        data = inner.get("file_data") or inner.get("file_id")
        if isinstance(data, str) and data:
            name = f" filename={inner['filename']!r}" if isinstance(inner.get("filename"), str) else ""
            return f"{{% file {_value(data, draft)}{name} %}}"
    draft.lose(place, "media-dropped", "a part that has no tag")
    return ""


def _value(text: str, draft: Draft) -> str:
    """Return an address as an expression: one hole is an input, several are joined."""
    pieces: list[str] = []
    last = 0
    for hole in holes_of(text, syntax_of(text)):
        if before := text[last : hole.start]:
            pieces.append(repr(before))
        pieces.append(_named(hole.written, draft).strip("{} "))
        last = hole.end
    if text[last:] or not pieces:
        pieces.append(repr(text[last:]))
    return " ~ ".join(pieces)


def _jinja(text: str, draft: Draft, place: str) -> str:
    """Return a text as Jinja source; the language of its holes is only known by their marks."""
    for doubt in language_of(text).doubts:
        draft.doubt(f"{place}: {doubt}")
    pieces, last = [], 0
    for hole in holes_of(text, syntax_of(text)):
        pieces.append(Piece("text", text[last : hole.start]))
        is_brace = not re.match(r"\{\{|\{%|\{#", hole.written)
        if is_brace or hole.written == "{% raw %}":
            pieces.append(Piece("text", hole.written))
        elif hole.written.startswith("{{"):
            pieces.append(Piece("print", _named(hole.written, draft)))
        else:
            pieces.append(Piece("tag", hole.written))
        last = hole.end
    return write([*pieces, Piece("text", text[last:])])


def _named(hole: str, draft: Draft) -> str:
    """Return a hole with a name that Jinja takes for one."""
    found = re.fullmatch(r"\{\{(-?\s*)(\w+)(\s*-?)\}\}", hole)
    return f"{{{{{found[1]}{draft.input_name(found[2])}{found[3]}}}}}" if found else hole


def _is_certain(source: Source) -> bool:
    value = source.keys
    messages = value.get("messages")
    is_chat = isinstance(messages, list) and bool(messages) and all(
        isinstance(message, dict) and "role" in message for message in messages
    )  # fmt: skip
    has_prompt = is_chat or isinstance(value.get("prompt"), str)
    return source.name.endswith(".json") and isinstance(value.get("model"), str) and has_prompt


def _is_likely(source: Source) -> bool:
    return source.name.endswith(".json") and bool(source.keys.keys() & {"messages", "prompt"})


LAYOUT: Final = Layout("openai-request", read, _is_certain, _is_likely, rank=40)
