"""Dify's DSL: an app or a workflow in YAML; every prompt in it becomes a template of its own.

========================================  ==================================================
a node of the type ``llm``                a template, named after the node's title
``prompt_template`` of a chat model       messages; of a completion model a prompt
``{{#node.name#}}``, ``{{#context#}}``    inputs: of the start node by their names, else as
                                          ``node_name``
``edition_type: jinja2``                  Jinja, with its declared variables
``memory``                                ``{% history history %}``, then the query
``vision``                                lost: files come as parts of a message of data
``model``, ``completion_params``          ``model``, ``params``; ``structured_output`` as
                                          ``response_format``
``pre_prompt`` of a chat app              a system message, the history, the query
``chat_prompt_config``                    messages, the history and query where they stand
``user_input_form``, start variables      ``inputs``
data sets, tools of an agent              lost
classifiers, extractors, agents           refused: they write their prompts themselves
========================================  ==================================================

A variable that is not known stays text there, and here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...errors import MigrationError
from .dify_names import Names
from .draft import Draft
from .holes import ended
from .jinja import rewrite, write_message
from .meaning import HISTORY
from .model import Layout, Source

_MODES: Final = ("chat", "completion", "agent-chat", "advanced-chat", "workflow")
_WRITERS: Final = {
    "agent": "agent_parameters", "parameter-extractor": "instruction", "question-classifier": "classes",
}  # fmt: skip


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from an app of one prompt. Raises MigrationError."""
    drafts, refusals = read_all(source)
    if len(drafts) != 1 or refusals:
        raise refusals[0] if refusals else draft.refuse(f"the app holds {len(drafts)} prompts")
    vars(draft).update(vars(drafts[0]))


def read_all(source: Source) -> tuple[list[Draft], list[MigrationError]]:
    """Return a draft for each prompt of an app, named after its node."""
    value = source.object()
    drafts: list[Draft] = []
    refusals: list[MigrationError] = []
    config = value.get("model_config")
    if isinstance(config, Mapping):
        draft = Draft(source.filename)
        _take(lambda: _read_app(config, _mode(value), draft), draft, drafts, refusals)
    nodes = list(_nodes(value))
    names = Names([data | {"id": node} for node, data in nodes])
    for index, (node, data) in enumerate(nodes):
        path = f"$.workflow.graph.nodes[{index}].data"
        if data.get("type") == "llm":
            draft = Draft(source.filename, names.slug_of(node))
            _take(lambda: _Node(data, path, draft, names).read(), draft, drafts, refusals)  # noqa: B023 - called at once
        elif data.get(_WRITERS.get(str(data.get("type")), "")):
            reason = f"the node {data.get('title') or node!r} of the type {data['type']} writes its prompt itself"
            refusals.append(Draft(source.filename).refuse(reason, path))
    return drafts, refusals


def _take(read_one: Any, draft: Draft, drafts: list[Draft], refusals: list[MigrationError]) -> None:
    try:
        read_one()
        drafts.append(draft)
    except MigrationError as error:
        error.message = f"{draft.name}: {error.message}" if draft.name else error.message
        refusals.append(error)


def _mode(value: Mapping[str, Any]) -> str:
    app = value.get("app")
    return str(app.get("mode")) if isinstance(app, Mapping) else ""


def _nodes(value: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    workflow = value.get("workflow")
    graph = workflow.get("graph") if isinstance(workflow, Mapping) else None
    nodes = graph.get("nodes") if isinstance(graph, Mapping) else None
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, Mapping) and isinstance(node.get("data"), Mapping):
            yield str(node.get("id", "")), dict(node["data"])


def _read_model(model: Any, path: str, draft: Draft) -> None:
    if not isinstance(model, Mapping):
        return
    draft.text_field("model", model.get("name"))
    params = model.get("completion_params")
    params = dict(params) if isinstance(params, Mapping) else {}
    form = params.pop("response_format", None)
    draft.response_format("json_object" if form in ("json_object", "JSON") else None, path)
    if form not in (None, "text", "json_object", "JSON"):
        draft.lose(f"{path}.completion_params.response_format", "schema-dropped", "only json_object has a place")
    draft.params({name: value for name, value in params.items() if value != []}, f"{path}.completion_params")


