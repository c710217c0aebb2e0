"""Templates, request bodies and settings: what they are, and the models that they name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...errors import DiptychError
from ...tokens import count
from ..templates import TemplateMigration, migrate_template, migrate_templates
from ..templates.model import Source
from ..templates.registry import certain_layout
from .finding import Finding
from .models import dated_models, model_finding, models_in
from .prompts import AFTER, prompt_finding

#: Jinja files, of which no layout may be certain.
JINJA: Final = (".jinja", ".j2", ".jinja2")


def template_findings(file: Path, name: str) -> list[Finding]:
    """Return the finding of a template, whether it migrates, and those of the models that it names.

    A file that is certainly none gives only its models: settings name some, too.
    """
    text = file.read_text("utf-8-sig")
    layout = certain_layout(Source(text, name))
    models = list(models_in(text, name))
    if layout is None and not name.lower().endswith(JINJA):
        return models
    facts = {"layout": layout.name if layout is not None else "jinja", "tokens": _tokens(text)}
    return [Finding("template", f"{name}:1:1", facts | (_verdict(text, name) if layout is not None else {})), *models]


def definition_findings(text: str, name: str) -> list[Finding]:
    """Return the findings of the templates that a Python file defines, by their names."""
    if certain_layout(Source(text, name)) is None:
        return []
    defined = migrate_templates(text, name)
    found = [
        Finding(
            "template",
            f"{name}:1:1",
            {**_lost(each), "layout": each.layout, "name": each.name, "tokens": _tokens(each.source)},
        )
        for each in defined
    ]
    refused = {"layout": "langchain-python", "verdict": "refused"}
    return found + [
        Finding("template", error.path or f"{name}:1:1", {**refused, "tokens": None, "reason": error.message})
        for error in defined.refusals
    ]


def _tokens(text: str) -> int | None:
    return count(text, AFTER).tokens


def _lost(found: TemplateMigration) -> dict[str, object]:
    return {"verdict": found.verdict, "losses": sorted({loss.path for loss in found.losses if loss.severity})}


def _verdict(text: str, name: str) -> dict[str, object]:
    try:
        found = migrate_template(text, name)
    except DiptychError as error:
        return {"verdict": "refused", "reason": error.message}
    return _lost(found)


def body_findings(file: Path, name: str) -> list[Finding]:
    """Return the findings of a JSON file: the body of a Completions request, a template, or settings."""
    try:
        value = json.loads(file.read_bytes().decode("utf-8-sig"))
    except RecursionError:
        value = None
    if not isinstance(value, Mapping) or not isinstance(value.get("prompt"), str | list):
        return template_findings(file, name)
    found = [prompt_finding(value["prompt"], f"{name}:1:1")] if isinstance(value["prompt"], str) else []
    model = value.get("model")
    return (
        [*found, model_finding(model, f"{name}:1:1")] if isinstance(model, str) and model in dated_models() else found
    )
