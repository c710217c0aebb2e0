"""What messages cost: their text, names, tool calls and results, images and files.

Rule: a message is its border, its role and its text; text parts are joined without a
separator and split as one. The constants are rows of :mod:`.rules`; every message
gives one line, and every part that is not text one more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from .images import image_way
from .imagesize import Size, data_url_bytes, data_url_size, decode_base64
from .media import AUDIO_EXTRA, audio_range, file_range
from .memo import LONGEST
from .plain import PlainLine, plain_line
from .rules import FamilyRules
from .shapes import check_message
from .tally import Item

Count = Callable[[str], int]

#: What stands for several calls at once, and answers them, as recorded usage shows.
_PARALLEL: Final = "multi_tool_use.parallel"


class MessageCounter:
    """Counts the messages of one request; remembers which call each result answers."""

    def __init__(
        self, count: Count, rules: FamilyRules, model: str, *, tag: int = 0, sizes: Mapping[str, Size] | None = None
    ) -> None:
        self.count = count
        self.rules = rules
        self.model = model
        self.tag = tag
        self.sizes = sizes or {}
        self.names: dict[str, str] = {}
        self.parallel: dict[str, list[tuple[int, str]]] = {}

    def items(self, messages: Sequence[Mapping[str, Any]], plain: PlainLine) -> list[Item]:
        """Return the lines of all messages. Raises TokenError on what is not a message.

        ``plain`` gives the line of a message that is nothing but a role and a text.
        """
        items: list[Item] = []
        add, tagged = items.append, bool(self.tag)
        for index, message in enumerate(messages):
            try:
                role, content = message["role"], message["content"]
            except (TypeError, KeyError, IndexError):
                check_message(message, f"$.messages[{index}]")
                role, content = message["role"], message.get("content")
            if (
                type(content) is str
                and len(message) == 2
                and len(content) <= LONGEST
                and type(role) is str
                and role != "tool"
                and not (tagged and role == "assistant")
            ):
                add(plain(index, role, content))
            else:
                self._add(items, message, role, f"$.messages[{index}]")
        if self.parallel:
            for results in {id(group): group for group in self.parallel.values()}.values():
                self._join_results(items, results)
        return items

    def _add(self, items: list[Item], message: Mapping[str, Any], role: str, path: str) -> None:
        if role == "reasoning":
            items.append(_reasoning(message, path))
            return
        check_message(message, path)
        text = text_of(message)
        if self.rules.content_only:
            items.append(Item(path, "message", self.count(text)))
        elif role == "tool":
            self._add_result(items, message, text, path)
        elif role == "assistant" and (message.get("tool_calls") or message.get("function_call")):
            self._add_calls(items, message, text, path)
        else:
            self._add_plain(items, message, role, text, path)
        if isinstance(message.get("content"), list | tuple):
            self._add_parts(items, message["content"], path)
        if message.get("images"):  # of Ollama
            self._add_parts(items, [{"images": message["images"]}], path)

    def _add_plain(self, items: list[Item], message: Mapping[str, Any], role: str, text: str, path: str) -> None:
        rules = self.rules
        is_past = role == "assistant"
        tokens = rules.message + self.count(role) + self.count(text) + (rules.past_assistant if is_past else 0)
        items.append(plain_line(path, role, tokens))
        self._add_name(items, message, path)
        if is_past and self.tag:
            items.append(Item(path, "schema_tag", self.tag, "fitted"))

    def _add_name(self, items: list[Item], message: Mapping[str, Any], path: str) -> None:
        if isinstance(message.get("name"), str) and message["name"]:
            items.append(Item(f"{path}.name", "name", self.count(f":{message['name']}")))

    # tool calls and results ----------------------------------------------------------

    def _add_result(self, items: list[Item], message: Mapping[str, Any], text: str, path: str) -> None:
        rules, call = self.rules, str(message.get("tool_call_id"))
        if call in self.parallel:
            value = json.dumps(_structure(text))
            self.parallel[call].append((len(items), value))
            items.append(Item(path, "tool_results", self.count(value), "fitted"))
            return
        name = self.names.get(call) or message.get("name") or ""
        tokens = rules.result + self.count(f"functions.{name}") + self.count(text) + rules.channel
        items.append(Item(path, "tool_result", tokens, "fitted"))

    def _join_results(self, items: list[Item], results: list[tuple[int, str]]) -> None:
        """Add what the results of several calls cost as one list to the line of the first."""
        if not results:
            return
        rules, first = self.rules, results[0][0]
        joined = rules.results + self.count(_PARALLEL) + self.count(f"[{', '.join(text for _, text in results)}]")
        own = sum(items[index].tokens for index, _ in results)
        item = items[first]._replace(tokens=items[first].tokens + joined + rules.channel - own)
        # All but ASCII was escaped until 2026-02; recordings of gpt-4o since 2026-03 bill it as it is.
        less = sum(self.count(text) - self.count(_unescaped(text)) for _, text in results if "\\u" in text)
        items[first] = item._replace(basis="approximate", low=item.tokens - less, high=item.tokens) if less else item

    def _add_calls(self, items: list[Item], message: Mapping[str, Any], text: str, path: str) -> None:
        rules = self.rules
        calls = _calls(message, raw=rules.raw_arguments)
        self.names.update((call.id, call.name) for call in calls)
        if text:
            items.append(Item(path, "message", rules.message + 1 + self.count(text) + rules.past_assistant))
        self._add_name(items, message, path)
        if len(calls) == 1:
            name, arguments = calls[0].name, calls[0].arguments
            known = rules.known_call if calls[0].is_known else 0
            tokens = rules.call + self.count(name) + self.count(arguments) + rules.channel + known
            line = Item(f"{path}.tool_calls", "tool_call", tokens, "fitted")
            if known:  # with the server's id, one recording of nine bills nothing more
                line = line._replace(basis="approximate", low=tokens - known, high=tokens)
            is_json = arguments[:1] == "{"  # of arguments that are not an object there is one recording
            items.append(line if is_json else line._replace(basis="approximate", low=tokens - 4, high=tokens + 4))
            return
        results: list[tuple[int, str]] = []
        self.parallel.update((call.id, results) for call in calls)
        uses = ",".join(f'{{"recipient_name":"functions.{c.name}","parameters":{c.arguments}}}' for c in calls)
        tokens = (
            rules.parallel + self.count(f" to={_PARALLEL}") + self.count(f'{{"tool_uses":[{uses}]}}') + rules.channel
        )
        items.append(Item(f"{path}.tool_calls", "tool_calls", tokens, "fitted"))

    # images, audio, files --------------------------------------------------------------

    def _add_parts(self, items: list[Item], parts: Sequence[Any], path: str) -> None:
        for index, part in enumerate(parts):
            kind = part.get("type") if isinstance(part, Mapping) else "text"
            place = f"{path}.content[{index}]"
            if kind == "image_url":
                items.append(self._image(part.get("image_url"), place))
            elif kind == "input_audio":
                items.append(_audio(part.get("input_audio"), place))
            elif kind == "file":
                items.append(_file(part.get("file"), place))
            elif kind not in ("text", "refusal"):
                items.append(Item(place, "part", 0, "approximate", 0, 1 + len(json.dumps(part, default=str))))

    def _image(self, image: Any, path: str) -> Item:
        image = image if isinstance(image, Mapping) else {"url": image}
        url, detail = str(image.get("url") or ""), image.get("detail")
        way = image_way(self.model)
        if way is None:
            # The widest range of any way: a model that is not known may bill either.
            return Item(path, "image", 765, "approximate", 1, 48_169)
        size = self.sizes.get(url) or data_url_size(url)
        if size is None:
            low, expected, high = way.bounds(detail)
            return Item(path, "image", expected, "approximate", low, high)
        tokens = way.tokens(size, detail)
        if way.is_recorded:
            return Item(path, "image", tokens, "fitted")
        return Item(path, "image", tokens, "approximate", int(tokens * 0.6), int(tokens * 1.7) + 1)


def _reasoning(message: Mapping[str, Any], path: str) -> Item:
    """Return the line of reasoning that is sent back; the model sees it while it still works on its calls."""
    hidden = len(message.get("content") or "")
    tokens = 36 if message.get("is_open") else 0
    return Item(path, "reasoning", tokens, "approximate", 0, 64 + hidden // 2)


def _audio(audio: Any, path: str) -> Item:
    data = audio.get("data") if isinstance(audio, Mapping) else None
    decoded = decode_base64(data) if isinstance(data, str) else None
    low, tokens, high = audio_range(decoded, len(data or "") * 3 // 4)
    return Item(path, "audio", max(tokens, AUDIO_EXTRA), "approximate", low, high)


def _file(file: Any, path: str) -> Item:
    data = file.get("file_data") if isinstance(file, Mapping) else None
    decoded = (data_url_bytes(data) or decode_base64(data)) if isinstance(data, str) else None
    low, tokens, high = file_range(decoded)
    return Item(path, "file", tokens, "approximate", low, high)


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a wire message: its text parts joined without a separator.

    >>> text_of({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})
    'ab'
    """
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        refusal = message.get("refusal")
        return refusal if isinstance(refusal, str) else ""
    return "".join(_part_text(part) for part in content)


