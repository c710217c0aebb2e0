"""What a name or an expression is: a module, a client, the Completions resource, another vendor's.

Rule: a value is followed through imports, assignments, annotations, ``self`` attributes and
functions of the module. What cannot be followed is ``unknown``, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import libcst as cst

from .servers import BASES, Servers
from .source import Node, Source, bound, dotted, text_of
from .webs import reaching

#: Modules whose clients look like OpenAI's and are not (their own Completions calls stay).
VENDORS: Final = frozenset(
    {"ai21", "aleph_alpha_client", "anthropic", "boto3", "botocore", "cerebras", "cohere", "ctransformers", "dashscope",
     "deepinfra", "fireworks", "google", "gpt4all", "groq", "huggingface_hub", "ibm_watsonx_ai", "litellm", "llama_cpp",
     "mistralai", "ollama", "predibase", "replicate", "sambanova", "text_generation", "together", "transformers",
     "vertexai", "vllm", "writerai", "xai_sdk", "zhipuai"}
)  # fmt: skip
CLIENTS: Final = frozenset(
    {"OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI", "Client", "AsyncClient", "AzureClient", "Stream"}
) - {"Stream"}
_DEPTH: Final = 12


@dataclass(frozen=True)
class Origin:
    """What an expression is.

    ``what``: path, client, resource, create, self, function, class, foreign, none or unknown.
    ``sdk``: v1 (clients) or v0 (``openai.Completion``). ``elsewhere``: the server is not
    OpenAI's own; ``azure``: ``engine`` names a deployment. ``at``: the node to rename for the
    Chat resource. ``raw``: the answer is wrapped. ``aliases``: names that hold the resource or
    its function.
    """

    what: str
    path: str = ""
    sdk: str = "v1"
    elsewhere: bool = False
    azure: bool = False
    at: Any = None
    raw: str = ""
    node: Any = None
    aliases: tuple[cst.Name, ...] = ()
    method: str = "create"


UNKNOWN: Final = Origin("unknown")
NONE: Final = Origin("none")
FOREIGN: Final = Origin("foreign")


class Bindings:
    """Looks expressions of one source up."""

    def __init__(self, source: Source) -> None:
        self.source = source
        #: The dotted paths of every import, relative ones with their dots.
        self.paths = _imports(source)
        self.imported = frozenset(path.partition(".")[0] for path in self.paths if not path.startswith("."))
        self.servers = Servers(source)
        self.is_azure, self._is_away = self.servers.is_azure, self.servers.is_away

    @cached_property
    def made(self) -> frozenset[bool]:
        """Where the clients go that the source makes: True for another server, False for OpenAI's own."""
        self.__dict__["made"] = frozenset()  # what an annotation says is not asked for meanwhile
        calls = [node for node in self.source.nodes if isinstance(node, cst.Call) and self._makes(node)]
        return frozenset(self._is_away_of(call, "".join(dotted(call.func))) for call in calls)

    def _makes(self, call: cst.Call) -> bool:
        if dotted(call.func)[-1] == "partial" and call.args:
            return dotted(call.args[0].value)[-1] in CLIENTS
        origin = self.of(call.func)
        return origin.what != "foreign" and dotted(call.func)[-1] in CLIENTS | {"OpenAIClient"}

    def _is_away_of(self, call: cst.Call, path: str) -> bool:
        if "Azure" in path or self.servers.named_away(call.args):
            return True
        return self._is_away and not any(arg.keyword and arg.keyword.value in BASES for arg in call.args)

    @property
    def is_only_away(self) -> bool:
        """Whether the source names other servers, and makes no client of OpenAI's own."""
        return False not in self.made and (True in self.made or self._is_away)

    @property
    def vendors(self) -> frozenset[str]:
        """The other vendors' SDKs that the file imports."""
        return self.imported & VENDORS

    def of(self, node: Any, depth: int = 0) -> Origin:
        """Return what an expression is."""
        if depth > _DEPTH or node is None:
            return UNKNOWN
        if isinstance(node, cst.Await):
            return self.of(node.expression, depth + 1)
        if isinstance(node, cst.NamedExpr):
            return self.of(node.value, depth + 1)
        if isinstance(node, cst.IfExp):
            return _merged([self.of(node.body, depth + 1), self.of(node.orelse, depth + 1)])
        if isinstance(node, cst.BooleanOperation):
            return _merged([self.of(node.left, depth + 1), self.of(node.right, depth + 1)])
        if isinstance(node, cst.Name):
            return self._name(node, depth)
        if isinstance(node, cst.Attribute):
            return self._attribute(node, depth)
        if isinstance(node, cst.Call):
            return self._call(node, depth)
        return UNKNOWN

    # names -----------------------------------------------------------------------------------

    def _name(self, node: cst.Name, depth: int) -> Origin:
        if node.value == "None":
            return NONE
        found = [self._binding(binding, node.value, depth + 1) for binding in reaching(self.source, node)]
        if not found and node.value == "openai":
            return Origin("path", "openai")  # a fragment of a file
        merged = _merged(found) if found else UNKNOWN
        if merged.what in ("resource", "create") and not any(
            isinstance(b, cst.ImportFrom) for b in reaching(self.source, node)
        ):
            return replace(merged, aliases=(*merged.aliases, node))
        return merged

    def _binding(self, binding: Node, name: str, depth: int) -> Origin:
        if isinstance(binding, cst.Import | cst.ImportFrom):
            path = import_path(binding, name)
            return self._path(path, binding if isinstance(binding, cst.ImportFrom) else None)
        if isinstance(binding, cst.FunctionDef | cst.ClassDef):
            return Origin("function" if isinstance(binding, cst.FunctionDef) else "class", node=binding)
        if isinstance(binding, cst.Param):
            return self._parameter(binding, depth)
        kind, value, annotation = bound(self.source, binding)
        if annotation is not None and (found := self.annotated(annotation, depth)).what != "unknown":
            return found
        return self.of(value, depth) if kind in ("value", "with") else UNKNOWN

    def _parameter(self, param: cst.Param, depth: int) -> Origin:
        function = self.source.enclosing(param, cst.FunctionDef, cst.Lambda)
        if isinstance(function, cst.FunctionDef):
            owner = self.source.function_of(function)
            first = function.params.params[:1]
            is_static = any(dotted(d.decorator)[-1] == "staticmethod" for d in function.decorators)
            if isinstance(owner, cst.ClassDef) and first and first[0] is param and not is_static:
                return Origin("self", node=owner)
        if param.annotation is not None:
            found = self.annotated(param.annotation, depth)
            if found.what != "unknown":
                return found
        found = self.of(param.default, depth) if param.default is not None else UNKNOWN
        return UNKNOWN if found.what == "none" else found

    def annotated(self, annotation: cst.Annotation, depth: int = 0) -> Origin:
        """Return what an annotation says: a client of OpenAI, of another vendor, or unknown."""
        node: Any = annotation.annotation
        text = text_of(node)
        if text is not None:
            try:
                node = cst.parse_expression(text)
            except cst.ParserSyntaxError:
                return UNKNOWN
            names = [dotted(part)[-1] for part in _parts_of(node)]
            if "openai" not in self.imported or not CLIENTS.intersection(names):
                return UNKNOWN
            return Origin("client", elsewhere=any("Azure" in name for name in names) or self.is_only_away)
        parts = [node] if isinstance(node, cst.Name | cst.Attribute) else _parts_of(node)
        found = [self.of(part, depth + 1) for part in parts]
        for origin in found:
            if origin.what == "path" and _is_client_path(origin.path):
                return Origin("client", elsewhere="Azure" in origin.path or self.is_only_away)
            if origin.what == "foreign":
                return FOREIGN
            if origin.what == "class" and (made := self._instance(origin.node, depth + 1)).what != "unknown":
                return made
        return UNKNOWN

    # attributes and calls ----------------------------------------------------------------------

    def _attribute(self, node: cst.Attribute, depth: int) -> Origin:
        name = node.attr.value
        base = self.of(node.value, depth + 1)
        if base.what == "path":
            found = self._path(f"{base.path}.{name}", None, node)
            is_theirs = found.what == "path" and name == "completions" and not base.path.startswith("openai.")
            # An object of another module: whose client it is does not stand here.
            return Origin("resource", at=node, path="?") if is_theirs and not _is_chat(node.value) else found
        if base.what == "foreign":
            return FOREIGN
        if base.what == "self":
            found = self._member(base.node, name, depth + 1)
            if (
                found.what == "unknown"
                and name == "completions"
                and self._instance(base.node, depth + 1).what == "client"
            ):
                return Origin("resource", at=node)
            return found
        if name == "completions" and base.what in ("client", "unknown") and not _is_chat(node.value):
            return Origin(
                "resource", elsewhere=base.elsewhere, at=node, raw=base.raw, path="" if base.what == "client" else "?"
            )
        if base.what == "client" and name in ("with_raw_response", "with_streaming_response"):
            return replace(base, raw=name)
        if base.what == "resource" and name in ("with_raw_response", "with_streaming_response"):
            return replace(base, raw=name)
        if base.what == "resource" and name in ("create", "acreate"):
            return replace(base, what="create", method=name)
        return UNKNOWN

    def _path(self, path: str, imported: Any = None, node: Any = None) -> Origin:
        parts = path.removeprefix("openai.").split(".") if path.startswith("openai.openai") else path.split(".")
        if parts[0] in VENDORS:
            return FOREIGN
        if parts[0] == "openai":
            if parts[1:] == ["Completion"]:
                return Origin(
                    "resource", sdk="v0", at=node, node=imported, elsewhere=self._is_away, azure=self.is_azure
                )
            if parts[1:] == ["completions"]:
                return Origin("resource", at=node, node=imported, elsewhere=self._is_away)
        return Origin("path", ".".join(parts))

    def _member(self, owner: cst.ClassDef, name: str, depth: int) -> Origin:
        """Return what ``self.name`` is: every value that the class gives it, agreed on."""
        if depth > _DEPTH:
            return UNKNOWN
        found: list[Origin] = []
        for node in self.source.attributes.get(name, ()):
            target = self.source.parent(node)
            if not (isinstance(target, cst.AssignTarget | cst.AnnAssign) and isinstance(node.value, cst.Name)):
                continue
            if self.source.enclosing(node, cst.ClassDef) is not owner or self.of(node.value, depth).what != "self":
                continue
            statement: Any = self.source.parent(target) if isinstance(target, cst.AssignTarget) else target
            annotation = statement.annotation if isinstance(statement, cst.AnnAssign) else None
            told = self.annotated(annotation, depth) if annotation is not None else UNKNOWN
            found.append(told if told.what != "unknown" else self.of(statement.value, depth + 1))
        for binding in self.source.nodes:
            if isinstance(binding, cst.Name) and binding.value == name and self.source.function_of(binding) is owner:
                kind, value, annotation = bound(self.source, binding)
                if kind:
                    told = self.annotated(annotation, depth) if annotation is not None else UNKNOWN
                    found.append(told if told.what != "unknown" else self.of(value, depth + 1))
            elif isinstance(binding, cst.FunctionDef) and binding.name.value == name:
                if self.source.function_of(binding) is owner:
                    is_property = any("property" in dotted(d.decorator)[-1] for d in binding.decorators)
                    found.append(
                        self._returned(binding, depth + 1) if is_property else Origin("function", node=binding)
                    )
        if found:
            return _merged(found)
        for base in owner.bases:
            origin = self.of(base.value, depth + 1)
            if origin.what == "class":
                return self._member(origin.node, name, depth + 1)
        return UNKNOWN

    def _call(self, node: cst.Call, depth: int) -> Origin:
        func = node.func
        if isinstance(func, cst.Attribute) and func.attr.value in ("with_options", "copy"):
            base = self.of(func.value, depth + 1)
            if base.what in ("client", "unknown", "foreign"):
                return replace(base, elsewhere=base.elsewhere or self.servers.named_away(node.args))
        origin = self.of(func, depth + 1)
        if origin.what == "path" and _is_client_path(origin.path):
            return Origin("client", elsewhere=self._is_away_of(node, origin.path))
        if origin.what == "foreign":
            return FOREIGN
        if origin.what == "class":
            return self._instance(origin.node, depth + 1)
        if origin.what == "function":
            return self._returned(origin.node, depth + 1)
        is_made = origin.what == "resource" and origin.sdk == "v0" and not node.args
        return origin if is_made else UNKNOWN  # openai.Completion(): its create is the class's

    def _instance(self, owner: cst.ClassDef, depth: int) -> Origin:
        for base in owner.bases:
            origin = self.of(base.value, depth + 1)
            if origin.what == "path" and _is_client_path(origin.path):
                calls = [n for n in self.source.nodes if isinstance(n, cst.Call) and self.source.inside(n, owner)]
                away = "Azure" in origin.path or any(self.servers.named_away(call.args) for call in calls)
                return Origin("client", elsewhere=away or self._is_away)
            if origin.what == "class" and depth < _DEPTH:
                return self._instance(origin.node, depth + 1)
        return FOREIGN  # a class of the module's own

    def _returned(self, function: cst.FunctionDef, depth: int) -> Origin:
        if depth > _DEPTH:
            return UNKNOWN
        if function.returns is not None:
            told = self.annotated(function.returns, depth)
            if told.what != "unknown":
                return told
        values = [
            self.of(node.value, depth)
            for node in self.source.nodes
            if isinstance(node, cst.Return) and node.value and self.source.function_of(node) is function
        ]
        return _merged(values) if values else UNKNOWN


