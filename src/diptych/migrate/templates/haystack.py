"""Haystack (3): Jinja bodies of ``PromptBuilder`` and ``ChatPromptBuilder``, alone or in a pipeline's YAML.

=============================================  =============================================
``template`` of a ``PromptBuilder``            a prompt
``{% message role="user" name="x" %}``         a message; white space around its text is layout
``template`` as a list of messages             messages
``{% insert messages %}``                      ``{% history messages %}``
``{{ image | templatize_part }}``              ``{% image image %}``: an address, not an object
``required_variables``                         ``inputs``; the others may be missing
``meta=…`` of a message                        lost
``{% now %}``, custom filters, other tags      refused by name
a message of the role tool                     refused: its result is an object there
=============================================  =============================================

Its engine is Jinja as it comes: the line break after a tag stays, which is written out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from .draft import KINDS, Draft
from .holes import ended
from .jinja import pieces_of, plain_renderer, write_message
from .meaning import HISTORY
from .model import Layout, Source
from .pieces import Piece, write

_OPEN: Final = re.compile(r"\{%[-+]?\s*message\s+role\s*=\s*([^%]*?)\s*[-+]?%\}")
_END: Final = re.compile(r"\{%[-+]?\s*endmessage\s*[-+]?%\}")
_DIPTYCH: Final = re.compile(r"\A---|\{%[-+]?\s*(?:system|developer|user|assistant|history)\b")
_ROLE: Final = re.compile(r"([\"'])(\w+)\1")
_PART: Final = re.compile(r"\{\{[-+]?\s*([\w.\[\]]+)\s*\|\s*templatize_part\s*[-+]?\}\}")
_INSERT: Final = re.compile(r"\{%[-+]?\s*insert\s+(.*?)\s*[-+]?%\}")
_BUILDERS: Final = ("PromptBuilder", "ChatPromptBuilder")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a body in Jinja. Raises MigrationError."""
    _read_body(source.text.removesuffix("\n"), draft)


def read_all(source: Source) -> tuple[list[Draft], list[MigrationError]]:
    """Return a draft for each prompt builder of a pipeline, named after its component."""
    drafts: list[Draft] = []
    refusals: list[MigrationError] = []
    components = source.object().get("components")
    for name, component in components.items() if isinstance(components, Mapping) else ():
        if not _is_builder(component):
            continue
        draft = Draft(source.filename, str(name))
        try:
            read_component(component.get("init_parameters"), draft)
            drafts.append(draft)
        except MigrationError as error:
            error.message = f"{name}: {error.message}"
            refusals.append(error)
    return drafts, refusals


def read_component(given: Any, draft: Draft) -> None:
    """Fill the draft from the arguments of a builder. Raises MigrationError."""
    parameters = given if isinstance(given, Mapping) else {}
    template = parameters.get("template")
    draft.drop(parameters, ("template", "required_variables", "variables"), "$.init_parameters")
    if isinstance(template, str):
        _read_body(template, draft)
    elif isinstance(template, list) and template:
        _read_messages(template, draft)
    else:
        raise draft.refuse("its template comes when the pipeline runs")
    required = parameters.get("required_variables")
    if isinstance(required, list):
        for name in required:
            if isinstance(name, str) and name not in draft.inputs:
                draft.add_input(name, {})


def _read_body(body: str, draft: Draft) -> None:
    pieces = [_piece(piece, draft) for piece in pieces_of(body, draft)]
    is_chat = any(_OPEN.fullmatch(piece.value) or piece.kind == "history" for piece in pieces)
    if not is_chat:
        draft.prompt(ended(write(pieces)))
        draft.meaning = lambda inputs: [("user", plain_renderer(body)(inputs))]
        return
    draft.strips_data = True
    draft.prompt(write(_stripped(pieces)))
    for piece in pieces:
        if piece.kind == "history":
            draft.inputs.setdefault(draft.input_name(piece.value), KINDS["messages"])
    if not _PART.search(body):
        draft.meaning = _meaning(body)


