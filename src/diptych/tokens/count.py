"""Count the tokens of anything that can be sent: the public ``count``.

Rule: the count is what the API bills for input, itemised, with how sure it is. A model
that no rule was seen to hold for gets its family's rule and a range; a model of no
known family gets no number. Tokenising is offline; nothing is sent or downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..catalogue import DEFAULT_MODEL, serves
from ..catalogue.models import ModelInfo, model_info
from ..errors import TokenError
from ..request import Request
from .imagesize import Size
from .memo import LONGEST, message_memo
from .messages import Count, MessageCounter, PlainLine, plain_lines, text_of
from .rules import FAMILIES, FamilyRules, rules_of
from .schemas import render_schema
from .shapes import check_extras, expect, is_ids
from .tally import Basis, Item, weakest
from .tools import render_tools


class TokenCount(NamedTuple):
    """The tokens of a request's input, and how sure the number is.

    ``basis``: ``exact`` (a rule confirmed on recorded usage), ``fitted`` (a rule fitted on
    it), ``approximate`` (the truth lies between ``low`` and ``high``) or ``unknown``
    (``tokens`` is None and ``reason`` says why). ``items`` add up to ``tokens``.

    >>> count("Hello, world!", "gpt-5.4-mini").tokens
    4
    """

    tokens: int | None
    basis: Basis
    items: tuple[Item, ...]
    encoding: str | None
    low: int | None
    high: int | None
    model: str = DEFAULT_MODEL
    reason: str | None = None

    def __int__(self) -> int:
        if self.tokens is None:
            raise TokenError(self.reason or "the count is unknown")
        return self.tokens

    def to_json(self) -> dict[str, Any]:
        """Return the count as a JSON object."""
        found: dict[str, Any] = {
            "tokens": self.tokens,
            "basis": self.basis,
            "encoding": self.encoding,
            "low": self.low,
            "high": self.high,
            "model": self.model,
            "items": [_item_json(item) for item in self.items],
        }
        return {**found, "reason": self.reason} if self.reason else found


def _item_json(item: Item) -> dict[str, Any]:
    found = {"path": item.path, "kind": item.kind, "tokens": item.tokens, "basis": item.basis}
    return found if item.low is None else {**found, "low": item.low, "high": item.high}


def count(
    x: Any,
    model: str | None = None,
    *,
    api: str | None = None,
    image_sizes: Mapping[str, Size] | None = None,
) -> TokenCount:
    """Return the tokens that ``x`` costs as input of ``model``.

    ``x`` is a text, a list of texts or of token ids (Completions prompts), a list of
    messages, a whole request body of either API, or a rendered template. ``model``
    given here wins over the body's own; without either it is the catalogue's default model.
    ``image_sizes`` gives width and height in pixels of images that stand behind an address.
    Raises TokenError on what is none of these.

    >>> count([{"role": "user", "content": "Hi"}]).tokens
    7
    >>> [(item.kind, item.tokens) for item in count([{"role": "user", "content": "Hi"}]).items]
    [('message', 5), ('priming', 2)]
    """
    body = body_of(x, model=model, api=api)
    name = _name_of(model, body)
    info = model_info(name)
    if info.encoding is None:
        reason = f"no encoding and no counting rule is known for {name!r}"
        return TokenCount(None, "unknown", (), None, None, None, name, reason)
    counted = message_memo(info.encoding)
    if "messages" in body:
        items = _chat_items(body, info, counted, image_sizes)
    else:
        items = [*_prompt_items(body.get("prompt"), counted), *_suffix_items(body.get("suffix"), counted)]
    return _settle(items, info)


def _name_of(model: Any, body: Mapping[str, Any]) -> str:
    """Return the model that is meant: the caller's, else the body's own, else the default."""
    path, name = ("model", model) if model is not None else ("$.model", body.get("model"))
    if name is None:
        return DEFAULT_MODEL
    expect(name, (str,), path, "the name of a model")
    if not name.strip():
        raise TokenError("model is empty; expected the name of a model", path=path if path != "model" else None)
    return str(name)


def _settle(items: list[Item], info: ModelInfo) -> TokenCount:
    tokens = sum([item[2] for item in items])
    basis = weakest(items)
    low = high = tokens
    if basis == "exact" and info.is_recorded and info.known:
        return TokenCount(tokens, basis, tuple(items), info.encoding, low, high, info.name)
    if not info.is_recorded and items and items[0].kind not in ("text", "ids"):
        spread = round(tokens * 0.1) + len(items) + 8
        items.append(Item("$.model", "model", 0, "approximate", -min(spread, tokens), spread))
    elif not info.known and items:
        spread = round(tokens * 0.3) + 1
        items.append(Item("$.model", "model", 0, "approximate", -min(spread, tokens), spread))
    if basis == "approximate" or (items and items[-1].kind == "model"):
        basis = "approximate"
        ranges = [item.range for item in items]
        low, high = max(0, sum(low for low, _ in ranges)), sum(high for _, high in ranges)
    return TokenCount(tokens, basis, tuple(items), info.encoding, low, high, info.name)


# what x is -------------------------------------------------------------------------


def body_of(x: Any, *, model: str | None = None, api: str | None = None) -> Mapping[str, Any]:
    """Return the request body that is counted for ``x``: the one that would be sent.

    A text stays a text, and a body its own, unless ``api`` asks for another.

    >>> body_of("Hello")
    {'prompt': 'Hello'}
    """
    if api is None:
        if isinstance(x, str):
            return {"prompt": x}
        if isinstance(x, Mapping):
            if "messages" in x or "prompt" in x:
                return x
            raise TokenError("a body has messages or a prompt", path="$")
        if isinstance(x, list | tuple):
            is_chat = bool(x) and isinstance(x[0], Mapping)
            if not is_chat:
                return {"prompt": x}
            if model is None or serves(model, "chat") is not False or not serves(model, "completions"):
                return {"messages": x}
    if not isinstance(x, str | Mapping | list | Request):
        kind = type(x).__name__
        raise TokenError(f"{kind} cannot be counted", hint="give text, messages, a body or a rendered template")
    own = x.get("model") if isinstance(x, Mapping) else getattr(x, "model", None)
    named = _name_of(model, {"model": own})
    from ..conversion.requests import build

    return build(x, model=named, api=api, on_loss="ignore", checks=False).body


# Completions -----------------------------------------------------------------------


def _prompt_items(prompt: Any, counted: Count) -> list[Item]:
    if prompt is None:
        # The API reads a missing prompt as one <|endoftext|>.
        return [Item("$.prompt", "ids", 1)]
    if isinstance(prompt, str):
        return [Item("$.prompt", "text", counted(prompt))]
    if not isinstance(prompt, list | tuple):
        raise TokenError("a prompt is text, token ids or a list of either", path="$.prompt")
    if prompt and is_ids(prompt):
        return [Item("$.prompt", "ids", len(prompt))]
    return [_prompt_item(part, counted, f"$.prompt[{index}]") for index, part in enumerate(prompt)]


def _prompt_item(part: Any, counted: Count, path: str) -> Item:
    if isinstance(part, str):
        return Item(path, "text", counted(part))
    if isinstance(part, list | tuple) and is_ids(part):
        return Item(path, "ids", len(part))
    raise TokenError("a prompt in a list is text or token ids", path=path)


def _suffix_items(suffix: Any, counted: Count) -> list[Item]:
    if suffix is None:
        return []
    expect(suffix, (str,), "$.suffix", "a string")
    tokens = counted(suffix)
    return [Item("$.suffix", "suffix", tokens, "approximate", tokens, tokens + 4)] if tokens else []


# Chat ------------------------------------------------------------------------------

#: What a body may hold beside its messages that is billed.
_NEEDS_MORE: Final = frozenset({"tools", "functions", "response_format", "tool_choice", "function_call"})


def _chat_items(
    body: Mapping[str, Any], info: ModelInfo, counted: Count, sizes: Mapping[str, Size] | None
) -> list[Item]:
    messages = body["messages"]
    if not isinstance(messages, list | tuple):
        raise TokenError("messages are a list", path="$.messages")
    rules = rules_of(info.family, info.base)
    plain = plain_lines(info.encoding or "", info.family or "chat")
    if _NEEDS_MORE.isdisjoint(body):
        lines = _plain_items(messages, plain)
        items = (
            lines
            if lines is not None
            else MessageCounter(counted, rules, info.base, sizes=sizes).items(messages, plain)
        )
        if not rules.content_only:
            items.append(PRIMING[rules.priming])
        return items
    check_extras(body)
    functions, customs = _tools_of(body)
    schema = _schema_of(body)
    tag = rules.schema_tag + counted(str(schema.get("name", ""))) if schema else 0
    items = MessageCounter(counted, rules, info.base, tag=tag, sizes=sizes).items(messages, plain)
    if functions or schema:
        items += _section_items(messages, functions, schema, rules, counted)
    items += _custom_items(customs, counted)
    items += _choice_items(body, bool(functions), rules, counted)
    if tag and rules.tag_on_reply and not functions:
        items.append(Item("$.response_format", "schema_tag", tag, "fitted"))
    if not rules.content_only:
        items.append(PRIMING[rules.priming])
    return items


#: The line of the priming, by its tokens.
PRIMING: Final = {rules.priming: Item("$", "priming", rules.priming) for rules in FAMILIES.values()}


def _plain_items(messages: Sequence[Any], plain: PlainLine) -> list[Item] | None:
    """Return the lines of messages that are nothing but short texts, None where one is more."""
    items: list[Item] = []
    add = items.append
    for index, message in enumerate(messages):
        if type(message) is not dict or len(message) != 2:
            return None
        role, content = message.get("role"), message.get("content")
        if type(role) is not str or type(content) is not str or role == "tool" or len(content) > LONGEST:
            return None
        add(plain(index, role, content))
    return items


def _section_items(
    messages: Sequence[Any],
    functions: list[Mapping[str, Any]],
    schema: Mapping[str, Any] | None,
    rules: FamilyRules,
    counted: Count,
) -> list[Item]:
    """Return the lines of the sections that join the system message: tools, then the schema."""
    system = _system_of(messages, rules)
    border = rules.own_system
    if system is not None:
        # The section follows a blank line: what the border costs depends on the text before it.
        text = text_of(system)[-64:]
        joined = text.rstrip() if rules.leading_system else text
        border = counted(f"{joined}\n\n#") - counted(text) - 1
    items: list[Item] = []
    if functions:
        text = f"# Tools\n\n## functions\n\n{render_tools(functions, titles=rules.titles)}"
        tokens = counted(text) - 1 + (rules.tools if system is None else rules.tools_with_system)
        items.append(Item("$.tools", "tools", tokens + border, "fitted"))
        border = counted("functions\n\n#") - counted("functions") - 1
    if schema:
        items.append(Item("$.response_format", "schema", counted(render_schema(schema)) + border, "fitted"))
    return items


def _system_of(messages: Sequence[Any], rules: FamilyRules) -> Mapping[str, Any] | None:
    """Return the system or developer message that the sections join, if there is one."""
    if rules.leading_system:
        messages = messages[:1]
    return next((m for m in messages if isinstance(m, Mapping) and m.get("role") in ("system", "developer")), None)


def _custom_items(customs: list[Mapping[str, Any]], counted: Count) -> list[Item]:
    items = []
    for index, tool in enumerate(customs):
        tokens = counted(str(tool.get("name", ""))) + counted(str(tool.get("description") or "")) + 16
        items.append(Item(f"$.tools[{index}]", "custom_tool", tokens, "approximate", tokens // 2, tokens * 2 + 100))
    return items


def _choice_items(body: Mapping[str, Any], has_tools: bool, rules: FamilyRules, counted: Count) -> list[Item]:
    choice = body.get("tool_choice") or body.get("function_call")
    if choice == "none" and has_tools and rules.choice_none:
        return [Item("$.tool_choice", "tool_choice", rules.choice_none, "fitted")]
    if isinstance(choice, Mapping) and rules.choice_named is not None:
        function = choice.get("function")
        name = (function if isinstance(function, Mapping) else choice).get("name")
        if isinstance(name, str):
            return [Item("$.tool_choice", "tool_choice", rules.choice_named + counted(f".{name}"), "fitted")]
    return []


def _tools_of(body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the functions offered, and the tools that are no functions."""
    functions: list[Mapping[str, Any]] = []
    customs: list[Mapping[str, Any]] = []
    tools = body.get("tools") or body.get("functions") or ()
    for tool in tools if isinstance(tools, list | tuple) else ():
        if not isinstance(tool, Mapping):
            continue
        inner = tool.get("function")
        if isinstance(inner, Mapping):
            functions.append(inner)
        elif tool.get("type") in (None, "function") and tool.get("name"):
            functions.append(tool)
        else:
            custom = tool.get("custom")
            customs.append(custom if isinstance(custom, Mapping) else tool)
    return functions, customs


def _schema_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = body.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return None
    schema = wanted.get("json_schema")
    return schema if isinstance(schema, Mapping) else None
