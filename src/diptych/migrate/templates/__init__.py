"""Template files of other tools become Diptych templates, each with its losses; and back to Prompty v2.

Rule: roles are read in the author's text alone, once, here. What the target cannot say is a
loss with a path; what would change what is asked is refused. The result is loaded before it
is handed out, so that no template is written that does not parse.

Sources: Prompty's specification (v1 2024, v2 2026), dotprompt's (2025), GitHub Models'
``.prompt.yml`` (2025), LangChain's prompt files, the templates of ``llm`` (0.36).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ...errors import DiptychError, MigrationError
from ...formats.template_text import Syntax, fill_holes, to_template
from ...loss import Loss, Severity, Verdict, worst
from ...template import Template

LAYOUTS: Final = ("prompty", "dotprompt", "github-prompt", "langchain", "openai-request", "llm", "banks", "text")
_FRONT: Final = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_ROLE_LINE: Final = re.compile(r"^[ \t]*#?[ \t]*(system|user|assistant|developer)[ \t]*:[ \t]*\r?$", re.M | re.I)
_TAGS: Final = {"system", "user", "assistant", "developer"}
#: Names of settings elsewhere, and those of the Chat API that mean the same.
_PARAMS: Final = {
    "temperature": "temperature", "top_p": "top_p", "topP": "top_p", "topK": "", "seed": "seed", "stop": "stop",
    "stopSequences": "stop", "max_tokens": "max_tokens", "maxTokens": "max_tokens", "maxOutputTokens": "max_tokens",
    "max_output_tokens": "max_tokens", "max_completion_tokens": "max_completion_tokens",
    "frequency_penalty": "frequency_penalty", "frequencyPenalty": "frequency_penalty",
    "presence_penalty": "presence_penalty", "presencePenalty": "presence_penalty", "n": "n",
    "maxCompletionTokens": "max_completion_tokens",
}  # fmt: skip


@dataclass(frozen=True)
class TemplateMigration:
    """A migrated template: its source, the layout that was read, what was lost."""

    source: str
    layout: str
    losses: tuple[Loss, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``lossless`` where nothing was changed or dropped."""
        return "lossless" if worst(self.losses) < Severity.CHANGED else "lossy"


class _Draft:
    """A template in the making: front matter, messages with their Jinja source, losses."""

    def __init__(self) -> None:
        self.meta: dict[str, Any] = {}
        self.turns: list[tuple[str | None, str]] = []
        self.losses: list[Loss] = []

    def lose(self, path: str, kind: str, detail: str) -> None:
        self.losses.append(Loss(path, kind, detail))

    def drop(self, values: Mapping[str, Any], known: Iterable[str], path: str = "$") -> None:
        for name in values:
            if name not in known:
                self.lose(f"{path}.{name}", "field-dropped", "a Diptych template has no place for it")

    def params(self, values: Any, path: str) -> None:
        found: dict[str, Any] = {}
        for name, value in values.items() if isinstance(values, Mapping) else ():
            target = _PARAMS.get(name)
            if target:
                found[target] = value
            else:
                self.lose(f"{path}.{name}", "parameter-dropped", "no parameter of the Chat API")
        if found:
            self.meta["params"] = {**self.meta.get("params", {}), **found}

    def source(self) -> str:
        front = yaml.safe_dump(self.meta, sort_keys=False, allow_unicode=True, width=1000) if self.meta else ""
        head = f"---\n{front}---\n" if front else ""
        if len(self.turns) == 1 and self.turns[0][0] is None:
            return head + self.turns[0][1]
        return head + "\n".join(_tagged(role or "user", text) for role, text in self.turns) + "\n"


def _tagged(role: str, text: str) -> str:
    if role == "history":
        return "{% history history %}"
    if role in _TAGS:
        return f"{{% {role} %}}{text}{{% end{role} %}}"
    return f'{{% message role="{role}" %}}{text}{{% endmessage %}}'


