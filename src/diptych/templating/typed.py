"""Typed functions for templates: Python source with one function a template, for people and type checkers.

Rule: what the front matter declares becomes annotations; objects with properties become TypedDicts.
The source depends on the templates alone, so a check in CI can compare it.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from ..errors import TemplateError
from .inputs import Input
from .library import Library
from .template import Template

_HEAD: Final = '''"""Typed functions for the templates of {place}.

Made by `diptych types`; a change here is lost with the next run.
"""

from __future__ import annotations

{imports}

from diptych import Library, Rendered

__all__ = [{names}]

_LIBRARY = Library({library})
_UNSET: Any = object()


def _render(template: str, /, **inputs: Any) -> Rendered:
    return _LIBRARY[template].render({{name: value for name, value in inputs.items() if value is not _UNSET}})
'''
_SCALARS: Final = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None",
}  # fmt: skip
#: Names that the generated module uses itself, and that no function may hide; a parameter may hide all but ``_render``.
_USED: Final = frozenset({
    "Any", "Library", "Literal", "NotRequired", "Path", "Rendered", "TypedDict", "annotations", "bool", "dict", "float",
    "int", "list", "object", "str", "_LIBRARY", "_UNSET", "_render",
})  # fmt: skip


def typed_source(path: str | os.PathLike[str], *, output: str | os.PathLike[str] | None = None) -> str:
    """Return Python source with a function for every template of a folder or package (``"pkg:folder"``).

    ``output`` is the file that the source is for: the folder is found from there. Templates in
    ``partials`` and those whose names begin with ``_`` are left out. Raises what loading them raises.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "greet.jinja").write_text("Hi {{ name }}")
    >>> "def greet(*, name: Any) -> Rendered:" in typed_source(folder)
    True
    """
    library = Library(path)
    names = [name for name in sorted(library) if not re.search(r"(^|/)(_|partials/)", name)]
    functions = _distinct("templates", names, lambda name: _identifier(name.rsplit(".", 1)[0], _USED))
    taken = {*functions, *_USED}
    parts = [_Function(function, library[name], taken) for function, name in functions.items()]
    listed = "".join(f'\n    "{name}",' for name in sorted(functions)) + ("\n" if functions else "")
    written, root = [part.source() for part in parts], _library(path, output)
    place, imports = _escaped(_shown(path)), _imports(root + "".join(written))
    head = _HEAD.format(place=place, names=listed, library=root, imports=imports)
    return "\n\n".join([head.rstrip("\n") + "\n", *written])


def _distinct(what: str, names: Iterable[str], identify: Callable[[str], str]) -> dict[str, str]:
    """Return names by their identifiers. Raises TemplateError for two that have the same."""
    found: dict[str, str] = {}
    for name in names:
        identifier = identify(name)
        if identifier in found:
            message = f"the {what} {found[identifier]!r} and {name!r} would both be {identifier!r} in Python"
            raise TemplateError(message, hint="rename one of them")
        found[identifier] = name
    return found


def _imports(source: str) -> str:
    names = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if name == "Any" or name in source]
    return ("from pathlib import Path\n" if "Path(" in source else "") + f"from typing import {', '.join(names)}"


def _shown(path: str | os.PathLike[str]) -> str:
    return os.fspath(path) if ":" in os.fspath(path) else Path(path).name


def _library(path: str | os.PathLike[str], output: str | os.PathLike[str] | None) -> str:
    text = os.fspath(path)
    if not Path(text).is_dir():
        return repr(text)
    if output is None:
        return f"Path({Path(text).as_posix()!r})"
    steps = Path(os.path.relpath(text, Path(output).parent)).as_posix()
    return f"Path(__file__).parent / {steps!r}"


def _identifier(name: str, used: Collection[str] = ("_render",)) -> str:
    """Return a name as an identifier of Python: ``code-review`` is ``code_review``.

    >>> _identifier("code-review"), _identifier("class"), _identifier("2nd"), _identifier("list", _USED)
    ('code_review', 'class_', '_2nd', 'list_')
    """
    plain = unicodedata.normalize("NFKC", name)  # as Python reads identifiers
    found = "".join(character if f"_{character}".isidentifier() else "_" for character in plain)
    found = found if found.isidentifier() or keyword.iskeyword(found) else f"_{found}"
    return f"{found}_" if keyword.iskeyword(found) or found in used else found


def _escaped(text: str) -> str:
    """Return a text as it stands between triple quotes."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return text[:-1] + '\\"' if text.endswith('"') else text


