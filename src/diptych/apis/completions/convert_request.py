"""Request bodies from one API to the other.

Rule: every parameter goes by its row in :mod:`.parameters`; a body of the Completions
API with several prompts becomes several bodies; nothing is changed without a loss.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from ... import tokens
from ...catalogue import replacements as substitution
from ...conversion.registry import grammar_of
from ...errors import FormatError, TokenError
from ...format import Conversion, Reading
from ...loss import Loss, OnLoss, Verdict, settle, verdict_of
from ...text.marks import unknown_marks
from ...text.reading import read_text
from ...text.writing import write_text
from ..chat.messages import read_messages
from . import continuation
from .continuation import Way
from .parameters import PARAMETERS

Target = Literal["chat", "completions"]
#: The cap of Completions where none is given (API reference), which Chat does not have.
HIDDEN_CAP: Final = 16
#: Tokens that are asked for where Chat had no cap: Completions would stop after 16.
OPEN_CAP: Final = 4096
_MOST_STOPS: Final = 4
_BETWEEN: Final = "Write only the text that belongs between these two parts."
_MOST_LOGPROBS: Final = 5


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
        return [Conversion(dict(body), "lossless", (), to)]
    if to == "chat":
        return [
            _settled(c, on_loss) for c in _Completions(body, model, format or "auto", continuation, opt_in).converted()
        ]
    return [_settled(_chat_to_completions(body, model, format or "chatml"), on_loss)]


def _doubt(reading: Reading, path: str) -> Loss:
    """Return what is lost where a prompt has other readings, or marks that no format explains."""
    if unknown_marks(reading.conversation.messages[0].text) and reading.format == "plain":
        return Loss(path, "marker-in-content", reading.detail)
    return Loss(path, "split", f"read as {reading.format}; it could also be one message")


def _settled(found: Conversion, on_loss: OnLoss) -> Conversion:
    settle(found.losses, on_loss)
    return found


# Completions to Chat -------------------------------------------------------------------------


class _Completions:
    def __init__(
        self, body: Mapping[str, Any], model: str | None, format: str, way: Way | None, opt_in: Collection[str]
    ) -> None:
        self.body, self.format, self.way, self.opt_in = body, format, way, opt_in
        self.model = str(body.get("model", ""))
        self.losses: list[Loss] = []
        name, losses = substitution.chat_model(self.model, model)
        self.target = name
        self.losses += losses

    def converted(self) -> list[Conversion]:
        shared = self._parameters()
        prompts = self._prompts()
        if not prompts:
            settle([*self.losses, Loss("$.prompt", "unsupported", "there is no prompt")], "ignore")
        if len(prompts) > 1:
            self._lose("$.prompt", "split", f"{len(prompts)} prompts became as many requests")
        return [
            self._request(prompt, f"$.prompt[{i}]" if len(prompts) > 1 else "$.prompt", shared)
            for i, prompt in enumerate(prompts)
        ]

    def _request(self, prompt: str, path: str, shared: Mapping[str, Any]) -> Conversion:
        suffix = self.body.get("suffix")
        if suffix and "suffix" in self.opt_in:
            prompt = f"{_BETWEEN}\n\n<before>{prompt}</before>\n<after>{suffix}</after>"
        reading = read_text(prompt, "plain" if suffix else self.format)
        losses = [Loss(path, loss.kind, loss.detail) for loss in reading.losses]
        messages, flags = reading.messages, dict[str, Any]()
        if reading.conversation.cue == "continue":
            messages, flags, more = continuation.plan(messages, self.target, self.way)
            losses += more
        verdict: Verdict = "lossless"
        if reading.verdict == "ambiguous":
            verdict = "ambiguous"
            losses.append(_doubt(reading, path))
        stops, more = self._stops(reading.format)
        model = {"model": self.target} if "model" in self.body else {}
        body = {**model, "messages": messages, **shared, **stops, **flags}
        losses = [*self.losses, *losses, *more, *_refused(self.target, body)]
        verdict = verdict if verdict == "ambiguous" else verdict_of(losses)
        others = tuple(r.messages for r in reading.alternatives)
        return Conversion(body, verdict, tuple(losses), "chat", others, reading.detail)

    def _prompts(self) -> list[str]:
        prompt = self.body.get("prompt")
        if prompt is None:
            self._lose("$.prompt", "unsupported", "no prompt means <|endoftext|>, which no message can say")
            return []
        if isinstance(prompt, str):
            return [prompt]
        if not isinstance(prompt, list):
            raise FormatError("a prompt is text, token ids, or a list of either", path="$.prompt")
        if prompt and all(isinstance(token, int) for token in prompt):
            return [self._decoded(prompt, "$.prompt")]
        return [p if isinstance(p, str) else self._decoded(p, f"$.prompt[{i}]") for i, p in enumerate(prompt)]

    def _decoded(self, ids: Any, path: str) -> str:
        if not isinstance(ids, list) or not all(isinstance(token, int) for token in ids):
            raise FormatError("a prompt in a list is text or token ids", path=path)
        try:
            text = tokens.encoding_for_model(self.model).decode_bytes(ids).decode("utf-8")
        except (KeyError, UnicodeDecodeError, TokenError, OverflowError) as error:
            raise FormatError(f"the token ids are no text of {self.model}: {error}", path=path) from None
        self._lose(path, "reencoded", f"{len(ids)} token ids were decoded as {self.model} has them")
        return text

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters that do not depend on the prompt."""
        found: dict[str, Any] = {}
        for name, value in self.body.items():
            row = PARAMETERS.get(name)
            if row is None or row.to_chat == "same" or (row.to_chat == "absent" and name != "max_completion_tokens"):
                found[name] = value  # a server's own name, or one that only Chat knows: it stays
            elif row.to_chat == "refused" and value not in (None, ""):
                if name in self.opt_in:
                    self._lose(f"$.{name}", "substituted", "it became an instruction, as asked")
                else:
                    self._lose(f"$.{name}", "unsupported", row.note)
        self._cap(found)
        self._logprobs(found)
        self._echo()
        self._best_of(found)
        bias = self.body.get("logit_bias")
        if isinstance(bias, Mapping) and bias:
            found["logit_bias"] = rebias(bias, self.model, self.target, self.losses)
        return found

    def _cap(self, found: dict[str, Any]) -> None:
        cap = self.body.get("max_tokens", self.body.get("max_completion_tokens"))
        if cap is None:
            self._lose(
                "$.max_tokens", "defaulted", f"Completions stops after {HIDDEN_CAP} tokens where no cap is given"
            )
        elif cap == 0:
            self._lose("$.max_tokens", "unsupported", "0 tokens is scoring, which Chat cannot do")
        else:
            self._lose("$.max_tokens", "renamed", "max_completion_tokens; reasoning tokens count, too")
        found["max_completion_tokens"] = HIDDEN_CAP if cap is None else cap

    def _logprobs(self, found: dict[str, Any]) -> None:
        wanted = self.body.get("logprobs")
        if wanted is not None and wanted is not False:
            found["logprobs"] = True
            if not isinstance(wanted, bool):
                found["top_logprobs"] = wanted
            self._lose("$.logprobs", "renamed", "logprobs=true and top_logprobs")

    def _echo(self) -> None:
        if not self.body.get("echo"):
            return
        if self.body.get("logprobs") is not None:
            self._lose("$.echo", "unsupported", "echo with logprobs is scoring, which Chat cannot do")
        else:
            self._lose("$.echo", "synthesised", "convert_response puts the prompt before the text")

    def _best_of(self, found: dict[str, Any]) -> None:
        best, n = self.body.get("best_of"), self.body.get("n") or 1
        if best is None or best in (1, n):
            return
        if "best_of" in self.opt_in:
            found |= {"n": best, "logprobs": True}
            self._lose("$.best_of", "substituted", f"{best} choices are asked for and ranked by convert_response")
        else:
            self._lose("$.best_of", "unsupported", PARAMETERS["best_of"].note)

    def _stops(self, format: str) -> tuple[dict[str, Any], list[Loss]]:
        """Return the stops that still mean something: those that were only role markers do not."""
        stop = self.body.get("stop")
        given = [stop] if isinstance(stop, str) else list(stop or [])
        marks = {mark.strip() for mark in role_marks(format)} - {""}
        kept = [mark for mark in given if mark.strip() not in marks]
        if not given:
            return {}, []
        losses = [
            Loss("$.stop", "defaulted", f"{mark!r} marked the next turn, which Chat ends by itself")
            for mark in given
            if mark not in kept
        ]
        if not kept:
            return {}, losses
        return {"stop": kept[0] if isinstance(stop, str) else kept}, losses

    def _lose(self, path: str, kind: str, detail: str) -> None:
        self.losses.append(Loss(path, kind, detail))


