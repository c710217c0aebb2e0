"""Two versions of a template over their samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..templating.compare import compare
from ..templating.template import Template
from .diffs import text_of, unified


def versions_document(
    before: Template,
    after: Template,
    *,
    names: tuple[str, str],
    model: str | None = None,
    samples: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the document of two versions of a template.

    >>> one, two = (Template.from_string(f"Be {word}.") for word in ("brief", "kind"))
    >>> versions_document(one, two, names=("a", "b"), model="gpt-4o")["samples"][0]["same"]
    False
    """
    found = [one.to_json() for one in compare(before, after, model=model, samples=samples)]
    for one in found:
        texts = [text_of(one[side].pop("messages")) for side in ("before", "after")]
        one["diff"] = [] if one["same"] else unified(*texts)
    return {"kind": "versions", "title": after.name, "before": names[0], "after": names[1], "samples": found}
