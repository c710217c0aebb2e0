"""What Ollama's ``/api/chat`` refuses. It checks little: names, ids and texts are free."""

from __future__ import annotations

from typing import Final

from ..checks import (
    among,
    ranges,
)
from ..rules import (
    Rule,
    Rules,
)

_CODE: Final = "Ollama, docs/api.md and its errors, 2026-11"

RULES: Final = Rules.of(
    Rule("messages[*].role", among("system", "user", "assistant", "tool"), _CODE),
    *ranges(_CODE, top_logprobs=(0, 20)),
)