def _piece(piece: Piece, draft: Draft) -> Piece:
    """Return a piece with Haystack's own tags as Diptych writes them."""
    if found := _OPEN.fullmatch(piece.value):
        role = _ROLE.match(found[1])
        if role is None or role[2] == "tool":
            raise draft.refuse("a message whose role or result the data decides cannot be migrated", piece.line)
        rest = found[1][role.end() :]
        if re.search(r"\bmeta\s*=", rest):
            draft.lose(f"line {piece.line}", "field-dropped", "meta of a message")
        name = re.search(r"\bname\s*=\s*([\"'])([^\"']*)\1", rest)
        named = f' name="{name[2]}"' if name else ""
        return piece._replace(value=f'{{% message role="{draft.role(role[2], piece.line)}"{named} %}}')
    if found := _PART.fullmatch(piece.value):
        if re.fullmatch(r"\w+", found[1]):
            draft.inputs.setdefault(found[1], KINDS["image"])
        draft.lose(f"line {piece.line}", "substituted", "a part is an address or data: URL here, not an object")
        return Piece("tag", f"{{% image {found[1]} %}}", piece.line)
    if found := _INSERT.fullmatch(piece.value):
        if not re.fullmatch(r"\w+", found[1]):
            raise draft.refuse(f"{{% insert {found[1][:40]} %}} places messages by an expression", piece.line)
        return Piece("history", found[1], piece.line)
    return piece


def _stripped(pieces: list[Piece]) -> list[Piece]:
    """Take white space off the ends of messages, as Haystack does, and write histories."""
    found: list[Piece] = []
    for index, piece in enumerate(pieces):
        before = pieces[index - 1].value if index else ""
        after = pieces[index + 1].value if index + 1 < len(pieces) else ""
        if piece.kind == "history":
            piece = Piece("tag", f"{{% history {piece.value} %}}", piece.line)
        elif piece.kind == "text":
            value = piece.value.lstrip() if _OPEN.fullmatch(before) else piece.value
            value = value.rstrip() if _END.fullmatch(after) else value
            value = value if value.strip() or not _END.fullmatch(before) else "\n"
            piece = piece._replace(value=value)
        # Around a message a line break is layout, so the tag need not keep it.
        found.append(piece._replace(is_native=bool(_OPEN.fullmatch(piece.value) or _END.fullmatch(piece.value))))
    return found


def _meaning(body: str) -> Any:
    """Return what Haystack makes of a body: messages at its tags, their texts stripped."""
    marked = _END.sub("\x01", _OPEN.sub(lambda found: f"\x00{(_ROLE.match(found[1]) or found)[2]}\x02", body))
    marked = _INSERT.sub(lambda found: f"\x00{HISTORY}\x02{found[1]}\x01", marked)

    def meaning(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        rendered = plain_renderer(marked)(inputs)
        return [(found[1], found[2].strip()) for found in re.finditer(r"\x00([^\x02]*)\x02([^\x01]*)\x01", rendered)]

    return meaning


def _read_messages(messages: list[Any], draft: Draft) -> None:
    said: list[tuple[str, str, bool]] = []
    for index, message in enumerate(messages):
        place = f"$.template[{index}]"
        if not isinstance(message, Mapping):
            raise draft.refuse("a message is not an object", place)
        role = message.get("role", message.get("_role"))
        content = message.get("content", message.get("_content"))
        if isinstance(content, list):
            texts = [part.get("text") for part in content if isinstance(part, Mapping)]
            if len(texts) != len(content) or not all(isinstance(text, str) for text in texts):
                raise draft.refuse("a message of more than text cannot be migrated", place)
            content = "".join(map(str, texts))
        if not isinstance(content, str):
            raise draft.refuse("a message without text cannot be migrated", place)
        fields = {name: value for name, value in message.items() if value}
        draft.drop(fields, ("role", "_role", "content", "_content", "name", "_name"), place)
        # Only what the system and the user say is a template there.
        is_template = str(role) in ("system", "user")
        source = write(pieces_of(content, draft) if is_template else [Piece("text", content)])
        write_message(str(role), source, draft, name=message.get("name", message.get("_name")))
        said.append((str(role), content, is_template))

    def meaning(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [
            (role, (plain_renderer(text)(inputs) if is_template else text).strip("\n"))
            for role, text, is_template in said
        ]

    draft.meaning = meaning


def _is_builder(component: Any) -> bool:
    return isinstance(component, Mapping) and str(component.get("type", "")).endswith(_BUILDERS)


def _is_certain(source: Source) -> bool:
    components = source.keys.get("components")
    if isinstance(components, Mapping):
        return any(map(_is_builder, components.values()))
    return source.name.endswith((".jinja", ".jinja2", ".j2", ".txt", ".md")) and _is_body(source.text)


def _is_body(text: str) -> bool:
    """True for tags of Haystack; front matter and the short tags are Diptych's own."""
    return _OPEN.search(text) is not None and not _DIPTYCH.search(text)


LAYOUT: Final = Layout(
    "haystack",
    read,
    _is_certain,
    lambda source: _is_body(source.text),
    rank=55,
    is_lenient=True,
    read_all=read_all,
    oracle="haystack-ai 3.4.0",
)
