"""What both clients are made of: one constructor, so that their options cannot differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar

from ..errors import ClientError
from ..request import Api
from .budget import Budget
from .cassette import Cassette
from .endpoints import ENDPOINTS
from .flow import Hook, Setup
from .limits import RateLimits
from .options import Timeouts
from .profiles import Profile, profile_of
from .requests import server_of
from .retry import Retries

Pool = TypeVar("Pool")
Http = TypeVar("Http")


class ClientBase(Generic[Pool, Http]):
    """The options of a client and its connections."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        http: Http | None = None,
        timeout: float | Timeouts | None = 600.0,
        retries: int | Retries = 2,
        budget: Budget | None = None,
        limits: RateLimits | None = None,
        cassette: Cassette | None = None,
        on_attempt: Hook | None = None,
        profile: str | Profile | None = None,
        trust_env: bool = True,
        api: Api | None = None,
    ) -> None:
        if api is not None and api not in ENDPOINTS:
            raise ClientError(f"there is no API {api!r}", hint=f"api= is one of {', '.join(ENDPOINTS)}")
        known, server = profile_of(profile), server_of(base_url, api_key, api or "chat")
        if known is not None and known.key_header is not None:
            server = replace(server, key_header=known.key_header)
        self._setup = Setup(
            server,
            Timeouts.of(timeout),
            Retries.of(retries),
            budget,
            limits,
            cassette,
            on_attempt,
            known,
            api=api,
        )
        self._pool = self._new_pool(http, trust_env)

    def _new_pool(self, http: Http | None, trust_env: bool) -> Pool:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._setup.server.base_url}>"

    @property
    def base_url(self) -> str:
        """The address that the endpoints stand under."""
        return self._setup.server.base_url
