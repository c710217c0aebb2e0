"""What a request becomes before a model sees it, and what a model's raw reply becomes.

``/render`` answers with the text, the token ids and the spans (who wrote which characters) of a request, and the body
that goes upstream; ``/derender`` is its inverse: token ids or a text become an answer in the API that was called.

Rule: nothing is generated. The text is written by the format or chat template that the bridge was given, else by
the upstream itself (llama.cpp and vLLM can say it); where nobody can, that is an error, not a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..apis.between import conversation_of
from ..apis.responses.settings import with_settings
from ..client.requests import Ask
from ..conversion.registry import get
from ..conversion.responses import answers_of
from ..encodings.encoding import encoding_for_model
from ..encodings.text import token_ids
from ..errors import ApiError, ClientError, TokenError
from ..format import Writing
from ..model import Conversation, Segment, Span
from ..response import Response, ResponseChoice, Usage
from ..text.derived_writing import write_template
from ..text.replies import read_reply
from ..text.writing import write_text
from .doors import Visit, Work
from .policy import OWN, signalled
from .refusals import refuse
from .settings import Settings

_NO_SPANS: Final = "the upstream rendered the text and does not say who wrote what"
_NO_FORMAT: Final = "nobody says how the model sees a request: start the bridge with --render-format"


class Shown(NamedTuple):
    """A rendered prompt; what is not known is None, and ``unknown`` says why."""

    text: str
    ids: list[int] | None
    spans: tuple[Span, ...] | None
    stop: tuple[str, ...]
    unknown: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields of an answer."""
        spans = None if self.spans is None else [span._asdict() for span in self.spans]
        found = {"text": self.text, "token_ids": self.ids, "spans": spans, "stop": list(self.stop)}
        return found | ({"unknown": self.unknown} if self.unknown else {})


# requests ------------------------------------------------------------------------------------------------


async def render(visit: Visit, body: Any) -> None:
    """Answer with what a request becomes: an object, or a list of them for several prompts."""
    plan = visit.tally.plan = await visit.bridge.plan(visit.face, body)
    visit.tally.signal = plan.signal
    found = []
    for ask in plan.asks:
        shown = await _shown(visit, ask)
        found.append({"object": "render", "model": plan.model, **shown.to_json(), "request": ask.body})
    said = {OWN: plan.signal.body()} if plan.signal.losses else {}
    is_list = isinstance(plan.body.get("prompt"), list) and len(found) > 1
    await visit.answer(200, {"object": "list", "data": found, **said} if is_list else {**found[0], **said})


async def _shown(visit: Visit, ask: Ask) -> Shown:
    settings, model = visit.bridge.settings, str(ask.body.get("model"))
    if ask.api == "completions":
        return _of_prompt(ask.body.get("prompt"), model)
    if settings.chat_template is None and settings.render_format is None:
        return await _seen(visit, ask)
    conversation, _ = conversation_of(ask.body, get(ask.api, "api"))
    return _written(written(conversation, settings), model)


def written(conversation: Conversation, settings: Settings) -> Writing:
    """Return a conversation as the format or the chat template of the bridge writes it."""
    opens = conversation.cue != "continue"
    if settings.chat_template is not None:
        return write_template(conversation, settings.chat_template, add_generation_prompt=opens)
    return write_text(conversation, settings.render_format or "chatml", add_generation_prompt=opens)


def _written(writing: Writing, model: str) -> Shown:
    text = writing.text
    segments = [Segment(text[span.start : span.end], span.source) for span in writing.spans]
    try:
        return Shown(text, token_ids(segments, model=model), tuple(writing.spans), writing.stop)
    except TokenError as error:
        return Shown(text, None, tuple(writing.spans), writing.stop, error.message)


def _of_prompt(prompt: Any, model: str) -> Shown:
    """Return a prompt that goes upstream as it is: all of it is the client's."""
    try:
        if isinstance(prompt, list):
            text = encoding_for_model(model).decode(prompt)
            return Shown(text, prompt, (Span(0, len(text), "data"),), ())
        return _written(Writing(str(prompt), spans=(Span(0, len(str(prompt)), "data"),)), model)
    except (KeyError, TypeError, OverflowError) as error:
        raise refuse(400, f"the prompt is neither a text nor the token ids of one: {error}", param="prompt") from None


