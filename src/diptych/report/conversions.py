"""A conversion: the value before and after, with every loss at its place."""

from __future__ import annotations

from typing import Any

from ..format import Conversion
from .values import lines_of, with_losses


def conversion_document(before: Any, result: Conversion, *, title: str, source: str, target: str) -> dict[str, Any]:
    """Return the document of a conversion.

    >>> from diptych import convert
    >>> result = convert("Hello", target="chat")
    >>> conversion_document("Hello", result, title="a prompt", source="auto", target="chat")["verdict"]
    'lossless'
    """
    return {
        "kind": "conversion",
        "title": title,
        "source": result.format if source == "auto" else source,
        "target": target,
        "verdict": result.verdict,
        "detail": result.detail,
        "alternatives": list(result.alternatives),
        "proof": result.proof._asdict() if result.proof else None,
        "losses": [loss.to_json() for loss in result.losses],
        "before": with_losses(lines_of(before), result.losses),
        "after": with_losses(lines_of(result.output), ()),
    }
