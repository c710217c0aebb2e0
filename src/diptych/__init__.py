"""Diptych: one template, two panels. A Completions prompt and Chat messages on one hinge.

Names load on first use: ``import diptych`` itself imports nothing heavy.
"""

from __future__ import annotations

__version__ = "0.2.0"

# Type checkers take a constant of this name for true. ``typing`` itself costs most of the
# time that ``import diptych`` may take, so it is not imported here, nor is ``importlib``.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from . import catalogue as catalogue
    from . import client as client
    from . import migrate as migrate
    from . import prices as prices
    from . import tokens as tokens
    from .client import AsyncClient as AsyncClient
    from .client import Budget as Budget
    from .client import Client as Client
    from .client import Reply as Reply
    from .client import Timeouts as Timeouts
    from .client import compat as compat
    from .conversion.bodies import convert_request as convert_request
    from .conversion.convert import convert as convert
    from .conversion.convert import to_messages as to_messages
    from .conversion.convert import to_prompt as to_prompt
    from .conversion.registry import list_formats as list_formats
    from .conversion.registry import register as register
    from .conversion.responses import convert_response as convert_response
    from .conversion.streams import convert_stream as convert_stream
    from .errors import *  # noqa: F403
    from .format import Conversion as Conversion
    from .format import Reading as Reading
    from .format import Writing as Writing
    from .loss import Loss as Loss
    from .loss import Severity as Severity
    from .loss import Verdict as Verdict
    from .model import Conversation as Conversation
    from .model import Message as Message
    from .model import ResponseFormat as ResponseFormat
    from .model import Span as Span
    from .model import ToolCall as ToolCall
    from .model import ToolSpec as ToolSpec
    from .policy import LossWarning as LossWarning
    from .prices import Estimate as Estimate
    from .prices import PriceBook as PriceBook
    from .prices.estimate import estimate as estimate
    from .response import Event as Event
    from .response import Response as Response
    from .sandbox.chat_template import ChatTemplate as ChatTemplate
    from .sandbox.limits import Limits as Limits
    from .templating.api import render as render
    from .templating.fit import fit as fit
    from .templating.library import Library as Library
    from .templating.library import load as load
    from .templating.rendered import Rendered as Rendered
    from .templating.template import Template as Template
    from .text.replies import read_reply as read_reply
    from .tokens import TokenCount as TokenCount
    from .tokens import count as count

#: Where each public name lives. One table: ``__all__`` and loading come from it.
_HOMES = {
    "templating.api": ["render"],
    "client": ["AsyncClient", "Budget", "Client", "Reply", "Timeouts"],
    "errors": [
        "ApiError", "BudgetExceeded", "ClientError", "ConfigError", "ConnectionFailed", "DiptychError", "FormatError",
        "InvalidInput", "InvalidResponse", "LossError", "MigrationError", "MissingExtra", "PriceError",
        "QuotaExceeded", "RateLimited", "RedirectRefused", "ResourceLimit", "ResponseTooLarge", "RoleError",
        "StreamIncomplete", "StreamInterrupted", "TemplateError", "TemplateNotFound", "TemplateSyntaxError",
        "Timeout", "TokenError", "UndefinedInput",
    ],
    "templating.fit": ["fit"],
    "format": ["Conversion", "Reading", "Writing"],
    "sandbox.chat_template": ["ChatTemplate"],
    "sandbox.limits": ["Limits"],
    "conversion.convert": ["convert", "to_messages", "to_prompt"],
    "conversion.registry": ["list_formats", "register"],
    "loss": ["Loss", "Severity", "Verdict"],
    "model": ["Conversation", "Message", "ResponseFormat", "Span", "ToolCall", "ToolSpec"],
    "policy": ["LossWarning"],
    "request": ["Request"],
    "prices": ["Estimate", "PriceBook", "estimate"],
    "response": ["Event", "Response"],
    "templating.rendered": ["Rendered"],
    "text.replies": ["read_reply"],
    "templating.library": ["Library", "load"],
    "templating.template": ["Template"],
    "tokens": ["TokenCount", "count"],
    "conversion.bodies": ["convert_request"],
    "conversion.responses": ["convert_response"],
    "conversion.streams": ["convert_stream"],
}  # fmt: skip
#: Modules that are attributes of the package, and where they lie.
_MODULES = {
    **{name: name for name in ("catalogue", "client", "errors", "migrate", "model", "prices", "testing", "tokens")},
    "compat": "client.compat",
}
_NAMES = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _NAMES:
        value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "__version__"])
