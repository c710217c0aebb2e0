"""Completions responses, whole: ``choices[].text`` with its finish reason and log probabilities.

Rule: as for Chat (:mod:`..chat.response`), whose response differs only in holding a message. What a
request asks of Completions alone is done by the writer: ``echo`` puts the prompt before the text,
``best_of`` ranks, and the responses to N requests become one body with
``index = prompt * n + choice`` (the numbering of vLLM). Mapping:

- ``text``: the text of the message, and what it refuses with; calls cannot be written, further fields are dropped
- ``logprobs``: parallel lists, with ``text_offset`` counted from the start of the prompt (:mod:`..logprobs`)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...encodings.encoding import encoding_for_model
from ...errors import FormatError, TokenError
from ...loss import Loss
from ...model import ContentPart, Message, OtherPart, ReasoningPart, RefusalPart, TextPart, ToolCall
from ...projection import ABSENT
from ...response import Response, ResponseChoice
from ...text.reading import read_text
from .. import heads, logprobs
from ..answers import CALLED
from ..chat.response import read_body


def read_response(body: Mapping[str, Any]) -> Response:
    """Read a whole body. Raises FormatError where its choices are malformed.

    >>> read_response({"choices": [{"text": "Hi", "finish_reason": "stop"}]}).text
    'Hi'
    """
    return read_body(body, "completions")


def write_response(
    response: Response, request: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write a whole body; return it and what it cannot carry. ``request`` is the Completions request that it answers.

    >>> response = Response((ResponseChoice(Message("assistant", "Hi"), "stop"),))
    >>> write_response(response, {"prompt": "Say ", "echo": True})[0]["choices"][0]["text"]
    'Say Hi'
    """
    return write_responses([response], request)


