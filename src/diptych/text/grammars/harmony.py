"""Harmony, the format of gpt-oss: headers with a channel, reasoning and tool calls kept.

``<|start|>role[ to=recipient][<|channel|>channel][ <|constrain|> json]<|message|>content<|end|>``

- ``system`` is written as ``developer`` under ``# Instructions`` (``renamed``): Harmony keeps
  its own ``system`` for facts about the model. Where a conversation has both, or a system
  text that is such a fact sheet, each keeps its role
- reasoning up to the first answer is left out, as OpenAI's renderer does (``by-format-rule``)
- an assistant's reasoning is the channel ``analysis``, its text ``final`` (``commentary``
  beside tool calls), a tool call ``to=functions.NAME`` on ``commentary``, with ``<|call|>``; the
  recipient is read in the role and in the channel
- a tool result comes from ``functions.NAME`` to the assistant; ids of calls are made anew
  (``call_0``, ``call_1`` …: ``substituted`` where they were others)
- the cue is ``<|start|>assistant``; the stops are ``<|return|>`` and ``<|call|>``; a stored
  ``<|return|>`` reads as ``<|end|>`` (``substituted``)
- tools are declared as TypeScript behind the developer's text, or alone; what TypeScript cannot say of their
  schemas is reported (``substituted``)
- names, images and audio are lost
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ...loss import Loss
from ...model import Conversation, Cue, Message, ReasoningPart, Segment, ToolCall, ToolSpec
from ..grammar import Grammar, Turn
from ..typescript import read_tools, write_tools

if TYPE_CHECKING:
    from ..paper import Paper

_INSTRUCTIONS: Final = "# Instructions\n\n"
_HEADER: Final = re.compile(
    r"(?P<role>[^\s<]+)(?: to=(?P<to>[^\s<]+))?(?:<\|channel\|>(?P<channel>\w+)(?: to=(?P<to2>[^\s<]+))?)?"
    r"(?: ?<\|constrain\|> ?\w+| \w+)?\Z"
)
_TURN: Final = re.compile(r"<\|start\|>(.{0,200}?)<\|message\|>", re.DOTALL)
_END: Final = re.compile(r"<\|(?:end|call|return)\|>")
_CUE: Final = "<|start|>assistant"


def write_harmony(
    conversation: Conversation, paper: Paper, contents: Sequence[Sequence[Segment]], *, cue: bool, keep_reasoning: bool
) -> list[Loss]:
    """Write a conversation on paper; ``contents`` are the guarded texts of its messages."""
    losses: list[Loss] = []
    names: dict[str, str] = {}
    settled = -1 if keep_reasoning else _settled(conversation.messages)
    both = {m.role for m in conversation.messages} >= {"system", "developer"}
    tools = write_tools(conversation.tools) if conversation.tools else ""
    host = _host(conversation.messages, both) if tools else -1
    if tools and host < 0:
        paper.mark(f"<|start|>developer<|message|>{tools}<|end|>")
    if tools and read_tools(tools)[1] != conversation.tools:
        losses.append(Loss("$.tools", "substituted", "TypeScript says less than their schemas"))
    for index, message in enumerate(conversation.messages):
        if message.role in ("system", "developer"):
            _write_system(index, message, paper, contents[index], both, losses, tools if index == host else "")
        elif message.role == "assistant":
            if index <= settled and message.reasoning:
                losses.append(
                    Loss(f"$.messages[{index}].reasoning", "by-format-rule", "analysis before the first answer")
                )
                message = message.replace(parts=[part for part in message.parts if not isinstance(part, ReasoningPart)])
            _write_assistant(index, message, paper, contents[index], names, losses)
        else:
            header = (
                "user" if message.role == "user" else f"{_sender(message, names)} to=assistant<|channel|>commentary"
            )
            _turn(paper, index, header, contents[index])
    if cue:
        paper.mark(_CUE)
    return losses


def _host(messages: Sequence[Message], both: bool) -> int:
    """Return the first message that is written as the developer's, -1 for none before another turn."""
    for index, message in enumerate(messages):
        if message.role not in ("system", "developer"):
            return -1
        if message.role == "developer" or not (both or _is_fact_sheet(message.text)):
            return index
    return -1


def _settled(messages: Sequence[Message]) -> int:
    """Return the last message whose analysis is left out: the first answer, where the last reply is an answer, too.

    The rule of OpenAI's renderer (openai-harmony 0.0.8).
    """
    replies = [(index, not message.tool_calls) for index, message in enumerate(messages) if message.role == "assistant"]
    return next((index for index, is_answer in replies if is_answer), -1) if replies and replies[-1][1] else -1


def _turn(paper: Paper, index: int, header: str, content: Sequence[Segment], end: str = "<|end|>") -> None:
    paper.mark(f"<|start|>{header}<|message|>", index)
    paper.put_all(content, index)
    paper.mark(end, index)


def _write_system(
    index: int,
    message: Message,
    paper: Paper,
    content: Sequence[Segment],
    both: bool,
    losses: list[Loss],
    tools: str,
) -> None:
    text = message.text
    if message.role == "system" and (both or _is_fact_sheet(text)):
        _turn(paper, index, "system", content)
        return
    if message.role == "system":
        losses.append(Loss(f"$.messages[{index}].role", "renamed", "Harmony's developer message"))
    wrap = "" if text.startswith((_INSTRUCTIONS, "# Tools\n\n## ")) else _INSTRUCTIONS
    behind = [Segment(f"\n\n{tools}", "template")] if tools else []
    _turn(paper, index, "developer", [Segment(wrap, "template"), *content, *behind])


