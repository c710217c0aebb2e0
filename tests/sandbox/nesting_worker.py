"""Render one template in a process of its own, with no limit but those that cannot be lifted.

Reads ``{"entry": …, "template": …}`` on standard input and prints what happened.
"""

import json
import sys

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


try:
    print(json.dumps({"output": render(json.load(sys.stdin))[:1000]}))
except diptych.DiptychError as error:
    print(json.dumps({"error": type(error).__name__, "message": error.message, "place": str(error.location)}))