def layout_of(text: str, filename: str = "") -> str:
    """Return the layout that a file is in, by its name and then by its keys.

    >>> layout_of("{}", "a.prompt.yml"), layout_of("Translate {text}", "a.txt")
    ('github-prompt', 'text')
    """
    name = filename.lower()
    if name.endswith(".prompty"):
        return "prompty"
    if name.endswith((".prompt.yml", ".prompt.yaml")):
        return "github-prompt"
    if name.endswith(".prompt"):
        return "dotprompt"
    if re.search(r"\{%-?\s*(chat|message)\b", text):
        return "banks"
    if name.endswith((".json", ".yaml", ".yml")):
        value = _loaded(text, filename)
        if isinstance(value, Mapping):
            if "_type" in value or "input_variables" in value or "prompt_messages" in value:
                return "langchain"
            if name.endswith(".json") and ("messages" in value or "prompt" in value):
                return "openai-request"
            if "messages" in value:
                return "github-prompt"
            if "prompt" in value or "system" in value:
                return "llm"
        raise MigrationError("no known layout of templates", path=filename, hint=f"name one: {', '.join(LAYOUTS)}")
    return "text"


def migrate_template(text: str, filename: str = "<string>", layout: str = "auto") -> TemplateMigration:
    """Migrate one template file to a Diptych template.

    ``layout`` is one of :data:`LAYOUTS`, by default what name and keys say. Raises
    MigrationError for a file that is no such template, or one that asks for something
    that a Diptych template cannot do.

    >>> print(migrate_template("system:\\nYou are brief.\\n\\nuser:\\nHi {{name}}\\n", "a.prompty").source)
    {% system %}You are brief.{% endsystem %}
    {% user %}Hi {{name}}{% enduser %}
    <BLANKLINE>
    """
    kind = layout_of(text, filename) if layout == "auto" else layout
    if kind not in _READERS:
        raise MigrationError(f"there is no layout {kind!r}", hint=f"layouts: {', '.join(LAYOUTS)}")
    draft = _Draft()
    _READERS[kind](text, filename, draft)
    source = draft.source()
    try:
        Template.from_string(source)
    except DiptychError as error:
        raise MigrationError(f"the migrated template does not load: {error.message}", path=filename) from None
    return TemplateMigration(source, kind, tuple(draft.losses))


def _loaded(text: str, filename: str) -> Any:
    try:
        return json.loads(text) if filename.lower().endswith(".json") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise MigrationError(f"the file does not parse: {str(error).splitlines()[0]}", path=filename) from None


def _object(text: str, filename: str) -> Mapping[str, Any]:
    value = _loaded(text, filename)
    if not isinstance(value, Mapping):
        raise MigrationError("the file holds no object", path=filename)
    return value


def _front(text: str, filename: str) -> tuple[Mapping[str, Any], str]:
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    meta = _loaded(found[1], filename)
    return (meta if isinstance(meta, Mapping) else {}), text[found.end() :]


# Prompty -----------------------------------------------------------------------------------


def _read_prompty(text: str, filename: str, draft: _Draft) -> None:
    meta, body = _front(text, filename)
    syntax = meta.get("template")
    form = syntax.get("format") if isinstance(syntax, Mapping) else syntax
    form = form.get("kind") if isinstance(form, Mapping) else form
    if form not in (None, "jinja2", "nunjucks", "jinja", "mustache"):
        raise MigrationError(f"a body in {form!r} is not read", path=filename, hint="jinja2 and mustache are")
    if isinstance(meta.get("description") or meta.get("name"), str):
        draft.meta["description"] = meta.get("description") or meta["name"]
    _prompty_model(meta.get("model"), draft)
    inputs = _prompty_inputs(meta, draft)
    if inputs:
        draft.meta["inputs"] = inputs
    known = ("name", "description", "model", "inputs", "sample", "template", "tools", "version", "kind", "$schema")
    draft.drop(meta, known)
    if isinstance(meta.get("tools"), list) and meta["tools"]:
        draft.meta["tools"] = meta["tools"]
    parts = _ROLE_LINE.split(body)
    if parts[0].strip():
        draft.turns.append(("system" if len(parts) > 1 else None, parts[0].strip()))
    for role, content in zip(parts[1::2], parts[2::2], strict=True):
        draft.turns.append((role.lower(), content.strip()))


