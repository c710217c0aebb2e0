"""LangChain: prompt files (``_type``), serialized objects (``lc: 1``) and definitions in Python.

Rule: all three become one value first, a *spec* (:mod:`.langchain_python` and this module read
it), and one writer makes the template. Nothing is imported or run.

==============================================  ============================================
``PromptTemplate``, ``_type: prompt``           a prompt
``ChatPromptTemplate``, ``_type: chat``         messages; human and ai are user and assistant
``MessagesPlaceholder("h")``, ``("placeholder",  ``{% history h %}``, its input declared; an
"{h}")``                                        optional one is empty by default
``FewShotPromptTemplate``, ``_type: few_shot``  one prompt: examples written out
``input_variables``, ``optional_variables``     ``inputs``
``partial_variables``                           defaults
``template_format: f-string``                   ``{x}`` and format specifications
``template_format: jinja2``                     the body, its white space kept
``template_format: mustache``                   names and sections; escaping is lost, partials are
                                                refused
pictures in a message                           ``{% image url %}``
``template_path``, example selectors, code      refused: they stand elsewhere
``output_parser``, ``metadata``, ``tags``       lost
==============================================  ============================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .draft import KINDS, Draft, kind_of
from .holes import ended, format_meaning, of_format, pieces_of_format
from .jinja import pieces_of, plain_renderer, write_message
from .meaning import HISTORY
from .model import Layout, Source
from .mustache import mustache_meaning, pieces_of_mustache
from .pieces import Piece, write

_TYPES: Final = {"prompt", "chat", "few_shot", "chat_prompt"}
_QUIET: Final = {
    "_type", "template", "messages", "input_variables", "optional_variables", "partial_variables", "template_format",
    "validate_template", "name", "examples", "example_prompt", "prefix", "suffix", "example_separator", "input_types",
}  # fmt: skip
#: Fields of a message that are read, or say nothing; others are lost.
_FIELDS: Final = {
    "role", "_type", "type", "template", "content", "prompt", "template_format", "name", "literal", "variable_name",
    "optional", "input_variables", "input_types", "validate_template", "id", "lc", "example",
}  # fmt: skip
#: Fields of a message whose loss would change what is asked.
_REFUSED: Final = {
    "partial_variables": "a message with values of its own is not read",
    "tool_calls": "tool calls and their results come with a history",
    "invalid_tool_calls": "tool calls and their results come with a history",
    "tool_call_id": "tool calls and their results come with a history",
    "n_messages": "a history that is cut is not read",
}
#: The last words of the classes that messages are written with, and their roles.
_CLASSES: Final = {
    "SystemMessagePromptTemplate": "system", "SystemMessage": "system",
    "HumanMessagePromptTemplate": "user", "HumanMessage": "user",
    "AIMessagePromptTemplate": "assistant", "AIMessage": "assistant",
    "ChatMessagePromptTemplate": "", "ChatMessage": "",
}  # fmt: skip
_PROMPTS: Final = {"PromptTemplate": "prompt", "ChatPromptTemplate": "chat", "FewShotPromptTemplate": "few_shot"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a LangChain file. Raises MigrationError."""
    write_spec(_from_dump(source.object(), draft) if source.keys.get("lc") else dict(source.object()), draft)


# one spec, one writer --------------------------------------------------------------------------


def write_spec(spec: Mapping[str, Any], draft: Draft) -> None:
    """Write a spec, which is what a LangChain file holds, into the draft. Raises MigrationError."""
    kind = spec.get("_type", "chat" if "messages" in spec else "prompt")
    for field in ("template_path", "prefix_path", "suffix_path", "example_prompt_path", "example_selector"):
        if spec.get(field):
            raise draft.refuse("a part of it stands in another file or in code", f"$.{field}")
    draft.drop({name: given for name, given in spec.items() if given}, _QUIET)
    if kind in ("chat", "chat_prompt"):
        _write_chat(spec, draft)
    elif kind == "few_shot":
        _write_prompt(_few_shot(spec, draft), _form(spec, draft), draft)
    elif kind == "prompt" and isinstance(spec.get("template"), str):
        _write_prompt(spec["template"], _form(spec, draft), draft)
    else:
        raise draft.refuse(f"prompts of the type {str(kind)[:40]!r} are not read", hint="prompt, chat and few_shot are")
    _declare(spec, draft)


def _form(spec: Mapping[str, Any], draft: Draft) -> str:
    form = spec.get("template_format") or "f-string"
    if form not in ("f-string", "jinja2", "mustache"):
        raise draft.refuse(f"templates in {str(form)[:40]!r} are not read", "$.template_format")
    return str(form)