def role_marks(format: str) -> list[str]:
    """Return the marks of a text format that only say whose turn it is.

    >>> role_marks("chatml")[0]
    '<|im_end|>'
    """
    grammar = grammar_of(format)
    if grammar.plain:
        return []
    labels = [f"{label}{grammar.label_ends}" for label in grammar.labels]
    return [*grammar.stop, *labels, *(turn.open for turn in grammar.turns.values())]


def _refused(model: str, body: Mapping[str, Any]) -> list[Loss]:
    """Return a loss for each parameter of the body that its model is known to refuse."""
    names = [name for name, value in body.items() if substitution.is_asked(name, value)]
    said = substitution.refused_parameters(model, names)
    return [Loss(f"$.{name}", "model-refuses", detail) for name, detail in said.items()]


# Chat to Completions ---------------------------------------------------------------------------


def _chat_to_completions(body: Mapping[str, Any], model: str | None, format: str) -> Conversion:
    losses: list[Loss] = []
    messages = body.get("messages")
    conversation = read_messages(messages)
    begun = bool(conversation.messages) and conversation.messages[-1].role == "assistant"
    writing = write_text(conversation, format, add_generation_prompt=not begun)
    text = writing.text
    if begun:
        close = grammar_of(format).turns.get("assistant", grammar_of(format).turns["user"]).close
        text = text[: len(text) - len(close)] if close and text.endswith(close) else text
    losses += [Loss(loss.path if loss.path != "$" else "$.messages", loss.kind, loss.detail) for loss in writing.losses]
    source, target = str(body.get("model", "")), model or str(body.get("model", ""))
    if source != target:
        losses.append(Loss("$.model", "substituted", f"{source} became {target}, as asked"))
    found: dict[str, Any] = {"model": target} if target else {}
    found["prompt"] = text
    for name, value in body.items():
        _to_completions(name, value, found, losses)
    _completions_cap(body, found, losses)
    _completions_logprobs(body, found, losses)
    _completions_stops(body, writing.stop, found, losses)
    if isinstance(body.get("logit_bias"), Mapping) and body["logit_bias"]:
        found["logit_bias"] = rebias(body["logit_bias"], source, target, losses)
    if body.get("safety_identifier") and "user" not in found:
        found["user"] = body["safety_identifier"]
        losses.append(Loss("$.safety_identifier", "renamed", "user"))
    return Conversion(found, verdict_of(losses), tuple(losses), "completions")


