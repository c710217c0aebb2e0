"""The entry of the registry that the tables of an API make.

A format reads and writes conversations: ``read`` reports what a body says beside its conversation,
``write`` gives the messages alone. Whole requests go through :mod:`diptych.apis.api`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import FormatError
from ..format import Format, Wire
from ..loss import Loss
from ..model import Conversation
from ..request import Request
from .api import Api, read_request, write_request
from .ledger import Ledger


def format_of(
    api: Api, mapping: str, *, detect: Callable[[Any], float], aliases: tuple[str, ...] = (), bare: str = ""
) -> Format:
    """Return the format of an API. ``bare`` is the field that a list without a body around it stands for."""

    def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
        ledger = Ledger()
        request = read_request(api, body_of(api, value, bare), ledger)
        report_beside(request, ledger)
        return request.conversation, tuple(ledger.losses)

    def write(conversation: Conversation) -> tuple[Any, tuple[Loss, ...]]:
        ledger = Ledger()
        body = write_request(api, Request(conversation), ledger, whole=False)
        if not bare or api.holds != {bare}:
            return body, tuple(ledger.losses)
        report_declared(conversation, ledger)
        return body[bare], tuple(ledger.losses)

    return Format(
        name=api.name,
        kind="api",
        mapping=mapping,
        read=read,
        write=write,
        detect=detect,
        aliases=aliases,
        wire=Wire(holds=api.holds, bare=bare, talk=api.holds),
        api=api,
    )


def body_of(api: Api, value: Any, bare: str) -> Mapping[str, Any]:
    """Return a value as a body: a list stands for one of its fields. Raises FormatError for anything else."""
    if isinstance(value, Mapping):
        return value
    if bare and isinstance(value, list | tuple):
        return {bare: value}
    raise FormatError(f"a body of {api.name} is an object, not {type(value).__name__}", path="$")


def report_beside(request: Request, ledger: Ledger) -> None:
    """Report what a request says beside its conversation."""
    if request.model is not None:
        ledger.report(f"$.{ledger.param('model')}", "parameter-dropped")
    for name, value in request.params.items():
        if value is not None:
            ledger.report(f"$.{ledger.param(name)}", "parameter-dropped")
    for fields in request.native.values():
        ledger.lose_body(fields)


def report_declared(conversation: Conversation, ledger: Ledger) -> None:
    """Report tools and response format, which stand in a body beside its messages."""
    for tool in conversation.tools:
        ledger.lose(tool, detail="tools stand in the body, beside the messages")
    if conversation.response_format is not None:
        detail = "it stands in the body, beside the messages"
        ledger.lose(conversation.response_format, kind="schema-dropped", detail=detail)
