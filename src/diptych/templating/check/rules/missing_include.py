"""A template that is included, imported or extended and does not exist.

Names are looked up in the folder that is checked, and in the file's own folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import nodes

from ....suggest import suggest
from ..finding import Finding
from ..subject import Subject

CODE = "T003"
BAD = "{% include 'nowhere' %}"
GOOD = "{% include 'nowhere' ignore missing %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find every constant name that no file has."""
    for node in subject.each(nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        target: Any = getattr(node, "template", None)
        named = list(target.items) if isinstance(target, nodes.List | nodes.Tuple) else [target]
        names = [one.value for one in named if isinstance(one, nodes.Const) and isinstance(one.value, str)]
        is_sure = len(names) == len(named) > 0 and not getattr(node, "ignore_missing", False)
        if not is_sure or any(map(subject.finds, names)):
            continue
        known = [name.rsplit(".", 1)[0] for name in subject.library.names() if name != subject.name]
        hint = suggest(names[0], known) if known else "there is no other template in this folder"
        yield Finding(CODE, f"there is no template {names[0]!r}", subject.at(named[0].lineno, names[0]), hint)
