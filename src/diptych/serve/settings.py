"""What a bridge is told when it starts: the upstream, the policy, the caps.

Rule: a value, checked when it is made; no secret of the upstream is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from ..client.budget import Budget
from ..client.cassette import Cassette
from ..client.limits import RateLimits
from ..client.options import Timeouts
from ..client.retry import Retries
from ..errors import ConfigError
from ..request import Api

Unknown = Literal["pass", "refuse"]
#: Opt-ins of the Completions reader: what else is refused becomes something near it.
OPT_INS: Final = ("suffix", "best_of")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a bridge.

    ``upstream`` is the base URL (with ``/v1``), ``upstream_api`` the API that it speaks. ``models`` maps the
    names that clients use to those of the upstream, ``"*"`` any other. ``strict`` refuses whatever would be
    changed or dropped. ``opt_in`` may name ``suffix`` (it becomes an instruction) and ``best_of`` (so many
    choices are asked for and ranked). ``format`` is the text format of prompts: ``auto``, ``plain`` (one user
    message), or a name. ``unknown`` says what becomes of fields that no API has.

    ``max_body`` is bytes of a request; ``max_calls`` run at the same time, ``max_queue`` wait; ``max_fan``
    prompts of one request are sent at the same time. ``templates`` is the only folder whose templates are
    rendered, ``chat_template`` the model's own for ``/render``; ``render_format`` a text format in its place.

    >>> Settings(upstream="http://127.0.0.1:8080/v1", models={"davinci": "gpt-4o"}).model_for("davinci")
    'gpt-4o'
    """

    upstream: str | None = None
    upstream_api: Api = "chat"
    models: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    opt_in: frozenset[str] = frozenset()
    format: str = "auto"
    unknown: Unknown = "pass"
    max_body: int = 16 * 1024 * 1024
    max_calls: int = 1024
    max_queue: int = 1024
    max_fan: int = 16
    timeout: float | Timeouts | None = 600.0
    retries: int | Retries = 2
    budget: Budget | None = None
    limits: RateLimits | None = None
    cassette: Cassette | None = None
    profile: str | None = None
    templates: Path | None = None
    chat_template: Any = None
    render_format: str | None = None
    trust_env: bool = True

    def __post_init__(self) -> None:
        if unknown := self.opt_in - {*OPT_INS}:
            raise ConfigError(f"nothing is called {min(unknown)!r} among the opt-ins", hint=", ".join(OPT_INS))
        if self.unknown not in get_args(Unknown):
            raise ConfigError(f"unknown fields are passed or refused, not {self.unknown!r}", hint="pass or refuse")
        if self.upstream_api not in get_args(Api):
            raise ConfigError(f"there is no API {self.upstream_api!r}", hint=f"one of {', '.join(get_args(Api))}")
        for name in ("max_body", "max_calls", "max_fan"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is at least 1, not {getattr(self, name)}")

    def model_for(self, name: str | None) -> str | None:
        """Return the upstream's model for the name that a client uses, None where it gave none and none is set."""
        found = self.models.get(name) if name is not None else None
        return found or self.models.get("*") or name
