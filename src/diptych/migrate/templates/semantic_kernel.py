"""Semantic Kernel (1.45): ``skprompt.txt`` with the ``config.json`` beside it, and prompts in YAML or JSON.

============================================  ================================================
``template``, the text of ``skprompt.txt``    the body, by ``template_format``: the kernel's own
                                              language, ``handlebars``, ``jinja2`` or ``liquid``
``<message role="user">``,                    a message; text before the first is the system's,
``{{#message role="user"}}``                  text between them the user's
``<text>``, ``<image>``                       text and ``{% image … %}``
a loop that writes a history, ``messages``    ``{% history … %}``
a variable that may hold messages             ``{% history … %}``: marked as
                                              ``allow_dangerously_set_content``
no message                                    a prompt; white space at its ends is taken off, as
                                              there for Chat
``{{Plugin.Function}}``                       an input: the caller computes it
``input_variables``, ``input.parameters``     ``inputs``
``execution_settings``, ``completion``        ``model``, ``params``; those of the first service,
                                              or of ``default``
``output_variable``, plugins, planners        lost
============================================  ================================================

Values are escaped for XML there and read back; so nothing is escaped here.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from ...errors import MigrationError
from .draft import Draft
from .handlebars import Handlebars
from .jinja import pieces_of, plain_renderer
from .kernel_blocks import kernel_meaning, pieces_of_kernel
from .liquid import pieces_of_liquid
from .message_tags import MESSAGE, messages_in, with_messages
from .model import Layout, Source
from .pieces import Piece, has_messages, tree_of, write, write_messages
from .reading import parse

_CONFIG: Final = "config.json"
_KNOWN: Final = (
    "name", "description", "template", "template_format", "input_variables", "execution_settings", "schema", "type",
    "input", "completion", "models", "is_sensitive", "allow_dangerously_set_content",
)  # fmt: skip
_OWN: Final = {"template_format", "input_variables", "execution_settings"}
_HISTORY: Final = re.compile(r"(?:chat_?)?history", re.I)
_PAIR: Final = r"(?:\.|\[.)role.{0,2}"
#: Loops and helpers that write a history, by engine: the group is its name.
_LOOPS: Final = {
    "handlebars": re.compile(
        r"\{\{~?#each\s+(?:@root\.)?(?!this\b)(\w+)\s*~?\}\}\s*(?:"
        r"(?:<message\s+role=[\"']\{\{~?\s*(?:this\.)?role\s*~?\}\}[\"']\s*>|\{\{~?#message\s+role=(?:this\.)?role\s*~?\}\})"
        r"\s*\{\{\{?~?\s*(?:this\.)?content\s*~?\}\}\}?\s*(?:</message>|\{\{~?/message~?\}\})"
        r"|\{\{\{?~?\s*(?:message_?to_?prompt|message)(?:\s+this)?\s*~?\}\}\}?)\s*\{\{~?/each~?\}\}"
        r"|\{\{\{?\s*messages(?:\s+(\w+))?\s*\}\}\}?",
        re.I,
    ),
    "jinja2": re.compile(
        r"\{%-?\s*for\s+(\w+)\s+in\s+(\w+)\s*-?%\}\s*(?:"
        r"<message\s+role=[\"']\{\{-?\s*\1\.role\s*-?\}\}[\"']\s*>\s*\{\{-?\s*\1\.content\s*-?\}\}\s*</message>"
        r"|\{\{-?\s*(?:message_?to_?prompt|message)\(\s*\1\s*\)\s*-?\}\})\s*\{%-?\s*endfor\s*-?%\}"
        r"|\{\{-?\s*messages\(\s*(\w+)\s*\)\s*-?\}\}",
        re.I,
    ),
}
_LOOPS["liquid"] = _LOOPS["jinja2"]


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a prompt and its configuration. Raises MigrationError."""
    is_text = not isinstance(_value(source), Mapping)
    config = _config_beside(source, draft) if is_text else source.object()
    template = source.text if is_text else config.get("template")
    if not isinstance(template, str) or not template.strip():
        raise draft.refuse("there is no template", "" if is_text else "$.template")
    draft.text_field("description", config.get("description"), config.get("name"))
    _read_settings(config, draft)
    draft.drop(config, _KNOWN)
    variables = _variables(config)
    form = str(config.get("template_format") or "semantic-kernel")
    _read_body(template, form, variables, draft, 1 if is_text else _first_line(source.text))
    _declare(variables, draft)


def _first_line(text: str) -> int:
    """Return the line at which the template begins in a file of YAML."""
    found = re.search(r"^template[ \t]*:[ \t]*[|>][^\n]*\n", text, re.M)
    return text.count("\n", 0, found.end()) + 1 if found else 1


