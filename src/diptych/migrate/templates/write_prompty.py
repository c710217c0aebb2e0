"""A Diptych template as a Prompty v2 file; proved by reading it back.

Rule: Prompty reads its roles from rendered text, so only fixed messages go there, and no
text that holds a line which it would take for a role.

==============================  =========================================================
a message                       ``role:`` and its text; ``name=`` is an attribute
no message                      ``user:`` and the prompt
``{% history h %}``             ``{{ h }}``, an input of the kind thread
``{% image x %}`` of an input   ``{{ x }}``, an input of the kind image
white space that tags take      taken out: Prompty's engine does not trim
``params``                      ``model.options``; what has no name there goes through
``response_format``             ``outputs`` where it is an object of plain properties
``tools``                       functions; a schema that Prompty cannot say is lost
messages in a loop              refused
==============================  =========================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml
from jinja2 import nodes

from ...sandbox.filters import JSON_OF_JINJA
from ...templating.filters import FILTERS
from ...templating.frontmatter import split
from ...templating.template import Template
from . import prompty
from .draft import KINDS, Draft
from .jinja import check, pieces_of
from .model import TemplateMigration
from .pieces import Piece, literal
from .written_back import FIELD, HISTORY, MESSAGE, MESSAGE_END, prove_back, thawed

_OPTIONS: Final = {
    "temperature": "temperature", "top_p": "topP", "max_completion_tokens": "maxOutputTokens", "seed": "seed",
    "frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty", "stop": "stopSequences",
    "parallel_tool_calls": "allowMultipleToolCalls",
}  # fmt: skip
_MEDIA: Final = re.compile(r"\{%[-+]?\s*(image|audio|file)\s+(\w+)\s*[-+]?%\}")
_OWN: Final = re.compile(r"\{%[-+]?\s*(image|audio|file|history|include|import|from|extends)\b")
_KINDS: Final = {"string": "string", "integer": "integer", "number": "float", "boolean": "boolean", "array": "array"}


def to_prompty(template: Template, *, name: str = "prompt") -> TemplateMigration:
    """Return a template as a Prompty v2 file.

    Raises MigrationError for a template whose messages are not fixed (loops, included files):
    Prompty would have to read its roles from what the data wrote.

    >>> t = Template.from_string("{% system %}Brief.{% endsystem %}{% user %}Hi {{ name }}{% enduser %}")
    >>> print(to_prompty(t).source)
    ---
    name: prompt
    inputs:
    - name: name
      kind: string
      required: true
    template:
      format:
        kind: jinja2
      parser:
        kind: prompty
    ---
    system:
    Brief.
    <BLANKLINE>
    user:
    Hi {{ name }}
    <BLANKLINE>
    """
    draft = Draft(name)
    kinds: dict[str, str] = {}
    body = _body(template, kinds, draft)
    meta: dict[str, Any] = {"name": name}
    if template.description:
        meta["description"] = template.description
    meta |= _model(template)
    meta |= _inputs(template, kinds, draft)
    meta |= _outputs(template, draft)
    meta |= _tools(template, draft)
    meta["template"] = {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}}
    draft.drop(template.metadata, ("name", "description", "model", "params", "inputs", "response_format", "tools"))
    source = f"---\n{_front(meta)}---\n{body}"
    prove_back(template, source, f"{name}.prompty", prompty.LAYOUT, draft, {})
    return TemplateMigration(source, "prompty", tuple(draft.losses), name)


#: ``tojson`` as Jinja's own writes it, and every filter that Jinja has not or has with another output.
_JINJA_JSON: Final = re.compile(rf"tojson\({re.escape(JSON_OF_JINJA)}\)")
_FILTER: Final = re.compile(rf"(?:\||\bfilter)\s*({'|'.join((*FILTERS, 'tojson'))})\b")


def _front(meta: Mapping[str, Any]) -> str:
    front: str = yaml.safe_dump(dict(meta), sort_keys=False, allow_unicode=True, width=1000)
    if "---" in front or "+++" in front:
        # Prompty ends its front matter at the first three dashes, wherever they stand.
        front = yaml.safe_dump(dict(meta), sort_keys=False, allow_unicode=True, width=1000, default_style='"')
        front = front.replace("---", "-\\x2d-").replace("+++", "+\\x2b+")
    return front


# the body --------------------------------------------------------------------------------------


def _body(template: Template, kinds: dict[str, str], draft: Draft) -> str:
    parts = split(template.source, template.file)
    pieces = pieces_of(parts.body.replace("\r\n", "\n"), draft, trim=parts.trim)
    messages: list[tuple[str, list[Piece]]] = []
    loose: list[Piece] = []
    inside: list[Piece] | None = None
    depth = 0
    for piece in pieces:
        depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        is_tag = piece.kind != "text" and piece.kind != "print"
        if is_tag and (opened := MESSAGE.fullmatch(piece.value)):
            if depth or inside is not None:
                raise draft.refuse("only a template of fixed messages becomes a Prompty file")
            inside = []
            messages.append((_role(opened, draft), inside))
        elif is_tag and MESSAGE_END.fullmatch(piece.value):
            inside = None
        elif is_tag and (history := HISTORY.fullmatch(piece.value)) and not depth and inside is None:
            kinds[history[1]] = "thread"
            messages.append(("", [Piece("print", f"{{{{ {history[1]} }}}}")]))
        else:
            (loose if inside is None else inside).append(_foreign(piece, kinds, draft))
    if not messages:
        messages, loose = [("user", loose)], []
    definitions = _definitions(loose, draft)
    return definitions + _written(messages, draft)


def _role(opened: re.Match[str], draft: Draft) -> str:
    """Return the role line of a message, without its colon."""
    fields = {key: double or single or number for key, double, single, number in FIELD.findall(opened[2])}
    role = fields.pop("role", None) or ("" if opened[1] in ("message", "chat") else opened[1])
    if not role and (found := re.match(r"\s*[\"'](\w+)[\"']", opened[2])):
        role = found[1]
    if role not in ("system", "user", "assistant", "developer", "tool") or "tool_call_id" in fields:
        raise draft.refuse("only a template of fixed messages becomes a Prompty file")
    if role in ("developer", "tool"):
        draft.lose("$.messages", "role-changed", f"{role}: Prompty's specification has system, user and assistant")
        role = "system" if role == "developer" else "user"
    if "priority" in fields:
        draft.lose("$.messages", "field-dropped", "priority: Prompty does not cut")
    return f'{role}[name="{fields["name"]}"]' if fields.get("name") else role


def _foreign(piece: Piece, kinds: dict[str, str], draft: Draft) -> Piece:
    """Return a piece with Diptych's own tags and filters as Prompty has them. Raises MigrationError."""
    if piece.kind == "text":
        return piece
    if found := _FILTER.search(_JINJA_JSON.sub("", piece.value)):
        raise draft.refuse(f"the filter {found[1]!r} is Diptych's own: Prompty's engine has another, or none")
    piece = piece._replace(value=_JINJA_JSON.sub("tojson", piece.value))
    if piece.kind == "print":
        return piece
    if found := _MEDIA.fullmatch(piece.value):
        kinds[found[2]] = found[1]
        return Piece("print", f"{{{{ {found[2]} }}}}")
    if found := _OWN.match(piece.value):
        raise draft.refuse(f"the tag {found[1]!r} has no place in a Prompty file here")
    return piece


