"""What the server of Completions refuses."""

from __future__ import annotations

from typing import Final

from ..checks import (
    at_most,
    between,
    is_filled,
    needs,
    ranges,
)
from ..rules import (
    Rule,
    Rules,
)

_SPEC: Final = "OpenAI API specification, createCompletion, 2026-11-23"
_ERRORS: Final = "OpenAI, errors of Completions in public reports, read 2026-11-27"
_STREAMED: Final = "'stream_options' is only allowed when 'stream' is enabled"

RULES: Final = Rules.of(
    Rule("prompt", is_filled, _SPEC, kind="rule-breach"),
    Rule("stop", at_most(4, "stop sequences", (list, tuple)), _SPEC),
    *ranges(_SPEC, temperature=(0, 2), top_p=(0, 1), presence_penalty=(-2, 2), frequency_penalty=(-2, 2)),
    *ranges(_SPEC, n=(1, 128), best_of=(1, 20), logprobs=(0, 5)),
    Rule("max_tokens", between(0), _SPEC),
    *needs(_ERRORS, "stream_options", lambda body: body.get("stream"), _STREAMED, lambda _: True),
)