def _part_text(part: Any) -> str:
    if isinstance(part, Mapping):
        part = part.get("text") or part.get("refusal")
    return part if isinstance(part, str) else ""


class _Call(NamedTuple):
    id: str
    name: str
    arguments: str
    is_known: bool


def _calls(message: Mapping[str, Any], *, raw: bool = False) -> list[_Call]:
    """Return the calls of an assistant message, their arguments as compact JSON unless ``raw``."""
    calls = message.get("tool_calls") or [{"function": message.get("function_call")}]
    read = []
    for call in calls if isinstance(calls, list | tuple) else ():
        call = call if isinstance(call, Mapping) else {}
        function = call.get("function") or call.get("custom")
        function = function if isinstance(function, Mapping) else {}
        given = function.get("arguments", function.get("input"))
        arguments = given if raw and isinstance(given, str) else compact_json(given)
        read.append(
            _Call(str(call.get("id", "")), str(function.get("name") or ""), arguments, bool(call.get("is_known")))
        )
    return read


def _unescaped(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False)


def _structure(text: str) -> Any:
    """Return the object or list that a text is in JSON, any other text as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def compact_json(text: Any) -> str:
    """Return JSON text without white space between its tokens; other text as it is.

    The API reads the arguments of a call and writes them anew.

    >>> compact_json('{"a": 1, "b": [2, 3]}')
    '{"a":1,"b":[2,3]}'
    """
    if not isinstance(text, str):
        return "" if text is None else json.dumps(text, separators=(",", ":"), ensure_ascii=False, default=str)
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