def _is_fact_sheet(text: str) -> bool:
    return text.startswith("You are ChatGPT") or "# Valid channels:" in text


def _write_assistant(
    index: int,
    message: Message,
    paper: Paper,
    content: Sequence[Segment],
    names: dict[str, str],
    losses: list[Loss],
) -> None:
    if message.reasoning:
        _turn(paper, index, "assistant<|channel|>analysis", [Segment(message.reasoning, "data")])
    if message.text or not message.tool_calls:
        channel = "commentary" if message.tool_calls else "final"
        _turn(paper, index, f"assistant<|channel|>{channel}", content)
    for position, call in enumerate(message.tool_calls):
        expected = f"call_{len(names)}"
        if call.id != expected:
            path = f"$.messages[{index}].tool_calls[{position}].id"
            losses.append(Loss(path, "substituted", f"{call.id!r} has no place; it reads back as {expected!r}"))
        names[call.id] = call.name
        header = f"assistant to=functions.{call.name}<|channel|>commentary <|constrain|> json"
        _turn(paper, index, header, [Segment(call.arguments, "data")], "<|call|>")


def _sender(message: Message, names: Mapping[str, str]) -> str:
    return f"functions.{names.get(message.tool_call_id or '') or message.name or 'unknown'}"


def read_harmony(prompt: str, masked: str) -> Conversation:
    """Return the conversation of a Harmony text; ``masked`` is the text with data made opaque."""
    if prompt.startswith("<|channel|>"):  # a completion begins behind the generation prompt
        prompt, masked = _CUE + prompt, _CUE + masked
    reader = _Reader(prompt, masked)
    reader.run()
    return Conversation(tuple(reader.messages), reader.tools, cue=reader.cue)


class _Reader:
    def __init__(self, prompt: str, masked: str) -> None:
        self.prompt, self.masked = prompt, masked
        self.messages: list[Message] = []
        self.tools: tuple[ToolSpec, ...] = ()
        self.cue: Cue = "none"
        self._reasoning: str | None = None
        self._calls = 0
        self._results = 0

    def run(self) -> None:
        turns = list(self._turns())
        renamed = not any(header == "system" for header, *_ in turns)
        for header, start, end, closed in turns:
            self._take(header, self.prompt[start:end], closed, renamed)
        if self._reasoning is not None:
            self._flush("assistant", "")
        if not self.messages and self.prompt and self.cue == "none":
            self.messages.append(Message("user", self.prompt))

    def _turns(self) -> Iterator[tuple[str, int, int, bool]]:
        position = 0
        while found := _TURN.search(self.masked, position):
            end = _END.search(self.masked, found.end())
            yield found.group(1), found.end(), end.start() if end else len(self.masked), end is not None
            position = end.end() if end else len(self.masked)
        if self.masked[position:] == _CUE:
            self.cue = "reply"

    def _take(self, header: str, text: str, closed: bool, renamed: bool) -> None:
        found = _HEADER.match(header)
        role = found["role"] if found else "user"
        channel = found["channel"] if found else None
        to = (found["to"] or found["to2"]) if found else None
        if role == "assistant":
            self._take_assistant(text, channel, to, closed)
        elif role.startswith("functions.") or to == "assistant":
            self.messages.append(Message("tool", text, tool_call_id=f"call_{self._results}"))
            self._results += 1
        elif role == "developer":
            self._take_developer(text, "system" if renamed else "developer")
        else:
            self.messages.append(Message(role if role in ("system", "user") else "user", text))

    def _take_developer(self, text: str, role: str) -> None:
        text, tools = (text, ()) if self.tools or self.messages[1:] else read_tools(text)
        self.tools = self.tools or tools
        if text or not tools:
            self.messages.append(Message(role, text.removeprefix(_INSTRUCTIONS)))

    def _take_assistant(self, text: str, channel: str | None, to: str | None, closed: bool) -> None:
        if not closed:
            self.cue = "continue"
        if to is not None and to.startswith("functions."):
            self._take_call(ToolCall(f"call_{self._calls}", to.removeprefix("functions."), text))
        elif channel == "analysis":
            self._reasoning = text if self._reasoning is None else f"{self._reasoning}\n{text}"
        else:
            self._flush("assistant", text)

    def _take_call(self, call: ToolCall) -> None:
        self._calls += 1
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == "assistant" and self._reasoning is None:
            self.messages[-1] = Message(
                "assistant", last.content, reasoning=last.reasoning, tool_calls=(*last.tool_calls, call)
            )
            return
        self.messages.append(Message("assistant", None, reasoning=self._reasoning, tool_calls=(call,)))
        self._reasoning = None

    def _flush(self, role: str, text: str) -> None:
        self.messages.append(Message(role, text, reasoning=self._reasoning))
        self._reasoning = None


GRAMMAR = Grammar(
    name="harmony",
    turns={role: Turn("<|start|>", "<|end|>") for role in ("system", "developer", "user", "assistant", "tool")},
    cue=_CUE,
    markers=(
        "<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>",
    ),
    stop=("<|return|>", "<|call|>"),
    writer=write_harmony,
    reader=read_harmony,
    aliases=("gpt-oss",),
    mapping="<|start|>role[<|channel|>c]<|message|> … <|end|>; reasoning and tool calls kept",
)  # fmt: skip
