"""Count the tokens of anything that can be sent: the public ``count``.

Rule: the count is what the API bills for input, itemised, with how sure it is. A model
that no rule was seen to hold for gets its family's rule and a range; a model of no
known family gets no number. Tokenising is offline; nothing is sent or downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from ..catalogue import DEFAULT_MODEL, serves
from ..catalogue.models import ModelInfo, model_info
from ..errors import TokenError
from ..request import Request
from ..views.card import Card, Table, shown_number
from ..views.shown import drawn_html, drawn_rich
from .basis import settle
from .chat import chat_items
from .foreign import HEADS, Foreign, is_foreign, read_foreign
from .imagesize import Size
from .memo import message_memo
from .messages import Count
from .responses import STORED, chat_shape
from .rules import rules_of
from .shapes import check_talk, expect, is_ids
from .tally import Basis, Item, weakest
from .tokenizer import Tokenizer, read_tokenizer, tokenizer_items
from .vendors import Vendor, vendor_items, vendor_of

#: What makes an object a request body.
_BODIES: Final = frozenset({"messages", "prompt", "input", "instructions", "contents"})
_RESPONSES: Final = frozenset({"input", "instructions"})


class ServerCounter(Protocol):
    """A client whose server counts the tokens of a request body itself."""

    def count_tokens(self, body: Mapping[str, Any]) -> int:
        """Return the number of input tokens that the server states."""


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

    def _card(self) -> Card:
        within = None if self.low == self.high else f"{shown_number(self.low)} to {shown_number(self.high)}"
        facts = {
            "model": self.model,
            "tokens": "unknown" if self.tokens is None else f"{self.tokens:,}",
            "range": within,
            "basis": self.basis,
            "encoding": self.encoding,
            "reason": self.reason,
        }
        rows = [(item.path, item.kind, shown_number(item.tokens), item.basis) for item in self.items]
        return Card("Tokens", facts, [Table("", ("where", "what", "tokens", "basis"), rows)] if rows else [])

    def _repr_html_(self) -> str:
        return drawn_html(self._card())

    def __rich__(self) -> Any:
        return drawn_rich(self._card())


def _item_json(item: Item) -> dict[str, Any]:
    found = {"path": item.path, "kind": item.kind, "tokens": item.tokens, "basis": item.basis}
    return found if item.low is None else {**found, "low": item.low, "high": item.high}


def count(
    x: Any,
    model: str | None = None,
    *,
    api: str | None = None,
    image_sizes: Mapping[str, Size] | None = None,
    tokenizer: Any = None,
    via: ServerCounter | None = None,
) -> TokenCount:
    """Return the tokens that ``x`` costs as input of ``model``.

    ``x`` is a text, a list of texts or of token ids (Completions prompts), a list of
    messages, a whole request body of any API or of Embeddings, or a rendered template. ``model``
    given here wins over the body's own; without either it is the catalogue's default model.
    ``image_sizes`` gives width and height in pixels of images that stand behind an address.
    ``tokenizer`` counts for any other model: a function from text to tokens, an object with
    ``encode``, a ``tokenizer.json`` or a GGUF file; messages are rendered by its chat template.
    ``via`` is a client, whose server is asked for its own count. Without either, a model of
    another vendor gets a range. Raises TokenError on what is none of these.

    >>> count([{"role": "user", "content": "Hi"}]).tokens
    7
    >>> [(item.kind, item.tokens) for item in count([{"role": "user", "content": "Hi"}]).items]
    [('message', 5), ('priming', 2)]
    """
    body = body_of(x, model=model, api=api)
    name = name_of(body, model=model)
    if via is not None:
        tokens = via.count_tokens({**body, "model": name})
        return TokenCount(tokens, "exact", (Item("$", "server", tokens),), None, tokens, tokens, name)
    ways = _Ways(name, image_sizes, None if tokenizer is None else read_tokenizer(tokenizer))
    if HEADS.isdisjoint(body) and not (ways.reads_texts and is_foreign(body)):
        try:
            found = ways.count(body)
        except TokenError:
            if (foreign := read_foreign(body, ways.count_text)) is None:
                raise
            return ways.count_foreign(foreign)
        # A part that Chat does not know may be one of another API.
        if found.basis in ("exact", "fitted") or not any(item.kind == "part" for item in found.items):
            return found
        foreign = read_foreign(body, ways.count_text)
        return found if foreign is None else ways.count_foreign(foreign)
    foreign = read_foreign(body, ways.count_text)
    return ways.count(body) if foreign is None else ways.count_foreign(foreign)


class _Ways:
    """The ways to count a body for one model: by rules, with a tokenizer, as a vendor's range."""

    def __init__(self, name: str, sizes: Mapping[str, Size] | None, tokenizer: Tokenizer | None) -> None:
        self.name, self.sizes, self.tokenizer = name, sizes, tokenizer
        self.info = model_info(name)
        self.vendor = vendor_of(name) if self.info.encoding is None and tokenizer is None else None
        #: Whether texts are counted wherever they stand, so that no line tells of an unknown part.
        self.reads_texts = self.tokenizer is not None or self.vendor is not None

    def count(self, body: Mapping[str, Any]) -> TokenCount:
        """Return the count of a body of Chat, Completions, Responses or Embeddings."""
        info = self.info
        if not self.reads_texts and info.encoding is not None and "messages" in body and "input" not in body:
            return _total(chat_items(body, info, rules_of(info.family, info.base), self.sizes), info, "chat")
        if self.tokenizer is not None:
            return _with_tokenizer(body, self.tokenizer, self.name)
        if self.vendor is not None:
            return _of_vendor(body, self.vendor, self.name)
        if (reason := _why_unknown(body, info)) is not None:
            return _unknown(self.name, reason)
        api = "responses" if is_responses(body, info) else "chat"
        return _total(_items(body, info, self.sizes), info, api)

    def count_text(self, text: str) -> int:
        """Return the tokens of a text, by o200k where nothing better is known."""
        return message_memo(self.info.encoding or "o200k_base")(text)

    def count_foreign(self, foreign: Foreign) -> TokenCount:
        """Return the count of a body of another API."""
        if foreign.reason is not None:
            return _unknown(self.name, foreign.reason)
        try:
            found = self.count(foreign.body)
        except TokenError as error:
            place = error.path and foreign.place(error.path)
            raise TokenError(error.message, path=place, hint=error.hint) from None
        if found.tokens is None:
            return found
        own = [item._replace(path=foreign.place(item.path)) for item in found.items]
        if not foreign.items:
            return found._replace(items=tuple(own))
        low, high = (sum(item.range[at] for item in foreign.items) for at in (0, 1))
        return found._replace(
            items=(*own, *foreign.items),
            basis="approximate",
            low=(found.low or 0) + low,
            high=(found.high or 0) + high,
        )


