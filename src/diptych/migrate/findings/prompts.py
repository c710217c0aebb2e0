"""Prompts: their format, how sure it is, and what they cost before and after."""

from __future__ import annotations

from typing import Final

from ...catalogue import DEFAULT_MODEL
from ...conversion.convert import to_messages
from ...text.reading import dialects
from ...tokens import count
from .finding import Finding

#: The models that tokens are counted as: the last Completions model, and what stands in for it.
BEFORE: Final = "gpt-3.5-turbo-instruct"
AFTER: Final = DEFAULT_MODEL


def prompt_finding(text: str, place: str) -> Finding:
    """Return the finding of a prompt; its holes stand in it as ``{name}``."""
    format_, confidence, verdict, _ = dialects(text)[0]
    # What is ambiguous is migrated as one message.
    messages = to_messages(text, format_).messages if verdict == "lossless" else [{"role": "user", "content": text}]
    facts = {"format": format_, "confidence": round(confidence, 2), "verdict": verdict}
    tokens = {"tokens_before": count(text, BEFORE).tokens, "tokens_after": count(messages, AFTER).tokens}
    return Finding("prompt", place, {**facts, **tokens})
