"""LangChain's ``OpenAI`` becomes ``ChatOpenAI``: its text becomes a message's ``.content``.

Rule: every use of the model is one of those listed here, or the model stays. The wrapper's
own defaults (256 tokens, its model) are written out, since the chat class has others.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from ...catalogue.replacements import is_asked, refusals
from .bindings import Bindings, import_path
from .imports import Imports
from .items import Items
from .markup import Markup
from .plan import Plan, Site
from .source import Source, bound, constant_of, dotted, key_of, requoted, text_of

#: Where the class is imported from, and where its counterpart lives.
HOMES: Final = {
    "langchain_openai": "langchain_openai",
    "langchain_openai.llms": "langchain_openai.chat_models",
    "langchain_openai.llms.base": "langchain_openai.chat_models.base",
    "langchain": "langchain.chat_models",
    "langchain.llms": "langchain.chat_models",
    "langchain.llms.openai": "langchain.chat_models.openai",
    "langchain_community.llms": "langchain_community.chat_models",
    "langchain_community.llms.openai": "langchain_community.chat_models.openai",
}
_CLASSES: Final = {"OpenAI": "ChatOpenAI", "AzureOpenAI": "AzureChatOpenAI"}
#: The cap of the wrapper where none is given (langchain_openai, ``BaseOpenAI.max_tokens``).
_CAP: Final = 256
_SAME: Final = frozenset(
    {"temperature", "max_tokens", "model", "model_name", "top_p", "n", "openai_api_key", "api_key",
     "openai_api_base", "base_url", "openai_organization", "organization", "request_timeout", "timeout",
     "max_retries", "streaming", "verbose", "callbacks", "callback_manager", "cache", "tags", "metadata",
     "frequency_penalty", "presence_penalty", "seed", "default_headers", "default_query", "http_client",
     "http_async_client", "openai_proxy", "azure_endpoint", "azure_deployment", "deployment_name",
     "openai_api_version", "api_version", "openai_api_type", "stop", "stop_sequences"}
)  # fmt: skip
#: Arguments that a chat model reads as the completions model does, where their value is one of these.
_MODEL_KWARGS: Final = frozenset({"stop", "seed", "top_p", "frequency_penalty", "presence_penalty", "user"})
#: What gives back text whichever model it asks. What asks with stops is in ``_STOPPING``, too.
_STOPPING: Final = frozenset(
    {"initialize_agent", "create_pandas_dataframe_agent", "create_csv_agent", "create_python_agent",
     "create_sql_agent", "create_json_agent", "create_vectorstore_agent", "create_react_agent", "SQLDatabaseChain",
     "LLMMathChain"}
)  # fmt: skip
_CHAINS: Final = _STOPPING | frozenset(
    {"load_tools", "SequentialChain", "GraphCypherQAChain", "APIChain", "QAGenerationChain", "MultiQueryRetriever",
     "SelfQueryRetriever", "LLMChainExtractor", "LLMChainFilter", "ConversationSummaryMemory",
     "ConversationSummaryBufferMemory", "SQLDatabaseToolkit", "create_sql_query_chain", "LLMChain",
     "ConversationChain", "load_qa_chain", "load_summarize_chain", "load_qa_with_sources_chain",
     "create_stuff_documents_chain", "create_retrieval_chain", "create_history_aware_retriever", "RetrievalQA",
     "from_chain_type", "ConversationalRetrievalChain", "MapReduceDocumentsChain", "create_extraction_chain"}
)  # fmt: skip
_TEXT_BOTH: Final = ("predict", "apredict")
_KEEP: Final = ("with_config", "with_retry", "bind", "with_fallbacks")
_PARSERS: Final = ("OutputParser",)


class LangChain:
    """Finds and rewrites LangChain models of one source."""

    def __init__(self, plan: Plan, bindings: Bindings, imports: Imports) -> None:
        self.plan, self.bindings, self.imports = plan, bindings, imports
        self.source: Source = plan.source
        self.markup = Markup(plan.source)
        #: The model that each site asks, where it is known.
        self._asked_models: dict[Site, str] = {}
        self._names: dict[Any, list[tuple[Any, Site]]] = {}

    def find(self) -> None:
        """Look at every call of an imported ``OpenAI`` of LangChain."""
        if not any(name.startswith("langchain") for name in self.bindings.imported):
            return
        self._find()
        self._settle()

    def _find(self) -> None:
        for node in self.source.nodes:
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and (homes := self._homes(node.func)):
                self._model(node, homes)

    def _homes(self, name: cst.Name) -> list[tuple[Any, str, str]]:
        """Return the imports, modules and the class, of a name that is LangChain's model, however often imported."""
        found = self.source.bindings(name)
        homes = []
        for binding in found:
            if isinstance(binding, cst.ImportFrom):
                module, _, class_ = import_path(binding, name.value).rpartition(".")
                homes.append((binding, module, class_))
        is_one = len({class_ for _, _, class_ in homes}) == 1 and len(homes) == len(found)
        return homes if is_one and all(m in HOMES and c in _CLASSES for _, m, c in homes) else []

    def _model(self, call: cst.Call, homes: list[tuple[Any, str, str]]) -> None:
        site, class_ = self.plan.site(call, "langchain"), homes[0][2]
        if class_ == "AzureOpenAI" and (version := self.bindings.servers.version_without_chat):
            self.plan.refuse(site, "api-version", version)
        items = Items(self.source, call)
        names = {item.name for item in items.items}
        if items.unpacked:
            self.plan.refuse(site, "unpacked-arguments")
        elif items.odd:
            self.plan.refuse(site, "positional-arguments")
        elif other := sorted(item.name for item in items.items if not self._is_known(item)):
            self.plan.refuse(site, "langchain-argument", ", ".join(other))
        for item in items.items:
            self._argument(site, items, item, class_)
        if site.refusal is None:
            items.write_drops(self.plan, site)
            if not names & {"model", "model_name"} and class_ == "OpenAI":
                self._add(site, items, "model", f'"{self.plan.models.default}"')
            if "max_tokens" not in names:
                self._add(site, items, "max_tokens", str(_CAP))
        self._limits(site, items, class_)
        assert isinstance(call.func, cst.Name)
        for binding, module, _ in homes:
            self.imports.use(site, binding, call.func, HOMES[module], _CLASSES[class_])
        self.plan.change(site, call, f"{class_} became {_CLASSES[class_]}", "langchain")
        self._use(call, site)

    def _is_known(self, item: Any) -> bool:
        """Tell whether the chat class has an argument, or its value says nothing."""
        if item.name == "client":
            return constant_of(item.value) is None
        if item.name == "model_kwargs":
            keys = {entry.name for entry in Items(self.source, item.value).items} if _is_dict(item.value) else {""}
            return keys <= _MODEL_KWARGS
        return item.name in _SAME | {"best_of", "logit_bias", "batch_size"}

    def _limits(self, site: Site, items: Items, class_: str) -> None:
        """Say which arguments the model that is asked now is known to refuse."""
        if class_ != "OpenAI" or _leads_elsewhere(items):
            return
        asked = {
            item.name: item for item in items.items if not item.drop and is_asked(item.name, constant_of(item.value))
        }
        named = next((text_of(asked[name].value) for name in ("model", "model_name") if name in asked), "")
        if named is None:
            return  # the model is not a literal
        model = self.plan.models.successor(named) or named or self.plan.models.default
        self._asked_models[site] = model
        for name, said in refusals(model, asked).items():
            self.plan.change(site, asked[name].label, f"{said}: see to it", "note")

    def _add(self, site: Site, items: Items, name: str, value: str) -> None:
        if any(not item.drop for item in items.items):
            items.append(self.plan, site, name, value)
            return
        start, end = self.source.span(items.node)
        at = start + self.source.text[start:end].rindex(")")
        first = not any(edit.start == at for edit in site.edits)
        self.plan.edit(site, at, at, f"{'' if first else ', '}{name}={value}")

    def _argument(self, site: Site, items: Items, item: Any, class_: str) -> None:
        value = constant_of(item.value)
        if (item.name == "best_of" and value in (1, None)) or item.name == "batch_size":
            item.drop = True  # the size: how many prompts went into one request
        elif item.name == "best_of":
            self.plan.refuse(site, "best-of")
        elif item.name == "logit_bias":
            self.plan.refuse(site, "logit-bias")
        elif item.name == "max_tokens" and value == -1:
            item.drop = True  # as many as there is room for, which is Chat's own default
        elif item.name in ("model", "model_name") and class_ == "OpenAI" and not _leads_elsewhere(items):
            name = text_of(item.value)
            if new := self.plan.models.successor(name):
                items.replace(self.plan, site, item, requoted(self.source, item.value, new))
            elif name is None:
                self.plan.change(site, item.label, "the model is not a literal: see that it serves Chat", "note")

    # uses ------------------------------------------------------------------------------------------

    def _use(self, node: Any, site: Site) -> None:
        """Follow a model: ``node`` is an expression that gives it."""
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.Assign) and all(isinstance(t.target, cst.Name) for t in outer.targets):
            for target in outer.targets:
                self._named(target.target, site)
        elif isinstance(outer, cst.Attribute) and outer.value is node:
            self._method(outer, site, is_chain=False)
        elif isinstance(outer, cst.Call) and outer.func is node:
            self._called(outer, site)
        elif isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.BitOr):
            self._chain(node, outer, site)
        elif isinstance(outer, cst.Arg) and self._is_chain_class(self.source.parent(outer)):
            self._asked(self.source.parent(outer), site)
            self._stops(self.source.parent(outer), site)
        elif not isinstance(outer, cst.Expr):
            self.plan.refuse(site, "langchain-use", at=node)

    def _asked(self, call: Any, site: Site) -> None:
        """Refuse what is asked in special tokens: a chat model writes its own around them."""
        if mark := self.markup.found(*(arg.value for arg in call.args)):
            self.plan.refuse(site, "prompt-markup", mark, at=call)

    def _stops(self, call: Any, site: Site) -> None:
        """Say that an agent asks with stops, where the model is known to refuse them."""
        used = next((name for name in dotted(call.func) if name in _STOPPING), "")
        if used and (said := refusals(self._asked_models.get(site, ""), ["stop"])):
            self.plan.change(site, call, f"{used} asks with stops, and {said['stop']}: see to it", "note")

    def _is_chain_class(self, call: Any) -> bool:
        return isinstance(call, cst.Call) and any(name in _CHAINS for name in dotted(call.func))

    def _named(self, name: Any, site: Site) -> None:
        if name.value in self.imports.exported:
            self.plan.refuse(site, "langchain-use", f"{name.value} is used by other modules", at=name)
            return
        self._names.setdefault(self.source.bindings(name)[0], []).append((name, site))

    def _settle(self) -> None:
        """Follow the names of models; one that is bound several times must be a model each time."""
        for named in iter(self._names.values()):
            name, site = named[0]
            for _, other in named:
                self.plan.tie(site, other)
            if {each for each, _ in named} != set(self.source.bindings(name)):
                self.plan.refuse(site, "langchain-use", f"{name.value} is bound to something else, too", at=name)
                continue
            loads = {load: None for each, _ in named for load in self.source.readers(each, name.value)}
            for load in loads:
                self._use(load, site)

    def _called(self, call: cst.Call, site: Site) -> None:
        """``llm(text)``, the old way to ask."""
        assert isinstance(call.func, cst.Name | cst.Call)
        if isinstance(call.func, cst.Call):
            self.plan.refuse(site, "langchain-use", at=call)
            return
        self._asked(call, site)
        end = self.source.outer(call.func)[1]
        self.plan.edit(site, end, end, ".invoke")
        self._content(call, site)

    def _method(self, node: cst.Attribute, site: Site, *, is_chain: bool) -> None:
        call: Any = self.source.parent(node)
        name = node.attr.value
        if not (isinstance(call, cst.Call) and call.func is node):
            self.plan.refuse(site, "langchain-use", f".{name}", at=node)
            return
        self._asked(call, site)
        if name in ("invoke", "ainvoke"):
            outer: Any = self.source.parent(call)
            self._content(outer if name == "ainvoke" and isinstance(outer, cst.Await) else call, site, name)
        elif name in ("batch", "abatch"):
            outer = self.source.parent(call)
            whole = outer if name == "abatch" and isinstance(outer, cst.Await) else call
            self._around(whole, site, "[message.content for message in ", "]")
        elif name == "stream":
            self._around(call, site, "(message.content for message in ", ")")
        elif name == "astream":
            self._around(call, site, "(message.content async for message in ", ")")
        elif (name == "generate" and not is_chain and self._generated(node, call, site)) or (
            name in _TEXT_BOTH and not is_chain
        ):
            pass
        elif name in _KEEP and not is_chain:
            if name == "with_fallbacks":
                self.plan.refuse(site, "langchain-use", f".{name}", at=node)
            self._use(call, site)
        else:
            self.plan.refuse(site, "langchain-use", f".{name}", at=node)

    def _generated(self, node: cst.Attribute, call: cst.Call, site: Site) -> bool:
        """Rewrite ``llm.generate(texts).generations[i][0].text`` as ``llm.batch(texts)[i].content``."""
        generations: Any = self.source.parent(call)
        item = self.source.parent(generations)
        first, text = self.source.parent(item), self.source.parent(self.source.parent(item))
        is_text = isinstance(text, cst.Attribute) and text.attr.value == "text"
        if not (isinstance(generations, cst.Attribute) and generations.attr.value == "generations" and is_text):
            return False
        if not isinstance(item, cst.Subscript) or not isinstance(first, cst.Subscript) or key_of(first) != 0:
            return False
        if len(call.args) != 1 or call.args[0].keyword:
            return False
        self.plan.edit(site, *self.source.span(node.attr), "batch")
        self.plan.edit(site, self.source.outer(call)[1], self.source.outer(generations)[1], "")
        self.plan.edit(site, self.source.outer(item)[1], self.source.outer(text)[1], ".content")
        self.plan.change(site, node, ".generate became .batch, and its text .content", "result")
        return True

    def _content(self, node: Any, site: Site, name: str = "invoke") -> None:
        if name == "ainvoke" and not isinstance(node, cst.Await):
            self.plan.refuse(site, "langchain-use", "a call that is not awaited here", at=node)
            return
        start, end = self.source.outer(node)
        if isinstance(node, cst.Await) and not node.lpar:
            self.plan.edit(site, start, start, "(")
            self.plan.edit(site, end, end, ").content")
        else:
            self.plan.edit(site, end, end, ".content")
        self.plan.change(site, node, "the text of the answer is its .content", "result")

    def _around(self, node: Any, site: Site, before: str, after: str) -> None:
        start, end = self.source.outer(node)
        self.plan.edit(site, start, start, before)
        self.plan.edit(site, end, end, after)
        self.plan.change(site, node, "the texts of the answers are their .content", "result")

    def _chain(self, node: Any, outer: Any, site: Site) -> None:
        """``prompt | llm | StrOutputParser()``: a parser reads either; without one the chain gives a message."""
        top = outer
        while isinstance(up := self.source.parent(top), cst.BinaryOperation) and isinstance(up.operator, cst.BitOr):
            top = up
        parts = _parts(top)
        number = next(i for i, part in enumerate(parts) if part is node)
        if mark := self.markup.found(*parts[:number]):
            self.plan.refuse(site, "prompt-markup", mark, at=top)
        after = parts[number + 1 :]
        if after:
            if not self._is_parser(after[0]):
                self.plan.refuse(site, "langchain-use", self.source.code(after[0]), at=after[0])
            return
        holder = self.source.parent(top)
        if isinstance(holder, cst.Assign) and all(isinstance(t.target, cst.Name) for t in holder.targets):
            for target in holder.targets:
                self._chain_named(target.target, site)
        elif isinstance(holder, cst.Attribute):
            self._method(holder, site, is_chain=True)
        else:
            self.plan.refuse(site, "langchain-use", at=top)

    def _chain_named(self, name: Any, site: Site) -> None:
        if len(self.source.bindings(name)) != 1 or name.value in self.imports.exported:
            self.plan.refuse(site, "langchain-use", at=name)
            return
        for load in self.source.readers(name, name.value):
            outer: Any = self.source.parent(load)
            if isinstance(outer, cst.Attribute) and outer.value is load:
                self._method(outer, site, is_chain=True)
            elif isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.BitOr):
                self._chain(load, outer, site)
            else:
                self.plan.refuse(site, "langchain-use", at=load)

    def _is_parser(self, node: Any) -> bool:
        """Tell whether a part of a chain reads text and messages alike: an output parser."""
        value = node
        if isinstance(node, cst.Name):
            found = self.source.bindings(node)
            value = bound(self.source, found[0])[1] if len(found) == 1 and isinstance(found[0], cst.Name) else None
        return isinstance(value, cst.Call) and dotted(value.func)[-1].endswith(_PARSERS)


def _is_dict(node: Any) -> bool:
    return isinstance(node, cst.Dict) or (isinstance(node, cst.Call) and dotted(node.func) == ("dict",))


def _parts(node: Any) -> list[Any]:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return [*_parts(node.left), *_parts(node.right)]
    return [node]


def _leads_elsewhere(items: Items) -> bool:
    return any(item.name in ("base_url", "openai_api_base", "openai_proxy") for item in items.items)
