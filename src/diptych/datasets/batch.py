"""Lines of an OpenAI Batch input file: requests, each with an id of its own.

- ``custom_id`` is the example's ``id``; ``body.messages``, ``body.tools`` and ``body.response_format``
  are the conversation, which asks and holds no answer; all other parameters are its ``request``
- a body of the Completions API is read as the Chat body that ``convert_request`` makes of it, with the
  same losses; its prompt is one user message, or the turns of a talk up to the answer that it asks for.
  Several prompts are several lines, so a list of them is refused
- bodies of other endpoints, and lines of a batch's *output* file, are refused and told so
- lines are written for ``/v1/chat/completions``; an answer has no place (``text-dropped``), and an
  example without an id or a model is refused
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..apis.between import converted
from ..apis.chat import messages as openai_chat
from ..apis.chat.request import FORMAT as CHAT
from ..apis.completions.request import FORMAT as COMPLETIONS
from ..errors import FormatError, LossError
from ..format import Format
from ..loss import Loss
from ..model import Conversation, Example, FrozenMap, thaw
from ..policy import settle
from .openai_rules import batch_rules
from .rows import Read, Written, example_of, other, proven_row, read_tools, row_of, text_of
from .talks import question_of
from .trl import certain_reading, without_answer
from .turns import Turns

_FIELDS: Final = ("custom_id", "method", "url", "body")
_CHAT_URL: Final = "/v1/chat/completions"
_COMPLETIONS_URL: Final = "/v1/completions"
_OF_CONVERSATION: Final = frozenset({"messages", "tools", "response_format"})


def _read(value: Any) -> Read:
    row = row_of(value)
    if "response" in row or ("error" in row and "body" not in row):
        raise FormatError(
            "this line is of a batch's output file", path="$.response", hint="convert the input file of the batch"
        )
    body, url = row.get("body"), row.get("url", _CHAT_URL)
    if not isinstance(body, Mapping):
        raise FormatError("a line has the body of a request", path="$.body")
    if url not in (_CHAT_URL, _COMPLETIONS_URL):
        raise FormatError(f"a request to {url!r} holds no conversation", path="$.url")
    losses = other(row, _FIELDS)
    if row.get("method", "POST") != "POST":
        losses.append(Loss("$.method", "substituted", f"{row['method']!r} became POST"))
    if url == _COMPLETIONS_URL:
        body = _as_chat(body, losses)
    id_ = text_of(row, "custom_id") if row.get("custom_id") is not None else None
    messages = Turns(losses).read(body.get("messages"), "$.body.messages")
    tools = read_tools(body.get("tools"), losses, "$.body.tools")
    request = {name: item for name, item in body.items() if name not in _OF_CONVERSATION}
    wanted = openai_chat.read_response_format(body.get("response_format"))
    fields = {"answer": len(messages), "id": id_, "request": FrozenMap(request), "response_format": wanted}
    return example_of(messages, losses, tools=tools, **fields)


def _as_chat(body: Mapping[str, Any], losses: list[Loss]) -> Mapping[str, Any]:
    """Return the Chat body of a Completions body. Raises LossError for what would change the task."""
    prompt = body.get("prompt")
    name = _format_of(prompt) if isinstance(prompt, str) else "plain"
    try:
        made = converted(body, COMPLETIONS, CHAT, format=name)
        settle([loss for one in made for loss in one.losses], "ignore")
    except LossError as error:
        settle([_inside(loss) for loss in error.losses], "ignore")  # raises, with the paths of the line
        raise
    except FormatError as error:
        raise FormatError(error.message, path=(error.path or "$").replace("$", "$.body", 1), hint=error.hint) from None
    if len(made) != 1:
        settle([Loss("$.body.prompt", "unsupported", f"{len(made)} prompts are as many lines")])
    # That a text of labels could also be one message is settled: its turns give the text again.
    is_proved = name not in ("auto", "plain")
    told = [loss for loss in made[0].losses if not (is_proved and loss.path == "$.prompt" and loss.kind == "split")]
    losses += map(_inside, told)
    losses.append(Loss("$.url", "renamed", f"{_CHAT_URL}, with the body that it takes"))
    output: Mapping[str, Any] = made[0].output
    return output


def _format_of(prompt: str) -> str:
    """Return the format of a prompt; one that only may be a talk is one message: nothing is guessed in a file."""
    if certain_reading(prompt) is not None:
        return "auto"
    talk = question_of(prompt)
    return "plain" if talk is None else talk.format


def _inside(loss: Loss) -> Loss:
    return loss._replace(path=loss.path.replace("$", "$.body", 1))


def _write(conversation: Conversation) -> Written:
    losses: list[Loss] = []
    asked = without_answer(Example.of(conversation), losses)
    request = thaw(asked.request)
    body: dict[str, Any] = {"model": request.pop("model")} if "model" in request else {}
    body["messages"] = openai_chat.write(asked)
    if asked.tools:
        body["tools"] = openai_chat.write_tools(asked)
    if asked.response_format is not None:
        body["response_format"] = openai_chat.write_response_format(asked)
    row = {"method": "POST", "url": _CHAT_URL, "body": {**body, **request}}
    if asked.id is not None:
        row = {"custom_id": asked.id, **row}
    return row, proven_row(asked, losses, _read, row)


def _is_batch(value: Any) -> float:
    is_line = isinstance(value, Mapping) and "custom_id" in value and ("body" in value or "response" in value)
    return 0.98 if is_line else 0.0


FORMATS: Final = (
    Format(
        name="openai_batch",
        kind="dataset",
        mapping="custom_id and the body of a request: chat and Completions bodies in, chat bodies out",
        read=_read,
        write=_write,
        detect=_is_batch,
        aliases=("batch",),
        carries=frozenset({"answer", "id", "request"}),
        rules=batch_rules,
        asks=True,
    ),
)