def _prompty_model(model: Any, draft: _Draft) -> None:
    if isinstance(model, str):
        draft.meta["model"] = model
    if not isinstance(model, Mapping):
        return
    settings = model.get("configuration") or model.get("connection") or {}
    settings = settings if isinstance(settings, Mapping) else {}
    name = model.get("id") or settings.get("name") or settings.get("azure_deployment") or settings.get("model")
    if isinstance(name, str):
        draft.meta["model"] = name
        if "${" in name:
            draft.lose("$.model", "flattened", "an environment variable stands as text: give model= when rendering")
    for key in settings:
        if key not in ("name", "azure_deployment", "model", "type"):
            draft.lose(f"$.model.configuration.{key}", "field-dropped", "the client knows its server")
    draft.params(model.get("parameters"), "$.model.parameters")
    draft.params(model.get("options"), "$.model.options")
    draft.drop(
        model, ("id", "api", "apiType", "configuration", "connection", "parameters", "options", "provider"), "$.model"
    )


def _prompty_inputs(meta: Mapping[str, Any], draft: _Draft) -> dict[str, Any]:
    found: dict[str, Any] = {}
    given, sample = meta.get("inputs"), meta.get("sample")
    if isinstance(given, list):
        given = {str(entry.get("name")): entry for entry in given if isinstance(entry, Mapping)}
    for name, entry in given.items() if isinstance(given, Mapping) else ():
        facts = entry if isinstance(entry, Mapping) else {"default": entry}
        kind = str(facts.get("kind") or facts.get("type") or "string")
        kind = {"float": "number", "int": "integer", "list": "array", "bool": "boolean"}.get(kind, kind)
        found[name] = {"type": kind, **{k: facts[k] for k in ("default", "description") if k in facts}}
        if "sample" in facts:
            draft.lose(f"$.inputs.{name}.sample", "field-dropped", "samples are no part of a template")
    if isinstance(sample, Mapping):
        for name, value in sample.items():
            found.setdefault(name, {"type": _type_of(value)})
        draft.lose("$.sample", "field-dropped", "samples are no part of a template; they gave the inputs' types")
    return {name: facts["type"] if set(facts) == {"type"} else facts for name, facts in found.items()}


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "string")


# dotprompt ----------------------------------------------------------------------------------

_HANDLE: Final = re.compile(r"\{\{(\{?)(~?)\s*(!--.*?--|!.*?|.*?)\s*(~?)\}?\}\}", re.DOTALL)


def _read_dotprompt(text: str, filename: str, draft: _Draft) -> None:
    meta, body = _front(text, filename)
    if isinstance(meta.get("description"), str):
        draft.meta["description"] = meta["description"]
    model = meta.get("model")
    if isinstance(model, str):
        draft.meta["model"] = model.rpartition("/")[2]
        if "/" in model:
            draft.lose("$.model", "renamed", f"{model} without its provider")
    draft.params(meta.get("config"), "$.config")
    wanted = meta.get("input") if isinstance(meta.get("input"), Mapping) else {}
    defaults = wanted.get("default") if isinstance(wanted, Mapping) else {}
    inputs = _picoschema(wanted.get("schema") if isinstance(wanted, Mapping) else None)
    for name, value in defaults.items() if isinstance(defaults, Mapping) else ():
        inputs[name] = {**inputs.get(name, {"type": _type_of(value)}), "default": value}
    if inputs:
        draft.meta["inputs"] = {n: f["type"] if set(f) == {"type"} else f for n, f in inputs.items()}
    output = meta.get("output")
    if isinstance(output, Mapping) and output.get("schema"):
        fields = _picoschema(output["schema"])
        required = [name for name, facts in fields.items() if not str(facts["type"]).endswith("?")]
        properties = {n: {**f, "type": str(f["type"]).rstrip("?")} for n, f in fields.items()}
        draft.meta["response_format"] = {"type": "object", "properties": properties, "required": required}
    elif isinstance(output, Mapping) and output.get("format") == "json":
        draft.meta["response_format"] = "json_object"
    draft.drop(meta, ("name", "description", "model", "config", "input", "output", "variant"))
    _handlebars(body, filename, draft)