def _definitions(loose: list[Piece], draft: Draft) -> str:
    """Return what stands between messages and writes nothing: it moves to the top."""
    kept = [piece for piece in loose if not (piece.kind == "text" and not piece.value.strip())]
    kept = [piece for piece in kept if not piece.value.startswith("{#")]
    if any(not re.match(r"\{%[-+]?\s*set\b[^%]*=", piece.value) for piece in kept):
        raise draft.refuse("only a template of fixed messages becomes a Prompty file")
    return "".join(f"{piece.value}\n" for piece in kept)


def _written(messages: list[tuple[str, list[Piece]]], draft: Draft) -> str:
    lines: list[str] = []
    for index, (role, pieces) in enumerate(messages):
        text = "".join(
            literal(piece.value, before_code=number + 1 < len(pieces)) if piece.kind == "text" else piece.value
            for number, piece in enumerate(pieces)
        ).strip("\n")
        if prompty.ROLE_LINE.search(text):
            raise draft.refuse("a text holds a line that Prompty takes for a role")
        if role:
            lines.append(f"{role}:\n{text}\n")
            is_before_history = index + 1 < len(messages) and not messages[index + 1][0]
            if is_before_history and not _says_something(pieces):
                draft.lose(f"$.messages[{index}]", "message-dropped", "before a history, where it is blank")
        else:
            # A history stands in the message before it; the first one in an empty one, which is none.
            lines.append(f"{text}\n" if index else f"system:\n{text}\n")
    return "\n".join(lines)


def _says_something(pieces: list[Piece]) -> bool:
    """True where a text stands outside of blocks: the message is never blank."""
    depth = 0
    for piece in pieces:
        depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        if depth == 0 and piece.kind == "text" and piece.value.strip():
            return True
    return False


