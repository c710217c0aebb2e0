"""Raw HTTP to ``/v1/completions``: requests, httpx, aiohttp and clients of their shape.

Rule: the address, the body and what is read of the answer change together, or not at all.
The body is a dict literal where it is sent, or a name that is bound to one and sent once.
"""

from __future__ import annotations

import re
from typing import Any, Final

import libcst as cst

from .addresses import CLOSE, OPEN, Address, address_of, change_of
from .arguments import Arguments
from .bindings import Bindings, Origin
from .brackets import Finder
from .items import Items
from .plan import Plan, Site
from .results import Results
from .servers import FIRST_CHAT, is_open_model, is_own_host
from .source import Node, Source, bound, constant_of, dotted, text_of
from .targets import RESPONSES
from .values import Value

_VENDOR_HOSTS: Final = re.compile(
    r"together\.|fireworks\.ai|mistral\.ai|groq\.com|anthropic\.com|cohere\.|perplexity\.ai|openrouter\.ai|deepinfra\.com"
    r"|huggingface\.co|replicate\.com|deepseek\.com|anyscale\.com|ai21\.com"
)
#: Words of servers whose ``/completions`` is an API of their own: llama.cpp's, text generation's, ours of other kinds.
_OTHER_SERVERS: Final = re.compile(r"\bn_predict\b|\b(?:anthropic|ai21|cohere|huggingface|writer)\b", re.IGNORECASE)
#: Frameworks whose test clients ask the program's own server.
_SERVERS: Final = frozenset({"fastapi", "starlette", "flask", "django", "sanic", "litestar", "quart"})
_VERBS: Final = ("post", "request", "stream")


