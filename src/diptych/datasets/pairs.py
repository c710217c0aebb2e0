"""Rows of a question, its answer and what stands around them, under the names that tools and data sets use.

- ``pair_row``: the question is ``query``, ``prompt``, ``question``, ``instruction``, ``inputs``, ``human``, ``user``,
  ``problem``, ``text_input`` or ``input_text`` (tuning files of Gemini and PaLM); the answer ``response``, ``answer``,
  ``targets``, ``output``, ``assistant``, ``gpt``, ``bot``, ``solution``, ``completion`` or ``output_text``; the first
  name that a row has is taken, and written are ``query`` and ``response`` (ms-swift)
- ``system`` or ``system_prompt`` is the system message; ``history`` are the pairs before (ms-swift, LLaMA-Factory)
- ``context`` (Dolly, MPT) follows the question after a blank line, and cannot be told from it again (``merged``)
- only texts are held: names, calls, media and tools are lost, and any other order of roles is refused

Rows whose names another layout has (``question`` and ``answer``, ``instruction`` and ``output``, …) are of that layout.
Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import FormatError
from ..format import Format
from ..loss import Loss
from ..model import Conversation, Example, Message
from .alpaca import history_of, texts_of_pairs
from .rows import Read, Written, border_kept, example_of, other, proven_row, refusal, row_of, system_of, text_of
from .sharegpt import is_plain_system

_QUESTIONS: Final = (
    "query", "prompt", "question", "instruction", "inputs", "human", "user", "problem", "text_input", "input_text",
)  # fmt: skip
_ANSWERS: Final = (
    "response", "answer", "targets", "output", "assistant", "gpt", "bot", "solution", "completion", "output_text",
)  # fmt: skip
_SYSTEM: Final = ("system", "system_prompt")
#: Columns that make a row one of another layout, or of a request.
_OTHERS: Final = frozenset(
    {"messages", "conversations", "chosen", "rejected", "completions", "label", "model", "input"}
)


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if isinstance(row.get(name), str)), None)


def _read(value: Any) -> Read:
    row = row_of(value)
    asked, answered = _first(row, _QUESTIONS), _first(row, _ANSWERS)
    if asked is None or answered is None:
        missing, names = ("question", _QUESTIONS) if asked is None else ("answer", _ANSWERS)
        raise FormatError(f"the row has no {missing} of text ({', '.join(names)})", path="$")
    losses: list[Loss] = []
    question = text_of(row, asked)
    if row.get("context") not in (None, ""):
        question = f"{question}\n\n{text_of(row, 'context')}"
        losses.append(Loss("$.context", "merged", f"{asked} and context became one message"))
    losses += [
        Loss(f"$.{name}", "renamed", own) for name, own in ((asked, "query"), (answered, "response")) if name != own
    ]
    system = next((name for name in _SYSTEM if row.get(name)), "system")
    before = system_of({"system": row.get(system)})
    messages = [*before, *history_of(row.get("history")), Message("user", question)]
    messages.append(Message("assistant", text_of(row, answered)))
    losses += other(row, (asked, answered, "context", "history", system))
    return example_of(messages, losses)


def _write(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    messages = example.messages
    skipped = bool(messages) and is_plain_system(messages[0])
    texts = texts_of_pairs(messages[skipped:])
    if texts is None:
        return {}, refusal("$.messages", "a row is pairs of user and assistant")
    row: dict[str, Any] = {"system": messages[0].text} if skipped else {}
    row |= {"query": texts[-2], "response": texts[-1]}
    if len(texts) > 2:
        row["history"] = [list(pair) for pair in zip(texts[0:-2:2], texts[1:-2:2], strict=True)]
    return row, proven_row(example, border_kept(example), _read, row)


def _detect(value: Any) -> float:
    if not isinstance(value, Mapping) or _OTHERS & value.keys():
        return 0.0
    asked, answered = _first(value, _QUESTIONS), _first(value, _ANSWERS)
    if asked is None or answered is None:
        return 0.0
    if asked == "prompt" and answered == "completion":  # the old fine-tuning files, with their separators
        return 0.0
    if asked == "instruction" and answered == "output":
        return 0.0
    return 0.98 if "context" in value else 0.9 if asked == "query" else 0.75


FORMATS: Final = (
    Format("pair_row", "dataset", "query and response (or other names), system, history, context", _read, _write,
           _detect, ("query_response", "prompt_response", "dolly", "swift"), frozenset({"answer"})),
)  # fmt: skip