def _picoschema(schema: Any) -> dict[str, dict[str, Any]]:
    """Return names and their JSON Schema for dotprompt's short schema, or for a JSON Schema."""
    if not isinstance(schema, Mapping):
        return {}
    if isinstance(schema.get("properties"), Mapping):
        needed = schema.get("required") or ()
        return {
            name: {**facts, "type": facts.get("type", "string") + ("" if name in needed else "?")}
            for name, facts in schema["properties"].items()
        }
    found: dict[str, dict[str, Any]] = {}
    for key, value in schema.items():
        name, _, kind = str(key).partition("(")
        is_optional, name = name.endswith("?"), name.rstrip("?")
        facts = _pico_type(value, kind.rstrip(")").split(",")[0].strip())
        found[name] = {**facts, "type": f"{facts['type']}?"} if is_optional else facts
    return found


def _pico_type(value: Any, kind: str) -> dict[str, Any]:
    if kind == "enum" and isinstance(value, list):
        return {"type": "string", "enum": value}
    if kind == "array":
        return {"type": "array", "items": _pico_type(value, "")}
    if isinstance(value, Mapping):
        inner = _picoschema(value)
        return {
            "type": "object",
            "properties": {n: {**f, "type": str(f["type"]).rstrip("?")} for n, f in inner.items()},
        }
    name, _, about = str(value).partition(",")
    kind = {"any": "object"}.get(name.strip(), name.strip())
    return {"type": kind, "description": about.strip()} if about.strip() else {"type": kind}


def _handlebars(body: str, filename: str, draft: _Draft) -> None:
    role: str | None = None
    out: list[str] = []
    blocks: list[tuple[str, str]] = []
    position = 0

    def close(next_role: str | None) -> None:
        nonlocal role
        text = "".join(out).strip()
        if text or (role is not None and draft.turns):
            draft.turns.append((role, text))
        out.clear()
        role = next_role

    for found in _HANDLE.finditer(body):
        out.append(fill_holes(body[position : found.start()], "none"))
        position = found.end()
        line = body.count("\n", 0, found.start()) + 1
        inner = found[3]
        if inner.startswith("!"):
            continue
        if (said := re.fullmatch(r"role\s+[\"'](\w+)[\"']", inner)) is not None:
            if blocks:
                raise MigrationError("a role inside a block cannot be migrated", path=f"{filename}:{line}")
            close({"model": "assistant"}.get(said[1], said[1]))
        elif inner == "history":
            close(role)
            draft.turns.append(("history", "history"))
        else:
            out.append(_handle(inner, blocks, f"{filename}:{line}", draft))
    out.append(fill_holes(body[position:], "none"))
    if blocks:
        raise MigrationError(f"the block {blocks[-1][0]!r} is not closed", path=filename)
    close(None)
    if any(role == "history" for role, _ in draft.turns):
        draft.turns = [(r or "user", t) if r != "history" else (r, t) for r, t in draft.turns if t]
    if len(draft.turns) > 1:
        draft.turns = [(role or "user", text) for role, text in draft.turns]


