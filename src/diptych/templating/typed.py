"""Typed functions for templates: Python source with one function a template, for people and type checkers.

Rule: what the front matter declares becomes annotations; objects with properties become TypedDicts.
The source depends on the templates alone, so a check in CI can compare it.
"""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

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


def _render(template: str, **inputs: Any) -> Rendered:
    return _LIBRARY[template].render({{name: value for name, value in inputs.items() if value is not _UNSET}})
'''
_SCALARS: Final = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None",
}  # fmt: skip


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
    functions = {_identifier(name.rsplit(".", 1)[0]): library[name] for name in names}
    parts = [_Function(function, template) for function, template in functions.items()]
    listed = "".join(f'\n    "{name}",' for name in sorted(functions)) + ("\n" if functions else "")
    written, root = [part.source() for part in parts], _library(path, output)
    head = _HEAD.format(place=_shown(path), names=listed, library=root, imports=_imports(root + "".join(written)))
    return "\n\n".join([head.rstrip("\n") + "\n", *written])


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
        return f'Path("{Path(text).as_posix()}")'
    steps = Path(os.path.relpath(text, Path(output).parent)).as_posix()
    return f'Path(__file__).parent / "{steps}"'


def _identifier(name: str) -> str:
    """Return a name as an identifier of Python: ``code-review`` is ``code_review``.

    >>> _identifier("code-review"), _identifier("class"), _identifier("2nd")
    ('code_review', 'class_', '_2nd')
    """
    found = re.sub(r"\W", "_", name)
    found = f"_{found}" if found[:1].isdigit() else found
    return f"{found}_" if keyword.iskeyword(found) else found


class _Function:
    """The source of one function, and of the TypedDicts that it needs."""

    def __init__(self, name: str, template: Template) -> None:
        self._name = name
        self._template = template
        self._classes: list[str] = []

    def source(self) -> str:
        """Return the classes and the function."""
        arguments = [self._argument(item) for item in self._ordered()]
        body = [f'    """{line}' if index == 0 else f"    {line}".rstrip() for index, line in enumerate(self._doc())]
        given = "".join(f", {self._passed(item)}" for item in self._ordered())
        stars = f"*, {', '.join(arguments)}" if arguments else ""
        call = f'    return _render("{self._template.name}"{given})'
        function = "\n".join([f"def {self._name}({stars}) -> Rendered:", *body, call]) + "\n"
        return "\n\n".join([*self._classes, function])

    def _ordered(self) -> list[Input]:
        return list(self._template.inputs.values())

    def _argument(self, item: Input) -> str:
        hint = self._hint(item.schema, f"{self._name}_{item.name}")
        is_given = item.required or not self._declares
        return f"{_identifier(item.name)}: {hint}" + ("" if is_given else " = _UNSET")

    @property
    def _declares(self) -> bool:
        return "inputs" in self._template.metadata

    def _passed(self, item: Input) -> str:
        name = _identifier(item.name)
        return f"{name}={name}" if name == item.name else f'**{{"{item.name}": {name}}}'

    def _doc(self) -> Iterator[str]:
        said = (
            (self._template.description or f"Render {self._template.name}.").replace('"""', "'''").replace("\\", "\\\\")
        )
        lines = said.strip().splitlines()
        told = [
            f"{_identifier(item.name)}: {item.description or 'An input'}"
            + (f" (default: {item.default!r:.60})" if not item.required and item.default is not None else "")
            for item in self._ordered()
            if item.description or (not item.required and item.default is not None)
        ]
        if len(lines) == 1 and not told:
            yield f'{lines[0]}"""'
            return
        yield from lines
        if told:
            yield ""
            yield from (line.replace('"""', "'''").replace("\\", "\\\\") for line in told)
        yield '"""'

    # annotations ---------------------------------------------------------------------------

    def _hint(self, schema: Any, name: str) -> str:
        if not isinstance(schema, Mapping) or not schema:
            return "Any"
        for key in ("enum", "const"):
            if key in schema:
                values = schema[key] if key == "enum" else [schema[key]]
                return f"Literal[{', '.join(map(repr, values))}]"
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
        title = "".join(word.capitalize() for word in re.split(r"_+", name))
        fields = {key: self._hint(sub, f"{name}_{key}") for key, sub in properties.items()}
        shown = ", ".join(
            f'"{key}": {hint if key in required else f"NotRequired[{hint}]"}' for key, hint in fields.items()
        )
        self._classes.append(f'{title} = TypedDict("{title}", {{{shown}}})\n')
        return title
