"""Langfuse's prompts, as its API gives them: an object with ``prompt``, ``config`` and ``labels``.

====================================  ====================================================
``prompt``, a text                    a prompt
``prompt``, a list of messages        messages
``{"type": "placeholder"}``           ``{% history name %}``
``{{ name }}``                        ``{{ name }}``: a name alone, replaced once
``config``                            ``model``, ``params``; what Chat has not is lost
``name``, ``version``, ``labels`` …   lost
other tags                            text; ambiguous, for other tools obey them
====================================  ====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .draft import Draft
from .holes import ended
from .listed import read_messages
from .model import Layout, Source
from .named import meaning_of_names, of_names

_OWN: Final = {"labels", "config", "tags", "commitMessage", "version"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a prompt of Langfuse. Raises MigrationError."""
    value = source.object()
    draft.drop(value, ("prompt", "type", "config"))
    _read_config(value.get("config"), draft)
    prompt = value.get("prompt")
    if isinstance(prompt, str):
        draft.prompt(ended(of_names(prompt, draft, "$.prompt")))
        draft.meaning = lambda inputs: [("user", meaning_of_names(prompt, inputs))]
    elif isinstance(prompt, list) and prompt:
        read_messages(prompt, "$.prompt", draft, lambda text, place: of_names(text, draft, place), meaning_of_names)
    else:
        raise draft.refuse("there is neither a text nor a list of messages", "$.prompt")


def _read_config(config: Any, draft: Draft) -> None:
    if not isinstance(config, Mapping):
        return
    draft.text_field("model", config.get("model"))
    if config.get("tools") is not None:
        draft.tools(config["tools"], "$.config.tools")
    form = config.get("response_format")
    kind = form.get("json_schema", form.get("type")) if isinstance(form, Mapping) else form
    draft.response_format(kind, "$.config.response_format")
    own = ("model", "tools", "response_format")
    draft.params({name: given for name, given in config.items() if name not in own}, "$.config")


def _is_certain(source: Source) -> bool:
    value = source.keys
    is_shaped = isinstance(value.get("prompt"), str | list) and value.get("type") in ("text", "chat", None)
    return is_shaped and isinstance(value.get("name"), str) and len(_OWN & value.keys()) >= 2


LAYOUT: Final = Layout("langfuse", read, _is_certain, rank=17)
