"""The client: both endpoints, whole and streamed, blocking and asynchronous.

Rule: parsing, retries, budgets and cassettes are pure (:mod:`.flow` and what it
imports); only ``_sync`` and ``_async`` do I/O.
"""

from __future__ import annotations

from ..response import Usage
from ._async import AsyncClient, AsyncStream
from ._sync import Client, Stream
from .budget import Budget
from .cassette import Cassette
from .limits import RateLimits
from .options import Timeouts
from .profiles import PROFILES, Profile
from .replies import Attempt, Choice, Delta, Parsed, Reply
from .requests import azure_url
from .retry import Retries

__all__ = [
    "PROFILES",
    "AsyncClient",
    "AsyncStream",
    "Attempt",
    "Budget",
    "Cassette",
    "Choice",
    "Client",
    "Delta",
    "Parsed",
    "Profile",
    "RateLimits",
    "Reply",
    "Retries",
    "Stream",
    "Timeouts",
    "Usage",
    "azure_url",
]