def import_path(node: cst.Import | cst.ImportFrom, name: str) -> str:
    """Return the dotted path of what an import binds a name to.

    Relative imports begin with a dot.
    """
    for alias in node.names if not isinstance(node.names, cst.ImportStar) else ():
        path = ".".join(dotted(alias.name))
        asname = alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else None
        if isinstance(node, cst.ImportFrom):
            if (asname or path) == name:
                module = ".".join(dotted(node.module)) if node.module else ""
                return "." * len(node.relative) + (f"{module}." if module else "") + path
        elif asname == name:
            return path
        elif asname is None and path.partition(".")[0] == name:
            return name
    return ""


def _imports(source: Source) -> list[str]:
    found = []
    for node in source.nodes:
        if isinstance(node, cst.Import):
            found += [".".join(dotted(alias.name)) for alias in node.names]
        elif isinstance(node, cst.ImportFrom):
            found.append("." * len(node.relative) + (".".join(dotted(node.module)) if node.module else ""))
    return found


def _parts_of(node: Any) -> list[Any]:
    """Return the names in ``X | None``, ``Optional[X]``, ``Annotated[X, …]``."""
    if isinstance(node, cst.BinaryOperation):
        return [*_parts_of(node.left), *_parts_of(node.right)]
    if isinstance(node, cst.Subscript):
        inner = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
        return [part for value in inner for part in _parts_of(value)]
    return [node] if isinstance(node, cst.Name | cst.Attribute) else []


def _is_client_path(path: str) -> bool:
    return path.startswith("openai.") and path.split(".")[-1] in CLIENTS


def _is_chat(node: Any) -> bool:
    return isinstance(node, cst.Attribute) and node.attr.value in ("chat", "fim", "beta", "agents")


def _merged(found: list[Origin]) -> Origin:
    """Return what all agree on; None beside a value is nothing."""
    known = [origin for origin in found if origin.what != "none"]
    if not known:
        return NONE if found else UNKNOWN
    first = known[0]
    if all((o.what, o.sdk, o.raw, o.path) == (first.what, first.sdk, first.raw, first.path) for o in known):
        return replace(first, elsewhere=any(origin.elsewhere for origin in known))
    return UNKNOWN
