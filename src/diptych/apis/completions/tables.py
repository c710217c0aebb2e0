"""The tables of Completions: its parameters by their neutral names, what it has alone, and what it lacks.

What becomes of a parameter stands here and nowhere else, with its kind of loss. Source: the OpenAI API
specification (openapi.json, read 2026-11-23) and the sources of vLLM, llama.cpp, Ollama and TGI (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...model import TextPart, freeze
from ..fields import Field, Kind

#: The cap of Completions where none is given (API reference), which no other API has.
HIDDEN_CAP: Final = 16
#: Tokens that are asked for where the source had no cap: Completions would stop after 16.
OPEN_CAP: Final = 4096
MOST_STOPS: Final = 4
MOST_LOGPROBS: Final = 5

_SAME: Final = (
    "model", "temperature", "top_p", "n", "presence_penalty", "frequency_penalty", "stream", "stream_options", "seed",
    "stop", "logit_bias",
)  # fmt: skip


def _number(value: Any) -> int | None:
    return None if isinstance(value, bool) else value


PARAMS: Final = (
    *(Field(name, name, freeze) for name in _SAME),
    Field("max_tokens", "max_completion_tokens", also=("max_tokens",), note="absent means 16 tokens"),
    Field("logprobs", "top_logprobs", _number, type=int, note="a number asks for as many alternatives, at most 5"),
    Field("logprobs", "logprobs", type=bool),
    Field("user", "user", freeze, also=("safety_identifier",)),
)
PARTS: Final = (Kind(TextPart, (Field("text", "text", type=str),), {"type": "text"}, ("text",)),)
#: What Completions has alone, and what is lost with it: the kind of the loss, and why.
ALONE: Final[Mapping[str, tuple[str, str]]] = {
    "suffix": ("parameter-dropped", "a chat cannot insert before a suffix; opt in to 'suffix' to ask for it in words"),
    "echo": ("synthesised", "convert_response puts the prompt before the text"),
    "best_of": ("parameter-dropped", "no chat ranks its answers: each is one of n, not the best of several"),
}
_NO_TOOLS: Final = "Completions has no tools"
#: What Completions lacks: the kind of the loss, and why.
LACKS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("tools", "functions"), ("unsupported", _NO_TOOLS)),
    **dict.fromkeys(("tool_choice", "function_call"), ("tools-dropped", _NO_TOOLS)),
    "parallel_tool_calls": ("parameter-dropped", _NO_TOOLS),
    "response_format": ("schema-dropped", "JSON mode and schemas have no place"),
    **dict.fromkeys(("audio", "modalities"), ("parameter-dropped", "Completions answers in text")),
    "web_search_options": ("parameter-dropped", "Completions does not search"),
    "prediction": ("parameter-dropped", "it speeds an answer up and does not change it"),
    **dict.fromkeys(
        (
            "reasoning_effort", "verbosity", "metadata", "store", "service_tier", "moderation", "prompt_cache_key",
            "prompt_cache_options", "prompt_cache_retention", "top_k",
        ),
        ("parameter-dropped", "Completions does not have it"),
    ),
}  # fmt: skip