# the front matter --------------------------------------------------------------------------------


def _model(template: Template) -> dict[str, Any]:
    model: dict[str, Any] = {"id": template.model} if template.model else {}
    options = {_OPTIONS[name]: value for name, value in template.params.items() if name in _OPTIONS}
    if more := {name: value for name, value in template.params.items() if name not in _OPTIONS}:
        options["additionalProperties"] = more
    if options:
        model["options"] = options
    return {"model": model} if model else {}


def _inputs(template: Template, kinds: Mapping[str, str], draft: Draft) -> dict[str, Any]:
    """Return the inputs as Prompty's properties; one without a type gets that of its use."""
    used = _kinds_of_use(template, draft)
    is_declared = "inputs" in template.metadata
    found = []
    for name, item in template.inputs.items():
        facts = _property(item.schema, f"$.inputs.{name}", draft) or {"kind": used.get(name, "string")}
        facts["kind"] = kinds.get(name, facts["kind"])
        entry: dict[str, Any] = {"name": name, **facts, "required": item.required or not is_declared}
        if item.description:
            entry["description"] = item.description
        if item.default is not None:
            entry["default"] = item.default
        found.append(entry)
    return {"inputs": found} if found else {}


def _kinds_of_use(template: Template, draft: Draft) -> dict[str, str]:
    tree = check(template.source, draft)
    found = {loop.iter.name: "array" for loop in tree.find_all(nodes.For) if isinstance(loop.iter, nodes.Name)}
    inner: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in inner:
        if isinstance(node.node, nodes.Name):
            found.setdefault(node.node.name, "object")
    return found


def _property(schema: Mapping[str, Any], path: str, draft: Draft) -> dict[str, Any]:
    """Return the property of a JSON Schema; what Prompty cannot say of it is lost."""
    kind = schema.get("type")
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one != "null"]
    if "enum" in schema:
        return {"kind": "string", "enumValues": list(schema["enum"])}
    if schema in (KINDS["image"], {}):
        return {}
    if len(kinds) != 1 or kinds[0] not in (*_KINDS, "object"):
        draft.lose(path, "substituted", "a type that Prompty has not: text")
        return {"kind": "string"}
    facts: dict[str, Any] = {"kind": _KINDS.get(kinds[0], "object")}
    if kinds[0] == "array" and isinstance(schema.get("items"), Mapping) and schema["items"]:
        facts["items"] = _property(schema["items"], f"{path}[]", draft)
    if kinds[0] == "object" and isinstance(schema.get("properties"), Mapping):
        facts["properties"] = _properties(schema, path, draft)
    for keyword in schema.keys() - {"type", "items", "properties", "required", "title", "description"}:
        if not (keyword == "additionalProperties" and schema[keyword] is False):
            draft.lose(f"{path}.{keyword}", "field-dropped", "Prompty's properties have no such constraint")
    return facts


def _properties(schema: Mapping[str, Any], path: str, draft: Draft) -> list[dict[str, Any]]:
    required = set(schema.get("required") or ())
    found = []
    for name, inner in schema["properties"].items():
        facts = _property(inner, f"{path}.{name}", draft) if isinstance(inner, Mapping) else {}
        entry = {"name": name, **(facts or {"kind": "string"}), "required": name in required}
        if isinstance(inner, Mapping) and isinstance(inner.get("description"), str):
            entry["description"] = inner["description"]
        found.append(entry)
    return found


def _outputs(template: Template, draft: Draft) -> dict[str, Any]:
    form = template.response_format
    if form is None or form.type == "text":
        return {}
    schema = thawed(form.schema) if form.type == "json_schema" else None
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict) or not schema["properties"]:
        draft.lose("$.response_format", "schema-dropped", "Prompty's outputs are the properties of one object")
        return {}
    if schema.get("additionalProperties") is not False:
        draft.lose("$.response_format", "substituted", "Prompty asks for these properties and no others")
    return {"outputs": _properties(schema, "$.response_format", draft)}


def _tools(template: Template, draft: Draft) -> dict[str, Any]:
    found = []
    for tool in template.tools:
        entry: dict[str, Any] = {"name": tool.name, "kind": "function"}
        entry |= {"description": tool.description} if tool.description else {}
        parameters = thawed(tool.parameters)
        if isinstance(parameters, dict) and isinstance(parameters.get("properties"), dict):
            entry["parameters"] = {"properties": _properties(parameters, f"$.tools.{tool.name}", draft)}
        if tool.strict:
            entry["strict"] = True
        found.append(entry)
    return {"tools": found} if found else {}
