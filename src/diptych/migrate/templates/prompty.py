"""Prompty v1 (2024) and v2 (2026): front matter and a body with role lines.

Rule: roles are read in the author's lines alone, once, here; ``${env:…}`` and ``${file:…}``
are never resolved, and nothing of a connection is copied.

========================================  =================================================
``name``, ``description``                 ``description``
``model.id``, ``azure_deployment``        ``model``
``parameters``, ``options``               ``params``; what Chat has not is lost
``configuration``, ``connection``         lost: the client knows its server
``inputs``, ``sample``'s types            ``inputs``; an optional one gets the empty default
``sample``                                ``samples``
``outputs``, ``response_format``          ``response_format``
``tools`` of the kind function            ``tools``; other kinds and bindings are lost
``system:`` … ``assistant[name="x"]:``    a message; no role line: a system message. Prompty 2.1
                                          itself loses the name
an input of the kind thread               ``{% history name %}``
inputs of the kinds image, audio, file    ``{% image name %}`` …
``![a](url)``                             v1: ``{% image url %}``; v2: text, as it says
``template: mustache``                    names and sections; partials are refused
========================================  =================================================

Source: the specification in the project's repository, its sections 2, 5, 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from .draft import KINDS, ROLE_NAMES, Draft, kind_of
from .jinja import pieces_of, plain_renderer
from .meaning import HISTORY
from .model import Layout, Source
from .mustache import mustache_meaning, pieces_of_mustache
from .pieces import Piece, tree_of, write, write_messages
from .reading import split_front

ROLE_LINE: Final = re.compile(
    r"^[ \t]*+#?[ \t]*+(system|user|assistant|developer|tool|function)[ \t]*+(\[[^\]\n]*\])?[ \t]*+:[ \t]*+$",
    re.M | re.I,
)
_DYNAMIC_ROLE: Final = re.compile(r"^[ \t]*+#?[ \t]*+\{\{[^}\n]*\}\}[ \t]*+:[ \t]*+$", re.M)
#: The loop by which a v1 file writes its history; the roles come from the data's structure.
_LOOP: Final = re.compile(
    r"\{%-?\s*for\s+(\w+)\s+in\s+(\w+)\s*-?%\}\s*#?[ \t]*\{\{-?\s*\1(?:\.role|\[.role.\])\s*-?\}\}\s*:\s*"
    r"\{\{-?\s*\1(?:\.content|\[.content.\])\s*-?\}\}\s*\{%-?\s*endfor\s*-?%\}"
)
_IMAGE: Final = re.compile(r"!\[[^\]\n]*\]\(\s*(?:\{\{-?\s*([^}\n]+?)\s*-?\}\}|([^)\s]+))[^)\n]*\)")
_MARK: Final = re.compile(r"\x00(role|history):([^\x00]*)\x00")
_REFERENCE: Final = re.compile(r"\$\{(\w+):([^}]*)\}")
_ATTRIBUTE: Final = re.compile(r"(\w+)\s*=\s*\"?([^\",\]]*)\"?")
_RICH: Final = {"image", "audio", "file"}
_KNOWN: Final = {
    "name", "description", "model", "inputs", "sample", "template", "tools", "version", "kind", "$schema", "outputs",
}  # fmt: skip


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a Prompty file. Raises MigrationError."""
    meta, body = split_front(source.text, source.filename)
    _read_description(meta, draft)
    model = meta.get("model")
    _read_model(model, draft)
    kinds = _read_inputs(meta, draft)
    _read_outputs(meta.get("outputs"), draft)
    _read_tools(meta.get("tools"), draft)
    draft.drop(meta, _KNOWN)
    is_first = isinstance(model, Mapping) and bool(model.keys() & {"api", "configuration", "parameters", "response"})
    form = _form(meta.get("template"))
    line = source.text.count("\n", 0, len(source.text) - len(body)) + 1
    if form not in (None, "jinja2", "jinja", "nunjucks", "mustache"):
        raise draft.refuse(f"a body in {form!r} is not read", hint="jinja2 and mustache are")
    if isinstance(model, Mapping) and model.get("api") == "completion" and not ROLE_LINE.search(body):
        _read_prompt(body.strip("\n"), form, draft, line)
    else:
        read_body(body, draft, line, form=form, kinds=kinds, has_images=is_first or "sample" in meta)


def _form(template: Any) -> Any:
    form = template.get("format") if isinstance(template, Mapping) else template
    form = form.get("kind") if isinstance(form, Mapping) else form
    return form or None


def _read_description(meta: Mapping[str, Any], draft: Draft) -> None:
    draft.text_field("description", meta.get("description"), meta.get("name"))


