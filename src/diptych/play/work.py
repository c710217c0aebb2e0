"""What the page shows of a template and its inputs: one document of plain data.

Rule: the text of a template is a stranger's until somebody has read it, so it renders in a worker process where the
system has one, and its findings are looked for there, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ..catalogue import DEFAULT_MODEL
from ..conversion.requests import APIS
from ..errors import DiptychError
from ..report.templates import template_document
from ..sandbox.isolation import run_isolated
from ..sandbox.limits import Limits
from ..templating.library import Library
from ..templating.template import Template

#: Worker processes need Linux; elsewhere the caps hold in this process.
IS_ISOLATED: Final = sys.platform == "linux"
LIMITS: Final = Limits(seconds=2.0, output=2_000_000, isolate=IS_ISOLATED)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the page: the name and text of a template, its inputs as JSON, the models to price for."""

    name: str
    source: str
    inputs: str = "{}"
    models: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: Any) -> Draft:
        """Return the draft of a JSON value. Raises ValueError for any other shape."""
        given = value if isinstance(value, dict) else {}
        name, source, inputs = (given.get(key) for key in ("name", "source", "inputs"))
        models = given.get("models", [])
        if not (isinstance(name, str) and isinstance(source, str) and isinstance(inputs, str)) or not (
            isinstance(models, list) and all(isinstance(one, str) for one in models)
        ):
            raise ValueError("expected an object with name, source, inputs (texts) and models (a list of texts)")
        return cls(name, source, inputs, tuple(models))


def template_of(folder: Path, draft: Draft) -> Template:
    """Return the template of a draft as if it stood in the folder. Raises the errors of templates."""
    library = Library(folder, limits=LIMITS)
    return library.from_text(draft.source, name=draft.name or "draft.jinja", file=draft.name or "draft.jinja")


def shown(folder: Path, draft: Draft) -> dict[str, Any]:
    """Return what the page shows: prompt, messages, who wrote what, tokens, costs, losses, bodies, samples.

    An error stands in ``error``, with line and column where it has a place.
    """
    try:
        template = template_of(folder, draft)
        inputs = _inputs(draft.inputs)
        document = template_document(template, {"inputs": inputs}, models=draft.models)
        declared = {"inputs": template.input_schema, "samples": template.samples}
        sample = document["samples"][0]
        bodies = [] if sample["error"] else _bodies(template, inputs, draft)
    except DiptychError as error:
        return {"error": _error(error)}
    except RecursionError:
        return {"error": {"message": "nested too deeply", "line": None, "column": None}}
    failed = {"message": sample["error"], "line": None, "column": None} if sample["error"] else None
    return {"error": failed, "hash": document["hash"], "sample": sample, "bodies": bodies, **declared}


def _inputs(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise DiptychError(f"the inputs are not JSON: {error}") from None
    if not isinstance(found, dict):
        raise DiptychError("the inputs must be an object", hint='write {"name": "value"}')
    return found


def _error(error: DiptychError) -> dict[str, Any]:
    place = getattr(error, "location", None)
    line, column = (place.line, place.column) if place else (None, None)
    return {"message": str(error), "line": line, "column": column}


def _bodies(template: Template, inputs: Mapping[str, Any], draft: Draft) -> list[dict[str, Any]]:
    """Return the body of every API, or why there is none; and what it cannot carry."""
    from ..conversion.requests import build

    rendered = template.render(inputs)
    model = draft.models[0] if draft.models else rendered.model or DEFAULT_MODEL
    found: list[dict[str, Any]] = []
    for api in APIS:
        try:
            built = build(rendered, model=model, api=api, on_loss="ignore", own_server=False)
            losses = [loss.to_json() for loss in built.losses]
            found.append({"api": api, "body": built.body, "losses": losses, "error": None})
        except DiptychError as error:
            found.append({"api": api, "body": None, "losses": [], "error": str(error)})
    return found


def findings(folder: Path, draft: Draft) -> list[dict[str, Any]]:
    """Return what ``check`` finds in a draft, looked for in a worker process where there is one."""
    arguments = (str(folder), draft.name or "draft.jinja", draft.source)
    try:
        if not IS_ISOLATED:
            return _found(*arguments)
        return run_isolated(_found, *arguments, limits=Limits(seconds=8.0))
    except DiptychError as error:
        return [{"code": error.error_code, "message": error.message, "location": None, "hint": error.hint, "fix": None}]


def _found(folder: str, name: str, source: str) -> list[dict[str, Any]]:
    from ..templating.check.registry import selected
    from ..templating.check.run import check_text
    from ..templating.check.subject import Settings

    library = Library(folder)
    found = check_text(source, selected(), Settings(date.today()), file=name, name=name, library=library)
    return [finding.to_json() for finding in found]


def rendered(folder: Path, draft: Draft) -> Any:
    """Return a draft, rendered, to be sent. Raises the errors of templates."""
    return template_of(folder, draft).render(_inputs(draft.inputs))
