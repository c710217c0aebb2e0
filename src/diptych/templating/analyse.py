"""What a template does with its inputs: the paths that it uses, and how much of it a cache can reuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from jinja2 import nodes

from ..catalogue import DEFAULT_MODEL
from ..encodings.encoding import encoding_name_for_model
from ..encodings.text import count_text, encode_text
from .rendered import Rendered
from .template import Template
from .whitespace import trimming


class InputPath(NamedTuple):
    """A path that a template takes from an input: ``order.items[].price``, its declared type, its lines."""

    path: str
    type: str
    lines: tuple[int, ...]


def analyse(template: Template) -> tuple[InputPath, ...]:
    """Return every path of the inputs that the body uses, sorted; ``[]`` is any item of a list.

    The type is the one that the declaration gives the path, ``any`` where it says nothing. Lines are those of the
    file. What a macro does with its arguments is not followed.

    >>> template = Template.from_string("{% for i in order.items %}{{ i.price }}{% endfor %}{{ name }}")
    >>> [found.path for found in analyse(template)]
    ['name', 'order.items', 'order.items[].price']
    """
    compiled = template.compiled
    engine = template.engine
    with trimming(compiled.parts.trim):
        tree = engine.parse(compiled.parts.body, compiled.name, compiled.file)
    walk = _Walk(compiled.parts.offset)
    walk.visit(tree, {name: name for name in compiled.variables})
    found = {path: tuple(sorted(lines)) for path, lines in walk.found.items()}
    return tuple(InputPath(path, _type_of(template.input_schema, path), found[path]) for path in sorted(found))


class _Walk:
    """Walk a syntax tree with the names that stand for paths of inputs."""

    def __init__(self, offset: int) -> None:
        self.found: dict[str, set[int]] = {}
        self._offset = offset

    def visit(self, node: nodes.Node, names: Mapping[str, str]) -> None:
        if isinstance(node, nodes.For):
            self._loop(node, names)
        elif isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            path = self._path(node, names)
            if path is not None:
                self.found.setdefault(path, set()).add(node.lineno + self._offset)
                return
            self._children(node, names)
        elif isinstance(node, nodes.Macro):
            inner = {name: path for name, path in names.items() if name not in {arg.name for arg in node.args}}
            self._children(node, inner)
        else:
            self._children(node, names)

    def _children(self, node: nodes.Node, names: Mapping[str, str]) -> None:
        for child in node.iter_child_nodes():
            self.visit(child, names)

    def _loop(self, node: nodes.For, names: Mapping[str, str]) -> None:
        self.visit(node.iter, names)
        over, inner = self._path(node.iter, names), dict(names)
        for target in [node.target, *node.target.find_all(nodes.Name)]:
            if isinstance(target, nodes.Name):
                inner.pop(target.name, None)
        if over is not None and isinstance(node.target, nodes.Name):
            inner[node.target.name] = f"{over}[]"
        for child in [*node.body, *([node.test] if node.test else [])]:
            self.visit(child, inner)
        for child in node.else_:
            self.visit(child, names)

    def _path(self, node: nodes.Node, names: Mapping[str, str]) -> str | None:
        if isinstance(node, nodes.Name):
            return names.get(node.name) if node.ctx == "load" else None
        if isinstance(node, nodes.Getattr) and (base := self._path(node.node, names)):
            return f"{base}.{node.attr}"
        if isinstance(node, nodes.Getitem) and (base := self._path(node.node, names)):
            key = node.arg.value if isinstance(node.arg, nodes.Const) else None
            return f"{base}.{key}" if isinstance(key, str) else f"{base}[]"
        return None


def _type_of(schema: Any, path: str) -> str:
    for step in path.replace("[]", ".[]").split("."):
        inner = schema.get("items") if step == "[]" else (schema.get("properties") or {}).get(step)
        if not isinstance(inner, Mapping):
            return "any"
        schema = inner
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


# what a cache can reuse --------------------------------------------------------------------------


class Prefix(NamedTuple):
    """The tokens that renderings share at their beginning, the most that one has, and the input that ends it."""

    tokens: int
    total: int
    broken_by: str | None


def stable_prefix(rendered: Iterable[Rendered], *, model: str | None = None) -> Prefix:
    """Return how much of several renderings a prompt cache can reuse.

    The tokens are those of the texts with their roles; vendors cache from a least size on (OpenAI 1,024).

    >>> template = Template.from_string("Be brief. {{ a }} Always.")
    >>> stable_prefix([template.render(a="x"), template.render(a="y")], model="gpt-4o")
    Prefix(tokens=5, total=8, broken_by='a')
    """
    found = list(rendered)
    if not found:
        return Prefix(0, 0, None)
    name = encoding_name_for_model(model or found[0].model or DEFAULT_MODEL)
    texts = ["".join(text for text, _ in _pieces(one)) for one in found]
    ids = [encode_text(text, encoding_name=name) for text in texts]
    shared = min(map(len, ids))
    for other in ids[1:]:
        shared = next((i for i in range(shared) if other[i] != ids[0][i]), shared)
    total = max(count_text(text, encoding_name=name) for text in texts)
    return Prefix(shared, total, _breaks(found, texts) if len(set(texts)) > 1 else None)


def _pieces(rendered: Rendered) -> Iterator[tuple[str, str | None]]:
    """Yield the texts of a rendering with its roles, each with the input that it came from."""
    for role, segments in rendered.segments:
        yield f"{role}\n", None
        yield from ((one.text, one.input if one.source == "data" else None) for one in segments)
        yield "\n", None


def _breaks(rendered: list[Rendered], texts: list[str]) -> str | None:
    """Return the input that the first differing character comes from; of several the one that begins first."""
    differs = min(_shared(texts[0], other) for other in texts if other != texts[0])
    covering = []
    for one, text in zip(rendered, texts, strict=True):
        end = 0
        for piece, name in _pieces(one):
            start, end = end, end + len(piece)
            if name is not None and start <= differs < end:
                covering.append((start, -len(text), name))
    return min(covering)[2] if covering else None


def _shared(one: str, two: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