def _value(source: Source) -> Any:
    return source.value if source.name.endswith((".yaml", ".yml", ".json")) else None


def _config_beside(source: Source, draft: Draft) -> dict[str, Any]:
    given = source.partials.get(_CONFIG)
    if given is None:
        return {}
    try:
        config = parse(given, _CONFIG)
    except MigrationError as error:
        raise draft.refuse(f"the {_CONFIG} beside it: {error.message}") from None
    if not isinstance(config, dict):
        raise draft.refuse(f"the {_CONFIG} beside it holds no object")
    return config


# settings and inputs ---------------------------------------------------------------------------


def _read_settings(config: Mapping[str, Any], draft: Draft) -> None:
    """Take over the settings of one service: the default one, else the first."""
    path, settings = _services(config)
    name = "default" if "default" in settings else next(iter(settings), "")
    for other in settings.keys() - {name}:
        draft.lose(f"{path}.{other}", "field-dropped", "a template has the settings of one service")
    chosen = settings.get(name)
    if not isinstance(chosen, Mapping):
        return
    path = f"{path}.{name}" if name else path
    chosen = {**chosen, **(inner if isinstance(inner := chosen.get("completion"), Mapping) else {})}
    draft.text_field("model", chosen.get("model_id"), chosen.get("ai_model_id"))
    if "results_per_prompt" in chosen:
        chosen["n"] = chosen["results_per_prompt"]
    form = chosen.get("response_format")
    draft.response_format(form.get("json_schema", form.get("type")) if isinstance(form, Mapping) else form,
                          f"{path}.response_format")  # fmt: skip
    for key, kind in (("chat_system_prompt", "text-dropped"), ("function_choice_behavior", "tools-dropped"),
                      ("tool_call_behavior", "tools-dropped")):  # fmt: skip
        if chosen.get(key):
            draft.lose(f"{path}.{key}", kind, "a template says it in its messages and tools")
    own = {"model_id", "ai_model_id", "service_id", "completion", "results_per_prompt", "response_format",
           "chat_system_prompt", "function_choice_behavior", "tool_call_behavior"}  # fmt: skip
    draft.params({key: value for key, value in chosen.items() if key not in own}, path)


