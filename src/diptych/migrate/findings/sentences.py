"""What a finding says, in one line."""

from __future__ import annotations

from typing import Any, Final

from .finding import Finding


def sentence(finding: Finding, *, is_past: bool) -> str:
    """Return the facts of a finding in words; ``is_past``: the model's last day is over.

    >>> sentence(Finding("call", "a.py:1:1", {"migrates": True}), is_past=False)
    'migrates'
    """
    if finding.kind in ("model", "endpoint"):
        return _dated(finding.facts, is_past)
    return _SAID[finding.kind](finding.facts)


def _call(facts: Any) -> str:
    return "migrates" if facts["migrates"] else f"refused: {facts['reason']} [{facts['code']}]"


def _dated(facts: Any, is_past: bool) -> str:
    name = facts.get("model") or facts["endpoint"]
    stand_in = f"; {facts['stand_in']} replaces it" if facts["stand_in"] else ""
    when = "was shut down on" if is_past else "shuts down on"
    return f"{name} {when} {facts['shutdown_date']}{stand_in} ({facts['source']})"


def _prompt(facts: Any) -> str:
    sure = f"{facts['format']} ({facts['confidence']:.0%}, {facts['verdict']})"
    return f"{sure}; tokens {facts['tokens_before']} to {facts['tokens_after']}"


def _template(facts: Any) -> str:
    name = f" {facts['name']}" if facts.get("name") else ""
    said = [facts["verdict"]] if "verdict" in facts else []
    said += [f"{facts['tokens']} tokens"] if facts["tokens"] is not None else []
    return f"{facts['layout']}{name}: {', '.join(said)}" + (f": {facts['reason']}" if "reason" in facts else "")


def _dataset(facts: Any) -> str:
    bad = f", {facts['bad']:,} of {facts['sampled']:,} no JSON" if facts["bad"] else ""
    if facts["layout"] is None:
        return f"{facts['rows']:,} rows{bad}; {facts['reason']}"
    tokens = f"tokens {facts['tokens_before']:,} to {facts['tokens_after']:,}"
    return f"{facts['layout']}: {facts['rows']:,} rows{bad}; {tokens}; {facts['usd_after'] or 'unknown'} USD as input"


_SAID: Final = {"call": _call, "prompt": _prompt, "template": _template, "dataset": _dataset}
