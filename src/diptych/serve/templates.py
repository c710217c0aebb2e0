"""Templates of the folder that the bridge was given: a request may name one in place of its messages.

Rule: no other folder, no path that leaves it, no template from a request; each is rendered in a process of its own
under the caps of :class:`diptych.Limits`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import TemplateNotFound
from ..request import Api
from .policy import OWN
from .refusals import refuse
from .settings import Settings

#: Fields that hold what a request says: a request names a template in place of them.
_SAID = ("prompt", "messages", "input", "system", "instructions")


def names_template(body: Any) -> bool:
    """Return whether a body names a template.

    >>> names_template({"diptych": {"template": "translate"}}), names_template({})
    (True, False)
    """
    named = body.get(OWN) if isinstance(body, Mapping) else None
    return isinstance(named, Mapping) and "template" in named


def with_template(body: Mapping[str, Any], api: Api, settings: Settings) -> Mapping[str, Any]:
    """Return a body with the template that it names rendered, else as it is. Raises TemplateError, RefusedError.

    ``{"diptych": {"template": "translate", "inputs": {"text": "Hi"}}}`` names one.
    """
    if not names_template(body):
        return body
    named = body[OWN]
    if settings.templates is None:
        raise refuse(400, "the bridge has no templates (--templates)", param=f"{OWN}.template", again=False)
    if found := next((name for name in _SAID if name in body), None):
        raise refuse(400, f"a request has a template or {found!r}, not both", param=found, again=False)
    inputs = named.get("inputs") or {}
    if not isinstance(inputs, Mapping) or not all(isinstance(name, str) for name in inputs):
        raise refuse(400, "the inputs of a template are an object", param=f"{OWN}.inputs", again=False)
    rendered = _template(settings.templates, named["template"]).render(**inputs)
    made = rendered.request(api, model=str(body.get("model")), on_loss="raise")
    return {**made, **{name: value for name, value in body.items() if name != OWN}}


def _template(folder: Path, name: Any) -> Any:
    try:
        return _library(folder)[str(name)]
    except TemplateNotFound:
        raise refuse(404, f"there is no template {name!r}", param=f"{OWN}.template", again=False) from None


@lru_cache(maxsize=4)
def _library(folder: Path) -> Any:
    # Loaded where a request names a template: pydantic comes with it, and a tenth of the memory.
    from ..sandbox.limits import Limits
    from ..templating.library import Library

    # A worker process under limits of the system is there on Linux alone.
    return Library(folder, limits=Limits(isolate=sys.platform == "linux"))