def write_responses(
    responses: Sequence[Response], request: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the responses to the requests that one Completions request became as one body."""
    request = request or {}
    losses: list[Loss] = []
    n = request.get("n") or max(len(response.choices) for response in responses)
    body: dict[str, Any] = {}
    choices: list[dict[str, Any]] = []
    for number, response in enumerate(responses):
        root = f"$[{number}]" if len(responses) > 1 else "$"
        head = heads.write_head(response, "completions", root, losses)
        body = body if number else head
        for position, choice in enumerate(_best(response.choices, request)):
            written = _Answer(choice, f"{root}.choices[{position}]", losses).written(request, number)
            choices.append({**written, "index": number * n + choice.index} if number else written)
    found = {**body, "choices": choices}
    usage = heads.sum_usage([response.usage for response in responses if response.usage is not None])
    return ({**found, "usage": heads.write_usage(usage)} if usage else found), tuple(losses)


class _Answer:
    """One choice on its way to Completions: ``path`` says where it stands in the source."""

    def __init__(self, choice: ResponseChoice, path: str, losses: list[Loss]) -> None:
        self.choice, self.path, self.losses = choice, path, losses
        self.is_own = "completions" in choice.native

    def written(self, request: Mapping[str, Any], number: int) -> dict[str, Any]:
        """Return the choice of a body. The prompt stands before an answer that has not echoed it."""
        choice, before = self.choice, "" if self.is_own else echo_of(request, number)
        self.losses += message_losses(choice.message, f"{self.path}.message")
        stated = choice.logprobs
        if not self.is_own:
            start = len(prompt_of(request, number))
            stated = logprobs.to_completions(stated, start, f"{self.path}.logprobs", self.losses)
        if not self.is_own and choice.finish_reason in CALLED:
            self.losses.append(Loss(f"{self.path}.finish_reason", "substituted", "Completions calls nothing: stop"))
            choice = replace(choice, finish_reason="stop")
        content = {"text": before + self._text(request, number), "logprobs": stated}
        further = heads.beside(choice.native, "completions", self.path, self.losses)
        return heads.write_choice(choice, content, further, "completions")

    def _text(self, request: Mapping[str, Any], number: int) -> str:
        """Return the text, without a begun reply that it repeats."""
        message, prompt = self.choice.message, prompt_of(request, number)
        text = message.text + "".join(part.text for part in message.parts if isinstance(part, RefusalPart))
        is_again = not self.is_own and self.choice.logprobs is None and _overlap(prompt, text)
        begun = _begun(prompt) if is_again else ""
        if not begun.strip() or not text.startswith(begun):
            return text
        path = f"{self.path}.message.content"
        self.losses.append(Loss(path, "defaulted", "the reply that was begun is not said again"))
        return text[len(begun) :]


def _best(choices: Sequence[ResponseChoice], request: Mapping[str, Any]) -> Sequence[ResponseChoice]:
    """Return the ``n`` best of ``best_of`` choices by their mean log probability, numbered anew."""
    n = request.get("n") or 1
    if not request.get("best_of") or len(choices) <= n:
        return choices
    ranked = sorted(choices, key=_mean_logprob, reverse=True)[:n]
    return [replace(choice, index=index) for index, choice in enumerate(ranked)]


def _mean_logprob(choice: ResponseChoice) -> float:
    entries = (choice.logprobs or {}).get("content") or []
    values = [entry["logprob"] for entry in entries if isinstance(entry.get("logprob"), int | float)]
    return sum(values) / len(values) if values else float("-inf")


def message_losses(message: Message, path: str) -> list[Loss]:
    """Return what Completions has no place for in a message."""
    if message.is_plain and not message.extra:
        return []
    found = [loss for part in message.parts for loss in part_losses(part, path)]
    if not message.parts:
        found.append(Loss(f"{path}.content", "synthesised", "Completions always says a text"))
    contents = enumerate(message.content_parts)
    found += [content_loss(part, f"{path}.content[{n}]") for n, part in contents if not isinstance(part, TextPart)]
    return [*dict.fromkeys(found), *field_losses(message.extra, path)]


def part_losses(part: Any, path: str) -> Iterator[Loss]:
    """Yield what Completions has no place for where a part stands beside the content of a message or a delta."""
    if isinstance(part, ToolCall):
        yield Loss(f"{path}.tool_calls", "unsupported", "Completions has no tool calls")
    elif isinstance(part, RefusalPart):
        yield Loss(f"{path}.refusal", "substituted", "the refusal is a text")
    elif isinstance(part, ReasoningPart):
        name = part.native["chat"]["field"] if "chat" in part.native else "reasoning_content"
        yield Loss(f"{path}.{name}", "field-dropped")


def content_loss(part: ContentPart, path: str) -> Loss:
    """Return the loss of a part of a content that is not text."""
    if isinstance(part, OtherPart):
        return Loss(path, "field-dropped", f"a part of type {part.value.get('type')!r}")
    return Loss(path, "media-dropped")


def field_losses(fields: Mapping[str, Any], path: str) -> list[Loss]:
    """Return what Completions has no place for among the further fields of a message."""
    return [Loss(f"{path}.{name}", "field-dropped") for name, value in fields.items() if value and value != ABSENT]


# what the request asked for ---------------------------------------------------------------------------


def _overlap(prompt: str, text: str) -> bool:
    """Return whether a text may begin with the end of a prompt: reading the prompt to know it costs far more."""
    prompt = prompt.rstrip()
    ends = (at for at, character in enumerate(text[: len(prompt)]) if prompt.endswith(character))
    return any(prompt.endswith(text[: at + 1].lstrip()) for at in ends if text[: at + 1].strip())


def _begun(prompt: str) -> str:
    """Return the reply that a prompt had begun, which some servers say again."""
    if not prompt:
        return ""
    try:
        conversation = read_text(prompt).conversation
    except FormatError:
        return ""
    return conversation.messages[-1].text if conversation.cue == "continue" else ""


def prompts_of(request: Mapping[str, Any]) -> list[str]:
    """Return the prompts of a Completions request as texts."""
    prompt = request.get("prompt")
    many = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return [_prompt_text(p, request) for p in (prompt if many and isinstance(prompt, list) else [prompt])]


def _prompt_text(prompt: Any, request: Mapping[str, Any]) -> str:
    if isinstance(prompt, list) and all(isinstance(token, int) for token in prompt):
        try:
            return encoding_for_model(str(request.get("model", ""))).decode(prompt)
        except (TokenError, KeyError, OverflowError):
            return ""
    return prompt if isinstance(prompt, str) else ""


def echo_of(request: Mapping[str, Any], number: int) -> str:
    """Return what stands before the text of an answer: the prompt where it is echoed."""
    return prompt_of(request, number) if request.get("echo") else ""


def prompt_of(request: Mapping[str, Any], number: int) -> str:
    """Return a prompt of a request, "" where it is not known."""
    prompts = prompts_of(request)
    return prompts[number] if number < len(prompts) else ""
