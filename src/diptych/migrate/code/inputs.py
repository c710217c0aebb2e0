"""The arguments of a Completions request, as those of a request to Responses.

Rule: what says nothing goes; a parameter that Responses does not have refuses the call. A cap below 16 tokens is
refused, since Responses takes none (OpenAI's specification).
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .arguments import OF_CLIENTS, Arguments
from .bindings import Origin
from .items import Item, Items
from .plan import Site
from .source import constant_of, text_of

_LEAST: Final = 16
#: Parameters that Responses has, too, or that have their own way here.
_TAKEN: Final = OF_CLIENTS | {
    "prompt", "model", "engine", "deployment_id", "suffix", "echo", "best_of", "stream", "temperature", "top_p", "user",
    "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
}  # fmt: skip
#: What says nothing, beside None, an empty list and an empty dict.
_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "n": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
}
_SCHEMA: Final = ("name", "schema", "strict", "description")


class Inputs(Arguments):
    """Rewrites the arguments of calls of one source that become calls of Responses."""

    def _one(self, site: Site, bracket: Items, item: Item, origin: Origin, every: list[Item]) -> str:
        if item.name in _TAKEN:
            return super()._one(site, bracket, item, origin, every)
        value = constant_of(item.value)
        if item.name == "max_tokens":
            if isinstance(value, int) and value is not True and 0 < value < _LEAST:
                self.plan.refuse(site, "responses", f"max_tokens={value}: it gives {_LEAST} tokens or more")
            return super()._one(site, bracket, item, origin, every)
        is_empty = isinstance(item.value, cst.List | cst.Tuple | cst.Dict) and not item.value.elements
        if value is None or is_empty or (value is not ... and value in _NOTHING.get(item.name, ())):
            item.drop = True
        elif item.name == "response_format":
            self._format(site, bracket, item)
        elif item.name != "stop":  # a stop may be one that only marks the format's roles: see below
            self.plan.refuse(site, "responses", item.name)
        return ""

    def _stop(self, site: Site, bracket: Items, item: Item, format_: str) -> None:
        if not item.drop:
            super()._stop(site, bracket, item, format_)

    def _drop(self, site: Site, brackets: Any) -> None:
        if any(item.name == "stop" and not item.drop for bracket in brackets for item in bracket.items):
            self.plan.refuse(site, "responses", "stop")
        super()._drop(site, brackets)

    def _cap_name(self, origin: Origin) -> str:
        return self.plan.target.cap

    def _no_reasoning(self) -> tuple[str, str]:
        return "reasoning", '{"effort": "none"}'

    def _format(self, site: Site, bracket: Items, item: Item) -> None:
        """``response_format`` is ``text={"format": …}``; the schema's own fields stand beside its type."""
        fields = _fields(item.value)
        kind = text_of(fields["type"]) if fields and "type" in fields else None
        schema = _fields((fields or {}).get("json_schema")) if kind == "json_schema" else None
        quote = self.source.text[self.source.span(item.label)[0]] if item.is_entry else '"'
        if kind in ("text", "json_object"):
            code = self.source.code(item.value)
        elif schema is not None and set(schema) <= set(_SCHEMA):
            pairs = [f"{quote}{name}{quote}: {self.source.code(schema[name])}" for name in schema]
            code = f"{{{', '.join([f'{quote}type{quote}: {quote}json_schema{quote}', *pairs])}}}"
        else:
            self.plan.refuse(site, "responses", "response_format is not a literal")
            return
        bracket.rename(self.plan, site, item, "text")
        bracket.replace(self.plan, site, item, f"{{{quote}format{quote}: {code}}}")


def _fields(node: Any) -> dict[str, Any] | None:
    """Return the values of a dict literal by key, None for anything else."""
    elements: list[Any] = list(node.elements) if isinstance(node, cst.Dict) else []
    keys = [text_of(e.key) if isinstance(e, cst.DictElement) else None for e in elements]
    if not elements or None in keys:
        return None
    return {str(key): element.value for key, element in zip(keys, elements, strict=True)}