def _read_model(model: Any, draft: Draft) -> None:
    if isinstance(model, str):
        model = {"id": model}
    if not isinstance(model, Mapping):
        return
    settings: Mapping[str, Any] = {}
    for key in ("configuration", "connection"):
        if isinstance(given := model.get(key), Mapping):
            settings = {**settings, **given}
            for name in given:
                if name not in ("name", "azure_deployment", "model", "type", "kind"):
                    draft.lose(f"$.model.{key}.{name}", "field-dropped", "the client knows its server")
    names = (model.get("id"), settings.get("azure_deployment"), settings.get("name"), settings.get("model"))
    name = next((name for name in names if isinstance(name, str) and name), None)
    if name is not None:
        _set_model(name, draft)
    for key in ("parameters", "options"):
        _read_parameters(model.get(key), f"$.model.{key}", draft)
    draft.drop(
        model, ("id", "api", "apiType", "configuration", "connection", "parameters", "options", "provider"), "$.model"
    )


def _set_model(name: str, draft: Draft) -> None:
    reference = _REFERENCE.search(name)
    if reference is None and "${" not in name:
        draft.meta["model"] = name
        return
    default = reference[2].partition(":")[2] if reference and reference[1].lower() == "env" else ""
    if default:
        draft.meta["model"] = default
        draft.lose("$.model", "substituted", "the default stands for what the environment says")
    else:
        draft.lose("$.model", "field-dropped", "the environment names it: give model= when rendering or sending")


def _read_parameters(values: Any, path: str, draft: Draft) -> None:
    if not isinstance(values, Mapping):
        return
    values = dict(values)
    form = values.pop("response_format", None)
    if isinstance(form, Mapping):
        schema = form.get("json_schema", form.get("type"))
        draft.response_format(schema, f"{path}.response_format")
    if "tools" in values:
        draft.tools(values.pop("tools"), f"{path}.tools")
    more = values.pop("additionalProperties", None)
    # The specification's table: what v2 calls maxOutputTokens is this parameter and no other.
    if "maxOutputTokens" in values:
        values["max_completion_tokens"] = values.pop("maxOutputTokens")
    draft.params(values, path)
    draft.params(more, f"{path}.additionalProperties")


# inputs, outputs, tools ------------------------------------------------------------------------


def _properties(given: Any) -> dict[str, Any]:
    """Return properties by name: they stand in a list with names, a mapping, or under ``properties``."""
    if isinstance(given, Mapping) and isinstance(given.get("properties"), list | Mapping):
        given = given["properties"]
    if isinstance(given, list):
        return {str(entry["name"]): entry for entry in given if isinstance(entry, Mapping) and "name" in entry}
    return dict(given) if isinstance(given, Mapping) else {}


def schema_of(entry: Any) -> dict[str, Any]:
    """Return the JSON Schema of a property; a bare value is its own default.

    >>> schema_of({"kind": "array", "items": {"kind": "float"}})
    {'type': 'array', 'items': {'type': 'number'}}
    """
    if not isinstance(entry, Mapping):
        return kind_of(entry)
    kind = str(entry.get("kind") or entry.get("type") or "")
    schema = dict(KINDS.get(kind, kind_of(entry.get("default", entry.get("sample"))) if not kind else {}))
    if isinstance(entry.get("enumValues"), list):
        schema = {"enum": entry["enumValues"]}
    if schema.get("type") == "array" and "items" in entry:
        schema["items"] = schema_of(entry["items"])
    if schema.get("type") == "object" and entry.get("properties"):
        schema |= object_schema(entry["properties"])
    return schema


def object_schema(given: Any) -> dict[str, Any]:
    """Return the JSON Schema of an object with these properties."""
    properties = _properties(given)
    described = {}
    for name, entry in properties.items():
        described[name] = schema_of(entry)
        if isinstance(entry, Mapping) and isinstance(entry.get("description"), str):
            described[name]["description"] = entry["description"]
    required = [name for name, entry in properties.items() if isinstance(entry, Mapping) and entry.get("required")]
    return {"type": "object", "properties": described, **({"required": required} if required else {})}


def _read_inputs(meta: Mapping[str, Any], draft: Draft) -> dict[str, str]:
    """Declare the inputs and return the kinds of those that are more than text."""
    kinds: dict[str, str] = {}
    for name, entry in _properties(meta.get("inputs")).items():
        facts = entry if isinstance(entry, Mapping) else {"default": entry}
        kind = str(facts.get("kind") or facts.get("type") or "")
        if kind in ("thread", *_RICH):
            kinds[name] = kind
        draft.add_input(
            name, schema_of(entry), description=facts.get("description"), **_default(name, kind, facts, draft)
        )
        for key in ("sample", "example"):
            if key in facts:
                _add_sample({name: facts[key]}, f"$.inputs.{name}.{key}", draft)
    sample = meta.get("sample")
    if isinstance(sample, Mapping):
        for name, value in sample.items():
            if name not in draft.names:
                draft.add_input(name, kind_of(value))
    if isinstance(sample, Mapping):
        _add_sample(sample, "$.sample", draft)
    elif sample is not None:
        draft.lose("$.sample", "field-dropped", "it stands in another file")
    return kinds


