"""The shape of a mocked answer: a dict, or calls of its shape, as an answer of Chat or of Responses.

Rule: what is not a literal refuses the mock.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import libcst as cst

from .plan import Plan, Site
from .source import Source, bound, constant_of, dotted, requoted, text_of
from .targets import RESPONSES

MAKERS: Final = frozenset({"SimpleNamespace", "MagicMock", "Mock", "AsyncMock", "Namespace", "dict"})


class Shapes:
    """The literal answers of the mocks of one source."""

    def __init__(self, plan: Plan, exported: Collection[str]) -> None:
        self.plan, self.exported = plan, exported
        self.source: Source = plan.source
        #: The literal answers that were given the new shape, or refused for theirs.
        self.seen: set[Any] = set()

    def shape(self, site: Site, value: Any) -> None:
        """Give a literal answer Chat's shape."""
        if isinstance(value, cst.Name):
            value = self._once(value)
        fields = _fields(value)
        if fields is None or "choices" not in fields:
            if not (isinstance(value, cst.Call) and dotted(value.func)[-1].endswith(("Error", "Exception"))):
                self.plan.refuse(site, "mock-shape", at=value if value is not None else site.node)
            return
        self.seen.add(value)
        if self.plan.target == RESPONSES:
            self._output(site, value, fields)
            return
        if (kind := fields.get("object")) is not None and text_of(kind) == "text_completion":
            start, end = self.source.outer(kind)
            self.plan.edit(site, start, end, self.source.text[start:end].replace("text_completion", "chat.completion"))
        if (id_ := fields.get("id")) is not None and str(text_of(id_)).startswith("cmpl-"):
            start, end = self.source.outer(id_)
            self.plan.edit(site, start, end, self.source.text[start:end].replace("cmpl-", "chatcmpl-", 1))
        if (model := fields.get("model")) is not None and (new := self.plan.models.successor(text_of(model))):
            self.plan.edit(site, *self.source.outer(model), requoted(self.source, model, new))
        self.choices(site, fields["choices"])
        self.plan.change(site, value, "the mocked answer has Chat's shape", "mock")

    def _output(self, site: Site, value: Any, fields: dict[str, Any]) -> None:
        """Give a made object of one choice the shape of an answer of Responses: its text is ``output_text``."""
        choices = fields["choices"]
        only = choices.elements[0].value if isinstance(choices, cst.List) and len(choices.elements) == 1 else None
        text = (_fields(only) or {}).get("text")
        if not isinstance(value, cst.Call) or text is None or "usage" in fields:
            self.plan.refuse(site, "mock-shape", at=value)
            return
        arg: Any = next(a for a in value.args if a.value is choices)
        start = self.source.span(arg.keyword)[0]
        self.plan.edit(site, start, self.source.outer(choices)[1], f"output_text={self.source.code(text)}")
        self.plan.change(site, value, "the mocked answer has the shape of Responses", "mock")

    def _once(self, name: cst.Name) -> Any:
        """Return the literal that a name is bound to, where it is used here alone."""
        found = self.source.bindings(name)
        if len(found) != 1 or not isinstance(found[0], cst.Name) or name.value in self.exported:
            return None
        if self.source.readers(found[0], name.value) != [name]:
            return None
        kind, value, _ = bound(self.source, found[0])
        return value if kind == "value" else None

    def choices(self, site: Site, value: Any) -> None:
        """Give the literal choices of an answer Chat's shape."""
        if isinstance(value, cst.Name):
            value = self._once(value)
        if not isinstance(value, cst.List):
            self.plan.refuse(site, "mock-shape", at=value if value is not None else site.node)
            return
        for element in value.elements:
            self._choice(site, element.value)

    def _choice(self, site: Site, value: Any) -> None:
        if isinstance(value, cst.Name):
            value = self._once(value)
        fields = _fields(value)
        text = fields.get("text") if fields else None
        logprobs = fields.get("logprobs") if fields else None
        if fields is None or text is None or (logprobs is not None and constant_of(logprobs) is not None):
            self.plan.refuse(site, "mock-shape", at=value if value is not None else site.node)
            return
        start, end = self.source.outer(text)
        if isinstance(value, cst.Dict):
            entry = next(e for e in value.elements if isinstance(e, cst.DictElement) and e.value is text)
            key_start, key_end = self.source.outer(entry.key)
            quoted = self.source.text[key_start:key_end]
            quote = quoted[-1]
            self.plan.edit(site, key_start, key_end, quoted.replace("text", "message"))
            head = f"{{{quote}role{quote}: {quote}assistant{quote}, {quote}content{quote}: "
            self.plan.edit(site, start, start, head)
            self.plan.edit(site, end, end, "}")
        else:
            maker = self.source.code(value.func)
            arg = next(a for a in value.args if a.value is text)
            label = self.source.span(arg.keyword)
            self.plan.edit(site, *label, "message")
            self.plan.edit(site, start, start, f"{maker}(role={quote_of(self.source, text)}, content=")
            self.plan.edit(site, end, end, ")")


def quote_of(source: Source, node: Any) -> str:
    """Return ``assistant`` in the quotes of another literal."""
    return requoted(source, node, "assistant")


def _fields(value: Any) -> dict[str, Any] | None:
    """Return the named values of a dict literal or of a call that makes such an object."""
    if isinstance(value, cst.Dict):
        found = {}
        for element in value.elements:
            name = text_of(element.key) if isinstance(element, cst.DictElement) else None
            if name is None:
                return None
            found[name] = element.value
        return found
    if isinstance(value, cst.Call) and dotted(value.func)[-1] in MAKERS:
        if any(arg.star or not arg.keyword for arg in value.args):
            return None
        return {arg.keyword.value: arg.value for arg in value.args if arg.keyword}
    return None