class _Function:
    """The source of one function, and of the TypedDicts that it needs."""

    def __init__(self, name: str, template: Template, taken: set[str]) -> None:
        self._name = name
        self._template = template
        self._taken = taken
        self._classes: list[str] = []
        named = _distinct(f"inputs of {template.name}", template.inputs, _identifier)
        self._inputs = [(identifier, template.inputs[name]) for identifier, name in named.items()]

    def source(self) -> str:
        """Return the classes and the function."""
        arguments = [self._argument(name, item) for name, item in self._inputs]
        body = [f'    """{line}' if index == 0 else f"    {line}".rstrip() for index, line in enumerate(self._doc())]
        given = "".join(f", {_passed(name, item)}" for name, item in self._inputs)
        stars = f"*, {', '.join(arguments)}" if arguments else ""
        call = f"    return _render({_quoted(self._template.name)}{given})"
        function = "\n".join([f"def {self._name}({stars}) -> Rendered:", *body, call]) + "\n"
        return "\n\n".join([*self._classes, function])

    def _argument(self, name: str, item: Input) -> str:
        hint = self._hint(item.schema, f"{self._name}_{name}")
        is_given = item.required or "inputs" not in self._template.metadata
        return f"{name}: {hint}" + ("" if is_given else " = _UNSET")

    def _doc(self) -> Iterator[str]:
        said = _escaped(self._template.description or f"Render {self._template.name}.").strip().splitlines()
        told = [
            _escaped(f"{name}: {item.description or 'An input'}" + _default(item)).replace("\n", " ")
            for name, item in self._inputs
            if item.description or _default(item)
        ]
        if len(said) == 1 and not told:
            yield f'{said[0]}"""'
            return
        yield from said
        yield from ["", *told] if told else []
        yield '"""'

    # annotations ---------------------------------------------------------------------------

    def _hint(self, schema: Any, name: str) -> str:
        if not isinstance(schema, Mapping) or not schema:
            return "Any"
        if "enum" in schema or "const" in schema:
            return _literal(schema["enum"] if "enum" in schema else [schema["const"]])
        branches = schema.get("anyOf", schema.get("oneOf"))
        if isinstance(branches, list):
            return " | ".join(dict.fromkeys(self._hint(one, f"{name}_{i}") for i, one in enumerate(branches)))
        kind = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(kind, list):
            return " | ".join(dict.fromkeys(self._hint({**schema, "type": one}, name) for one in kind))
        if kind == "array":
            return f"list[{self._hint(schema.get('items'), f'{name}_item')}]"
        if kind == "object":
            return self._object(schema, name)
        return _SCALARS.get(str(kind), "Any")

    def _object(self, schema: Mapping[str, Any], name: str) -> str:
        properties = schema.get("properties")
        if not properties:
            extra = schema.get("additionalProperties")
            return f"dict[str, {self._hint(extra, f'{name}_value') if isinstance(extra, Mapping) else 'Any'}]"
        required = set(schema.get("required") or ())
        fields = {key: self._hint(sub, f"{name}_{key}") for key, sub in properties.items()}
        shown = ", ".join(
            f"{_quoted(key)}: {hint if key in required else f'NotRequired[{hint}]'}" for key, hint in fields.items()
        )
        title = self._title(name)
        self._classes.append(f'{title} = TypedDict("{title}", {{{shown}}})\n')
        return title

    def _title(self, name: str) -> str:
        """Return a name for a class that nothing else of the module has."""
        plain = _identifier("".join(word[:1].upper() + word[1:] for word in re.split(r"[\W_]+", name)))
        tries = chain([plain], (f"{plain}{number}" for number in count(2)))
        title = next(one for one in tries if one not in self._taken)
        self._taken.add(title)
        return title


def _passed(name: str, item: Input) -> str:
    return f"{name}={name}" if name == item.name else f"**{{{_quoted(item.name)}: {name}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _default(item: Input) -> str:
    return f" (default: {item.default!r:.60})" if not item.required and item.default is not None else ""


def _literal(values: Any) -> str:
    """Return the type of fixed values; Python has none for numbers with a fraction, lists and objects."""
    is_fixed = isinstance(values, list) and values and all(isinstance(one, str | int | None) for one in values)
    return f"Literal[{', '.join(map(repr, values))}]" if is_fixed else "Any"
