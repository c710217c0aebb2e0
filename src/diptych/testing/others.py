"""What the test server answers to the message APIs that are neither Chat nor Completions.

Rule: a request is read by its own API, answered as Chat's would be, and written by its own API; what is
refused is refused in the shape of its API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..apis.answers import as_own
from ..apis.anthropic.rules import RULES as ANTHROPIC
from ..apis.bedrock.rules import RULES as BEDROCK
from ..apis.failures import write_failure
from ..apis.framing import FRAMINGS
from ..apis.gemini.rules import RULES as GEMINI
from ..apis.responses.rules import RULES as RESPONSES
from ..apis.responses.settings import STATEFUL, with_settings
from ..apis.rules import Rules
from ..conversion.bodies import convert_request
from ..conversion.responses import answers_of
from ..conversion.streams import EventWriter, stream_of
from ..errors import DiptychError
from ..response import Event, Failure, Response
from . import answers
from .refusals import BadRequestError, refuse_breaches

#: What a body must have; of several names one.
_REQUIRED: Final = {
    "anthropic": (("model",), ("messages",), ("max_tokens",)),
    "responses": (("model", "prompt"), ("input", "prompt", "previous_response_id", "conversation")),
    "gemini": (("contents",),),
    "ollama": (("model",),),
    "bedrock": (),
}
_RULES: Final[dict[str, Rules]] = {
    "anthropic": ANTHROPIC,
    "responses": RESPONSES,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
}
_OF_ANTHROPIC: Final = """
    cache_control container context_management diagnostics inference_geo max_tokens mcp_servers messages metadata
    model output_config service_tier speed stop_sequences stream system temperature thinking tool_choice tools
    top_k top_p user_profile_id workspace_id
"""
_OF_RESPONSES: Final = """
    access_programs background background_options context_management conversation image include input instructions
    max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store
    stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user
"""
#: Every parameter of a body, of the APIs that refuse others (types of anthropic 2.14 and openai 3.57, 2026-11-26).
KNOWN: Final = {"anthropic": frozenset(_OF_ANTHROPIC.split()), "responses": frozenset(_OF_RESPONSES.split())}


def is_streamed(api: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a body asks for a stream; Ollama streams unless it is told not to."""
    return bool(body.get("stream", api == "ollama"))


def whole(api: str, body: Mapping[str, Any], rules: answers.Rules = answers.PLAIN) -> dict[str, Any]:
    """Return the whole answer to a body. Raises BadRequestError."""
    found: dict[str, Any] = answers_of(api).write_response(_response(api, body, rules))[0]
    return with_settings(found, body, now=answers.CREATED) if api == "responses" else found


def events(api: str, body: Mapping[str, Any], rules: answers.Rules = answers.PLAIN) -> Iterator[bytes]:
    """Yield the same answer as a stream, framed as the API frames it. Raises BadRequestError."""
    writer, frame = stream_of(api).StreamWriter(), FRAMINGS[api].frame
    for chunk in _written(writer, answers.steps(None, _response(api, body, rules))):
        if api == "responses" and "response" in chunk:
            chunk["response"] = with_settings(chunk["response"], body, now=answers.CREATED)
        yield frame(chunk)
    if api == "responses":
        yield b"data: [DONE]\n\n"  # Open Responses asks for it; OpenAI's own server and SDK do without


def _written(writer: EventWriter, steps: Iterator[Event]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield from writer.feed(step)
    yield from writer.finish()


def prompt_tokens(api: str, body: Mapping[str, Any]) -> int:
    """Return the tokens of a body, as the usage of its answer has them. Raises BadRequestError."""
    return answers.usage_of(_as_chat(api, body), 0).prompt_tokens


def refusal(api: str, error: BadRequestError, status: int = 400) -> dict[str, Any]:
    """Return the body of a refusal in the shape of its API."""
    kind = {400: "invalid_request", 404: "not_found"}.get(status, "server")
    return write_failure(Failure(str(error), kind, error.code, error.param), api)[0]


def _response(api: str, body: Mapping[str, Any], rules: answers.Rules) -> Response:
    if missing := next((names for names in _REQUIRED[api] if not body.keys() & set(names)), None):
        raise BadRequestError(
            f"Missing required parameter: '{missing[0]}'.", missing[0], "missing_required_parameter"
        )
    if api == "responses" and (name := next((name for name in STATEFUL if body.get(name)), None)):
        raise BadRequestError(f"{name}: {STATEFUL[name]}.", name, "unsupported_parameter")
    if rules.strict:
        _check_strictly(api, body)
    # What Chat would refuse of another API's body is not its own server's to refuse.
    chat = _as_chat(api, body)
    return as_own(answers.response("chat", _asked(api, chat), rules._replace(strict=False)), {}, own=False)


def _asked(api: str, chat: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body without a begun answer: Anthropic's API says what comes after it, and never repeats it."""
    messages = chat["messages"]
    is_begun = api == "anthropic" and len(messages) > 1 and messages[-1].get("role") == "assistant"
    return {**chat, "messages": messages[:-1]} if is_begun else chat


def _check_strictly(api: str, body: Mapping[str, Any]) -> None:
    for name in body if api in KNOWN else ():
        if name not in KNOWN[api]:
            raise BadRequestError(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if api in _RULES:
        refuse_breaches(_RULES[api].breaches(body))


def _as_chat(api: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        found = convert_request({**body, "stream": False}, to="chat", source=api, on_loss="ignore")[0].output
    except DiptychError as error:
        param = (error.path or "").removeprefix("$").removeprefix(".") or None
        raise BadRequestError(error.message, param, "invalid_value") from None
    return {"model": "test", **found}
