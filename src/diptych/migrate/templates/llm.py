"""Templates of ``llm`` (0.36): YAML with ``$name`` holes in a prompt and a system prompt.

=========================================  ===============================================
``prompt``, ``system``                     a user and a system message; alone a prompt
no ``prompt``                              the user message is ``{{ input }}``, as there
``$x`` ``${x}`` ``$$``                     ``{{ x }}`` and ``$``
``defaults``                               defaults of inputs
``model``, ``options``                     ``model``, ``params``
``schema_object``                          ``response_format``
``attachments``, ``attachment_types``      lost: pictures and files are inputs here
``fragments``, ``system_fragments``        refused: they would stand before the prompt
``tools``, ``functions``                   lost: names of Python functions, and their code
``extract``, ``extract_last``              lost: they cut the answer
=========================================  ===============================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .draft import Draft
from .holes import dollar_meaning, ended, of_dollars
from .jinja import write_message
from .model import Layout, Source

#: The fields that there are: ``llm`` refuses a file with any other.
_FIELDS: Final = {
    "name", "prompt", "system", "attachments", "attachment_types", "model", "defaults", "options", "extract",
    "extract_last", "schema_object", "fragments", "system_fragments", "tools", "functions",
}  # fmt: skip


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a template of ``llm``. Raises MigrationError."""
    value = {"prompt": source.value} if isinstance(source.value, str) else source.object()
    for field in ("fragments", "system_fragments"):
        if value.get(field):
            raise draft.refuse("fragments stand before the prompt and come from elsewhere", f"$.{field}")
    draft.text_field("model", value.get("model"))
    draft.params(value.get("options"), "$.options")
    draft.response_format(value.get("schema_object"), "$.schema_object")
    _read_losses(value, draft)
    texts = {role: value.get(role) for role in ("system", "prompt")}
    for role, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise draft.refuse(f"the {role} is not text", f"$.{role}")
    if not texts["system"] and not texts["prompt"]:
        raise draft.refuse("there is neither a prompt nor a system prompt")
    # Without a prompt of its own a template sends what it is given.
    prompt, system = texts["prompt"] or "$input", texts["system"]
    _write(system, prompt, draft)
    _declare(value.get("defaults"), draft)


def _write(system: str | None, prompt: str, draft: Draft) -> None:
    if not system:
        draft.prompt(ended(of_dollars(prompt, draft, "$.prompt")))
        draft.meaning = lambda inputs: [("user", dollar_meaning(prompt, inputs))]
        return
    for role, text in (("system", system), ("user", prompt)):
        write_message(role, of_dollars(text, draft, f"$.{role}"), draft)
    draft.meaning = lambda inputs: [
        ("system", dollar_meaning(system, inputs).strip("\n")),
        ("user", dollar_meaning(prompt, inputs).strip("\n")),
    ]


def _declare(defaults: Any, draft: Draft) -> None:
    defaults = defaults if isinstance(defaults, Mapping) else {}
    for name in list(draft.names):
        default = {"default": str(defaults[name])} if name in defaults else {}
        draft.add_input(name, {"type": "string"}, **default)
    for name in defaults.keys() - draft.names.keys():
        draft.lose(f"$.defaults.{name}", "field-dropped", "the prompt does not use it")


def _read_losses(value: Mapping[str, Any], draft: Draft) -> None:
    for field in ("attachments", "attachment_types"):
        if value.get(field):
            draft.lose(f"$.{field}", "media-dropped", "pictures and files are inputs of a Diptych template")
    for field in ("tools", "functions"):
        if value.get(field):
            draft.lose(f"$.{field}", "tools-dropped", "they are Python functions by name")
    draft.drop(value, _FIELDS - {"extract", "extract_last"})


def _is_certain(source: Source) -> bool:
    value = source.keys
    has_text = isinstance(value.get("prompt"), str) or isinstance(value.get("system"), str)
    return has_text and source.name.endswith((".yaml", ".yml")) and value.keys() <= _FIELDS


def _is_likely(source: Source) -> bool:
    return bool(source.keys.keys() & {"prompt", "system"}) and source.name.endswith((".yaml", ".yml"))


LAYOUT: Final = Layout("llm", read, _is_certain, _is_likely, rank=45, oracle="llm 0.36")
