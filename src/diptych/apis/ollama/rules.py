"""What Ollama's ``/api/chat`` refuses. It checks little: names, ids and texts are free."""

from __future__ import annotations

from typing import Final

from ..rules import Rule, Rules, among, between

_CODE: Final = "Ollama, docs/api.md and its errors, 2026-11"

RULES: Final = Rules.of(
    Rule("messages[*].role", among("system", "user", "assistant", "tool"), _CODE),
    Rule("top_logprobs", between(0, 20), _CODE),
)
