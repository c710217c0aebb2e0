"""MLflow's prompts, as its registry gives them: an object with ``template``.

====================================  ====================================================
``template``, a text                  a prompt
``template``, a list of messages      messages
``{{ name }}``                        ``{{ name }}``: a name alone
``{% … %}`` in the template           Jinja, as its own engine has it there
``response_format``                   ``response_format``, a JSON Schema
``model_config``                      ``model``, ``params``
``name``, ``version``, ``tags`` …     lost
====================================  ====================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .draft import Draft
from .holes import ended
from .jinja import plain_renderer, rewrite
from .listed import read_messages
from .model import Layout, Source
from .named import meaning_of_names, of_names

_OWN: Final = {"commit_message", "aliases", "prompt_type", "model_config", "creation_timestamp"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a prompt of MLflow. Raises MigrationError."""
    value = source.object()
    draft.drop(value, ("template", "model_config", "response_format", "prompt_type"))
    form = value.get("response_format")
    draft.response_format(_parsed(form), "$.response_format")
    config = value.get("model_config")
    if isinstance(config, Mapping):
        draft.text_field("model", config.get("model_name"), config.get("model"))
        draft.params({k: v for k, v in config.items() if k not in ("model", "model_name")}, "$.model_config")
    template = value.get("template")
    if isinstance(template, str):
        draft.prompt(ended(_written(template, "$.template", draft)))
        draft.meaning = lambda inputs: [("user", _meant(template, inputs))]
    elif isinstance(template, list) and template:
        read_messages(template, "$.template", draft, lambda text, place: _written(text, place, draft), _meant)
    else:
        raise draft.refuse("there is neither a text nor a list of messages", "$.template")


def _parsed(form: Any) -> Any:
    try:
        return json.loads(form) if isinstance(form, str) and form.startswith("{") else form
    except ValueError:
        return form


def _written(text: str, place: str, draft: Draft) -> str:
    return rewrite(text, draft) if "{%" in text else of_names(text, draft, place)


def _meant(text: str, inputs: Mapping[str, Any]) -> str:
    return plain_renderer(text)(inputs) if "{%" in text else meaning_of_names(text, inputs)


def _is_certain(source: Source) -> bool:
    value = source.keys
    has_own = bool(_OWN & value.keys()) or any(str(tag).startswith("mlflow.") for tag in value.get("tags") or ())
    return isinstance(value.get("template"), str | list) and has_own and "_type" not in value


LAYOUT: Final = Layout("mlflow", read, _is_certain, rank=18)