def _services(config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the path and the settings by service: the layouts of three generations."""
    for key in ("execution_settings", "models"):
        given = config.get(key)
        if isinstance(given, Mapping):
            return f"$.{key}", dict(given)
        if isinstance(given, list):
            return f"$.{key}", {str(index): entry for index, entry in enumerate(given)}
    given = config.get("completion")
    return "$", {"completion": given} if isinstance(given, Mapping) else {}


def _variables(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    inner = config.get("input")
    given = config.get("input_variables") or (inner.get("parameters") if isinstance(inner, Mapping) else None)
    entries = given if isinstance(given, list) else []
    return {str(entry["name"]): entry for entry in entries if isinstance(entry, Mapping) and "name" in entry}


def _declare(variables: Mapping[str, Mapping[str, Any]], draft: Draft) -> None:
    for name, entry in variables.items():
        target = draft.input_name(name)
        if target in draft.inputs:
            continue  # a history
        default = entry.get("default", entry.get("defaultValue"))
        is_needed = entry.get("is_required", entry.get("isRequired", True))
        given = {"default": default} if default not in (None, "") else {} if is_needed else {"default": ""}
        if given == {"default": ""}:
            draft.lose(f"$.input_variables.{name}", "defaulted", "a variable that is not given prints nothing")
        draft.add_input(
            name, _schema(entry.get("json_schema"), name, draft), path="$.input_variables",
            description=entry.get("description"), **given,
        )  # fmt: skip


def _schema(given: Any, name: str, draft: Draft) -> Mapping[str, Any]:
    try:
        value = json.loads(given) if isinstance(given, str) and given.strip() else given
    except ValueError:
        draft.lose(f"$.input_variables.{name}.json_schema", "schema-dropped", "it is not JSON")
        return {}
    return value if isinstance(value, Mapping) else {}


# the body --------------------------------------------------------------------------------------


def _read_body(template: str, form: str, variables: Mapping[str, Mapping[str, Any]], draft: Draft, line: int) -> None:
    line += len(template[: len(template) - len(template.lstrip())].splitlines())
    template = template.strip()
    if "\x00" in template:
        raise draft.refuse("the template holds a NUL character")
    pieces = _pieces(template, form, draft, line)
    pieces = [_as_history(piece, variables, template) for piece in pieces]
    if not any(piece.kind == "text" and ("\x00" in piece.value or MESSAGE.search(piece.value)) for piece in pieces):
        _read_prompt(pieces, template, form, draft)
        return
    draft.tells_trim = True
    found = with_messages(pieces, draft)
    tree = tree_of(found, draft)
    if not has_messages(tree):
        raise draft.refuse("no message is whole")
    roles = [piece.value for piece in found if piece.kind in ("role", "history")]
    if roles == ["system"]:
        draft.doubt("the only message is the system's: the Python runtime sends it as the user's, .NET as it stands")
    write_messages(tree, draft, first=None, after_history="user")
    if not any(piece.kind == "history" or "{% image" in piece.value for piece in found):
        draft.meaning = _meaning(template, form)


def _pieces(template: str, form: str, draft: Draft, line: int) -> list[Piece]:
    """Return the pieces of a template in one of the engines. Raises MigrationError."""
    pattern = _LOOPS.get(form)
    if pattern is not None:
        template = pattern.sub(
            lambda found: f"\x00history:{found[found.lastindex or 0] or 'chat_history'}\x00", template
        )
    if form == "semantic-kernel":
        return pieces_of_kernel(template, draft, line)
    if form == "jinja2":
        return pieces_of(template, draft, line)
    if form == "handlebars":
        template = re.sub(r"(?<=\{\{)(~?)#message\s+role=([\"'])(\w+)\2\s*(~?)(?=\}\})", r"\1#message \3\4", template)
        template = re.sub(r"\s*\{\{~#message|\{\{#message", "{{#message", template)
        template = re.sub(r"\{\{#message (\w+)(?:~\}\}\s*|\}\})", r'<message role="\1">', template)
        template = re.sub(r"(?:\s*\{\{~|\{\{)/message(?:~\}\}\s*|\}\})", "</message>", template)
        reader = Handlebars(template, draft, {}, line)
        reader.has_roles = False
        return reader.read()
    if form == "liquid":
        return pieces_of_liquid(template, draft, line)
    raise draft.refuse(f"a template in {form[:40]!r} is not read", "$.template_format",
                       hint="semantic-kernel, handlebars, jinja2 and liquid are")  # fmt: skip


def _as_history(piece: Piece, variables: Mapping[str, Mapping[str, Any]], template: str) -> Piece:
    """Return a printed variable that may hold messages as a history."""
    found = re.fullmatch(r"\{\{\s*(\w+)\s*\}\}", piece.value) if piece.kind == "print" else None
    entry = variables.get(found[1], {}) if found else {}
    is_marked = bool(entry.get("allow_dangerously_set_content")) and MESSAGE.search(template)
    return Piece("text", f"\x00history:{found[1]}\x00", piece.line) if found and is_marked else piece


def _read_prompt(pieces: list[Piece], template: str, form: str, draft: Draft) -> None:
    """Make the template a prompt: no message stands in it."""
    pieces = [p._replace(value=html.unescape(p.value)) if p.kind == "text" else p for p in pieces]
    draft.prompt(write(pieces))
    draft.strips_data = True
    names = [name for name in draft.names if _HISTORY.fullmatch(name)]
    for name in names:
        draft.doubt(f"${name} is read as text: a history of the kernel's would become messages")
    sample = "".join(piece.value if piece.kind == "text" else "x" for piece in pieces)
    if re.search(r"\S\s+<[a-zA-Z]", sample) and messages_in(sample) is not None:
        draft.lose("$.template", "trimmed", "the Python runtime drops white space before the first tag, .NET does not")
    else:
        draft.meaning = _meaning(template, form)


def _meaning(template: str, form: str) -> Any:
    """Return what the kernel makes of a template: rendered with escaped values, then read as XML."""
    if form not in ("semantic-kernel", "jinja2"):
        return None

    def meaning(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        if form == "jinja2":
            given = {name: html.escape(value) if isinstance(value, str) else value for name, value in inputs.items()}
            rendered = plain_renderer(template)(given)
        else:
            rendered = kernel_meaning(template, {name: html.escape(str(value)) for name, value in inputs.items()})
        found = messages_in(rendered) if MESSAGE.search(template) else None
        return [("user", html.unescape(rendered.strip()))] if found is None else found

    return meaning


def _is_certain(source: Source) -> bool:
    if PurePath(source.name.replace("\\", "/")).name == "skprompt.txt":
        return True
    value = source.keys
    return isinstance(value.get("template"), str) and bool(_OWN & value.keys()) and "_type" not in value


LAYOUT: Final = Layout(
    "semantic-kernel",
    read,
    _is_certain,
    rank=16,
    is_lenient=True,
    beside=(_CONFIG,),
    oracle="semantic-kernel 1.45.0, for its own language, Jinja and Handlebars",
)