def _unknown(name: str, reason: str) -> TokenCount:
    return TokenCount(None, "unknown", (), None, None, None, name, reason)


def _with_tokenizer(body: Mapping[str, Any], tokenizer: Tokenizer, name: str) -> TokenCount:
    check_talk(body)
    is_talk = "messages" not in body and not _RESPONSES.isdisjoint(body)
    items = tokenizer_items(chat_shape(body).body if is_talk else body, tokenizer)
    return _added_up(items, tokenizer.name, name)


def _of_vendor(body: Mapping[str, Any], vendor: Vendor, name: str) -> TokenCount:
    check_talk(body)
    items = vendor_items(body, vendor)
    if items is None:
        return _unknown(name, f"no rule is known for media sent to {name!r}")
    return _added_up(items, "o200k_base", name)


def _added_up(items: list[Item], encoding: str, name: str) -> TokenCount:
    ranges = [item.range for item in items]
    tokens, low, high = sum(item.tokens for item in items), sum(low for low, _ in ranges), sum(h for _, h in ranges)
    return TokenCount(tokens, weakest(items), tuple(items), encoding, low, high, name)


def name_of(body: Mapping[str, Any], *, model: Any = None) -> str:
    """Return the model that is meant: the caller's, else the body's own, else the default."""
    path, name = ("model", model) if model is not None else ("$.model", body.get("model"))
    if name is None:
        path, name = "$.modelId", body.get("modelId")
    if name is None:
        return DEFAULT_MODEL
    expect(name, (str,), path, "the name of a model")
    if not name.strip():
        raise TokenError("model is empty; expected the name of a model", path=path if path != "model" else None)
    return str(name)


