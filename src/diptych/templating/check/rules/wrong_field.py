"""A field of a message tag that its render refuses.

``{% message role="usr" %}``, ``prefill='false'`` and ``roles='user'`` fail whenever the line runs. Values
that stand in the template are tried when it is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import nodes

from ....errors import DiptychError
from ...tags import TagError
from ..finding import Finding
from ..subject import Subject
from ..written import constants

CODE = "T009"
BAD = '{% message role="usr" %}Hi{% endmessage %}'
GOOD = '{% message role="user" %}Hi{% endmessage %}'
#: What stands for the fields that are given when the template runs; media are read then, too.
_STAND_INS: Mapping[str, dict[str, Any]] = {
    "make_start": {"role": "assistant"},
    "make_history": {"messages": []},
    "make_tool_call": {"name": "x", "id": "x"},
}


def check(subject: Subject) -> Iterator[Finding]:
    """Make of every tag what it makes when it runs, one constant field at a time."""
    for call in subject.each(nodes.Call):
        made = call.node
        if not isinstance(made, nodes.ExtensionAttribute) or made.name not in _STAND_INS:
            continue
        make = getattr(subject.library.engine.environment.extensions[made.identifier], made.name)
        fields = {one.key: (one.value, value) for one in call.kwargs for value in constants(one.value)}
        base = {**_STAND_INS[made.name], **({"role": fields["role"][1]} if "role" in fields else {})}
        for key, (node, value) in fields.items():
            if (error := _refused(make, {**base, key: value})) and (key in base or not _refused(make, base)):
                place = subject.at(node.lineno, str(value).lower() if isinstance(value, bool) else str(value))
                yield Finding(CODE, error.message, place, error.hint or "correct the field")


def _refused(make: Any, fields: dict[str, Any]) -> DiptychError | None:
    try:
        make((None, 1, ""), **fields)
    except TagError as error:
        return error.error if isinstance(error.error, DiptychError) else None
    return None