def _handle(inner: str, blocks: list[tuple[str, str]], place: str, draft: _Draft) -> str:
    """Return the Jinja source of one tag of simple Handlebars."""
    scope = next((variable for kind, variable in reversed(blocks) if kind == "each"), "")
    opened = re.fullmatch(r"#(if|unless|each)\s+([\w.@/]+)", inner)
    if opened is not None:
        kind, path = opened[1], _path(opened[2], scope, place)
        variable = f"item{len(blocks)}" if kind == "each" else ""
        blocks.append((kind, variable))
        if kind == "each":
            return f"{{% for {variable} in {path} %}}"
        return f"{{% if {'not ' if kind == 'unless' else ''}{path} %}}"
    if inner == "else" and blocks:
        return "{% else %}"
    closed = re.fullmatch(r"/(if|unless|each)", inner)
    if closed is not None and blocks and blocks[-1][0] == closed[1]:
        blocks.pop()
        return "{% endfor %}" if closed[1] == "each" else "{% endif %}"
    if inner.startswith("media"):
        draft.lose(place, "media-dropped", "pictures go in with the messages, not with the template")
        return ""
    if re.fullmatch(r"[\w.@/]+", inner) is None:
        raise MigrationError(f"{{{{{inner}}}}} is more than simple Handlebars", path=place, hint="rewrite it in Jinja")
    return f"{{{{ {_path(inner, scope, place)} }}}}"


def _path(name: str, scope: str, place: str) -> str:
    if name.startswith(("../", "@root")):
        return name.removeprefix("../").removeprefix("@root.")
    if name.startswith("@"):
        if name in ("@index", "@first", "@last"):
            return {"@index": "loop.index0", "@first": "loop.first", "@last": "loop.last"}[name]
        raise MigrationError(f"{name} is more than simple Handlebars", path=place)
    if name in ("this", "."):
        return scope or name
    name = name.removeprefix("this.")
    return f"{scope}.{name}" if scope else name


# GitHub, LangChain, llm, OpenAI requests, banks, text ----------------------------------------------


def _read_github(text: str, filename: str, draft: _Draft) -> None:
    value = _object(text, filename)
    if isinstance(value.get("description") or value.get("name"), str):
        draft.meta["description"] = value.get("description") or value["name"]
    if isinstance(value.get("model"), str):
        draft.meta["model"] = value["model"].rpartition("/")[2]
    draft.params(value.get("modelParameters"), "$.modelParameters")
    if value.get("responseFormat") == "json_object":
        draft.meta["response_format"] = "json_object"
    schema = value.get("jsonSchema")
    if value.get("responseFormat") == "json_schema" and schema is not None:
        schema = json.loads(schema) if isinstance(schema, str) else schema
        draft.meta["response_format"] = schema.get("schema", schema)
    known = ("name", "description", "model", "modelParameters", "messages", "responseFormat", "jsonSchema")
    draft.drop(value, known)
    _turns(value.get("messages"), "jinja", filename, draft)


def _turns(messages: Any, syntax: Syntax, filename: str, draft: _Draft) -> None:
    if not isinstance(messages, list) or not messages:
        raise MigrationError("there are no messages", path=filename)
    for index, message in enumerate(messages):
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, list):
            texts = [
                part["text"] for part in content if isinstance(part, Mapping) and isinstance(part.get("text"), str)
            ]
            if len(texts) < len(content):
                draft.lose(f"$.messages[{index}].content", "media-dropped", "pictures go in with the messages")
            content = "".join(texts)
        if not isinstance(content, str):
            raise MigrationError("a message without text cannot be migrated", path=f"{filename}: $.messages[{index}]")
        draft.turns.append((str(message.get("role", "user")), fill_holes(content, syntax)))


