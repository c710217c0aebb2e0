"""What becomes of each parameter: mapped, dropped with a signal, or refused by name.

Rule: the readers and writers say what a request loses (:mod:`diptych.loss`); the table here says what a
severity means to a client. What a client sends by default says nothing, and is never refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from ..apis.completions.tables import ALONE
from ..apis.responses.settings import STATEFUL
from ..conversion.registry import get
from ..errors import LossError
from ..loss import Loss, Severity
from ..request import Api

Action = Literal["mapped", "signalled", "refused"]
#: What a loss of each severity means by default, and where the bridge is strict.
TABLE: Final[dict[Severity, tuple[Action, Action]]] = {
    Severity.EXACT: ("mapped", "mapped"),
    Severity.CHANGED: ("signalled", "refused"),
    Severity.DROPPED: ("signalled", "refused"),
    Severity.REFUSED: ("refused", "refused"),
}
#: Values that clients and frameworks send without being asked: they ask for what happens anyway. A value
#: that is null, "", [] or {} says nothing for any parameter.
DEFAULTS: Final[dict[str, tuple[Any, ...]]] = {
    "best_of": (1,),
    "n": (1,),
    "echo": (False,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "parallel_tool_calls": (True,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "background": (False,),
    "truncation": ("disabled",),
    "modalities": (["text"],),
    "include": ([],),
    "stream": (False,),
}
#: Parameters whose default is another one per API, and so never stands for nothing.
_MEANT: Final = frozenset({"prompt", "messages", "input", "system", "instructions", "tools"})
#: Names at the top of a body that are the bridge's own.
OWN: Final = "diptych"
#: Fields of an answer that the bridge says in a header: the fingerprint, and with its date when it was made.
_IN_HEADERS: Final = frozenset({"$.created", "$.system_fingerprint"})
#: What the body of a stream holds that the bridge answers itself.
_ANSWERED: Final = frozenset({"stream_options"})
#: What else each API has at the top of a body, beside the rows of its reader (openai 3.57, anthropic 2.14).
_FURTHER: Final[Mapping[str, Collection[str]]] = {
    "completions": ALONE,
    "chat": ("functions", "function_call", "stream_options"),
    "responses": (
        "access_programs", "background", "background_options", "context_management", "conversation", "image",
        "instructions", "max_tool_calls", "previous_response_id", "prompt", "stream_options", "truncation",
    ),
    "anthropic": (
        "cache_control", "container", "diagnostics", "inference_geo", "service_tier", "speed", "system", "thinking",
        "user_profile_id", "workspace_id",
    ),
}  # fmt: skip
#: Longest header of losses, in characters.
_LONGEST: Final = 1000


class Signal(NamedTuple):
    """What an answer says that was changed or dropped on the way."""

    losses: tuple[Loss, ...] = ()

    def header(self) -> str:
        """Return the losses as the value of a header: paths and kinds."""
        text = "; ".join(f"{loss.path} {loss.kind}" for loss in self.losses)
        plain = text.encode("ascii", "replace").decode()
        return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 2]} …".encode("ascii", "replace").decode()

    def body(self) -> dict[str, Any]:
        """Return what stands in the body of the answer under ``diptych``."""
        return {"losses": [loss.to_json() for loss in self.losses]}


def settled(losses: Iterable[Loss], *, strict: bool) -> Signal:
    """Return what is to be signalled of the losses of a request. Raises LossError for what is refused.

    >>> settled([Loss("$.seed", "parameter-dropped")], strict=False).header()
    '$.seed parameter-dropped'
    """
    found = tuple(losses)
    actions = [(loss, TABLE[loss.severity][strict]) for loss in found]
    if refused := [loss for loss, action in actions if action == "refused"]:
        raise LossError(str(refused[0]), losses=tuple(refused))
    return Signal(tuple(dict.fromkeys(loss for loss, action in actions if action == "signalled")))


def signalled(losses: Iterable[Loss]) -> Signal:
    """Return what is to be signalled of the losses of an answer."""
    told = [loss for loss in losses if loss.severity > Severity.EXACT and loss.path not in _IN_HEADERS]
    return Signal(tuple(dict.fromkeys(told)))


def said_nothing(name: str, value: Any) -> bool:
    """Return whether a parameter asks for nothing: a default, sent without being asked.

    >>> said_nothing("best_of", 1), said_nothing("suffix", ""), said_nothing("best_of", 3)
    (True, True, False)
    """
    if name in _MEANT:
        return value is None
    if value is None or value == "" or (isinstance(value, list | Mapping) and not value):
        return True
    defaults = DEFAULTS.get(name, ())
    return any(value == default and isinstance(value, bool) == isinstance(default, bool) for default in defaults)


def asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without what says nothing, and without what the bridge answers itself."""
    return {
        name: value
        for name, value in body.items()
        if name != OWN and name not in _ANSWERED and not said_nothing(name, value)
    }


def stateful(body: Mapping[str, Any], api: Api) -> list[Loss]:
    """Return what a body asks for that needs a state, which Responses alone has, as losses that refuse it.

    >>> stateful({"input": "Hi", "background": True}, "responses")[0].path
    '$.background'
    """
    if api != "responses":
        return []
    return [Loss(f"$.{name}", "unsupported", text) for name, text in STATEFUL.items() if body.get(name)]


def unknown_fields(body: Mapping[str, Any], api: Api) -> list[str]:
    """Return the names of a body that its API does not have.

    >>> unknown_fields({"prompt": "Hi", "min_p": 0.1}, "completions")
    ['min_p']
    """
    return [name for name in body if name not in _known(api) and name != OWN]


@cache
def _known(api: Api) -> frozenset[str]:
    """Return the names that an API has at the top of a body, by the tables of its reader."""
    own = get(api, "api").api
    assert own is not None
    heads = {path.partition(".")[0] for path in (*(row.path for row in own.params), own.tools_at, own.format_at)}
    return frozenset({*heads, *own.holds, *_FURTHER[api]})
