"""Request bodies from one API to the other: read into the neutral request, written out of it.

Rule: every parameter goes by its row in :mod:`.parameters`; a body of the Completions
API with several prompts becomes several bodies; nothing is changed without a loss.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from ...catalogue import replacements as substitution
from ...catalogue.models import model_info
from ...encodings.encoding import encoding
from ...encodings.text import encode_text
from ...errors import FormatError
from ...format import Conversion
from ...loss import Loss, verdict_of
from ...policy import OnLoss, settle
from ..chat import request as chat
from ..chat.rules import RULES as CHAT_RULES
from . import continuation
from .continuation import Way
from .request import PromptRequest, read_requests, write_request
from .rules import RULES

Target = Literal["chat", "completions"]
_RULES: Final = {"chat": CHAT_RULES, "completions": RULES}


def convert_request(
    body: Mapping[str, Any],
    *,
    to: Target,
    on_loss: OnLoss = "raise",
    model: str | None = None,
    format: str | None = None,
    continuation: Way | None = None,
    opt_in: Collection[str] = (),
) -> list[Conversion]:
    """Convert a request body to the other API: one body, or one a prompt.

    ``format`` is the text format of the prompt (to Chat ``auto`` by default, to Completions
    ``chatml``); ``model`` the model to ask instead; ``continuation`` how a begun reply is gone
    on with. ``opt_in`` may name ``suffix`` (it becomes an instruction) and ``best_of`` (that many
    choices are asked for, and ``convert_response`` ranks them). Raises LossError as ``on_loss``
    says, and always for what would change the task; FormatError for what is no body.

    >>> convert_request({"model": "m", "prompt": "Hi", "max_tokens": 5}, to="chat")[0].output["messages"]
    [{'role': 'user', 'content': 'Hi'}]
    """
    if to not in ("chat", "completions"):
        raise FormatError(f"there is no API {to!r}", hint="to='chat' or to='completions'")
    if not isinstance(body, Mapping):
        raise FormatError(f"a body is an object, not {type(body).__name__}", path="$")
    if "messages" in body and "prompt" in body:
        raise FormatError("a body has messages or a prompt, not both", path="$")
    if ("messages" in body) == (to == "chat") and ("prompt" in body) == (to == "completions"):
        broken = _RULES[to].breaches(body)
        return [_settled(Conversion(dict(body), verdict_of(broken), broken, to), on_loss)]
    if to == "chat":
        read = read_requests(body, format=format or "auto", opt_in=opt_in)
        return [_settled(_to_chat(body, one, model, continuation), on_loss) for one in read]
    return [_settled(_to_completions(body, model, format or "chatml"), on_loss)]


def _settled(found: Conversion, on_loss: OnLoss) -> Conversion:
    settle(found.losses, on_loss)
    return found


def _to_chat(body: Mapping[str, Any], read: PromptRequest, asked: str | None, way: Way | None) -> Conversion:
    source, reading = str(body.get("model", "")), read.reading
    target, losses = substitution.chat_model(source, asked)
    output = chat.write_request(read.request)
    if "model" in output:
        output["model"] = target
    if "logit_bias" in output:
        output["logit_bias"] = rebias(output["logit_bias"], source, target, losses)
    if reading.conversation.cue == "continue":
        output["messages"], flags, more = continuation.plan(output["messages"], target, way)
        output |= flags
        losses += more
    losses = [*losses, *read.losses, *_refused(target, output), *_broken(output)]
    verdict = "ambiguous" if reading.verdict == "ambiguous" else verdict_of(losses)
    others = tuple(other.messages for other in reading.alternatives)
    return Conversion(output, verdict, tuple(losses), "chat", others, reading.detail)


def _refused(model: str, body: Mapping[str, Any]) -> list[Loss]:
    """Return a loss for each parameter of the body that its model is known to refuse."""
    names = [name for name, value in body.items() if substitution.is_asked(name, value)]
    said = substitution.refusals(model, names, reasoning_effort=body.get("reasoning_effort"))
    return [Loss(f"$.{name}", "model-refuses", detail) for name, detail in said.items()]


def _broken(body: Mapping[str, Any]) -> list[Loss]:
    """Return the rules of Chat's server that a body breaks whose messages were a prompt."""
    found = CHAT_RULES.breaches(body)
    return [loss._replace(path="$.prompt") if loss.path.startswith("$.messages") else loss for loss in found]


def _to_completions(body: Mapping[str, Any], asked: str | None, format: str) -> Conversion:
    output, lost = write_request(chat.read_request(body), format=format)
    losses = tuple(_spelt(loss, body) for loss in lost)
    source, target = str(body.get("model", "")), asked or str(body.get("model", ""))
    more: list[Loss] = []
    if source != target:
        more.append(Loss("$.model", "substituted", f"{source} became {target}, as asked"))
        output = {"model": target, **{name: value for name, value in output.items() if name != "model"}}
    if isinstance(body.get("logit_bias"), Mapping) and body["logit_bias"]:
        output["logit_bias"] = rebias(body["logit_bias"], source, target, more)
    losses = (*losses, *more)
    return Conversion(output, verdict_of(losses), losses, "completions")


def _spelt(loss: Loss, body: Mapping[str, Any]) -> Loss:
    """Return a loss of a call with the name of 2023 where the message has that."""
    found = re.fullmatch(r"\$\.messages\[(\d+)\]\.tool_calls", loss.path)
    is_old = found is not None and "function_call" in body["messages"][int(found[1])]
    return loss._replace(path=loss.path.replace("tool_calls", "function_call")) if is_old else loss


# tokens ----------------------------------------------------------------------------------------


def rebias(bias: Mapping[str, Any], source: str, target: str, losses: list[Loss]) -> dict[str, Any]:
    """Return a ``logit_bias`` with its ids as the target's encoding has them.

    An id that is no single token there is refused. Between models whose encodings are the
    same, or one and unknown, ids stay.
    """
    before, after = model_info(source).encoding, model_info(target).encoding
    if before == after or source == target:
        return dict(bias)
    if before is None or after is None:
        losses.append(
            Loss("$.logit_bias", "unsupported", f"the encoding of {source if before is None else target} is unknown")
        )
        return {}
    found: dict[str, Any] = {}
    for id_, value in bias.items():
        path = f"$.logit_bias.{id_}"
        try:
            piece = encoding(before).decode_single_token_bytes(int(id_))
            ids = encode_text(piece.decode("utf-8"), encoding_name=after)
        except (KeyError, ValueError, OverflowError):
            losses.append(Loss(path, "unsupported", f"no text of {source}"))
            continue
        if len(ids) != 1:
            losses.append(Loss(path, "unsupported", f"{piece.decode()!r} is {len(ids)} tokens of {target}"))
            continue
        found[str(ids[0])] = value
        if str(ids[0]) != str(id_):
            losses.append(Loss(path, "reencoded", f"{id_} became {ids[0]}"))
    return found