def _read_langchain(text: str, filename: str, draft: _Draft) -> None:
    value = _object(text, filename)
    kind = value.get("_type", "prompt")
    if kind in ("chat", "chat_prompt") or "messages" in value:
        for entry in value.get("messages") or ():
            inner = entry.get("prompt") if isinstance(entry.get("prompt"), Mapping) else entry
            role = {"human": "user", "ai": "assistant"}.get(str(entry.get("role") or entry.get("_type") or "user"))
            role = role or str(entry.get("role") or entry.get("_type"))
            draft.turns.append((role, fill_holes(str(inner.get("template") or ""), _syntax(inner, filename))))
    elif kind == "prompt" and isinstance(value.get("template"), str):
        draft.turns.append((None, fill_holes(value["template"], _syntax(value, filename))))
    else:
        raise MigrationError(f"prompts of the type {kind!r} are not read", path=filename)
    names = [*(value.get("input_variables") or ()), *(value.get("optional_variables") or ())]
    if names:
        draft.meta["inputs"] = {str(name): "string" for name in dict.fromkeys(names)}
    partial = value.get("partial_variables")
    for name, given in partial.items() if isinstance(partial, Mapping) else ():
        draft.meta.setdefault("inputs", {})[str(name)] = {"type": _type_of(given), "default": given}
    known = (
        "_type", "template", "messages", "input_variables", "optional_variables", "partial_variables",
        "template_format", "validate_template", "name", "input_types", "output_parser", "metadata", "tags",
    )  # fmt: skip
    draft.drop(value, known)


def _syntax(value: Mapping[str, Any], filename: str) -> Syntax:
    named = value.get("template_format", "f-string")
    known: dict[str, Syntax] = {"f-string": "fstring", "jinja2": "jinja", "mustache": "jinja"}
    if named not in known:
        raise MigrationError(f"templates in {named!r} are not read", path=filename)
    return known[named]


def _read_llm(text: str, filename: str, draft: _Draft) -> None:
    value = _object(text, filename)
    if isinstance(value.get("model"), str):
        draft.meta["model"] = value["model"]
    draft.params(value.get("options"), "$.options")
    given = value.get("defaults")
    defaults: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    texts = f"{value.get('system', '')} {value.get('prompt', '')}"
    names = dict.fromkeys(re.findall(r"(?<!\$)\$\{?([A-Za-z_]\w*)\}?", texts))
    if names:
        inputs = {n: {"type": "string", "default": str(defaults[n])} if n in defaults else "string" for n in names}
        draft.meta["inputs"] = inputs
    if isinstance(value.get("schema_object"), Mapping):
        draft.meta["response_format"] = dict(value["schema_object"])
    draft.drop(value, ("name", "model", "options", "defaults", "system", "prompt", "schema_object"))
    for role in ("system", "prompt"):
        if isinstance(value.get(role), str):
            draft.turns.append(("system" if role == "system" else "user", _dollars(value[role])))
    if len(draft.turns) == 1 and "prompt" in value:
        draft.turns = [(None, draft.turns[0][1])]


def _dollars(text: str) -> str:
    parts = re.split(r"(\$\$|\$\{?[A-Za-z_]\w*\}?)", text)
    return "".join(
        "$" if part == "$$" else f"{{{{ {part.strip('${}')} }}}}" if index % 2 else fill_holes(part, "none")
        for index, part in enumerate(parts)
    )


def _read_request(text: str, filename: str, draft: _Draft) -> None:
    value = _object(text, filename)
    if isinstance(value.get("model"), str):
        draft.meta["model"] = value["model"]
    for name, given in value.items():
        if name not in ("model", "messages", "prompt", "tools", "response_format"):
            draft.meta.setdefault("params", {})[name] = given
    if isinstance(value.get("tools"), list):
        draft.meta["tools"] = value["tools"]
    wanted = value.get("response_format")
    if isinstance(wanted, Mapping):
        schema = (wanted.get("json_schema") or {}).get("schema")
        draft.meta["response_format"] = schema if wanted.get("type") == "json_schema" else wanted.get("type", "text")
    if isinstance(value.get("prompt"), str):
        draft.turns.append((None, fill_holes(value["prompt"])))
    else:
        _turns(value.get("messages"), "auto", filename, draft)


