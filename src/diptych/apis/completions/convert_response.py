"""Response bodies from one API to the other, whole.

Rule: what the request asked for and the other API cannot do is done here: ``echo`` puts
the prompt before the text, and the replies to N requests become one body with
``index = prompt * n + choice`` (the numbering of vLLM).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...encodings.encoding import encoding_for_model
from ...errors import FormatError, TokenError
from ...format import Conversion
from ...loss import Loss, verdict_of
from ...policy import OnLoss, settle
from ...text.reading import read_text
from .. import logprobs
from .convert_request import Target

_PREFIXES: Final = {"chat": "chatcmpl-", "completions": "cmpl-"}
_OBJECTS: Final = {"chat": "chat.completion", "completions": "text_completion"}
#: Fields of a Chat body that Completions has no place for; a server's own fields stay.
_CHAT_ONLY: Final = ("service_tier", "moderation")
_READ: Final = ("id", "object", "choices", "usage")
_OF_CHOICE: Final = ("index", "message", "delta", "text", "finish_reason", "logprobs")
#: Fields of an answer that Completions has no place for.
_DROPPED: Final = ("annotations", "audio", "reasoning_content", "reasoning")


def convert_response(
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    to: Target,
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Conversion:
    """Convert a response body to the other API.

    ``request`` is the request of the target API that is being answered (the one that was
    converted): its ``echo`` and ``n`` count. ``body`` may be the list of replies to the
    requests that one Completions request became. Raises LossError for what the target
    cannot say (tool calls), FormatError for what is no response.

    >>> reply = {"object": "chat.completion", "choices": [
    ...     {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    >>> convert_response(reply, to="completions").output["choices"][0]["text"]
    'Hi'
    """
    if to not in _OBJECTS:
        raise FormatError(f"there is no API {to!r}", hint="to='chat' or to='completions'")
    if not isinstance(body, Mapping | list | tuple):
        raise FormatError(f"a response is an object, not {type(body).__name__}", path="$")
    bodies = [body] if isinstance(body, Mapping) else list(body)
    if not bodies or not all(isinstance(b, Mapping) and isinstance(b.get("choices"), list) for b in bodies):
        raise FormatError("a response has choices", path="$")
    losses: list[Loss] = []
    is_chat = any("message" in choice for b in bodies for choice in b["choices"])
    output: Any
    if to == "chat":
        found = [dict(b) if is_chat else _to_chat(b, losses) for b in bodies]
        output = found[0] if len(found) == 1 else found
    else:
        output = _joined(bodies, request or {}, losses) if is_chat else dict(bodies[0])
    settle(losses, on_loss)
    return Conversion(output, verdict_of(losses), tuple(losses), to)


def head_of(body: Mapping[str, Any], to: Target) -> dict[str, Any]:
    """Return id, object and what both APIs share."""
    other = _PREFIXES["completions" if to == "chat" else "chat"]
    id_ = body.get("id")
    found: dict[str, Any] = {}
    if isinstance(id_, str):
        found["id"] = _PREFIXES[to] + id_.removeprefix(other) if not id_.startswith(_PREFIXES[to]) else id_
    found["object"] = _OBJECTS[to]
    return found | {n: v for n, v in body.items() if n not in _READ and not (to == "completions" and n in _CHAT_ONLY)}


def of_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Return a choice's further fields, which are a server's own and stay."""
    return {name: value for name, value in choice.items() if name not in _OF_CHOICE}


def _to_chat(body: Mapping[str, Any], losses: list[Loss]) -> dict[str, Any]:
    choices = []
    for position, choice in enumerate(body["choices"]):
        path = f"$.choices[{position}]"
        message = {"role": "assistant", "content": choice.get("text") or "", "refusal": None}
        found = {"index": choice.get("index", position), "message": message}
        found["finish_reason"] = choice.get("finish_reason")
        found["logprobs"] = logprobs.to_chat(choice.get("logprobs"), f"{path}.logprobs", losses)
        choices.append({**found, **of_choice(choice)})
    found_body = {**head_of(body, "chat"), "choices": choices}
    return {**found_body, "usage": body["usage"]} if "usage" in body else found_body


def _joined(bodies: Sequence[Mapping[str, Any]], request: Mapping[str, Any], losses: list[Loss]) -> dict[str, Any]:
    prompts = prompts_of(request)
    n = request.get("n") or max(len(body["choices"]) for body in bodies)
    choices = []
    for number, body in enumerate(bodies):
        root = f"$[{number}]" if len(bodies) > 1 else "$"
        losses += [Loss(f"{root}.{name}", "field-dropped") for name in _CHAT_ONLY if body.get(name) is not None]
        prompt_number = number if len(bodies) > 1 else 0
        before, begun = echo_of(request, prompts, prompt_number), _begun(prompts, prompt_number)
        for position, choice in enumerate(_best(body["choices"], request)):
            path = f"{root}.choices[{position}]"
            own = choice.get("index")
            index = number * n + (own if isinstance(own, int) else position)
            found_choice = _completions_choice(choice, index, before, path, losses)
            choices.append(_unrepeated(found_choice, before, begun, path, losses))
    found = {**head_of(bodies[0], "completions"), "choices": choices}
    usage = _sum_usage([b["usage"] for b in bodies if isinstance(b.get("usage"), Mapping)])
    return {**found, "usage": usage} if usage else found


def _completions_choice(
    choice: Mapping[str, Any], index: int, before: str, path: str, losses: list[Loss]
) -> dict[str, Any]:
    message = choice.get("message") or {}
    content = message.get("content")
    losses += message_losses(message, f"{path}.message")
    if content is None and not (message.get("tool_calls") or message.get("function_call")):
        losses.append(Loss(f"{path}.message.content", "unsupported", "there is no text"))
    return {
        **of_choice(choice),
        "text": before + text_of(content),
        "index": index,
        "logprobs": logprobs.to_completions(choice.get("logprobs"), len(before), f"{path}.logprobs", losses),
        "finish_reason": choice.get("finish_reason"),
    }


def _best(choices: Sequence[Mapping[str, Any]], request: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the ``n`` best of ``best_of`` choices by their mean log probability, numbered anew."""
    n = request.get("n") or 1
    if not request.get("best_of") or len(choices) <= n:
        return choices
    ranked = sorted(choices, key=_mean_logprob, reverse=True)[:n]
    return [{**choice, "index": index} for index, choice in enumerate(ranked)]


def _mean_logprob(choice: Mapping[str, Any]) -> float:
    entries = (choice.get("logprobs") or {}).get("content") or []
    values = [entry["logprob"] for entry in entries if isinstance(entry.get("logprob"), int | float)]
    return sum(values) / len(values) if values else float("-inf")


def _begun(prompts: Sequence[str], number: int) -> str:
    """Return the reply that a prompt had begun, which some servers say again."""
    prompt = prompts[number] if number < len(prompts) else ""
    if not prompt:
        return ""
    try:
        conversation = read_text(prompt).conversation
    except FormatError:
        return ""
    return conversation.messages[-1].text if conversation.cue == "continue" else ""


def _unrepeated(choice: dict[str, Any], before: str, begun: str, path: str, losses: list[Loss]) -> dict[str, Any]:
    """Take a begun reply that the answer repeats off it."""
    text = choice["text"][len(before) :]
    if begun.strip() and text.startswith(begun) and choice.get("logprobs") is None:
        losses.append(Loss(f"{path}.message.content", "defaulted", "the reply that was begun is not said again"))
        return {**choice, "text": before + text[len(begun) :]}
    return choice


def message_losses(message: Mapping[str, Any], path: str) -> list[Loss]:
    """Return what Completions has no place for in a message or a delta."""
    losses = []
    if message.get("tool_calls") or message.get("function_call"):
        losses.append(Loss(f"{path}.tool_calls", "unsupported", "Completions has no tool calls"))
    if message.get("refusal"):
        losses.append(Loss(f"{path}.refusal", "unsupported", "Completions cannot refuse"))
    return losses + [Loss(f"{path}.{name}", "field-dropped") for name in _DROPPED if message.get(name)]


def text_of(content: Any) -> str:
    """Return the text of a content: a string, parts, or none."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


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


def echo_of(request: Mapping[str, Any], prompts: Sequence[str], number: int) -> str:
    """Return what stands before the text of an answer: the prompt where it is echoed."""
    return prompts[number] if request.get("echo") and number < len(prompts) else ""


def _sum_usage(usages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if len(usages) == 1:
        return dict(usages[0])
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: sum(usage.get(name) or 0 for usage in usages) for name in names} if usages else {}