async def _seen(visit: Visit, ask: Ask) -> Shown:
    if ask.api != "chat":
        raise refuse(501, _NO_FORMAT, code="render_unknown", again=False)
    try:
        seen = await visit.bridge.client.seen(ask.body)
    except ApiError as error:
        if error.status not in (404, 405, 501):
            raise
        raise refuse(501, _NO_FORMAT, code="render_unknown", again=False) from None
    except ClientError as error:
        raise refuse(501, f"{_NO_FORMAT} ({error.message})", code="render_unknown", again=False) from None
    return Shown(seen.text, seen.token_ids, None, (), _NO_SPANS)


# replies -------------------------------------------------------------------------------------------------


async def derender(visit: Visit, body: Any) -> None:
    """Answer with what a model's raw reply (``text`` or ``token_ids``) is in the API that was called.

    ``prompt`` is the text that the model was given, or its end; ``request`` the request that it was made of, in
    its place; ``finish_reason`` why the reply ended; ``prompt_tokens`` how many tokens went before it.
    """
    if not isinstance(body, Mapping):
        raise refuse(400, "the body is not a JSON object", again=False)
    model = visit.bridge.settings.model_for(body.get("model")) or ""
    text, ids = _raw(body, model)
    prefix = await _prefix(visit, body)
    reading = read_reply(text, format=_format(visit.bridge.settings), prefix=prefix, tools=_tools(body))
    message = reading.conversation.messages[-1]
    end = body.get("finish_reason") or ("tool_calls" if message.tool_calls else "stop")
    choice = ResponseChoice(message, str(end))
    response = Response((choice,), _usage(body, ids), model=model, id=visit.id, created=0)
    output, losses = answers_of(visit.face.api).write_response(response)
    if visit.face.api == "responses":
        output = with_settings(output, body.get("request") or {}, now=0)
    signal = visit.tally.signal = signalled([*reading.losses, *losses])
    await visit.answer(200, {**output, **({OWN: signal.body()} if signal.losses else {})})


def _raw(body: Mapping[str, Any], model: str) -> tuple[str, list[int] | None]:
    text, ids = body.get("text"), body.get("token_ids")
    if isinstance(text, str):
        return text, None
    if not isinstance(ids, list) or not ids or not all(type(one) is int for one in ids):
        raise refuse(400, "a raw reply is a text or token ids", param="token_ids", again=False)
    try:
        return encoding_for_model(model).decode(ids), ids
    except (TokenError, KeyError, OverflowError) as error:
        raise refuse(400, f"the token ids are no text of {model!r}: {error}", param="token_ids", again=False) from None


async def _prefix(visit: Visit, body: Mapping[str, Any]) -> str:
    if isinstance(body.get("prompt"), str):
        return str(body["prompt"])
    if not isinstance(request := body.get("request"), Mapping):
        raise refuse(400, "a reply is read after its prompt: give prompt or request", param="prompt", again=False)
    plan = await visit.bridge.plan(visit.face, {"model": body.get("model"), **request})
    return (await _shown(visit, plan.asks[0])).text


def _format(settings: Settings) -> Any:
    if settings.chat_template is None and settings.render_format is None:
        raise refuse(501, _NO_FORMAT, code="render_unknown", again=False)
    return settings.chat_template or settings.render_format


def _tools(body: Mapping[str, Any]) -> list[Any] | None:
    request = body.get("request")
    tools = request.get("tools") if isinstance(request, Mapping) else None
    return tools if isinstance(tools, list) else None


def _usage(body: Mapping[str, Any], ids: list[int] | None) -> Usage | None:
    before = body.get("prompt_tokens")
    return Usage(before, len(ids)) if type(before) is int and ids is not None else None


#: What stands under the path of each API.
WORKS: Final[dict[str, Work]] = {"render": render, "derender": derender}
