"""The migration of a data set: what was read and written, losses, tokens, rejected rows by reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

#: So many rejected rows are shown; the rest is counted.
_MOST: Final = 1_000


def data_document(
    manifest: Mapping[str, Any], rejects: Iterable[Mapping[str, Any]] = (), *, title: str
) -> dict[str, Any]:
    """Return the document of a migration: ``manifest`` is its manifest, ``rejects`` are the rows of its rejects file.

    >>> counts = {"rows": 3, "converted": 2, "rejected": 1, "written": 2, "losses": {"merged": 2}}
    >>> document = data_document({"counts": counts}, title="out.jsonl")
    >>> document["facts"][:2], document["losses"]
    ([('rows', '3'), ('converted', '2')], [('merged', 2)])
    """
    counts, spec = manifest["counts"], manifest.get("spec") or {}
    rows = [_reject(row) for row in rejects]
    return {
        "kind": "data",
        "title": title,
        "facts": [*_facts(counts), *_ends(manifest, spec), *_tokens(manifest)],
        "losses": sorted(counts["losses"].items(), key=lambda one: -one[1]),
        "left_out": list((counts.get("left_out") or {}).items()),
        "problems": counts.get("problems") or [],
        "reasons": [
            {"count": why["rows"], "reason": why["message"], "first": why["line"]}
            for why in sorted((counts.get("reasons") or {}).values(), key=lambda why: -why["rows"])
        ],
        "rejects": rows[:_MOST],
        "more": max(0, len(rows) - _MOST),
    }


def _facts(counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = ("rows", "converted", "rejected", "written", "duplicates", "validation")
    always = names[:4]
    return [(name, f"{counts[name]:,}") for name in names if counts.get(name) or (name in always and name in counts)]


def _ends(manifest: Mapping[str, Any], spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    layouts = ", ".join(f"{name} ({n:,})" for name, n in (manifest["counts"].get("layouts") or {}).items())
    source = manifest.get("source") or {}
    ends = [("source", source.get("name")), ("from", layouts or spec.get("from")), ("to", spec.get("to"))]
    return [(name, str(value)) for name, value in ends if value]


def _tokens(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    counts, model = manifest["counts"], (manifest.get("spec") or {}).get("model")
    before, after = counts.get("tokens_before"), counts.get("tokens_after")
    told = [(name, f"{n:,}") for name, n in (("tokens before", before), ("tokens after", after)) if n is not None]
    return [*told, ("counted for", str(model))] if told and model else told


def _reject(row: Mapping[str, Any]) -> dict[str, Any]:
    error = row.get("error") or {}
    return {"line": row.get("line"), "message": error.get("message"), "row": row.get("row")}