class Http:
    """Finds and rewrites the HTTP requests of one source."""

    def __init__(self, plan: Plan, bindings: Bindings, arguments: Arguments, results: Results) -> None:
        self.plan, self.bindings, self.arguments, self.results = plan, bindings, arguments, results
        self.source: Source = plan.source
        #: Expressions of addresses that some rule has looked at.
        self.looked_at: set[Node] = set()
        self.finder = Finder(plan.source, results.functions)
        self._named: dict[Node, list[tuple[Site, cst.Name]]] = {}
        self._bodies: dict[Node, list[tuple[Site, cst.Name]]] = {}

    # addresses -----------------------------------------------------------------------------------

    def address(self, node: Any, base: Any = None) -> Address | None:
        """Return an address of the Completions API, None for that of a vendor and for any other expression."""
        found = address_of(self.source, node, base)
        return None if found is None or _VENDOR_HOSTS.search(found.text) else found

    def change_address(self, site: Site, found: Address) -> None:
        """Make an address that of Chat."""
        self.looked_at.update(node for node, _ in found.literals)
        change = change_of(self.source, found)
        if change is None:
            self.plan.refuse(site, "http-url", "its path is not written in one piece")
            return
        self.plan.edit(site, change.start, change.end, change.text)
        for name in change.names:
            self._named.setdefault(self.source.bindings(name)[0], []).append((site, name))

    # requests ------------------------------------------------------------------------------------

    def find(self) -> None:
        """Look at every call that may be a request."""
        for node in self.source.nodes:
            if isinstance(node, cst.Call) and dotted(node.func)[-1] in _VERBS and not self._is_mock(node):
                self._request(node)
        self.plan.settle_names(self._named, "http-url", self._is_exported)
        self.plan.settle_names(self._bodies, "http-body", self._is_exported, self._is_sent)

    def _is_mock(self, call: cst.Call) -> bool:
        head = dotted(call.func)[0]
        if head == "" and isinstance(call.func, cst.Attribute):
            return True
        return "mock" in head or head in ("respx", "responses", "rsps", "router", "route")

    def _request(self, call: cst.Call) -> None:
        verb = dotted(call.func)[-1]
        positional = [arg.value for arg in call.args if not arg.keyword and not arg.star]
        url = next((a.value for a in call.args if a.keyword and a.keyword.value == "url"), None)
        if url is None:
            number = 0 if verb == "post" else 1
            url = positional[number] if len(positional) > number else None
        found = self.address(url, self._base(call.func)) if url is not None else None
        if found is None or self.bindings.of(call.func).what == "foreign":
            return
        if found.text.startswith("/") and self.bindings.imported & _SERVERS:
            self.looked_at.update(node for node, _ in found.literals)
            return
        if "/v1/completions" not in found.text and _VENDOR_HOSTS.search(self.source.text):
            return  # the hole may hold the vendor's address
        self._sent(call, found)

    def _base(self, func: Any) -> Any:
        """Return the base address that the client of a request was made with, None where none is in sight."""
        client = func.value if isinstance(func, cst.Attribute) else None
        if isinstance(client, cst.Name):
            found = self.source.bindings(client)
            made = bound(self.source, found[0])[1] if len(found) == 1 and isinstance(found[0], cst.Name) else None
        else:
            made = self._field(client)
        given = made.args if isinstance(made, cst.Call) else ()
        return next((arg.value for arg in given if arg.keyword and arg.keyword.value == "base_url"), None)

    def _field(self, client: Any) -> Any:
        """Return what ``self.client`` is given, where it is given once."""
        same = self.source.attributes.get(client.attr.value, ()) if isinstance(client, cst.Attribute) else ()
        targets = [t for node in same if isinstance(t := self.source.parent(node), cst.AssignTarget)]
        made: Any = self.source.parent(targets[0]) if len(targets) == 1 else None
        return made.value if made is not None else client

    def _sent(self, call: cst.Call, found: Address) -> None:
        """Rewrite a request that goes to an address of the Completions API."""
        site = self.plan.site(call, "http", "http")
        self.change_address(site, found)
        self._version(site, found)
        if dotted(call.func)[-1] == "stream" or any(
            a.keyword and a.keyword.value == "stream" and constant_of(a.value) is not False for a in call.args
        ):
            self.plan.refuse(site, "http-stream")
        body = self._body(site, call)
        if body is None:
            self.plan.refuse(site, "http-body")
            self.results.follow(call, Value("http", "plain"), site)
            return
        brackets = self._brackets(body)
        items = Items(self.source, body)
        if brackets is None:
            self.plan.refuse(site, "http-body", "it has other uses")
            brackets = [items]
        if items.get("max_tokens_to_sample"):
            self.plan.sites.remove(site)
            return
        elsewhere = self._goes_away(found, items)
        origin = Origin("http", elsewhere=elsewhere, azure=found.is_deployment)
        if found.engine:
            self._engine(site, found, items, elsewhere)
        asked = self.arguments.rewrite(site, brackets, origin)
        if asked is not None and (asked.streams or asked.flag):
            self.plan.refuse(site, "http-stream")
        if site in self.arguments.prompts.batches.found:
            self.plan.refuse(site, "prompt-list")
        if self.plan.target == RESPONSES:
            self.plan.refuse(site, "responses", "over HTTP its answer is a list of items: use openai's client")
        self.plan.change(site, call, "/v1/completions became /v1/chat/completions", "http")
        site.changes.insert(0, site.changes.pop())
        self.results.follow(call, Value("http", "plain"), site)

    def _version(self, site: Site, found: Address) -> None:
        if found.is_deployment and found.version and found.version < FIRST_CHAT:
            self.plan.refuse(site, "api-version", found.version)

    def _engine(self, site: Site, found: Address, items: Items, elsewhere: bool) -> None:
        """Move the model out of the path, ``/v1/engines/davinci/completions``, into the body."""
        model = found.engine.removeprefix(OPEN).removesuffix(CLOSE)
        if items.get("model") or OPEN in model or CLOSE in model:
            self.plan.refuse(site, "http-url", "the model stands in the path")
        elif model != found.engine:
            items.append(self.plan, site, "model", model)
            self.plan.change(site, site.node, "the model is not a literal: see that it serves Chat", "note")
        else:
            new = None if elsewhere else self.plan.models.successor(model)
            items.append(self.plan, site, "model", f'"{new or model}"')

    def _goes_away(self, found: Address, items: Items) -> bool:
        """Tell whether an address is another server's than OpenAI's, as far as it is written or named."""
        if re.match(r"https?://[\w.\-:]+/", found.text):
            return not is_own_host(found.text)
        model = items.get("model")
        if found.is_deployment or (model is not None and is_open_model(text_of(model.value))):
            return True
        starts_open = re.match(rf"(?:https?://)?{OPEN}", found.text) is not None
        return starts_open and self.bindings.servers.hole_leads_away(found.holes[0])

    def _body(self, site: Site, call: cst.Call) -> Any:
        """Return the dict literal that a request sends."""
        for arg in call.args:
            name = arg.keyword.value if arg.keyword else ""
            value: Any = arg.value
            if name in ("data", "content", "body"):
                value = self._dumped(site, value)
            elif name != "json":
                continue
            value = self._behind(site, value)
            return value if isinstance(value, cst.Dict) else None
        return None

    def _dumped(self, site: Site, value: Any) -> Any:
        """Return what ``json.dumps`` writes, also where a name holds the text or it is encoded."""
        value = self._behind(site, value)
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value == "encode":
            value = value.func.value
        is_dump = isinstance(value, cst.Call) and dotted(value.func)[-2:] == ("json", "dumps")
        return value.args[0].value if is_dump and value.args else None

    def _behind(self, site: Site, value: Any) -> Any:
        """Return the value that a name is bound to, once; any other expression as it is."""
        if not isinstance(value, cst.Name):
            return value
        found = self.source.bindings(value)
        if len(found) != 1 or not isinstance(found[0], cst.Name):
            return None
        kind, held, _ = bound(self.source, found[0])
        if kind != "value" or not isinstance(held, cst.Dict | cst.Call):
            return None
        self._bodies.setdefault(found[0], []).append((site, value))
        return held

    def _brackets(self, body: Any) -> list[Items] | None:
        """Return the literal of a body, what it unpacks and what is put into it later; None where it has other uses."""
        brackets = [Items(self.source, body)]
        holder = self.source.parent(body)
        target = holder.targets[0].target if isinstance(holder, cst.Assign) else None
        if isinstance(target, cst.Name):
            late = self.finder.late(target, target.value, brackets[0], is_sent=True)
            if late is None:
                return None
            brackets += late
        return brackets

    def _is_sent(self, name: cst.Name) -> bool:
        return not isinstance(self.source.parent(name), cst.Subscript | cst.Attribute)

    def _is_exported(self, uses: list[cst.Name]) -> bool:
        return uses[0].value in self.results.functions.exported

    # the rest ------------------------------------------------------------------------------------

    def report_rest(self) -> None:
        """Report addresses of the Completions API that no request is seen to use."""
        is_server = bool(self.bindings.imported & _SERVERS)
        for node in self.source.nodes:
            if not isinstance(node, cst.SimpleString | cst.FormattedString | cst.BinaryOperation):
                continue
            found = self.address(node) if not self._is_mentioned(node) else None
            seen = {node, *(literal for literal, _ in found.literals)} if found is not None else set()
            if found is None or any(self.source.inside(each, other) for each in seen for other in self.looked_at):
                continue
            self.looked_at |= seen
            is_whole = "://" in found.text or found.text.startswith(OPEN)
            if not is_whole and is_server:
                continue
            if not re.search("/(?:v1|deployments|engines)/", found.text) and _OTHER_SERVERS.search(self.source.text):
                continue
            self.plan.refuse(self.plan.site(node, "http", "http"), "http-url")

    def _is_mentioned(self, node: Any) -> bool:
        """Tell whether an address is only spoken of: a docstring, a message, a comparison."""
        for outer in self.source.ancestors(node):
            if isinstance(outer, cst.Expr | cst.Decorator | cst.Comparison | cst.Assert | cst.Raise):
                return not (isinstance(outer, cst.Expr) and isinstance(outer.value, cst.Call | cst.Await)) or (
                    isinstance(outer.value, cst.Call)
                    and dotted(outer.value.func)[-1] in ("print", "debug", "info", "warning")
                )
            if isinstance(outer, cst.BaseStatement):
                return False
        return False
