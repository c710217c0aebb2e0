"""What ``--output`` says of the replies: a number, the rows' own answers, or the lengths of earlier replies.

A file of earlier replies holds one JSON value per line: a number of tokens, a text, a response of any API
or a result of a Batch file (its usage counts), or a request that ends in its answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer

from ..errors import DiptychError, FormatError
from .batch_lines import USAGES, read_line

if TYPE_CHECKING:
    from ..prices.lengths import Guess

#: What rows without an answer are counted as.
WITHOUT: Final = "without an answer (256 tokens assumed)"
_ANSWERS: Final = "answers"
_COLUMN: Final = "column:"


class Outputs(NamedTuple):
    """What is expected of the replies."""

    expected: Guess = None
    of_rows: bool = False  #: each row ends in its own answer
    column: str | None = None  #: the column of ``--data`` with the answer

    def taken(self, value: Any) -> tuple[Any, str | None]:
        """Return a request without the answer at its end, and the answer."""
        if not self.of_rows or not isinstance(value, dict | list):
            return value, None
        body, answer = split_answer(value if isinstance(value, dict) else {"messages": value})
        return (body if isinstance(value, dict) else body["messages"]), answer

    def length(self, answer: str | None, model: str | None) -> Guess:
        """Return the tokens that are expected of a model's reply: those of the answer, where it is known."""
        return self.expected if answer is None else _tokens(answer, model)

    def of_column(self, row: Mapping[str, Any]) -> str | None:
        """Return the answer of a row of inputs. Raises FormatError where it has none."""
        if self.column is None:
            return None
        answer = row.get(self.column)
        if answer is None:
            raise FormatError(f"the row has no answer in {self.column!r}", path=f"$.{self.column}")
        return answer if isinstance(answer, str) else json.dumps(answer, default=str)


def read_outputs(output: str | None, models: list[str], *, has_data: bool) -> Outputs:
    """Read ``--output``. Raises BadParameter on what it cannot mean."""
    if output is None:
        return Outputs()
    if output == _ANSWERS:
        if has_data:
            raise _bad("the answers of --data stand in a column: use --output column:NAME")
        return Outputs(of_rows=True)
    if output.startswith(_COLUMN):
        if not has_data:
            raise _bad("only the rows of --data have columns; use --output answers")
        return Outputs(column=output[len(_COLUMN) :])
    numbers = [part.strip() for part in output.split(",")]
    if all(part.isdecimal() and part.isascii() for part in numbers):
        return Outputs(int(numbers[0]) if len(numbers) == 1 else _lengths(map(int, numbers)))
    if not Path(output).is_file():
        raise _bad(f"{output!r} is neither a number of tokens, `answers`, nor a file of earlier replies")
    return Outputs(_lengths(_read_lengths(output, models)))


def _bad(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="--output")


def _lengths(lengths: Any) -> Guess:
    from ..prices.lengths import Lengths

    return Lengths.of(lengths)


def split_answer(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """Return a request without the reply that stands at its end, and the text of that reply.

    >>> split_answer({"prompt": "1, 2,", "completion": " 3"})
    ({'prompt': '1, 2,'}, ' 3')
    """
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and len(messages) > 1 else None
    if isinstance(messages, list) and isinstance(last, dict) and last.get("role") == "assistant":
        return {**body, "messages": messages[:-1]}, _text_of(last)
    if messages is None and "prompt" in body and isinstance(body.get("completion"), str):
        return {name: value for name, value in body.items() if name != "completion"}, body["completion"]
    return body, None


def _text_of(message: Mapping[str, Any]) -> str:
    """Return what a message of Chat says: its content, its tool calls as JSON."""
    content, calls = message.get("content"), message.get("tool_calls")
    texts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else [content]
    said = "".join(text for text in texts if isinstance(text, str))
    return said + (json.dumps([call.get("function") for call in calls]) if isinstance(calls, list) else "")


# a file of earlier replies ------------------------------------------------------------


def _read_lengths(file: str, models: list[str]) -> Iterator[int]:
    from .cost_rows import iter_lines

    model = models[0] if models else None
    for place, line in iter_lines(file):
        if not line.strip():
            continue
        try:
            yield from _lengths_of(json.loads(line.decode().lstrip("\ufeff")), model)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"not valid JSON: {error}", path=place) from None
        except DiptychError as error:
            raise FormatError(f"no reply can be read: {error}", path=place) from error


def _lengths_of(value: Any, model: str | None) -> list[int]:
    """Return the tokens of the replies that one line holds."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return [value]
    if isinstance(value, str):
        return [_tokens(value, model)]
    if not isinstance(value, dict):
        raise FormatError("expected a number of tokens, a text, a response or a request with its answer", path="$")
    line = read_line(value)
    if line is not None and line.failed:
        return []
    body = value if line is None else dict(line.reply or line.body or {})
    _, answer = split_answer(body)
    return _of_response(body, model) if answer is None else [_tokens(answer, model)]


def _of_response(body: dict[str, Any], model: str | None) -> list[int]:
    """Return the tokens of each choice of a response: as its usage reports, else counted."""
    from ..conversion.responses import convert_response
    from ..prices.dialects import read_usage

    usage = next((body[name] for name in USAGES if body.get(name)), None)
    if usage is None and "eval_count" in body:
        usage = {name: body[name] for name in ("prompt_eval_count", "eval_count") if name in body}
    if usage is not None:
        choices = len(body.get("choices") or body.get("candidates") or ()) or 1
        return [round(read_usage(usage).output / choices)] * choices
    found = convert_response(body, to="chat", on_loss="ignore").output["choices"]
    return [_tokens(_text_of(choice["message"]), model) for choice in found]


def _tokens(text: str, model: str | None) -> int:
    from ..tokens import count

    return int(count(text, model))
