"""Rows of two or three columns of text, as axolotl and torchtune take them.

- ``question_answer``: ``{"question", "answer"}`` (axolotl ``alpaca_chat.load_qa``, ``jeopardy``)
- ``system_question``: ``{"system_prompt", "question", "response"}`` (axolotl ``alpaca_w_system.load_open_orca``)
- ``message_pairs``: ``{"message_1", "message_2", …}``: user and assistant in turn
  (axolotl ``alpaca_chat.load_camel_ai``)
- ``input_output``: ``{"input", "output"}`` (torchtune)

One user message and its answer, with a system message before them where there is a column for it
(``message_pairs`` holds several of each); only texts: names, calls, media and tools are lost, and any
other order of roles is refused. Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from typing import Any, Final, NamedTuple

from ..errors import FormatError
from ..format import Format
from ..model import Conversation, Example, Message
from .alpaca import texts_of_pairs
from .rows import Read, Written, border_kept, example_of, other, proven_row, refusal, row_of, text_of


class Columns(NamedTuple):
    """The names of the columns of a layout; one without ``system`` holds no system message."""

    user: str
    assistant: str
    system: str | None = None

    def read(self, value: Any) -> Read:
        """Read a row. Raises FormatError where a column is not text."""
        row = row_of(value)
        messages = [Message("user", text_of(row, self.user)), Message("assistant", text_of(row, self.assistant))]
        if self.system is not None and row.get(self.system) not in (None, ""):
            messages.insert(0, Message("system", text_of(row, self.system)))
        return example_of(messages, other(row, [name for name in self if name]), answer=len(messages) - 1)

    def write(self, conversation: Conversation) -> Written:
        """Write a row; any other order of roles is refused."""
        example = Example.of(conversation)
        roles = [message.role for message in example.messages]
        if roles != ["user", "assistant"] and (self.system is None or roles != ["system", "user", "assistant"]):
            return {}, refusal("$.messages", f"a row is one message each of {', '.join(self._roles())}")
        row = {} if self.system is None else {self.system: ""}
        if len(roles) == 3:
            row = {str(self.system): example.messages[0].text}
        row |= {self.user: example.messages[-2].text, self.assistant: example.messages[-1].text}
        return row, proven_row(example, border_kept(example), self.read, row)

    def _roles(self) -> tuple[str, ...]:
        return ("user", "assistant") if self.system is None else ("system", "user", "assistant")

    def detect(self, value: Any) -> float:
        """Say how sure it is that a row has these columns: further ones make it less so."""
        names = [name for name in self if name]
        if not isinstance(value, Mapping) or not all(isinstance(value.get(name), str) for name in names):
            return 0.0
        if "model" in value or "instruction" in value:
            return 0.0
        return 0.96 if len(names) == 3 or (self.user == "input") else 0.8


_QUESTION = Columns("question", "answer")
_SYSTEM = Columns("question", "response", "system_prompt")
_INPUT = Columns("input", "output")


def _read_pairs(value: Any) -> Read:
    row = row_of(value)
    names = list(takewhile(lambda name: row.get(name) is not None, (f"message_{n}" for n in count(1))))
    if not names or len(names) % 2:
        raise FormatError("messages come in pairs", path=f"$.message_{len(names) + 1}")
    messages = [Message("assistant" if i % 2 else "user", text_of(row, name)) for i, name in enumerate(names)]
    return example_of(messages, other(row, names))


def _write_pairs(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    texts = texts_of_pairs(example.messages)
    if texts is None:
        return {}, refusal("$.messages", "a row is pairs of user and assistant")
    row = {f"message_{number}": text for number, text in enumerate(texts, 1)}
    return row, proven_row(example, border_kept(example), _read_pairs, row)


def _is_pairs(value: Any) -> float:
    is_row = isinstance(value, Mapping) and isinstance(value.get("message_1"), str) and "message_2" in value
    return 0.9 if is_row else 0.0


def _format(name: str, mapping: str, columns: Columns, *aliases: str) -> Format:
    carries = frozenset({"answer"})
    return Format(name, "dataset", mapping, columns.read, columns.write, columns.detect, aliases, carries)


FORMATS: Final = (
    _format("question_answer", "question and answer", _QUESTION, "qa", "axolotl_qa"),
    _format("system_question", "system prompt, question and response", _SYSTEM, "open_orca", "orca"),
    _format("input_output", "input and output", _INPUT, "torchtune_instruct"),
    Format("message_pairs", "dataset", "message_1, message_2 …: user and assistant in turn", _read_pairs, _write_pairs,
           _is_pairs, ("camel_ai", "camel"), frozenset({"answer"})),
)  # fmt: skip
