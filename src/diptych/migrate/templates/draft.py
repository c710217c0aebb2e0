"""A template in the making: front matter, messages as Jinja source, losses.

Rule: a reader only says what it found; how a Diptych template is written is decided here,
once. What a name, a secret or a schema cannot be in the target is a loss with its path.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from ...errors import MigrationError, TemplateSyntaxError
from ...loss import Loss
from ...templating.schema import AnnotationBuilder
from .meaning import Meaning
from .reading import plain

#: Names of settings elsewhere, and those of the Chat API that mean the same.
PARAMS: Final = {
    name: target
    for target, names in {
        "temperature": ("temperature",),
        "top_p": ("top_p", "topP"),
        "seed": ("seed",),
        "stop": ("stop", "stopSequences", "stop_sequences"),
        "max_tokens": ("max_tokens", "maxTokens", "maxOutputTokens", "max_output_tokens"),
        "max_completion_tokens": ("max_completion_tokens", "maxCompletionTokens"),
        "frequency_penalty": ("frequency_penalty", "frequencyPenalty"),
        "presence_penalty": ("presence_penalty", "presencePenalty"),
        "n": ("n",),
        "parallel_tool_calls": ("parallel_tool_calls", "allowMultipleToolCalls"),
        "reasoning_effort": ("reasoning_effort", "reasoningEffort"),
        "logit_bias": ("logit_bias",),
        "user": ("user",),
    }.items()
    for name in names
}
_TAGS: Final = {"system", "user", "assistant", "developer"}
_ROLES: Final = {*_TAGS, "tool"}
#: Other tools' words for the roles.
ROLE_NAMES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "chat": "user", "function": "tool"}
#: Words that mean something to Jinja: a ``{{ true }}`` would print True.
RESERVED: Final = frozenset({
    "true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else", "elif", "for",
    "loop", "self", "super", "caller", "varargs", "kwargs", "range", "dict", "namespace", "cycler", "joiner",
    "import", "from", "as", "with", "set", "block", "extends", "include", "recursive",
})  # fmt: skip
_SECRET: Final = re.compile(
    r"api_?key|secret|password|credential|authorization|cookie|headers|bearer|(^|_)token$", re.I
)
_HOLE: Final = re.compile(r"\{\{\s*[\w.]+\s*\}\}")
_MESSAGE: Final = re.compile(r"\{%[-+]?\s*(?:message|chat|system|developer|user|assistant|tool|history)\b")
#: A tag beside which white space depends on the rule: all but those of messages, whose ends are layout.
_TRIMMED: Final = re.compile(
    r"\{#|\{%[-+]|[-+]%\}|\{%\s*+(?!(?:end)?(?:message|chat|system|developer|user|assistant|tool)\b|history\b)"
)
_FENCE: Final = re.compile(r"---[ \t]*\r?(\n|\Z)")
#: Types of elsewhere and their JSON Schema.
KINDS: Final[dict[str, dict[str, Any]]] = {
    "string": {"type": "string"}, "str": {"type": "string"}, "text": {"type": "string"},
    "integer": {"type": "integer"}, "int": {"type": "integer"},
    "number": {"type": "number"}, "float": {"type": "number"},
    "boolean": {"type": "boolean"}, "bool": {"type": "boolean"},
    "array": {"type": "array"}, "list": {"type": "array"},
    "object": {"type": "object"}, "dict": {"type": "object"},
    "image": {"anyOf": [{"type": "string"}, {"type": "object"}]},
    "audio": {"type": "string"}, "file": {"type": "string"},
    "thread": {"type": "array", "items": {"type": "object"}},
    "messages": {"type": "array", "items": {"type": "object"}},
}  # fmt: skip
_SHORT: Final = {"string", "integer", "number", "boolean", "array", "object"}


def kind_of(value: Any) -> dict[str, Any]:
    """Return the JSON Schema of a value's type.

    >>> kind_of(2), kind_of([1])
    ({'type': 'integer'}, {'type': 'array'})
    """
    names = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", str: "string"}
    name = names.get(type(value))
    return {"type": name} if name else {}


def closed(source: str) -> str:
    """Return the source of a text so that a tag can stand behind it: a brace at its end would belong to the tag.

    >>> closed('Begin with {')
    "Begin with {{ '{' }}"
    """
    return source[:-1] + "{{ '{' }}" if source.endswith("{") else source


class Draft:
    """What a reader has found so far.

    >>> draft = Draft("a.txt")
    >>> draft.message("user", "Hi {{ name }}")
    >>> print(draft.source())
    {% user %}Hi {{ name }}{% enduser %}
    <BLANKLINE>
    """

    def __init__(self, filename: str, name: str = "", text: str = "") -> None:
        self.filename = filename
        #: The file as it is read, to find places in; empty where the template is a part of it.
        self.text = text
        self.name = name
        self.meta: dict[str, Any] = {}
        self.inputs: dict[str, dict[str, Any]] = {}
        self.losses: list[Loss] = []
        #: Why the source could also mean something else, each with its place.
        self.doubts: list[str] = []
        #: What the source says, to prove the result against; None where nothing else can tell.
        self.meaning: Meaning | None = None
        #: True where the source keeps the line breaks around a message, which tags take away.
        self.tells_trim = False
        #: True where the source takes white space off the ends of a message, that of data included.
        self.strips_data = False
        #: Texts of other files that the source may take in, by name.
        self.partials: Mapping[str, str] = {}
        self._body: list[str] = []
        self._prompt: str | None = None
        self.names: dict[str, str] = {}

    # losses ------------------------------------------------------------------------------

    def lose(self, path: str, kind: str, detail: str) -> None:
        """Record a loss, once."""
        loss = Loss(path, kind, detail)
        if loss not in self.losses:
            self.losses.append(loss)

    def doubt(self, why: str) -> None:
        """Record why the source could also mean something else, once."""
        if why not in self.doubts:
            self.doubts.append(why)

    def refuse(self, reason: str, place: Any = "", hint: str | None = None) -> MigrationError:
        """Return the error that refuses this file, with the place in it: a line, ``line:column``, or a path."""
        is_line = isinstance(place, int) or (isinstance(place, str) and re.fullmatch(r"\d+:\d+", place))
        where = f"{self.filename}:{place}" if is_line else f"{self.filename}: {place}" if place else ""
        return MigrationError(reason, path=where or self.filename, hint=hint)

    def drop(self, values: Mapping[str, Any], known: Iterable[str], path: str = "$") -> None:
        """Record a loss for every field that is not among those known. Values are never shown."""
        for name in values:
            if name not in known:
                self.lose(f"{path}.{name}", "field-dropped", "a Diptych template has no place for it")

    # the front matter ----------------------------------------------------------------------

    def text_field(self, name: str, *values: Any) -> None:
        """Set a field of the front matter to the first of the values that is a text."""
        for value in values:
            if isinstance(value, str) and value.strip():
                self.meta[name] = value
                return

    def params(self, values: Any, path: str) -> None:
        """Take parameters over under the names of the Chat API; others are lost."""
        found: dict[str, Any] = {}
        for name, value in values.items() if isinstance(values, Mapping) else ():
            target = PARAMS.get(name)
            if target and value is not None and "${" not in str(value):
                found[target] = value
            elif value is not None:
                self.lose(f"{path}.{name}", "parameter-dropped", "no parameter of the Chat API")
        if found:
            self.meta["params"] = {**self.meta.get("params", {}), **found}

    def without_holes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a request without those that hold a hole: in front matter it would stay text."""
        holes = {name for name, value in values.items() if _HOLE.search(str(value))}
        for name in sorted(holes):
            self.lose(f"$.{name}", "parameter-dropped", "holes are filled in by messages alone: give it to the call")
        return {name: value for name, value in values.items() if name not in holes}

    def request_params(self, values: Mapping[str, Any]) -> None:
        """Take the parameters of a request body over as they are, all but what may be secret."""
        kept = {name: value for name, value in values.items() if not _SECRET.search(name)}
        for name in filter(_SECRET.search, values):
            self.lose(f"$.{name}", "field-dropped", "it may hold a secret, and the client knows its server")
        if kept:
            self.meta["params"] = kept

    def response_format(self, schema: Any, path: str) -> None:
        """Ask for a JSON object, or for one of this JSON Schema."""
        if schema == "json_object" or (isinstance(schema, Mapping) and schema):
            self.meta["response_format"] = schema
        elif schema not in (None, {}, "text"):
            self.lose(path, "schema-dropped", "it is not a JSON Schema")

    def tools(self, values: Any, path: str = "$.tools") -> None:
        """Take functions over; a tool that is no function, or only a name, is lost."""
        kept = []
        for index, tool in enumerate(values if isinstance(values, list) else ()):
            inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
            function = inner if isinstance(inner, Mapping) else {}
            if isinstance(function.get("name"), str) and isinstance(function.get("parameters", {}), Mapping):
                kept.append(dict(tool))
            else:
                self.lose(f"{path}[{index}]", "tools-dropped", "only functions with a JSON Schema have a place")
        if kept:
            self.meta["tools"] = kept
        if values is not None and not isinstance(values, list):
            self.lose(path, "tools-dropped", "tools are a list")

    # inputs -------------------------------------------------------------------------------

    def input_name(self, name: str, path: str = "$.inputs") -> str:
        """Return the name that an input has in Jinja; one that Jinja would not take is renamed."""
        if name not in self.names:
            target = re.sub(r"\W", "_", name, flags=re.ASCII)
            target = f"_{target}" if target[:1].isdigit() or not target else target
            target = f"{target}_" if target in RESERVED or keyword.iskeyword(target) else target
            while target != name and target in self.names.values():
                target += "_"
            self.names[name] = target
            if target != name:
                self.lose(f"{path}.{name}", "renamed", f"{target}: {name!r} is not a name in Jinja")
        return self.names[name]

    def add_input(
        self, name: str, schema: Mapping[str, Any], *, path: str = "$.inputs", description: Any = None, **default: Any
    ) -> None:
        """Declare an input; ``default=`` makes it optional.

        A schema that Diptych cannot enforce is loosened to its type, with a loss.
        """
        schema = {key: value for key, value in schema.items() if key not in ("default", "description", "title")}
        try:
            AnnotationBuilder({}).build(schema, path)
        except (TemplateSyntaxError, TypeError, ValueError, AttributeError, RecursionError) as error:
            reason = error.message if isinstance(error, TemplateSyntaxError) else "it is not a JSON Schema"
            self.lose(f"{path}.{name}", "substituted", f"checked by its type alone: {reason}")
            kind = schema.get("type")
            schema = {"type": kind} if isinstance(kind, str) and kind in _SHORT else {}
        facts = {**schema, **default}
        if isinstance(description, str) and description:
            facts["description"] = description
        self.inputs[self.input_name(name, path)] = facts

    # the body ------------------------------------------------------------------------------

    @property
    def is_prompt(self) -> bool:
        """True where the body has no message: what it writes is one text."""
        return _MESSAGE.search(self.source()) is None

    def prompt(self, source: str) -> None:
        """Make the template a prompt without roles: ``source`` is Jinja."""
        self._prompt = source

    def message(self, role: str, source: str, name: Any = None) -> None:
        """Add a message: ``source`` is Jinja. Raises MigrationError for a role that is none."""
        self._body.append(self.tagged(role, source, name))

    def history(self, name: str) -> None:
        """Add the place of a history that comes as data, and declare its input."""
        name = self.input_name(name)
        self.inputs.setdefault(name, KINDS["messages"])
        self._body.append(f"{{% history {name} %}}\n")

    def raw(self, source: str) -> None:
        """Add Jinja source that stands between messages."""
        self._body.append(source)

    def role(self, role: Any, place: Any = "") -> str:
        """Return the Diptych role of another tool's. Raises MigrationError for an unknown one."""
        known = ROLE_NAMES.get(str(role).lower(), str(role).lower())
        if known not in _ROLES:
            raise self.refuse(f"there is no role {str(role)[:40]!r}", place, hint="system, user, assistant, developer")
        return known

    def tagged(self, role: str, source: str, name: Any = None) -> str:
        """Return one message with its tags and a line break."""
        role = self.role(role)
        source = closed(source.strip("\n"))
        tail = source.rpartition("\n")[2]
        # Jinja takes blanks before a tag for indentation: a plus keeps those of the text.
        end = "{%+" if "\n" in source and tail and not tail.strip() else "{%"
        named = f" name={name!r}" if isinstance(name, str) and re.fullmatch(r"[\w.-]+", name) else ""
        if role == "tool":
            return f'{{% message role="tool"{named} %}}{source}{end} endmessage %}}\n'
        return f"{{% {role}{named} %}}{source}{end} end{role} %}}\n"

    def source(self) -> str:
        """Return the template's source."""
        meta = {**self.meta}
        if self.inputs:
            meta["inputs"] = {name: _short(facts) for name, facts in self.inputs.items()}
        body = self._prompt if self._prompt is not None else "".join(self._body)
        if _TRIMMED.search(body):
            meta["trim"] = "blocks"  # what the writer of the body assumes
        meta = {key: meta[key] for key in sorted(meta, key=_ORDER.index)}
        head = f"---\n{_dump(meta)}---\n" if meta else ""
        if not head and _FENCE.match(body):
            head = "---\n---\n"  # what the body begins with would be taken for front matter
        return head + body


_ORDER: Final = ("name", "description", "model", "params", "inputs", "samples", "response_format", "tools", "trim")


def _short(facts: Mapping[str, Any]) -> Any:
    """Return a declaration as short as it can be written."""
    if not facts:
        return "any"
    if facts == KINDS["messages"]:
        return "messages"
    kind = facts.get("type")
    if set(facts) == {"type"} and isinstance(kind, str):
        return kind
    return {"type": "any", **facts} if "type" not in facts and not facts.keys() & {"enum", "anyOf", "oneOf"} else facts


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: the front matter of a template refuses them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(meta: Mapping[str, Any]) -> str:
    text: str = yaml.dump(plain(meta), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text