def _pieces(text: str, form: str, draft: Draft, place: str) -> list[Piece]:
    """Return the pieces of a template text in one of LangChain's formats. Raises MigrationError."""
    if form == "jinja2":
        return pieces_of(text.replace("\r\n", "\n"), draft)
    if form == "mustache":
        return pieces_of_mustache(text, draft, place, is_chevron=True)
    return pieces_of_format(text, draft, place)


def meaning_of(text: str, form: str, inputs: Mapping[str, Any]) -> str:
    """Return what LangChain makes of a template text, by the engine it uses."""
    if form == "jinja2":
        return plain_renderer(text)(inputs)
    return mustache_meaning(text, inputs) if form == "mustache" else format_meaning(text, inputs)


def _write_prompt(text: str, form: str, draft: Draft) -> None:
    draft.prompt(ended(write(_pieces(text, form, draft, "$.template"))))
    draft.meaning = lambda inputs: [("user", meaning_of(text, form, inputs))]


def _few_shot(spec: Mapping[str, Any], draft: Draft) -> str:
    """Return the text that LangChain formats: prefix, formatted examples and suffix, joined."""
    inner, examples = spec.get("example_prompt"), spec.get("examples")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("template"), str) or not isinstance(examples, list):
        raise draft.refuse("few-shot prompts of the type few_shot need examples and their prompt in the file")
    form = _form(inner, draft)
    formatted = []
    for number, example in enumerate(examples):
        try:
            formatted.append(meaning_of(inner["template"], form, example))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise draft.refuse("the example does not fit its prompt", f"$.examples[{number}]") from None
    separator = spec.get("example_separator")
    texts = [spec.get("prefix") or "", *formatted, spec.get("suffix") or ""]
    return (separator if isinstance(separator, str) else "\n\n").join(text for text in texts if text)


def _write_chat(spec: Mapping[str, Any], draft: Draft) -> None:
    messages = spec.get("messages")
    if not isinstance(messages, list) or not messages:
        raise draft.refuse("there are no messages")
    meanings: list[Any] = []
    for index, entry in enumerate(messages):
        place = f"$.messages[{index}]"
        if not isinstance(entry, Mapping):
            raise draft.refuse("a message is not an object", place)
        meanings.append(_write_message(entry, place, draft))
    if all(meanings):
        draft.meaning = lambda inputs: [meaning(inputs) for meaning in meanings]


def _write_message(entry: Mapping[str, Any], place: str, draft: Draft) -> Any:
    """Write one message or placeholder and return its meaning, None where it has pictures."""
    _check_fields(entry, place, draft)
    variable = entry.get("variable_name")
    if isinstance(variable, str):
        if entry.get("optional"):
            draft.add_input(variable, KINDS["messages"], default=[])
        draft.history(variable)
        return lambda _: (HISTORY, variable)
    role = draft.role(entry.get("role") or entry.get("_type") or "user", place)
    inner = entry["prompt"] if isinstance(entry.get("prompt"), Mapping | list) else entry
    if isinstance(inner, list):
        draft.message(role, "".join(_part(part, f"{place}[{n}]", draft) for n, part in enumerate(inner)))
        return None
    if inner is not entry:
        _check_fields(inner, f"{place}.prompt", draft)
    text = inner.get("template", inner.get("content"))
    if isinstance(text, list):
        draft.message(role, "".join(_part(part, f"{place}[{n}]", draft) for n, part in enumerate(text)))
        return None
    if not isinstance(text, str):
        raise draft.refuse("a message without text cannot be migrated", place)
    form = "literal" if "content" in inner and "template" not in inner else _form(inner, draft)
    if form == "literal":
        text, form = text.replace("{", "{{").replace("}", "}}"), "f-string"
    write_message(role, write(_pieces(text, form, draft, place)), draft, place, entry.get("name"))
    return lambda inputs: (role, meaning_of(text, form, inputs).strip("\n"))


def _check_fields(entry: Mapping[str, Any], place: str, draft: Draft) -> None:
    """Lose the fields of a message that have no place. Raises MigrationError for those that change what is asked."""
    for name, reason in _REFUSED.items():
        if entry.get(name):
            raise draft.refuse(reason, f"{place}.{name}", hint="pass them as inputs")
    draft.drop({name: value for name, value in entry.items() if value}, _FIELDS, place)


