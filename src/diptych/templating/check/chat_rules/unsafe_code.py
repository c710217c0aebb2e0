"""Code that uses Python's internals, or that a cap has to end.

A chat template comes with a model from elsewhere. Attributes that begin with an underscore, methods
of classes and loops without a bound have no place in one.
"""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
from jinja2 import nodes

from ..chat import USER, ChatSubject, is_too_much
from ..finding import Finding

CODE = "H011"
BAD = "{% for m in messages %}{{ m.content }}{% endfor %}{{ ''.__class__.__mro__ }}"
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}"


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Look at attributes in the syntax tree, and at a rendering that is ended."""
    for name in _private(subject.source):
        hint = "take it out: a template needs texts, lists and mappings"
        message = f"the attribute {name!r} is one of Python's internals"
        yield from subject.found(CODE, message, subject.at(name), "the sandbox refuses it", hint)
    found = subject.render([USER], add_generation_prompt=True)
    if is_too_much(found) or "unsafe" in (found.error.message if found.error else ""):
        yield from subject.found(
            CODE, "the rendering is ended by a cap", subject.at(r"range", r"for "), found, "bound it"
        )


def _private(source: str) -> list[str]:
    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])  # noqa: S701 - nothing is rendered
    plain = source.replace("generation %}", "if true %}").replace("endif true %}", "endif %}")
    try:
        tree = environment.parse(plain)
    except Exception:  # what does not parse is a finding of its own
        return []
    names = {node.attr for node in tree.find_all(nodes.Getattr) if node.attr.startswith("_")}
    items = (node.arg.value for node in tree.find_all(nodes.Getitem) if isinstance(node.arg, nodes.Const))
    return sorted(names | {item for item in items if isinstance(item, str) and item.startswith("__")})
