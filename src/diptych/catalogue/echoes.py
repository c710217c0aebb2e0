"""Which models want their reasoning back, and under which key: one dated row per family.

Rule: a row says what the vendor's server does with a conversation that goes on after a call of a tool. ``required``
rows refuse the request where the reasoning is missing; the others answer worse. Names that are in no row claim nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple


class Echo(NamedTuple):
    """How a family of models takes back its reasoning: ``key`` by API, and whether a call ``required`` it.

    >>> echo_of("moonshotai/kimi-k2.5").keys["chat"], echo_of("gpt-5-mini")
    ('reasoning_content', None)
    """

    family: str
    pattern: str
    keys: dict[str, str]
    required: bool
    source: str
    seen: str


_SIGNED: Final = {"gemini": "thoughtSignature", "chat": "extra_content.google.thought_signature"}
#: Issues and pages were read on the day of each row.
ECHOES: Final = (
    Echo(
        "kimi",
        r"kimi-(?:k2-thinking|k2\.[5-9]|k[3-9]|for-coding)",
        {"chat": "reasoning_content"},
        True,
        "Moonshot's answer 400, as in opencode #10996, new-api #3121, deer-flow #3043",
        "2026-11-26",
    ),
    Echo(
        "deepseek",
        r"deepseek-v(?:[4-9]|\d\d)",
        {"chat": "reasoning_content"},
        True,
        "DeepSeek, thinking mode, tool calls; opencode #24722, deepseek-harness #739",
        "2026-11-26",
    ),
    Echo(
        "gemini",
        r"gemini-(?:[3-9]|\d\d)",
        _SIGNED,
        True,
        "Google, thought signatures: every call of the current turn",
        "2026-11-26",
    ),
    Echo(
        "claude",
        r"claude-",
        {"anthropic": "thinking", "bedrock": "reasoningContent"},
        True,
        "Anthropic, extended thinking with tool use: where thinking is enabled",
        "2026-11-26",
    ),
    Echo(
        "glm",
        r"glm-(?:4\.[5-9]|[5-9])",
        {"chat": "reasoning_content"},
        False,
        "Z.ai, thinking mode: returned together with the results of tools",
        "2026-11-26",
    ),
    Echo(
        "minimax",
        r"minimax-m[2-9]",
        {"chat": "reasoning_details"},
        False,
        "Novita, interleaved thinking: MiniMax-M2",
        "2026-11-26",
    ),
    Echo(
        "qwen",
        r"qwen-?3\.[6-9]",
        {"chat": "reasoning_content"},
        False,
        "Qwen 3.6, model card: preserve_thinking",
        "2026-11-26",
    ),
)


#: What stands before the name of a model of Anthropic's in an id of Bedrock: a region or none, and the vendor.
_ON_BEDROCK: Final = re.compile(r"^(?:[a-z]+(?:-[a-z]+)?\.)?anthropic\.")


@lru_cache(maxsize=256)
def echo_of(model: str) -> Echo | None:
    """Return how a model takes back its reasoning, None where nothing is claimed.

    >>> echo_of("deepseek-v4-pro").required, echo_of("glm-4.7").required
    (True, False)
    """
    name = _ON_BEDROCK.sub("", model.rpartition("/")[2].lower())
    return next((echo for echo in ECHOES if re.match(echo.pattern, name)), None)
