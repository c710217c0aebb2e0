"""What an answer says of its request: Responses repeats the settings that a request was answered with.

Rule: a setting is what the request said, else the API's documented default (OpenAI API reference and the Open
Responses specification, read 2026-11). It is for servers that keep nothing: what needs a state is named here, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: The fields of an answer that repeat its request, with the API's default for each.
_SETTINGS: Final[dict[str, Any]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "reasoning": None,
    "safety_identifier": None,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
#: What a server that keeps nothing says of itself.
_OWN: Final[dict[str, Any]] = {
    "previous_response_id": None, "background": False, "store": False, "service_tier": "default",
}  # fmt: skip
_TOOL: Final = {"description": None, "parameters": None, "strict": None}


#: What asks for a state that such a server does not have: leaving it out would answer another question.
STATEFUL: Final[dict[str, str]] = {
    "previous_response_id": "no answers are kept: send the whole conversation as input",
    "conversation": "no conversations are kept: send the whole of it as input",
    "background": "nothing runs in the background",
    "prompt": "there are no stored prompts",
}


def with_settings(answer: Mapping[str, Any], request: Mapping[str, Any], *, now: int | None = None) -> dict[str, Any]:
    """Return an answer of Responses with the settings of the request that it answers.

    ``now`` is when it was completed, in seconds since 1970.

    >>> found = with_settings({"status": "in_progress", "output": []}, {"temperature": 0.5})
    >>> found["temperature"], found["store"], found["completed_at"]
    (0.5, False, None)
    """
    said = {name: request[name] for name in _SETTINGS if request.get(name) is not None}
    if isinstance(reasoning := said.get("reasoning"), Mapping):
        said["reasoning"] = {"effort": None, "summary": None, **reasoning}
    if "text" in said and isinstance(said["text"], Mapping):
        said["text"] = {"format": {"type": "text"}, **said["text"]}
    given = request.get("tools")
    tools = [_tool(tool) for tool in given if isinstance(tool, Mapping)] if isinstance(given, list | tuple) else []
    ended = now if answer.get("status") == "completed" else None
    return {**answer, **_SETTINGS, **_OWN, **said, "tools": tools, "completed_at": ended}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {**_TOOL, **tool} if tool.get("type") == "function" else dict(tool)