class _Node:
    """One node with a prompt."""

    def __init__(self, data: Mapping[str, Any], path: str, draft: Draft, names: Names) -> None:
        self.data, self.path, self.draft, self.names = data, path, draft, names
        self.said: list[tuple[str, str]] = []

    def read(self) -> None:
        draft, data = self.draft, self.data
        draft.text_field("description", data.get("desc"))
        _read_model(data.get("model"), f"{self.path}.model", draft)
        output = data.get("structured_output")
        if isinstance(output, Mapping) and data.get("structured_output_enabled", True):
            draft.response_format(output.get("schema"), f"{self.path}.structured_output")
        vision = data.get("vision")
        if isinstance(vision, Mapping) and vision.get("enabled"):
            draft.lose(f"{self.path}.vision", "media-dropped", "files come as parts of a message of data")
        template = data.get("prompt_template")
        if isinstance(template, Mapping):
            text = self._written(template, f"{self.path}.prompt_template")
            draft.prompt(ended(text))
            self.said.append(("user", str(template.get("text", ""))))
        elif isinstance(template, list) and template:
            self._messages(template)
        else:
            raise draft.refuse("there is no prompt", f"{self.path}.prompt_template")
        self.names.declare(draft)
        if not self._is_jinja():
            said, names = self.said, self.names
            draft.meaning = lambda inputs: [
                (role, text) if role == HISTORY else (role, names.meaning(text, inputs).strip("\n"))
                for role, text in said
            ]

    def _is_jinja(self) -> bool:
        template = self.data.get("prompt_template")
        entries = template if isinstance(template, list) else [template]
        return any(isinstance(entry, Mapping) and entry.get("edition_type") == "jinja2" for entry in entries)

    def _written(self, entry: Mapping[str, Any], path: str) -> str:
        if entry.get("edition_type") == "jinja2":
            return rewrite(str(entry.get("jinja2_text") or entry.get("text") or ""), self.draft)
        text = entry.get("text")
        if not isinstance(text, str):
            raise self.draft.refuse("a message without text cannot be migrated", path)
        return self.names.written(text, self.draft, path)

    def _messages(self, template: list[Any]) -> None:
        for index, entry in enumerate(template):
            path = f"{self.path}.prompt_template[{index}]"
            if not isinstance(entry, Mapping):
                raise self.draft.refuse("a message is not an object", path)
            text = self._written(entry, path)
            role = self.draft.role(entry.get("role"), f"{path}.role")
            if text.strip("\n"):  # Dify leaves out a message without text
                write_message(role, text, self.draft, f"{path}.text")
                self.said.append((role, str(entry.get("text", ""))))
        memory = self.data.get("memory")
        if isinstance(memory, Mapping) and memory.get("enabled") is not False:
            self._memory(memory)
        if not self.said:
            raise self.draft.refuse("no message has a text", f"{self.path}.prompt_template")

    def _memory(self, memory: Mapping[str, Any]) -> None:
        """Add the history, and the query behind it."""
        self.draft.history("history")
        window = memory.get("window")
        if isinstance(window, Mapping) and window.get("enabled"):
            self.draft.lose(f"{self.path}.memory.window", "field-dropped", "the caller cuts the history")
        query = str(memory.get("query_prompt_template") or "{{#sys.query#}}")
        self.draft.message("user", self.names.written(query, self.draft, f"{self.path}.memory"))
        self.said += [(HISTORY, "history"), ("user", query)]


# apps without a workflow -------------------------------------------------------------------------


def _read_app(config: Mapping[str, Any], mode: str, draft: Draft) -> None:
    _read_model(config.get("model"), "$.model_config.model", draft)
    names = Names.of_form(config.get("user_input_form"))
    said: list[tuple[str, str]] = []
    is_chat = mode in ("chat", "agent-chat")
    chat = config.get("chat_prompt_config")
    listed = chat.get("prompt") if isinstance(chat, Mapping) and config.get("prompt_type") == "advanced" else None
    if isinstance(listed, list) and listed:
        for index, entry in enumerate(listed):
            role = draft.role(entry.get("role"), f"$.model_config.chat_prompt_config.prompt[{index}]")
            said.append((role, str(entry.get("text") or "")))
    elif config.get("pre_prompt"):
        said.append(("system" if is_chat else "user", str(config["pre_prompt"])))
    elif config.get("prompt_type") == "advanced" or not is_chat:
        raise draft.refuse("there is no prompt of a chat model", "$.model_config")
    if is_chat:
        written = " ".join(text for _, text in said)
        said += [(HISTORY, "history")] if "{{#histories#}}" not in written else []
        said += [("user", "{{#query#}}")] if "{{#query#}}" not in written else []
    for role, text in said:
        if role == HISTORY:
            draft.history(text)
        else:
            write_message(role, names.written(text, draft, "$.model_config"), draft, "$.model_config")
    names.declare(draft)
    _report_app(config, draft)
    draft.meaning = lambda inputs: [
        (role, text) if role == HISTORY else (role, names.meaning(text, inputs).strip("\n")) for role, text in said
    ]


def _report_app(config: Mapping[str, Any], draft: Draft) -> None:
    datasets, agent = config.get("dataset_configs"), config.get("agent_mode")
    inner = datasets.get("datasets") if isinstance(datasets, Mapping) else None
    inner = inner.get("datasets") if isinstance(inner, Mapping) else inner
    if inner:
        draft.lose("$.model_config.dataset_configs", "text-dropped", "what is found is added to the prompt there")
    if isinstance(agent, Mapping) and agent.get("enabled") and agent.get("tools"):
        draft.lose("$.model_config.agent_mode", "tools-dropped", "they are names of the server's tools")
    if config.get("opening_statement"):
        draft.lose("$.model_config.opening_statement", "message-dropped", "the history begins with it there")


def _is_certain(source: Source) -> bool:
    value = source.keys
    return value.get("kind") == "app" and _mode(value) in _MODES and bool(value.keys() & {"model_config", "workflow"})


LAYOUT: Final = Layout("dify", read, _is_certain, rank=12, read_all=read_all)
