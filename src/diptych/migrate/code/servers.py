"""Which server a client talks to: OpenAI's own, or another one.

Rule: another server is one that the source names: in a client's arguments, on the module, in
the environment, or by a model that OpenAI does not serve. ``max_completion_tokens`` is
unknown to many of those (Ollama, FastChat, Azure up to 2024-08-01-preview), so ``max_tokens`` stays there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

import libcst as cst

from .source import Source, bound, constant_of, dotted, text_of

_OWN: Final = re.compile(r"(?:https?:)?(?://)?(?:[a-z0-9-]+\.)*api\.openai\.com(?::\d+)?(?:[/?#]|$)", re.IGNORECASE)
#: The first version of Azure's API that has Chat (Azure OpenAI, API version lifecycle).
FIRST_CHAT: Final = "2023-03-15"
_VERSION: Final = re.compile(r"20\d\d-\d\d-\d\d")
#: Arguments of a client, or attributes of the module, that name a server.
BASES: Final = frozenset(
    {"base_url", "api_base", "azure_endpoint", "azure_deployment", "azure_ad_token", "azure_ad_token_provider",
     "openai_api_base"}
)  # fmt: skip
#: Set on the module or given to a call for Azure alone, but for these values.
_TYPES: Final = frozenset({"api_type", "api_version"})
_OPENAI_TYPES: Final = (None, "openai", "open_ai")
_VARIABLE: Final = re.compile(r"OPENAI_(?:API_)?(?:BASE|BASE_URL|HOST|TYPE|VERSION|ENDPOINT)|AZURE_OPENAI_ENDPOINT")
#: Model families whose weights are open: no server of OpenAI's has them.
_OPEN_MODELS: Final = re.compile(
    r"(?!openai/)[\w.-]+/[\w./:-]+|(?:code)?(?:llama|mi[sx]tral|qwen|gemma|phi|deepseek|falcon|vicuna|mpt|zephyr|starcoder"
    r"|tinyllama|smollm|yi|olmo|granite|gpt-oss|gpt2|gpt-j|gpt-neo|bloom|opt|pythia|codestral|command-r)(?:[-_.:\d].*)?",
    re.IGNORECASE,
)


def is_own_host(text: str) -> bool:
    """Tell whether an address is one of OpenAI's own servers.

    >>> is_own_host("https://eu.api.openai.com/v1"), is_own_host("https://x.openai.azure.com/")
    (True, False)
    """
    return _OWN.match(text) is not None


def is_open_model(name: str | None) -> bool:
    """Tell whether a model's name says that OpenAI does not serve it.

    >>> is_open_model("llama3"), is_open_model("text-davinci-003")
    (True, False)
    """
    return name is not None and _OPEN_MODELS.fullmatch(name) is not None


class Servers:
    """What one source says of the servers that its clients talk to."""

    def __init__(self, source: Source) -> None:
        self.source = source
        words = [(text_of(node) or "").lower() for node in source.nodes if isinstance(node, cst.SimpleString)]
        #: Azure's old way: ``openai.api_type = "azure"``; there ``engine`` names a deployment.
        self.is_azure = any(t in source.text.lower() for t in ("api_type", "api-type")) and any(
            "azure" in word for word in words
        )
        #: The module, or the environment, sends the calls that name no server themselves to another one.
        self.is_away = self.is_azure or any(map(self._sends_away, source.nodes))

    @cached_property
    def version_without_chat(self) -> str:
        """The version of Azure's API that the source asks for, where that has no Chat; "" elsewhere."""
        for name, value in self._given():
            text = text_of(self._bound(value) if isinstance(value, cst.Name) else value) or ""
            if name.lower().endswith("api_version") and _VERSION.match(text) and text < FIRST_CHAT:
                return text
        return ""

    def _given(self) -> Iterator[tuple[str, Any]]:
        """Yield the names of arguments and of what is assigned to, each with its value."""
        for node in self.source.nodes:
            if isinstance(node, cst.Arg) and node.keyword is not None:
                yield node.keyword.value, node.value
            elif isinstance(node, cst.Assign):
                target, value = node.targets[0].target, node.value
                if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple):
                    pairs = zip(target.elements, value.elements, strict=False)
                    yield from ((dotted(each.value)[-1], given.value) for each, given in pairs)
                else:
                    yield dotted(target)[-1], value

    def leads_away(self, value: Any) -> bool:
        """Tell whether the address that an expression gives is another server's; one that is unknown is."""
        if isinstance(value, cst.Name) and value.value != "None":
            value = self._bound(value)
        found = constant_of(value)
        return found is not None and not (isinstance(found, str) and is_own_host(found))

    def _bound(self, name: cst.Name) -> Any:
        found = self.source.bindings(name)
        if len(found) != 1 or not isinstance(found[0], cst.Name):
            return name
        kind, value, _ = bound(self.source, found[0])
        return value if kind == "value" and value is not None else name

    def hole_leads_away(self, node: Any) -> bool:
        """Tell whether the beginning of an address, an expression, names another server.

        What the caller gives is not known, and is taken for OpenAI's. What the environment gives
        is another server's, unless its default is OpenAI's own.
        """
        value: Any = self._bound(node) if isinstance(node, cst.Name) else node
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and dotted(value.func)[-1] == "rstrip":
            value = value.func.value
        found = constant_of(value) if value is not None else ...
        if isinstance(found, str):
            return re.match(r"(?:https?:)?//|[\w.-]+(?::\d+)?(?:/|$)", found) is not None and not is_own_host(found)
        if isinstance(value, cst.Call) and dotted(value.func)[-1] in ("getenv", "get", "pop"):
            default = constant_of(value.args[1].value) if len(value.args) > 1 else None
            return not (isinstance(default, str) and is_own_host(default))
        return isinstance(value, cst.Subscript) and dotted(value.value)[-1] == "environ"

    def named_away(self, args: Any) -> bool:
        """Tell whether the arguments of a call send it, or the client that it makes, to another server."""
        for arg in args:
            if arg.star == "**":
                return True
            name = arg.keyword.value if arg.keyword else ""
            if name in BASES and self.leads_away(arg.value):
                return True
            if name in _TYPES and self._is_azure_type(name, arg.value):
                return True
        return False

    def _is_azure_type(self, name: str, value: Any) -> bool:
        if name == "api_version":
            return constant_of(value) is not None
        return constant_of(value) not in _OPENAI_TYPES

    # the module and the environment ------------------------------------------------------------

    def _sends_away(self, node: Any) -> bool:
        if isinstance(node, cst.Assign):
            return any(self._assigned_away(target.target, node.value) for target in node.targets)
        if isinstance(node, cst.AnnAssign):
            return node.value is not None and self._assigned_away(node.target, node.value)
        return isinstance(node, cst.Call) and self._called_away(node)

    def _assigned_away(self, target: Any, value: Any) -> bool:
        """``openai.api_base = …``, ``client.base_url = …``, ``os.environ["OPENAI_BASE_URL"] = …``."""
        if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple):
            pairs = zip(target.elements, value.elements, strict=False)
            return any(self._assigned_away(each.value, given.value) for each, given in pairs)
        if isinstance(target, cst.Attribute):
            return self._set_away(target.attr.value, value) and self._is_clients(target.value)
        if isinstance(target, cst.Subscript) and dotted(target.value)[-1] == "environ":
            index = target.slice[0].slice
            return isinstance(index, cst.Index) and self._variable_away(text_of(index.value), value)
        return False

    def _is_clients(self, owner: Any) -> bool:
        """Tell whether an attribute is set on the module or on a client; ``self.base_url`` is anybody's."""
        return dotted(owner)[-1] not in ("self", "cls")

    def _called_away(self, call: cst.Call) -> bool:
        """``setattr(openai, "api_base", …)``, ``setenv("OPENAI_BASE_URL", …)``, ``environ.update({…})``."""
        name = dotted(call.func)[-1]
        values = [arg.value for arg in call.args if not arg.star]
        texts = [text_of(value) for value in values]
        if name == "setattr" and len(values) > 2:
            return self._set_away(texts[1] or "", values[2])
        if name in ("setenv", "putenv", "setdefault") and len(values) > 1:
            return self._variable_away(texts[0], values[1])
        if name in ("update", "dict"):
            entries = [e for value in values if isinstance(value, cst.Dict) for e in value.elements]
            pairs = [(text_of(e.key), e.value) for e in entries if isinstance(e, cst.DictElement)]
            pairs += [(arg.keyword.value, arg.value) for arg in call.args if arg.keyword]
            return any(self._variable_away(key, value) for key, value in pairs)
        return False

    def _set_away(self, name: str, value: Any) -> bool:
        if name in _TYPES:
            return self._is_azure_type(name, value)
        return name in BASES and self.leads_away(value)

    def _variable_away(self, name: str | None, value: Any) -> bool:
        if name is None or not _VARIABLE.fullmatch(name):
            return False
        if name.endswith("TYPE"):
            return self._is_azure_type("api_type", value)
        return self.leads_away(value)
