"""The arguments of a Completions request, as those of a Chat request.

Rule: the tables of :mod:`diptych.apis.completions.tables`, applied to source text. What is not a
literal is only renamed; where the value would decide, the call is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import libcst as cst

from ...apis.completions.bias import rebias
from ...apis.completions.request import role_marks
from ...apis.completions.tables import HIDDEN_CAP
from ...apis.schemas import ChatRequest, CompletionsRequest
from ...catalogue.replacements import is_asked, refusals
from .bindings import Origin
from .brackets import names_of
from .branches import constant_flag
from .constants import Constants
from .items import Item, Items
from .models import RESERVE, reasons
from .plan import Plan, Site
from .prompts import Prompts
from .source import Source, constant_of, quotes_around, requoted, text_of

#: What the SDKs take beside the parameters of the API.
OF_CLIENTS: Final = frozenset({"extra_headers", "extra_query", "extra_body", "timeout"})
_OF_OLD_SDK: Final = frozenset(
    {"api_key", "api_base", "api_type", "api_version", "organization", "request_timeout", "request_id", "headers",
     "engine", "deployment_id"}
)  # fmt: skip
OF_COMPLETIONS: Final = frozenset(CompletionsRequest.model_fields)
KNOWN: Final = OF_COMPLETIONS | OF_CLIENTS | _OF_OLD_SDK
_NOTHING: Final = (None, "", False)


class Asked(NamedTuple):
    """What a call asks for, as far as it decides how the answer is read.

    ``flag`` is the name that decides whether it streams, "" where that is known.
    """

    streams: bool
    format: str
    flag: str = ""


class Arguments:
    """Rewrites the arguments of calls of one source."""

    def __init__(self, plan: Plan, constants: Constants, prompts: Prompts) -> None:
        self.plan, self.constants, self.prompts = plan, constants, prompts
        self.source: Source = plan.source

    def rewrite(self, site: Site, brackets: Sequence[Items], origin: Origin, cap: int = HIDDEN_CAP) -> Asked | None:
        """Change the arguments of a call, which may stand in several brackets; None where it is refused.

        The first bracket is where an argument is added.
        """
        every = [item for bracket in brackets for item in bracket.items]
        self._check(site, brackets)
        if site.refusal is not None:
            return None
        site.is_away = origin.elsewhere
        formats = [self._one(site, bracket, item, origin, every) for bracket in brackets for item in bracket.items]
        if site.refusal is not None:
            return None
        format_ = next((found for found in reversed(formats) if found), "")
        self._stops(site, brackets, format_)
        self._cap(site, brackets, every, origin, cap)
        self._limits(site, every, origin)
        self._drop(site, brackets)
        stream = next((item.value for item in every if item.name == "stream"), None)
        known = None if stream is None else constant_flag(self.source, stream)
        return Asked(known is True, format_, stream.value if known is ... and stream is not None else "")

    def _check(self, site: Site, brackets: Sequence[Items]) -> None:
        """Refuse a call whose arguments cannot all be seen, or that has an odd one."""
        refuse = self.plan.refuse
        names, late = list(names_of(brackets)), set(names_of(brackets, late=True))
        if odd := next((bracket.odd for bracket in brackets if bracket.odd), ""):
            refuse(site, "http-body" if brackets[0].is_dict else "positional-arguments", odd)
        elif any(bracket.unpacked for bracket in brackets):
            refuse(site, "unpacked-arguments", next((b.why for b in brackets if b.why), ""))
        elif unknown := [] if brackets[0].is_dict else _unknown([*names, *sorted(late)]):
            refuse(site, "unknown-argument", ", ".join(unknown))
        elif len(set(names)) < len(names):
            refuse(site, "unpacked-arguments", "a name is given twice")
        elif "prompt" not in names and "prompt" not in late:
            refuse(site, "no-prompt")
        elif "stream" in late:
            refuse(site, "stream-unknown")

    def _stops(self, site: Site, brackets: Sequence[Items], format_: str) -> None:
        holder = next((b for b in brackets if b.base is None and b.get("stop")), None)
        if holder is not None and format_ and (stop := holder.get("stop")):
            self._stop(site, holder, stop, format_)

    def _cap(self, site: Site, brackets: Sequence[Items], every: list[Item], origin: Origin, cap: int) -> None:
        """Write the hidden cap out, and keep a model that reasons from spending it on that."""
        how = self._reasoning(site, every, origin)
        if (holder := self._without_cap(brackets)) is not None:
            holder.append(self.plan, site, self._cap_name(origin), str(cap + RESERVE * (how == "reserve")))
        if how == "effort":
            brackets[0].append(self.plan, site, *self._no_reasoning())

    def _cap_name(self, origin: Origin) -> str:
        """Return what the cap is called: many servers that are not OpenAI's know only the old name."""
        return "max_tokens" if origin.elsewhere else self.plan.target.cap

    def _no_reasoning(self) -> tuple[str, str]:
        """Return the name and the value that ask a model not to reason."""
        return "reasoning_effort", '"none"'

    def _drop(self, site: Site, brackets: Sequence[Items]) -> None:
        for bracket in brackets:
            if bracket.base is None:
                bracket.write_drops(self.plan, site)
            elif any(item.drop for item in bracket.items):
                detail = f"line {self.source.line(bracket.node)} puts in what Chat has not"
                self.plan.refuse(site, "unpacked-arguments", detail)

    def _one(self, site: Site, bracket: Items, item: Item, origin: Origin, every: list[Item]) -> str:
        """Change one argument; return the format of a prompt that became several messages."""
        value = constant_of(item.value)
        match item.name:
            case "prompt":
                return self.prompts.rewrite(site, bracket, item, [i.value for i in every if i.name == "stop"])
            case "max_tokens":
                self._max_tokens(site, bracket, item, origin, value)
            case "model":
                self._model(site, bracket, item, origin)
            case "engine" | "deployment_id":
                self._engine(site, bracket, item, origin, every)
            case "suffix" | "echo":
                self._suffix_or_echo(site, item, value, every)
            case "best_of":
                self._best_of(site, item, value, every)
            case "logprobs":
                self._logprobs(site, bracket, item, value)
            case "logit_bias":
                self._bias(site, bracket, item, value, every)
            case "stream":
                if constant_flag(self.source, item.value) is ... and not isinstance(item.value, cst.Name):
                    self.plan.refuse(site, "stream-unknown")
            case "extra_body":
                self._extra(site, item)
        return ""

    def _max_tokens(self, site: Site, bracket: Items, item: Item, origin: Origin, value: Any) -> None:
        if value == 0 and value is not False:
            self.plan.refuse(site, "scoring", "max_tokens=0")
        elif value is None:
            bracket.replace(self.plan, site, item, str(HIDDEN_CAP))
        bracket.rename(self.plan, site, item, self._cap_name(origin))

    def _engine(self, site: Site, bracket: Items, item: Item, origin: Origin, every: list[Item]) -> None:
        if not origin.azure:
            if any(other.name == "model" for other in every) and bracket.base is None:
                self.plan.refuse(site, "unknown-argument", f"model and {item.name}")
            bracket.rename(self.plan, site, item, "model")
            self._model(site, bracket, item, origin)

    def _suffix_or_echo(self, site: Site, item: Item, value: Any, every: list[Item]) -> None:
        if value in _NOTHING:
            item.drop = True
        elif item.name == "echo" and value is True and (name := self._echoed(every)) is not None:
            item.drop, site.echo = True, name
        else:
            detail = "with logprobs that is scoring" if any(i.name == "logprobs" for i in every) else ""
            self.plan.refuse(site, item.name, detail if item.name == "echo" else "")

    def _best_of(self, site: Site, item: Item, value: Any, every: list[Item]) -> None:
        n = next((constant_of(i.value) for i in every if i.name == "n"), 1)
        is_small = isinstance(value, int) and isinstance(n, int) and value <= n
        if value is None or (value is not ... and (is_small or value == 1)):
            item.drop = True
        else:
            self.plan.refuse(site, "best-of")

    def _echoed(self, every: list[Item]) -> cst.Name | None:
        """Return the name of a prompt that can be put before each text: bound once, and no stream, no scores."""
        values = {item.name: item.value for item in every}
        prompt = values.get("prompt")
        asks_more = values.keys() & {"logprobs", "stream"} or constant_of(values.get("max_tokens")) == 0
        if asks_more or not isinstance(prompt, cst.Name) or len(self.source.bindings(prompt)) != 1:
            return None
        return prompt

    def _without_cap(self, brackets: Sequence[Items]) -> Items | None:
        """Return the bracket that the hidden cap is written into, None where there is a cap on every way."""
        capped = [b for b in brackets if any(i.name in ("max_tokens", "max_completion_tokens") for i in b.items)]
        if not capped:
            return brackets[0]
        return None if any(bracket.is_always for bracket in capped) else capped[0].base

    def _reasoning(self, site: Site, every: list[Item], origin: Origin) -> str:
        """Keep a replacement that reasons from spending the cap on it; return how: effort, reserve or ""."""
        item = next((item for item in every if item.name in ("model", "engine")), None)
        old = None if item is None or origin.elsewhere else self.constants.known(item)
        if item is None or (new := self.plan.models.successor(old)) is None or not (how := reasons(new)):
            return ""
        if how == "effort":
            told = f"{new} reasons unless it is asked not to: {'='.join(self._no_reasoning())}"
            self.plan.change(site, item.label, told, "note")
            return how
        told = f"{new} reasons before it answers: the cap has {RESERVE} tokens more for that"
        self.plan.change(site, item.label, told, "note")
        for cap in every:
            if cap.name == "max_tokens" and constant_of(cap.value) is not None:
                number = constant_of(cap.value)
                is_known = isinstance(number, int) and number is not True
                code = str(number + RESERVE) if is_known else f"{self.source.code(cap.value)} + {RESERVE}"
                self.plan.edit(site, *self.source.outer(cap.value), code)
        return how

    def _limits(self, site: Site, every: list[Item], origin: Origin) -> None:
        """Say which parameters the model that is asked now is known to refuse."""
        if origin.elsewhere:
            return
        asked = {item.name: item for item in every if not item.drop and is_asked(item.name, _asked_for(item.value))}
        model = next((self.constants.known(asked[name]) for name in ("model", "engine") if name in asked), None)
        if model is None:
            return
        new = self.plan.models.successor(model) or model
        effort = "none" if new != model and reasons(new) == "effort" else None
        for name, said in refusals(new, asked, reasoning_effort=effort).items():
            self.plan.change(site, asked[name].label, f"{said}: see to it", "note")

    # one parameter each --------------------------------------------------------------------------

    def _model(self, site: Site, bracket: Items, item: Item, origin: Origin) -> None:
        name = text_of(item.value)
        if origin.elsewhere and name not in self.plan.models.mapped:
            return
        if name is None:
            self.constants.model(site, item)
        elif new := self.plan.models.successor(name):
            bracket.replace(self.plan, site, item, requoted(self.source, item.value, new))

    def _logprobs(self, site: Site, bracket: Items, item: Item, value: Any) -> None:
        if value is None or value is False:
            item.drop = True
        elif isinstance(value, int) and value is not True:
            site.asks_logprobs = True
            bracket.replace(self.plan, site, item, "True")
            start, end = item.start, self.source.outer(item.value)[1]
            label = self.source.text[start : self.source.span(item.label)[1]].replace("logprobs", "top_logprobs")
            between = ": " if item.is_entry else "="
            self.plan.edit(site, end, end, f", {label}{between}{value}")
        else:
            self.plan.refuse(site, "logprobs", "its number is not a literal")

    def _bias(self, site: Site, bracket: Items, item: Item, value: Any, every: list[Item]) -> None:
        if value is None:
            return
        model = next((text_of(i.value) for i in every if i.name in ("model", "engine")), None)
        if isinstance(item.value, cst.Dict) and not item.value.elements:
            return
        new = self.plan.models.successor(model)
        if model is not None and new is None:
            return  # the same model: its ids stay
        bias = _literal_bias(item.value)
        losses: list[Any] = []
        if bias is None or model is None or new is None:
            self.plan.refuse(site, "logit-bias")
            return
        found = rebias(bias, model, new, losses)
        if wrong := [loss.detail for loss in losses if loss.kind == "unsupported"]:
            self.plan.refuse(site, "logit-bias", "; ".join(wrong))
            return
        quote = '"' if '"' not in quotes_around(self.source, item.value) else "'"
        text = ", ".join(f"{quote}{id_}{quote}: {value}" for id_, value in found.items())
        bracket.replace(self.plan, site, item, "{" + text + "}")

    def _extra(self, site: Site, item: Item) -> None:
        if constant_of(item.value) is None:
            return
        names = (
            [text_of(e.key) for e in item.value.elements if isinstance(e, cst.DictElement)]
            if isinstance(item.value, cst.Dict)
            else [None]
        )
        if None in names or (isinstance(item.value, cst.Dict) and len(names) < len(item.value.elements)):
            self.plan.refuse(site, "extra-body")
        elif own := [name for name in names if name in OF_COMPLETIONS or name == "add_special_tokens"]:
            self.plan.refuse(site, "extra-body", ", ".join(map(str, own)))

    def _stop(self, site: Site, bracket: Items, item: Item, format_: str) -> None:
        """Take out the stops that were only role markers of the prompt's format, as the wire does."""
        marks = {mark.strip() for mark in role_marks(format_)} - {""}
        text = text_of(item.value)
        if text is not None:
            item.drop = text.strip() in marks
        elif isinstance(item.value, cst.List | cst.Tuple):
            texts = [text_of(e.value) for e in item.value.elements]
            kept = [
                self.source.code(e.value)
                for e, text in zip(item.value.elements, texts, strict=True)
                if text is None or text.strip() not in marks
            ]
            if not kept:
                item.drop = bool(texts)
            elif len(kept) < len(texts):
                bracket.replace(self.plan, site, item, f"[{', '.join(kept)}]")
        if item.drop:
            self.plan.change(site, item.label, "stops that were only role markers were dropped", "note")


def _unknown(names: list[str]) -> list[str]:
    return [name for name in names if name not in {*KNOWN, *ChatRequest.model_fields}]


def _asked_for(node: Any) -> Any:
    """Return the value of a literal; an empty list or dict is no value."""
    is_empty = isinstance(node, cst.List | cst.Dict | cst.Tuple) and not node.elements
    return None if is_empty else constant_of(node)


def _literal_bias(node: Any) -> dict[str, Any] | None:
    if not isinstance(node, cst.Dict):
        return None
    found: dict[str, Any] = {}
    for element in node.elements:
        if not isinstance(element, cst.DictElement):
            return None
        key, value = constant_of(element.key), constant_of(element.value)
        if not isinstance(key, str | int) or not isinstance(value, int | float):
            return None
        found[str(key)] = value
    return found
