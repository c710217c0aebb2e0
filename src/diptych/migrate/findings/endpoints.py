"""Endpoints that OpenAI has shut down: what a program asks of them gets no answer.

Rule: one row an endpoint, with its last day and what takes its place (OpenAI, deprecations).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .finding import Finding


class _Endpoint(NamedTuple):
    name: str
    shutdown: str
    instead: str
    #: The ends of dotted names that ask it.
    calls: tuple[str, ...]
    address: str


_ENDPOINTS: Final = (
    _Endpoint("Assistants", "2026-08-26", "Responses", ("beta.assistants",), "assistants"),
    _Endpoint("Threads and runs", "2026-08-26", "Responses and Conversations", ("beta.threads",), "threads"),
    _Endpoint("Edits", "2024-01-04", "Chat", ("openai.Edit.create", "openai.Edit.acreate"), "edits"),
    _Endpoint("Answers", "2022-12-03", "Chat over a search of your own", ("openai.Answer.create",), "answers"),
    _Endpoint("Classifications", "2022-12-03", "Chat", ("openai.Classification.create",), "classifications"),
    _Endpoint("Fine-tunes", "2024-01-04", "fine_tuning.jobs", ("openai.FineTune.create",), "fine-tunes"),
)  # fmt: skip
_ADDRESS: Final = re.compile(r"/v1/(" + "|".join(endpoint.address for endpoint in _ENDPOINTS) + r")(?:[/?]|$)")


def dead_endpoints(tree: ast.Module, name: str) -> Iterator[Finding]:
    """Yield the uses of endpoints that are shut down: by the SDK, and by their addresses."""
    for node in ast.walk(tree):
        found = None
        if isinstance(node, ast.Attribute):
            path = f".{_dotted(node)}"
            found = next((e for e in _ENDPOINTS for call in e.calls if path.endswith(f".{call}")), None)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 300:
            match = _ADDRESS.search(node.value)
            found = next((e for e in _ENDPOINTS if match and e.address == match[1]), None)
        if found is not None:
            facts = {"endpoint": found.name, "shutdown_date": found.shutdown, "stand_in": found.instead}
            place = f"{name}:{node.lineno}:{node.col_offset + 1}"  # type: ignore[attr-defined]
            yield Finding("endpoint", place, {**facts, "source": "OpenAI, deprecations"})


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
