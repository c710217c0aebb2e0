"""Raw HTTP to ``/v1/completions``: requests, httpx, aiohttp and clients of their shape.

Rule: the address, the body and what is read of the answer change together, or not at all.
The body is a dict literal where it is sent, or a name that is bound to one and sent once.
"""

from __future__ import annotations

import re
from typing import Any, Final

import libcst as cst

from .arguments import Arguments
from .bindings import Bindings, Origin
from .items import Items
from .pieces import Piece, pieces_of
from .plan import Plan, Site
from .results import Results
from .servers import is_open_model, is_own_host
from .source import Node, Source, bound, constant_of, dotted, text_of
from .values import Value

_PATH: Final = re.compile(r"(?<!/chat)(?:/v1|\ue0f1)/completions/?(?:\?[^/]*)?$")
_IN_CODE: Final = re.compile(r"(?<!/chat)/completions")
_VENDOR_HOSTS: Final = re.compile(
    r"together\.|fireworks\.ai|mistral\.ai|groq\.com|anthropic\.com|cohere\.|perplexity\.ai|openrouter\.ai|deepinfra\.com"
    r"|huggingface\.co|replicate\.com|deepseek\.com|anyscale\.com|ai21\.com"
)
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
        self._named: dict[Node, list[tuple[Site, cst.Name]]] = {}
        self._bodies: dict[Node, list[tuple[Site, cst.Name]]] = {}

    # addresses -----------------------------------------------------------------------------------

    def address(self, node: Any) -> tuple[str, Any] | None:
        """Return an address of the Completions API as text (holes marked), and the expression that writes it."""
        written: Any = node
        if isinstance(node, cst.Name):
            found = self.source.bindings(node)
            if len(found) != 1 or not isinstance(found[0], cst.Name):
                return None
            kind, written, _ = bound(self.source, found[0])
            if kind != "value":
                return None
        pieces = pieces_of(self.source, written)
        if pieces is None:
            return None
        text, _ = pieces.marked()
        if not _PATH.search(text) or _VENDOR_HOSTS.search(text):
            return None
        return text, written

    def change_address(self, site: Site, node: Any, written: Any) -> None:
        """Make an address that of Chat."""
        self.looked_at.add(written)
        start, _ = self.source.outer(written)
        found = list(_IN_CODE.finditer(self.source.code(written)))
        if len(found) != 1:
            self.plan.refuse(site, "http-url", at=written)
            return
        at = start + found[0].start() + 1
        self.plan.edit(site, at, at, "chat/")
        if isinstance(node, cst.Name):
            self._named.setdefault(self.source.bindings(node)[0], []).append((site, node))

    # requests ------------------------------------------------------------------------------------

    def find(self) -> None:
        """Look at every call that may be a request."""
        for node in self.source.nodes:
            if isinstance(node, cst.Call) and dotted(node.func)[-1] in _VERBS and not self._is_mock(node):
                self._request(node)
        self.plan.settle_names(self._named, "http-url", self._is_exported)
        self.plan.settle_names(self._bodies, "http-body", self._is_exported)

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
        found = self.address(url) if url is not None else None
        if found is None or self.bindings.of(call.func).what == "foreign":
            return
        text, written = found
        if text.startswith("/") and self.bindings.imported & _SERVERS:
            self.looked_at.add(written)
            return
        if "/v1/completions" not in text and _VENDOR_HOSTS.search(self.source.text):
            return  # whose address the hole holds cannot be seen
        site = self.plan.site(call, "http", "http")
        self.change_address(site, url, written)
        if verb == "stream" or any(
            a.keyword and a.keyword.value == "stream" and constant_of(a.value) is not False for a in call.args
        ):
            self.plan.refuse(site, "http-stream")
        body = self._body(site, call)
        if body is None:
            self.plan.refuse(site, "http-body")
            self.results.follow(call, Value("http", "plain"), site)
            return
        items = Items(self.source, body)
        if items.get("max_tokens_to_sample"):
            self.plan.sites.remove(site)
            return
        origin = Origin("http", elsewhere=self._goes_away(text, written, items))
        asked = self.arguments.rewrite(site, [items], origin)
        if asked is not None and asked.streams:
            self.plan.refuse(site, "http-stream")
        self.plan.change(site, call, "/v1/completions became /v1/chat/completions", "http")
        site.changes.insert(0, site.changes.pop())
        self.results.follow(call, Value("http", "plain"), site)

    def _goes_away(self, text: str, written: Any, items: Items) -> bool:
        """Tell whether an address is another server's than OpenAI's, as far as it is written or named."""
        if re.match(r"https?://[\w.\-:]+/", text):
            return not is_own_host(text)
        model = items.get("model")
        if model is not None and is_open_model(text_of(model.value)):
            return True
        pieces = pieces_of(self.source, written) or [Piece("")]
        hole = pieces[0].hole or next((p.hole for p in pieces[1:2] if not pieces[0].text.strip("htps:/")), "")
        return bool(hole) and self.bindings.servers.hole_leads_away(written, hole)

    def _body(self, site: Site, call: cst.Call) -> Any:
        """Return the dict literal that a request sends."""
        for arg in call.args:
            name = arg.keyword.value if arg.keyword else ""
            value: Any = arg.value
            if name in ("data", "content", "body"):
                if not (isinstance(value, cst.Call) and dotted(value.func)[-2:] == ("json", "dumps") and value.args):
                    return None
                value = value.args[0].value
            elif name != "json":
                continue
            if isinstance(value, cst.Name):
                return self._named_body(site, value)
            return value if isinstance(value, cst.Dict) else None
        return None

    def _named_body(self, site: Site, name: cst.Name) -> Any:
        found = self.source.bindings(name)
        if len(found) != 1 or not isinstance(found[0], cst.Name):
            return None
        kind, value, _ = bound(self.source, found[0])
        if kind != "value" or not isinstance(value, cst.Dict):
            return None
        self._bodies.setdefault(found[0], []).append((site, name))
        return value

    def _is_exported(self, uses: list[cst.Name]) -> bool:
        return uses[0].value in self.results.functions.exported

    # the rest ------------------------------------------------------------------------------------

    def report_rest(self) -> None:
        """Report addresses of the Completions API that no request is seen to use."""
        for node in self.source.nodes:
            if not isinstance(node, cst.SimpleString | cst.FormattedString | cst.BinaryOperation):
                continue
            found = self.address(node) if not self._is_mentioned(node) else None
            if found is None or any(self.source.inside(node, seen) for seen in self.looked_at):
                continue
            text = found[0]
            if (
                "/v1/completions" not in text
                or text.startswith("/")
                or not ("://" in text or text.startswith("\ue0f0"))
            ):
                continue
            self.looked_at.add(node)
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
