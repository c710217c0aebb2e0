"""An audit: models by their last day, refusals by reason, findings and diffs by file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..migrate.findings.finding import Audit, Finding
from ..migrate.findings.sentences import sentence
from .diffs import unified


def audit_document(found: Audit, migrated: Iterable[Any] = (), *, title: str) -> dict[str, Any]:
    """Return the document of an audit; ``migrated`` are files of the code migration, for their diffs.

    >>> audit_document(Audit(files=2), title="src")["facts"][0]
    ('files', '2')
    """
    changed = {file.file: file for file in migrated}
    return {
        "kind": "audit",
        "title": title,
        "today": found.today.isoformat(),
        "facts": _facts(found),
        "models": _models(found),
        "refusals": _refusals(changed),
        "files": _files(found, changed),
        "unread": found.unread,
    }


def _facts(found: Audit) -> list[tuple[str, str]]:
    summary = found.to_json()["summary"]
    facts = [("files", f"{found.files:,}")] + [(kind.replace("_", " "), f"{n:,}") for kind, n in summary.items() if n]
    tokens = found.tokens
    return facts + ([("tokens", f"{tokens['before']:,} → {tokens['after']:,}")] if tokens["after"] else [])


def _models(found: Audit) -> list[dict[str, Any]]:
    places: dict[str, list[Finding]] = defaultdict(list)
    for finding in found.dated:
        places[finding.facts.get("model") or finding.facts["endpoint"]].append(finding)
    rows = [
        {
            "model": name,
            "last_day": all_[0].facts["shutdown_date"],
            "is_past": found.is_past(all_[0]),
            "places": len(all_),
            "replacement": all_[0].facts.get("stand_in"),
            "source": all_[0].facts.get("source"),
        }
        for name, all_ in places.items()
    ]
    return sorted(rows, key=lambda row: (row["last_day"], row["model"]))


def _refusals(changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for refusal in (refusal for file in changed.values() for refusal in file.refusals):
        new = {"code": refusal.code, "reason": refusal.reason, "hint": refusal.hint, "places": []}
        groups.setdefault((refusal.code, refusal.reason), new)["places"].append(str(refusal.place))
    return sorted(groups.values(), key=lambda group: -len(group["places"]))


def _files(found: Audit, changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in found.findings:
        name, line, column = finding.place.rsplit(":", 2)
        said = sentence(finding, is_past=found.is_past(finding))
        by_file[name].append({"at": f"{line}:{column}", "kind": finding.kind, "said": said})
    names = sorted({*by_file, *(name for name, file in changed.items() if file.before != file.after)})
    return [{"name": name, "findings": by_file[name], "diff": _diff(changed.get(name))} for name in names]


def _diff(file: Any) -> list[str]:
    return unified(file.before, file.after) if file is not None and file.before != file.after else []
