"""Streams of Bedrock Converse: the events of ``converse_stream`` in, neutral events out, and back.

Rule: an event is an object with one field, its name. Texts and reasoning begin with their first piece,
calls with ``contentBlockStart``; a block of any other kind is kept until it is whole. The tokens come
last, with the metrics. An exception among the events is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import FrozenMap, OtherPart
from ...response import Event
from ..answers import END
from ..fields import dig, joined
from ..writers import BlockWriter
from .request import CITED
from .response import ANSWERS

#: Padding of an event, which hides its length on the wire; no field of the answer.
_PADDING: Final = "p"
_ERRORS: Final = frozenset({
    "internalServerException", "modelStreamErrorException", "validationException", "throttlingException",
    "serviceUnavailableException",
})  # fmt: skip


class StreamReader:
    """Feed it the events of a stream, get neutral events.

    >>> reader = StreamReader()
    >>> [event.text for event in reader.feed({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}})]
    ['Hi']
    """

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:  # as every reader
        self._kept: dict[int, dict[str, Any]] = {}
        self._calls: dict[int, int] = {}
        self._silent: set[int] = set()  # calls whose arguments have not begun
        self._citations: dict[int, list[Any]] = {}
        self._places: dict[int, str] = {}  # where a block began that is kept
        self._number = -1
        self.over = False  # the last event has come

    def feed(self, event: Mapping[str, Any]) -> list[Event]:
        """Take an event. Raises FormatError where it is malformed; an unknown one says nothing."""
        self._number += 1
        if "contentBlockDelta" in event:
            return self._grow(*_block(event, "contentBlockDelta", "delta"))
        if "contentBlockStart" in event:
            return self._begin(*_block(event, "contentBlockStart", "start"))
        if "contentBlockStop" in event:
            return self._stop(_index(_object(event, "contentBlockStop"), "$.contentBlockStop"))
        if "messageStart" in event:
            role = _object(event, "messageStart").get("role")
            start = Event("start", text=str(role or "assistant"), at=".messageStart.role")
            return [Event("head", name="bedrock", value={}), start]
        if "messageStop" in event:
            return self._end(_object(event, "messageStop"))
        if "metadata" in event:
            return self._last(_object(event, "metadata"))
        found = next((name for name in event if name.endswith("Exception")), None)
        return [Event("error", value={"type": found, **_object(event, found)})] if found else []

    def _begin(self, index: int, start: Mapping[str, Any]) -> list[Event]:
        call = start.get("toolUse")
        if not isinstance(call, Mapping):
            self._keep(index, start, "contentBlockStart.start")
            return []
        number = self._calls[index] = len(self._calls)
        self._silent.add(index)
        more = {name: value for name, value in call.items() if name not in ("toolUseId", "name")}
        value = {"toolUse": more} if more else {}
        id_, at = call.get("toolUseId"), ".contentBlockStart.start"
        return [Event("call", call=number, id=id_, name=call.get("name"), value=value, at=at)]

    def _keep(self, index: int, piece: Mapping[str, Any], at: str) -> None:
        self._places.setdefault(index, f"$[{self._number}].{at}")
        self._kept[index] = joined(dict(piece), self._kept.get(index, {}))

    def _grow(self, index: int, delta: Mapping[str, Any]) -> list[Event]:
        reasoning, at = delta.get("reasoningContent"), ".contentBlockDelta.delta"
        if isinstance(text := delta.get("text"), str):
            return [Event("text", text=text, call=index)]
        if isinstance(text := dig(delta, "toolUse.input"), str) and index in self._calls:
            self._silent -= {index} if text else set()
            return [Event("call", text=text, call=self._calls[index])] if text else []
        if isinstance(reasoning, Mapping) and "text" in reasoning:
            return [Event("reasoning", text=str(reasoning["text"]), call=index, at=f"{at}.reasoningContent.text")]
        if isinstance(reasoning, Mapping) and "signature" in reasoning:
            more = {"reasoningContent": {"reasoningText": {"signature": reasoning["signature"]}}}
            at = f"{at}.reasoningContent.signature"
            return [Event("more", call=index, name="signature", value=more, at=at)]
        if "citation" in delta:
            self._places.setdefault(index, f"$[{self._number}]{at}.citation")
            self._citations.setdefault(index, []).append(delta["citation"])
            return []
        self._keep(index, delta, at[1:])
        return []

    def _stop(self, index: int) -> list[Event]:
        if index in self._silent:
            self._silent.remove(index)
            return [Event("call", text="{}", call=self._calls[index])]
        at = self._places.get(index, "")
        if citations := self._citations.pop(index, None):
            value = CITED | {"citationsContent": {"citations": citations}}
            return [Event("more", call=index, name="citation", value=value, at=at)]
        block = self._kept.pop(index, None)
        return [Event("part", value=OtherPart(FrozenMap(block), "bedrock"), at=at)] if block else []

    def _end(self, stop: Mapping[str, Any]) -> list[Event]:
        end, note = ANSWERS.end_of(stop.get("stopReason"))
        more, at = _beside(stop, "stopReason"), ".messageStop"
        found = [Event("other", value=note, at=f"{at}.stopReason")] if END in note else []
        found += [Event("head", name="bedrock", value=more, at=at)] if more else []
        return [*found, Event("finish", text=end, at=f"{at}.stopReason")] if end else found

    def _last(self, metadata: Mapping[str, Any]) -> list[Event]:
        self.over = True
        more, at = _beside(metadata, "usage"), ".metadata"
        found = [Event("head", name="bedrock", value=more, at=at)] if more else []
        usage = metadata.get("usage")
        if not isinstance(usage, Mapping):
            return found
        return [*found, Event("usage", value=ANSWERS.counts.read(usage), at=f"{at}.usage")]


def _object(event: Mapping[str, Any], name: str, path: str = "$") -> Mapping[str, Any]:
    found = event.get(name)
    if not isinstance(found, Mapping):
        raise FormatError(f"an event of a stream has an object {name}", path=f"{path}.{name}")
    return found


def _beside(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in (name, _PADDING) and value is not None}


def _index(block: Mapping[str, Any], path: str) -> int:
    index = block.get("contentBlockIndex", 0)
    if type(index) is not int:
        raise FormatError("an event of a block has its index", path=f"{path}.contentBlockIndex")
    return index


def _block(event: Mapping[str, Any], name: str, inner: str) -> tuple[int, Mapping[str, Any]]:
    block = _object(event, name)
    return _index(block, f"$.{name}"), _object(block, inner, f"$.{name}")


class StreamWriter(BlockWriter):
    """Feed it neutral events, get those of Bedrock.

    >>> writer = StreamWriter()
    >>> [*map(list, writer.feed(Event("text", text="Hi")))]
    [['messageStart'], ['contentBlockDelta']]
    >>> _ = writer.feed(Event("finish", text="stop"))
    >>> [*map(list, writer.finish())]
    [['contentBlockStop'], ['messageStop'], ['metadata']]
    """

    answers = ANSWERS

    def opening(self) -> list[dict[str, Any]]:
        return [{"messageStart": {"role": "assistant"}}]

    def start(self, index: int, kind: str, event: Event) -> list[dict[str, Any]]:
        if kind != "call":
            return []
        call = {"toolUseId": event.id or f"tooluse_{index}", "name": event.name or ""}
        return [{"contentBlockStart": {"start": {"toolUse": call}, "contentBlockIndex": index}}]

    def delta(self, index: int, kind: str, text: str) -> list[dict[str, Any]]:
        delta: dict[str, Any] = {"text": text} if kind == "text" else {"toolUse": {"input": text}}
        return [{"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}]

    def stop(self, index: int) -> list[dict[str, Any]]:
        return [{"contentBlockStop": {"contentBlockIndex": index}}]

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        stated = dict(error) if isinstance(error, Mapping) else {"message": str(error)}
        kind = stated.pop("type", None)
        if kind not in _ERRORS:
            self.report.lose_at("$", "substituted", f"a stream of Bedrock has no {kind}")
            return [{"internalServerException": {"message": str(stated.get("message") or "")}}]
        return [{kind: stated}]

    def closing(self, word: str | None) -> list[dict[str, Any]]:
        usage = {} if self.usage is None else self.answers.counts.write(self.usage, own=False)
        unknown = ["metrics"] if usage else ["usage", "metrics"]
        self.report.lose_at("$", "synthesised", f"not known, and stated as 0: {', '.join(unknown)}")
        metadata = {"usage": usage or ANSWERS.needs["usage"], "metrics": ANSWERS.needs["metrics"]}
        return [{"messageStop": {"stopReason": word}}, {"metadata": metadata}]