def _to_completions(name: str, value: Any, found: dict[str, Any], losses: list[Loss]) -> None:
    row = PARAMETERS.get(name)
    if row is None or row.to_completions == "same" or (row.to_completions == "absent" and name != "messages"):
        found[name] = value
    elif value in (None, [], {}):
        return
    elif row.to_completions == "refused" and not (name == "tool_choice" and value == "none"):
        losses.append(Loss(f"$.{name}", "unsupported", row.note))
    elif row.to_completions == "dropped":
        losses.append(Loss(f"$.{name}", "parameter-dropped", row.note or "Completions does not have it"))
    elif name == "response_format" and value.get("type") != "text":
        losses.append(Loss("$.response_format", "schema-dropped", row.note))
    elif name == "modalities" and value != ["text"]:
        losses.append(Loss("$.modalities", "unsupported", row.note))


def _completions_cap(body: Mapping[str, Any], found: dict[str, Any], losses: list[Loss]) -> None:
    cap = body.get("max_completion_tokens")
    cap = body.get("max_tokens") if cap is None else cap
    if cap is None:
        found["max_tokens"] = OPEN_CAP
        losses.append(
            Loss("$.max_tokens", "clamped", f"no cap became {OPEN_CAP}; Completions would stop after 16 tokens")
        )
        return
    found["max_tokens"] = cap
    if "max_completion_tokens" in body:
        losses.append(Loss("$.max_completion_tokens", "renamed", "max_tokens"))


def _completions_logprobs(body: Mapping[str, Any], found: dict[str, Any], losses: list[Loss]) -> None:
    if not body.get("logprobs"):
        return
    wanted = body.get("top_logprobs") or 0
    found["logprobs"] = min(wanted, _MOST_LOGPROBS)
    losses.append(Loss("$.logprobs", "renamed", "logprobs=k"))
    if wanted > _MOST_LOGPROBS:
        losses.append(Loss("$.top_logprobs", "clamped", f"{wanted} became {_MOST_LOGPROBS}"))


def _completions_stops(
    body: Mapping[str, Any], own: tuple[str, ...], found: dict[str, Any], losses: list[Loss]
) -> None:
    stop = body.get("stop")
    given = [stop] if isinstance(stop, str) else list(stop or [])
    more = [mark for mark in own if mark not in given]
    room = _MOST_STOPS - len(given)
    if more and room <= 0:
        losses.append(Loss("$.stop", "unsupported", f"{len(given)} stops leave no room for the end of a turn"))
    added = more[: max(0, room)]
    if added and len(added) < len(more):
        left = ", ".join(map(repr, more[len(added) :]))
        losses.append(Loss("$.stop", "parameter-dropped", f"no room among 4 stops for {left}"))
    if added:
        losses.append(Loss("$.stop", "synthesised", f"ends of turns: {', '.join(map(repr, added))}"))
    if given or added:
        found["stop"] = [*given, *added]


# tokens ----------------------------------------------------------------------------------------


def rebias(bias: Mapping[str, Any], source: str, target: str, losses: list[Loss]) -> dict[str, Any]:
    """Return a ``logit_bias`` with its ids as the target's encoding has them.

    An id that is no single token there is refused. Between models whose encodings are the
    same, or one and unknown, ids stay.
    """
    before, after = tokens.model_info(source).encoding, tokens.model_info(target).encoding
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
            piece = tokens.encoding(before).decode_single_token_bytes(int(id_))
            ids = tokens.encode_text(piece.decode("utf-8"), encoding_name=after)
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