def _add_sample(sample: Mapping[str, Any], path: str, draft: Draft) -> None:
    """Add values to the template's one sample."""
    values = {draft.names.get(name, name): value for name, value in sample.items()}
    if any(isinstance(value, str) and _REFERENCE.search(value) for value in values.values()):
        draft.lose(path, "field-dropped", "it stands in the environment or in another file")
        return
    first: dict[str, Any] = draft.meta.setdefault("samples", [{}])[0]
    first |= values


def _default(name: str, kind: str, facts: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """Return the default of an input: what it says, or for an optional one what prints nothing."""
    default = facts.get("default")
    if isinstance(default, str) and _REFERENCE.search(default):
        draft.lose(f"$.inputs.{name}.default", "field-dropped", "it stands in the environment or in another file")
        return {}
    if default is not None:
        return {"default": default}
    if facts.get("required") or facts.get("is_required") or "sample" in facts:
        return {}
    empty: dict[str, Any] = {
        "string": "",
        "": "",
        "array": [],
        "thread": [],
        "object": {},
        "boolean": False,
        "bool": False,
    }
    if kind in empty:
        draft.lose(f"$.inputs.{name}", "defaulted", "an optional input that is not given prints nothing")
        return {"default": empty[kind]}
    draft.lose(
        f"$.inputs.{name}", "substituted", "it was optional; no value of its type prints nothing, so it must be given"
    )
    return {}


def _read_outputs(outputs: Any, draft: Draft) -> None:
    if outputs:
        schema = object_schema(outputs)
        if schema["properties"]:
            draft.response_format({**schema, "additionalProperties": False}, "$.outputs")
        else:
            draft.lose("$.outputs", "schema-dropped", "no property has a name")


def _read_tools(tools: Any, draft: Draft) -> None:
    functions: list[Any] = []
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(tool, Mapping) or tool.get("kind", "function") != "function" or "function" in tool:
            functions.append(tool if isinstance(tool, Mapping) and "function" in tool else None)
            continue
        bound = tool["bindings"] if isinstance(tool.get("bindings"), Mapping) else {}
        function = {key: tool[key] for key in ("name", "description", "strict") if key in tool}
        given = tool.get("parameters")
        if given:
            is_schema = isinstance(given, Mapping) and given.get("type") == "object"
            schema = dict(given) if is_schema and isinstance(given.get("properties"), Mapping) else object_schema(given)
            schema["properties"] = {k: v for k, v in schema.get("properties", {}).items() if k not in bound}
            if required := [name for name in schema.pop("required", ()) if name not in bound]:
                schema["required"] = required
            function["parameters"] = schema
        for name in bound:
            draft.lose(f"$.tools[{index}].bindings.{name}", "field-dropped", "the caller gives what a call is bound to")
        functions.append(function)
    if tools is not None:
        draft.tools(functions if isinstance(tools, list) else tools)


# the body --------------------------------------------------------------------------------------


def read_body(
    body: str,
    draft: Draft,
    line: int = 1,
    *,
    form: Any = None,
    kinds: Mapping[str, str] = MappingProxyType({}),
    has_images: bool = False,
    first: str | None = "system",
) -> None:
    """Fill the draft from a body with role lines. Raises MigrationError.

    ``kinds`` are the kinds of the inputs that are more than text, ``has_images`` says that a
    picture of Markdown is one, ``first`` is the role of text before the first role line.
    """
    if "\x00" in body:
        raise draft.refuse("the body holds a NUL character")
    marked = _marked(body, kinds, draft, line)
    has_images = has_images and _IMAGE.search(marked) is not None
    if has_images and form == "mustache":
        raise draft.refuse("a picture in a body of Mustache is not read", line, hint="give it as an input of its kind")
    jinja = _IMAGE.sub(lambda found: _image(found, draft), marked) if has_images else marked
    pieces = [part for piece in _pieces(jinja, form, draft, line) for part in _parts(piece, kinds, draft)]
    write_messages(tree_of(_without_bare(pieces), draft), draft, first=first, after_history="=")
    if not has_images and not _RICH & set(kinds.values()):
        draft.meaning = _meaning(marked, form)


def _read_prompt(body: str, form: Any, draft: Draft, line: int) -> None:
    """Make the template a prompt: the file asks for the Completions API, and no role line stands in it."""
    draft.prompt(write(_pieces(body, form, draft, line)))
    draft.meaning = lambda inputs: [("user", _rendered(body, form, inputs))]


def _pieces(body: str, form: Any, draft: Draft, line: int) -> list[Piece]:
    return (
        pieces_of_mustache(body, draft, line, is_chevron=True) if form == "mustache" else pieces_of(body, draft, line)
    )


def _marked(body: str, kinds: Mapping[str, str], draft: Draft, line: int) -> str:
    """Return the body with marks in the place of role lines and histories."""
    body = _LOOP.sub(lambda found: f"\x00history:{found[2]}\x00", body)
    if found := _DYNAMIC_ROLE.search(body):
        place = line + body.count("\n", 0, found.start())
        raise draft.refuse("a role that the data decides cannot be migrated", place, hint="pass a history")
    body = ROLE_LINE.sub(lambda found: f"\x00role:{found[1].lower()} {found[2] or ''}\x00", body)
    for name in (name for name, kind in kinds.items() if kind == "thread"):
        body = re.sub(rf"\{{\{{-?\s*{re.escape(name)}\s*-?\}}\}}", f"\x00history:{name}\x00", body)
    return body


def _image(found: re.Match[str], draft: Draft) -> str:
    if found[1]:
        return f"{{% image {found[1]} %}}"
    if re.match(r"https?:|data:", found[2]):
        return f"{{% image {found[2]!r} %}}"
    draft.lose("$.messages", "media-dropped", "a picture in a file beside the template: give it as an input")
    return ""


def _parts(piece: Piece, kinds: Mapping[str, str], draft: Draft) -> list[Piece]:
    """Split a text at its marks, and make parts of printed pictures and files."""
    if piece.kind == "print":
        found = re.fullmatch(r"\{\{-?\s*(\w+)\s*-?\}\}", piece.value)
        kind = kinds.get(found[1], "") if found else ""
        return [Piece("tag", f"{{% {kind} {found[1]} %}}", piece.line)] if found and kind in _RICH else [piece]
    if piece.kind != "text":
        if _MARK.search(piece.value):
            raise draft.refuse("a role line stands inside a tag or a comment", piece.line)
        return [piece]
    parts: list[Piece] = []
    last = 0
    for found in _MARK.finditer(piece.value):
        parts.append(Piece("text", piece.value[last : found.start()], piece.line))
        value, _, attributes = found[2].partition(" ")
        if value == "function":
            draft.lose("$.messages", "role-changed", "function became tool; a result's id comes with a history")
        fields = dict(_ATTRIBUTE.findall(attributes))
        name = fields.pop("name", "")
        for field in fields:
            draft.lose(f"$.messages.{value}.{field}", "field-dropped", "an attribute that Chat has not")
        parts.append(Piece("role" if found[1] == "role" else "history", value, piece.line, name=name))
        last = found.end()
    return [*parts, Piece("text", piece.value[last:], piece.line)]


def _without_bare(pieces: list[Piece]) -> list[Piece]:
    """Leave out a role line without a line of text before the next one, or the end: it makes no message."""
    kept: list[Piece] = []
    for piece in [*pieces, Piece("role", "")]:
        if piece.kind == "role" and (bare := _bare_role(kept)) is not None:
            del kept[bare:]
        kept.append(piece)
    return kept[:-1]


def _bare_role(pieces: list[Piece]) -> int | None:
    """Return where a role stands that at most a line break follows."""
    text = ""
    for index in range(len(pieces) - 1, -1, -1):
        if pieces[index].kind != "text":
            return index if pieces[index].kind == "role" and text in ("", "\n") else None
        text = pieces[index].value + text
    return None


def _rendered(text: str, form: Any, inputs: Mapping[str, Any]) -> str:
    return mustache_meaning(text, inputs) if form == "mustache" else plain_renderer(text)(inputs)


def _meaning(marked: str, form: Any) -> Any:
    """Return what Prompty makes of the body: rendered as a whole, then split at the author's marks."""

    def meaning(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        parts = _MARK.split(_rendered(marked, form, inputs))
        found: list[tuple[str, str]] = []
        role, is_begun = "system", False
        for index, text in enumerate(parts[::3]):
            kind, value = parts[3 * index + 1 : 3 * index + 3] or ("role", "")
            if text.strip() or (is_begun and kind == "role" and text[1:]):
                found.append((role, text.strip("\n")))
            if kind == "history":
                found.append((HISTORY, value))
            else:
                role = ROLE_NAMES.get(value.split(" ")[0], value.split(" ")[0])
            is_begun = kind == "role"
        return found

    return meaning


LAYOUT: Final = Layout(
    "prompty",
    read,
    is_certain=lambda source: source.name.endswith(".prompty"),
    rank=10,
    is_lenient=True,
    oracle="prompty 2.1.0 with chevron 0.14.0",
)