def _why_unknown(body: Mapping[str, Any], info: ModelInfo) -> str | None:
    if info.encoding is None:
        return f"no encoding and no counting rule is known for {info.name!r}"
    if "input" not in body:
        return None
    stored = next((name for name in STORED if body.get(name) is not None), None)
    return stored and f"{stored} refers to text that the server keeps and the request does not hold"


def _items(body: Mapping[str, Any], info: ModelInfo, sizes: Mapping[str, Size] | None) -> list[Item]:
    if "messages" in body:
        return chat_items(body, info, rules_of(info.family, info.base), sizes)
    counted = message_memo(info.encoding or "")
    if is_responses(body, info):
        return _responses_items(body, info, sizes)
    if "input" in body:
        return _prompt_items(body["input"], counted, "$.input")
    return [*_prompt_items(body.get("prompt"), counted), *_suffix_items(body.get("suffix"), counted)]


def is_responses(body: Mapping[str, Any], info: ModelInfo) -> bool:
    """Tell whether a body is one of the Responses API; that of Embeddings has an input as well."""
    return "messages" not in body and not _RESPONSES.isdisjoint(body) and info.family != "embedding"


def _responses_items(body: Mapping[str, Any], info: ModelInfo, sizes: Mapping[str, Size] | None) -> list[Item]:
    shape = chat_shape(body)
    try:
        items = chat_items(shape.body, info, rules_of(info.family, info.base, "responses"), sizes)
    except TokenError as error:
        raise TokenError(error.message, path=error.path and shape.place(error.path), hint=error.hint) from None
    found = [item._replace(path=shape.place(item.path)) for item in items]
    reasoning = body.get("reasoning")
    if isinstance(reasoning, Mapping) and reasoning.get("mode") == "pro":
        # Recorded on gpt-5.6: 1,511 on the first turn, up to 1,990 on the fifth.
        found.append(Item("$.reasoning.mode", "mode", 1511, "approximate", 1500, 2100))
    return found


def _total(items: list[Item], info: ModelInfo, api: str) -> TokenCount:
    if info.is_recorded and info.known:
        tokens = 0
        for item in items:
            if item[3] != "exact":
                break
            tokens += item[2]
        else:
            return TokenCount(tokens, "exact", tuple(items), info.encoding, tokens, tokens, info.name)
    tokens = sum(item[2] for item in items)
    items, basis, low, high = settle(items, info, api)
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
        if type(x) is not list and isinstance(x, Mapping):
            if _BODIES.isdisjoint(x):
                raise TokenError("a body has messages, a prompt or an input", path="$")
            return x
        if isinstance(x, list | tuple):
            is_chat = bool(x) and (type(x[0]) is dict or isinstance(x[0], Mapping))
            if not is_chat:
                return {"prompt": x}
            if model is None or serves(model, "chat") is not False or not serves(model, "completions"):
                return {"messages": x}
    if not isinstance(x, str | Mapping | list | Request):
        kind = type(x).__name__
        raise TokenError(f"{kind} cannot be counted", hint="give text, messages, a body or a rendered template")
    own = x.get("model") if isinstance(x, Mapping) else getattr(x, "model", None)
    named = name_of({"model": own}, model=model)
    from ..conversion.requests import build

    return build(x, model=named, api=api, on_loss="ignore", checks=False).body


# Completions -----------------------------------------------------------------------


def _prompt_items(prompt: Any, counted: Count, path: str = "$.prompt") -> list[Item]:
    if prompt is None:
        # The API reads a missing prompt as one <|endoftext|>.
        return [Item(path, "ids", 1)]
    if isinstance(prompt, str):
        return [Item(path, "text", counted(prompt))]
    if not isinstance(prompt, list | tuple):
        raise TokenError(f"{path[2:]} is text, token ids or a list of either", path=path)
    if prompt and is_ids(prompt):
        return [Item(path, "ids", len(prompt))]
    return [_prompt_item(part, counted, f"{path}[{index}]") for index, part in enumerate(prompt)]


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
