"""What the server of Completions refuses."""

from __future__ import annotations

from typing import Final

from ..rules import Rule, Rules, at_most, between, is_filled

_SPEC: Final = "OpenAI API specification, createCompletion, 2026-11-23"

RULES: Final = Rules.of(
    Rule("prompt", is_filled, _SPEC, kind="rule-breach"),
    Rule("stop", at_most(4, "stop sequences"), _SPEC),
    Rule("temperature", between(0, 2), _SPEC),
    Rule("top_p", between(0, 1), _SPEC),
    Rule("presence_penalty", between(-2, 2), _SPEC),
    Rule("frequency_penalty", between(-2, 2), _SPEC),
    Rule("n", between(1, 128), _SPEC),
    Rule("best_of", between(1, 20), _SPEC),
    Rule("logprobs", between(0, 5), _SPEC),
    Rule("max_tokens", between(0), _SPEC),
)
