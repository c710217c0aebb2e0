"""A parameter that the API does not know or that the model refuses.

The call fails, or the server ignores what was meant. Take it out, correct its name or its value,
or name a model that takes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....apis.bodies import check_body
from ....catalogue.replacements import refusals
from ....errors import FormatError
from ..finding import Finding
from ..subject import Subject

CODE = "T201"
BAD = "---\nparams: {temprature: 0}\n---\nHi"
GOOD = "---\nparams: {temperature: 0}\n---\nHi"


def check(subject: Subject) -> Iterator[Finding]:
    """Find each parameter by itself, so that all are found."""
    params = subject.front.get("params")
    if not isinstance(params, dict):
        return
    for name, value in params.items():
        if name == "extra_body":
            continue
        try:
            check_body({"model": subject.model, "messages": [{"role": "user", "content": ""}], name: value})
        except FormatError as error:
            if not _is_for_prompts(subject, name, value):
                hint = error.hint or "give a value that the API takes"
                yield Finding(CODE, error.message, subject.at_key("params", name), hint)
    model = subject.front.get("model")  # without one, a caller names the model
    if not isinstance(model, str):
        return
    effort = params.get("reasoning_effort")
    for name in refusals(model, params, reasoning_effort=effort if isinstance(effort, str) else None):
        yield Finding(
            CODE, f"{model} refuses {name!r}", subject.at_key("params", name), "take it out, or name another model"
        )


def _is_for_prompts(subject: Subject, name: str, value: object) -> bool:
    try:
        check_body({"model": subject.model, "prompt": "", name: value})
    except FormatError:
        return False
    return not subject.messages
