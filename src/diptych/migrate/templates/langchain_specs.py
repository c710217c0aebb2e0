"""Specs of LangChain's prompts and messages, and how LangChain puts them together.

Rule: what ``+``, ``append`` and examples make is what langchain_core's own classes make of it: a
text among messages is one of the user, in the notation of f-strings.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from .langchain import meaning_of
from .python_values import NotLiteral


class Prompt(dict[str, Any]):
    """The spec of a prompt."""


class Message(dict[str, Any]):
    """The spec of a message or placeholder."""


def chat_of(messages: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a chat prompt."""
    return {**given, "_type": "chat", "messages": messages}


def messages_of(entry: Any, form: Any, node: ast.AST) -> list[dict[str, Any]]:
    """Return the messages that an entry of a list of messages stands for. Raises NotLiteral."""
    if isinstance(entry, Prompt):
        if entry.get("_type") != "chat" or entry.get("partial_variables"):
            raise NotLiteral(node, "a prompt of this kind among messages is not read")
        return [dict(one) for one in entry["messages"]]
    return [_message(entry, form, node)]


def _message(entry: Any, form: Any, node: ast.AST) -> dict[str, Any]:
    formatted = {"template_format": form} if form else {}
    if isinstance(entry, Message):
        return dict(entry)
    if isinstance(entry, str):
        return {"role": "user", "template": entry, **formatted}
    if isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str):
        return _pair(entry[0], entry[1], formatted)
    if isinstance(entry, Mapping):
        if isinstance(entry.get("content"), str) and "role" in entry:
            return {"role": entry["role"], "template": entry["content"], **formatted}
        return dict(entry)
    raise NotLiteral(node, "a message is neither a role with a text nor a class that is read")


def _pair(role: str, content: Any, formatted: Mapping[str, Any]) -> dict[str, Any]:
    if role == "placeholder":
        is_optional = not isinstance(content, list) or len(content) < 2 or bool(content[1])
        name = content[0] if isinstance(content, list) and content else content
        return {"variable_name": str(name).strip("{}"), "optional": is_optional}
    if isinstance(content, list):
        return {"role": role, "prompt": [part if isinstance(part, Mapping) else {"text": part} for part in content]}
    return {"role": role, "template": content, **formatted}


def sum_of_texts(left: Prompt, right: Any, node: ast.expr) -> Prompt:
    """Return what ``+`` makes of a prompt and a text or another prompt. Raises NotLiteral."""
    form = left.get("template_format") or "f-string"
    if isinstance(right, str):
        right = Prompt(template=right, _type="prompt", template_format=form)
    if not isinstance(right, Prompt) or right.get("_type") != "prompt":
        raise NotLiteral(node, "only a text or a prompt is put behind a prompt")
    if (right.get("template_format") or "f-string") != form:
        raise NotLiteral(node, "LangChain puts no prompts of two formats together")
    partials, more = left.get("partial_variables") or {}, right.get("partial_variables") or {}
    if partials.keys() & more.keys():
        raise NotLiteral(node, "both prompts have a value for one name")
    found = {**left, "template": f"{left.get('template')}{right.get('template')}"}
    names = [*(left.get("input_variables") or ()), *(right.get("input_variables") or ())]
    found |= {"input_variables": names} if names else {}
    return Prompt(found, partial_variables={**partials, **more}) if partials or more else Prompt(found)


def few_shot_chat(given: Mapping[str, Any], node: ast.AST) -> dict[str, Any]:
    """Return the spec of a chat prompt of examples, each written out. Raises NotLiteral."""
    inner, examples = given.get("example_prompt"), given.get("examples")
    if not isinstance(examples, list) or inner is None:
        raise NotLiteral(node, "examples that are chosen when it runs cannot be seen")
    written = messages_of(inner, None, node)
    messages = [_example(one, example, node) for example in examples for one in written]
    rest = {name: value for name, value in given.items() if name not in ("example_prompt", "examples")}
    return chat_of(messages, rest)


def _example(message: Mapping[str, Any], example: Any, node: ast.AST) -> dict[str, Any]:
    if isinstance(message.get("content"), str):
        return dict(message)
    text = message.get("template")
    if not isinstance(text, str) or not isinstance(example, Mapping):
        raise NotLiteral(node, "an example is not text with values for it")
    try:
        said = meaning_of(text, message.get("template_format") or "f-string", example)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise NotLiteral(node, "an example does not fit its prompt") from None
    return {"role": message.get("role"), "content": said}