def _read_banks(text: str, filename: str, draft: _Draft) -> None:
    meta, body = _front(text, filename)
    draft.meta.update(meta)
    body = re.sub(r"\{%-?\s*chat\s+role\s*=\s*([\"'])(\w+)\1\s*-?%\}", r'{% message role="\2" %}', body)
    body = re.sub(r"\{%-?\s*endchat\s*-?%\}", "{% endmessage %}", body)
    if re.search(r"\{%-?\s*(completion|canary_word|generate)\b|\|\s*(image|audio|document|tool|cache_control)\b", body):
        raise MigrationError(
            "the template calls a model or makes media, which a Diptych template does not", path=filename
        )
    draft.turns.append((None, body))


def _read_text(text: str, _: str, draft: _Draft) -> None:
    found = to_template(text)
    draft.losses += found.losses
    draft.turns.append((None, str(found.output)))


_READERS: Final = {
    "prompty": _read_prompty,
    "dotprompt": _read_dotprompt,
    "github-prompt": _read_github,
    "langchain": _read_langchain,
    "openai-request": _read_request,
    "llm": _read_llm,
    "banks": _read_banks,
    "text": _read_text,
}


# and back -----------------------------------------------------------------------------------


def to_prompty(template: Template, name: str = "prompt") -> TemplateMigration:
    """Return a template as a Prompty v2 file.

    Raises MigrationError for a template whose messages are not fixed (loops, histories): Prompty
    would have to read its roles from what the data wrote.

    >>> t = Template.from_string("{% system %}Brief.{% endsystem %}{% user %}Hi {{ name }}{% enduser %}")
    >>> print(to_prompty(t).source)
    ---
    name: prompt
    inputs:
    - name: name
      kind: string
      required: false
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
    plan = template.plan
    if plan is None or plan.histories:
        raise MigrationError("only a template of fixed messages becomes a Prompty file", path=name)
    losses: list[Loss] = []
    meta: dict[str, Any] = {"name": name}
    if template.metadata.get("description"):
        meta["description"] = template.metadata["description"]
    model: dict[str, Any] = {"id": template.model} if template.model else {}
    if template.params:
        model["options"] = dict(template.params)
    if model:
        meta["model"] = model
    if template.input_schema:
        required = set(template.input_schema.get("required") or ())
        properties = template.input_schema.get("properties") or {}
        meta["inputs"] = [_prompty_input(n, f, n in required) for n, f in properties.items()]
    if template.response_format is not None:
        losses.append(Loss("$.response_format", "schema-dropped", "Prompty's outputs describe, they do not ask"))
    if template.tools:
        losses.append(Loss("$.tools", "tools-dropped", "Prompty's tools have another shape"))
    meta["template"] = {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}}
    turns = [(turn.role, turn.pieces) for turn in plan.turns if hasattr(turn, "pieces")] or [("user", plan.pieces)]
    body = []
    for role, pieces in turns:
        text = "".join(_piece_source(piece) for piece in pieces)
        if any(_ROLE_LINE.match(line) for line in text.splitlines()):
            raise MigrationError("a text holds a line that Prompty takes for a role", path=name)
        if text != text.strip():
            losses.append(Loss("$.messages", "trimmed", "Prompty takes the white space around a message away"))
        body.append(f"{role}:\n{text}\n")
    front = yaml.safe_dump(meta, sort_keys=False, allow_unicode=True, width=1000)
    return TemplateMigration(f"---\n{front}---\n" + "\n".join(body), "prompty", tuple(losses))


def _prompty_input(name: str, facts: Mapping[str, Any], is_required: bool) -> dict[str, Any]:
    found = {"name": name, "kind": facts.get("type", "string"), "required": is_required}
    return {**found, "default": facts["default"]} if "default" in facts else found


def _piece_source(piece: Any) -> str:
    if isinstance(piece, str):
        return fill_holes(piece, "none")
    return "{{ " + " | ".join((piece.name, *piece.filters)) + " }}"
