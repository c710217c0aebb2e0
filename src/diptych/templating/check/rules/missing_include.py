"""A template that is included, imported or extended and does not exist.

Names are looked up in the folder that is checked, and in the file's own folder.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ....errors import TemplateNotFound
from ....suggest import suggest
from ..finding import Finding
from ..subject import Subject

CODE = "T003"
BAD = "{% include 'nowhere' %}"
GOOD = "{% include 'nowhere' ignore missing %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find every constant name that no file has."""
    if subject.tree is None:
        return
    for node in subject.each(nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        target = getattr(node, "template", None)
        if getattr(node, "ignore_missing", False) or not isinstance(target, nodes.Const):
            continue
        names = [target.value] if isinstance(target.value, str) else list(target.value)
        if names and not any(map(_is_found(subject), names)):
            known = [name.rsplit(".", 1)[0] for name in subject.library.names() if name != subject.name]
            hint = suggest(names[0], known) if known else "there is no other template in this folder"
            yield Finding(CODE, f"there is no template {names[0]!r}", subject.at(target.lineno, names[0]), hint)


def _is_found(subject: Subject):  # type: ignore[no-untyped-def]
    def found(name: str) -> bool:
        try:
            return subject.library.engine.lookup(name) is not None
        except TemplateNotFound:
            return False

    return found