def _part(part: Any, place: str, draft: Draft) -> str:
    """Return a part of a message: a text, or a picture by its address."""
    inner = part.get("prompt", part) if isinstance(part, Mapping) else part
    inner = {"template": inner} if isinstance(inner, str) else inner
    if not isinstance(inner, Mapping):
        raise draft.refuse("a part is neither text nor a picture", place)
    form = _form(inner, draft)
    address = inner.get("image_url", inner.get("template"))
    if isinstance(address, Mapping):
        url = address.get("url")
        if not isinstance(url, str) or form != "f-string":
            raise draft.refuse("a picture without an address cannot be migrated", place)
        detail = f" detail={address['detail']!r}" if isinstance(address.get("detail"), str) else ""
        return f"{{% image {_address(url, place, draft)}{detail} %}}"
    if isinstance(inner.get("image_url"), str):
        return f"{{% image {_address(inner['image_url'], place, draft)} %}}"
    text = inner.get("text", inner.get("template"))
    if not isinstance(text, str):
        raise draft.refuse("a part is neither text nor a picture", place)
    return write(_pieces(text, form, draft, place))


def _address(url: str, place: str, draft: Draft) -> str:
    """Return an address with holes as a Jinja expression."""
    terms = []
    for piece in re.split(r"(\{\{.*?\}\})", of_format(url, draft, place)):
        if piece:
            terms.append(piece[2:-2].strip() if piece.startswith("{{") else repr(piece))
    return " ~ ".join(terms) or "''"


def _declare(spec: Mapping[str, Any], draft: Draft) -> None:
    partial = spec.get("partial_variables")
    partial = partial if isinstance(partial, Mapping) else {}
    is_jinja = spec.get("template_format") == "jinja2"
    for field in ("input_variables", "optional_variables"):
        names = spec.get(field)
        for name in names if isinstance(names, list) else ():
            target = draft.input_name(str(name))
            if target not in draft.inputs and name not in partial:
                # LangChain's variables have no types: in an f-string anything is printed.
                draft.add_input(str(name), {} if is_jinja or _is_path(str(name), draft) else {"type": "string"})
    for name, given in partial.items():
        if draft.input_name(str(name)) not in draft.inputs:
            draft.add_input(str(name), kind_of(given), default=given)


def _is_path(name: str, draft: Draft) -> bool:
    """True where the body looks inside of an input: it is not text then."""
    return re.search(rf"\b{re.escape(draft.input_name(name))}(\.|\[|\|)", draft.source()) is not None


# serialized objects -----------------------------------------------------------------------------


def _from_dump(value: Any, draft: Draft) -> dict[str, Any]:
    """Return the spec of a serialized prompt. Raises MigrationError for any other object."""
    name, fields = _constructor(value)
    if name not in _PROMPTS:
        raise draft.refuse(f"a serialized {name or 'value'} is not a prompt", hint="prompts and chat prompts are read")
    spec: dict[str, Any] = {**fields, "_type": _PROMPTS[name]}
    if "messages" in spec:
        spec["messages"] = [_message(entry, index, draft) for index, entry in enumerate(spec["messages"] or ())]
    if "example_prompt" in spec:
        spec["example_prompt"] = _from_dump(spec["example_prompt"], draft)
    for field, inner in spec.items():
        if _constructor(inner)[0] or (isinstance(inner, Mapping) and "lc" in inner):
            raise draft.refuse("an object of code stands in it", f"$.{field}")
    return spec


def _constructor(value: Any) -> tuple[str, dict[str, Any]]:
    is_object = isinstance(value, Mapping) and value.get("lc") == 1 and value.get("type") == "constructor"
    if is_object and isinstance(value.get("id"), list) and value["id"]:
        fields = value.get("kwargs")
        return str(value["id"][-1]), dict(fields) if isinstance(fields, Mapping) else {}
    return "", {}


def _message(entry: Any, index: int, draft: Draft) -> dict[str, Any]:
    name, fields = _constructor(entry)
    if name == "MessagesPlaceholder":
        return fields
    if name not in _CLASSES:
        raise draft.refuse(f"a message of the class {name or 'unknown'} is not read", f"$.messages[{index}]")
    prompt = fields.get("prompt")
    if isinstance(prompt, list):
        fields["prompt"] = [{"prompt": _constructor(part)[1]} for part in prompt]
    elif prompt is not None:
        fields["prompt"] = _constructor(prompt)[1]
    return {**fields, "role": _CLASSES[name] or fields.get("role")}


def _is_certain(source: Source) -> bool:
    value = source.keys
    if value.get("lc") == 1:
        return _constructor(value)[0] in _PROMPTS
    if isinstance(value.get("_type"), str) and value["_type"] in _TYPES:
        return bool(value.keys() & {"template", "template_path", "messages", "examples", "example_prompt"})
    return False


def _is_likely(source: Source) -> bool:
    return bool(source.keys.keys() & {"_type", "input_variables", "prompt_messages", "lc"})


LAYOUT: Final = Layout("langchain", read, _is_certain, _is_likely, rank=15, oracle="langchain-core 1.7.2")
