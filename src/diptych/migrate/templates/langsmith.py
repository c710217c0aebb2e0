"""LangSmith's prompts, as its hub gives them: a commit whose ``manifest`` is a dump of LangChain's.

====================================  ====================================================
``manifest`` of a prompt              what :mod:`.langchain` makes of a dump
a prompt that is piped to a model     the prompt; the model is lost
``owner``, ``repo``, ``commit_hash``  lost
====================================  ====================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from . import langchain
from .draft import Draft
from .model import Layout, Source


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a commit of LangSmith's hub. Raises MigrationError."""
    value = source.object()
    manifest = value.get("manifest")
    if not isinstance(manifest, Mapping):
        raise draft.refuse("there is no manifest", "$.manifest")
    draft.drop(value, ("manifest",))
    prompt = _prompt_of(manifest)
    if prompt is not manifest:
        draft.lose("$.manifest.kwargs.last", "field-dropped", "a template has no model of its own in code")
    langchain.read(Source(json.dumps(prompt), f"{source.filename}.json"), draft)


def _prompt_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the prompt of a sequence that begins with one, else the manifest itself."""
    name, kwargs = manifest.get("id"), manifest.get("kwargs")
    is_sequence = isinstance(name, list) and bool(name) and str(name[-1]).startswith("RunnableSequence")
    first = kwargs.get("first") if is_sequence and isinstance(kwargs, Mapping) else None
    return first if isinstance(first, Mapping) else manifest


def _is_certain(source: Source) -> bool:
    manifest = source.keys.get("manifest")
    return isinstance(manifest, Mapping) and manifest.get("lc") == 1


LAYOUT: Final = Layout("langsmith", read, _is_certain, rank=14, oracle="langchain-core 1.7.2")
