"""What stands beside the calls: models, embeddings, token counts, health.

Rule: a count is the upstream's own or one whose basis is said; a number that nobody knows is an error, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ApiError, ClientError, DiptychError
from ..request import Api
from ..tokens import TokenCount, count
from .bridge import Bridge
from .doors import Visit, Work
from .faces import FACES
from .refusals import refuse

#: Seconds since 1970 where nobody says when a model was made: a date that no client takes for a real one.
_CREATED: Final = 0


# models --------------------------------------------------------------------------------------------------


async def list_models(visit: Visit, _: Any) -> None:
    """Answer with the models of the upstream and the names that are mapped to them."""
    found = await _models(visit.bridge)
    if visit.face.api == "anthropic":
        shown = [_anthropic_model(model) for model in found]
        ends = {"first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None}
        await visit.answer(200, {"data": shown, "has_more": False, **ends})
        return
    await visit.answer(200, {"object": "list", "data": found})


async def show_model(visit: Visit, _: Any) -> None:
    """Answer with one model."""
    name = visit.path.removeprefix("/v1/models/")
    for model in await _models(visit.bridge):
        if model["id"] == name:
            await visit.answer(200, _anthropic_model(model) if visit.face.api == "anthropic" else model)
            return
    raise refuse(404, f"there is no model {name!r}", param="model", code="model_not_found", again=False)


async def _models(bridge: Bridge) -> list[dict[str, Any]]:
    mapped = [name for name in bridge.settings.models if name != "*"]
    try:
        listed = _listed(await bridge.client.fetch("/models"))
    except ApiError:
        if not mapped:
            raise
        listed = []  # the upstream has no list: the names that are mapped are known all the same
    known = {model["id"] for model in listed}
    return [*listed, *(_model(name, {"owned_by": "diptych"}) for name in mapped if name not in known)]


def _listed(value: Any) -> list[dict[str, Any]]:
    """Return the models of a list in the shape of OpenAI; Anthropic's and Gemini's are other shapes."""
    rows = (value.get("data") or value.get("models") or []) if isinstance(value, Mapping) else []
    named = [(row.get("id") or row.get("name"), row) for row in rows if isinstance(row, Mapping)]
    return [_model(str(name).removeprefix("models/"), row) for name, row in named if name]


def _model(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    more = {key: value for key, value in row.items() if key not in ("id", "object", "created", "owned_by", "name")}
    created = row.get("created")
    found = {"id": name, "object": "model", "created": created if isinstance(created, int) else _CREATED}
    return {**found, "owned_by": row.get("owned_by") or "upstream", **more}


def _anthropic_model(model: Mapping[str, Any]) -> dict[str, Any]:
    shown = model.get("display_name") or model["id"]
    created = model.get("created_at") or "1970-01-01T00:00:00Z"
    return {"type": "model", "id": model["id"], "display_name": shown, "created_at": created}


# embeddings ----------------------------------------------------------------------------------------------


async def pass_embeddings(visit: Visit, body: Any) -> None:
    """Pass a request for embeddings on as it is, with the model's name mapped."""
    if not isinstance(body, Mapping):
        raise refuse(400, "the body is not a JSON object", again=False)
    model = visit.bridge.settings.model_for(body.get("model"))
    await visit.answer(200, await visit.bridge.client.fetch("/embeddings", body={**body, "model": model}))


# counts --------------------------------------------------------------------------------------------------


async def count_tokens(visit: Visit, body: Any) -> None:
    """Answer with the tokens of a request, in the shape of both counters; headers say how sure that is."""
    plan = visit.tally.plan = await visit.bridge.plan(visit.face, _whole(body))
    visit.tally.signal = plan.signal
    sent = plan.asks[0].body
    found = _own_count(sent, plan.asks[0].api)
    if found is not None and found.tokens is not None and found.basis != "approximate":
        number, basis = found.tokens, str(found.basis)
    else:
        number, basis = await _upstream_count(visit.bridge, sent, found)
    if found is not None and basis == "approximate":
        visit.more["x-diptych-range"] = f"{found.low}-{found.high}"
    visit.more["x-diptych-basis"] = basis
    kind = {"object": "response.input_tokens"} if visit.face.api == "responses" else {}
    await visit.answer(200, {**kind, "input_tokens": number})


def _whole(body: Any) -> Any:
    if not isinstance(body, Mapping):
        return body
    # The counters take requests without a cap, which the API itself needs.
    return {"max_tokens": 1, **body, "stream": False} if "messages" in body else {**body, "stream": False}


def _own_count(body: Mapping[str, Any], api: Api) -> TokenCount | None:
    try:
        return count(body, api=api)
    except DiptychError:
        return None


async def _upstream_count(bridge: Bridge, body: Mapping[str, Any], own: TokenCount | None) -> tuple[int, str]:
    """Return the upstream's own count, else ours with its range. Raises RefusedError where there is neither."""
    try:
        return await bridge.client.count_tokens(body), "upstream"
    except ClientError as error:
        if own is None or own.tokens is None:
            text = f"nobody can count the tokens of {body.get('model')!r}: {error.message}"
            raise refuse(501, text, param="model", code="count_unknown", again=False) from None
    return own.tokens, own.basis


# health --------------------------------------------------------------------------------------------------


def live(_: Bridge) -> tuple[int, dict[str, Any]]:
    """Return that the process runs."""
    return 200, {"status": "ok"}


def ready(bridge: Bridge) -> tuple[int, dict[str, Any]]:
    """Return whether calls are taken: not while the bridge shuts down."""
    gate = bridge.gate
    counts = {"running": gate.running, "waiting": gate.waiting, "served": gate.served}
    return (200, {"status": "ok", **counts}) if gate.is_open else (503, {"status": "draining", **counts})


POSTS: Final[tuple[tuple[str, Api, Work], ...]] = (
    ("/v1/embeddings", "chat", pass_embeddings),
    (f"{FACES['anthropic'].path}/count_tokens", "anthropic", count_tokens),
    (f"{FACES['responses'].path}/input_tokens", "responses", count_tokens),
)
READS: Final[tuple[tuple[str, Work], ...]] = (
    ("/v1/models", list_models),
    ("/v1/models/{name:path}", show_model),
)
HEALTH: Final = (("/health", live), ("/health/live", live), ("/health/ready", ready))
