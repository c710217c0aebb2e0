"""Render one template in a process of its own (tests/forks.py), with no limit but those that cannot be lifted."""

import diptych
from diptych.sandbox import Limits

FREE = Limits(seconds=1e9, work=10**12, output=10**12, depth=10**9)


def pairs(value):
    """Put each item into a pair, lazily; stands for any function of the caller's."""
    return ((item, item) for item in value)


def render(row):
    if row["entry"] == "ChatTemplate":
        return diptych.ChatTemplate(row["template"], limits=FREE).render([])
    made = {"filters": {"wrap": lambda value: (value,), "pairs": pairs}, "globals": {"wrapped": lambda value: [value]}}
    return diptych.Template.from_string(row["template"], limits=FREE, **made).render().prompt


def run(row):
    """Return what became of ``{"entry": …, "template": …}``."""
    try:
        return {"output": render(row)[:1000]}
    except diptych.DiptychError as error:
        return {"error": type(error).__name__, "message": error.message, "place": str(error.location)}
