"""Diptych: one template, two panels. A Completions prompt and Chat messages on one hinge.

Names load on first use: ``import diptych`` itself imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import client as client
    from . import migrate as migrate
    from . import prices as prices
    from . import tokens as tokens
    from .apis.completions.convert_request import convert_request as convert_request
    from .apis.completions.convert_response import convert_response as convert_response
    from .apis.completions.convert_stream import convert_stream as convert_stream
    from .client import AsyncClient as AsyncClient
    from .client import Budget as Budget
    from .client import Client as Client
    from .client import Reply as Reply
    from .client import Timeouts as Timeouts
    from .conversion.convert import convert as convert
    from .conversion.convert import to_messages as to_messages
    from .conversion.convert import to_prompt as to_prompt
    from .conversion.registry import list_formats as list_formats
    from .conversion.registry import register as register
    from .errors import *  # noqa: F403
    from .format import Conversion as Conversion
    from .format import Reading as Reading
    from .format import Writing as Writing
    from .loss import Loss as Loss
    from .loss import LossWarning as LossWarning
    from .loss import Severity as Severity
    from .loss import Verdict as Verdict
    from .model import *  # noqa: F403
    from .prices import Estimate as Estimate
    from .prices import PriceBook as PriceBook
    from .prices.estimate import estimate as estimate
    from .sandbox.chat_template import ChatTemplate as ChatTemplate
    from .templating.api import render as render
    from .templating.fit import Fitted as Fitted
    from .templating.fit import fit as fit
    from .templating.rendered import Rendered as Rendered
    from .templating.template import Library as Library
    from .templating.template import Template as Template
    from .templating.template import load as load
    from .tokens import TokenCount as TokenCount
    from .tokens import count as count

#: Where each public name lives. One table: ``__all__`` and loading come from it.
_HOMES = {
    "templating.api": ["render"],
    "client": ["AsyncClient", "Budget", "Client", "Reply", "Timeouts"],
    "errors": [
        "ApiError", "BudgetExceeded", "ClientError", "ConnectionFailed", "DiptychError", "FormatError",
        "InvalidInput", "InvalidResponse", "LossError", "MigrationError", "MissingExtra", "PriceError",
        "QuotaExceeded", "RateLimited", "RedirectRefused", "ResourceLimit", "ResponseTooLarge", "RoleError",
        "StreamIncomplete", "StreamInterrupted", "TemplateError", "TemplateNotFound", "TemplateSyntaxError",
        "Timeout", "TokenError", "UndefinedInput",
    ],
    "templating.fit": ["Fitted", "fit"],
    "format": ["Conversion", "Reading", "Writing"],
    "sandbox.chat_template": ["ChatTemplate"],
    "conversion.convert": ["convert", "to_messages", "to_prompt"],
    "conversion.registry": ["list_formats", "register"],
    "loss": ["Loss", "LossWarning", "Severity", "Verdict"],
    "model": [
        "AudioPart", "Conversation", "Example", "FilePart", "FrozenMap", "ImagePart", "Message", "OtherPart",
        "ResponseFormat", "Segment", "Span", "TextPart", "ToolCall", "ToolSpec",
    ],
    "prices": ["Estimate", "PriceBook", "estimate"],
    "templating.rendered": ["Rendered"],
    "templating.template": ["Library", "Template", "load"],
    "tokens": ["TokenCount", "count"],
    "apis.completions.convert_request": ["convert_request"],
    "apis.completions.convert_response": ["convert_response"],
    "apis.completions.convert_stream": ["convert_stream"],
}  # fmt: skip
_MODULES = ("client", "errors", "migrate", "model", "prices", "testing", "tokens")
_NAMES = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_NAMES, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
