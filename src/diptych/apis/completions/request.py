"""A Completions request body and the neutral request.

Rule: the prompt is read as a text format; parameters get the neutral names, which are Chat's,
by their row in :mod:`.parameters`; several prompts are as many requests. What Completions does
and no other API (echo, suffix, best_of, the hidden cap) is said where it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from ...encodings.encoding import encoding_for_model
from ...errors import FormatError, TokenError
from ...format import Reading
from ...loss import Loss
from ...model import FrozenMap
from ...request import Request
from ...text.marks import unknown_marks
from ...text.reading import read_text
from ...text.registry import grammar_of
from ...text.writing import write_text
from ..chat.request import chat_params
from .body import completions_body_of
from .parameters import PARAMETERS

#: The cap of Completions where none is given (API reference), which Chat does not have.
HIDDEN_CAP: Final = 16
#: Tokens that are asked for where Chat had no cap: Completions would stop after 16.
OPEN_CAP: Final = 4096
_BETWEEN: Final = "Write only the text that belongs between these two parts."


class PromptRequest(NamedTuple):
    """A request read from one prompt: what was lost, and how the prompt was read."""

    request: Request
    reading: Reading
    losses: tuple[Loss, ...]


def read_requests(
    body: Mapping[str, Any], *, format: str = "auto", opt_in: Collection[str] = ()
) -> list[PromptRequest]:
    """Read a Completions body: one request per prompt.

    ``format`` is the text format of the prompts. ``opt_in`` may name ``suffix`` (it becomes an
    instruction) and ``best_of`` (so many choices are asked for). Raises FormatError for a prompt
    that is malformed; a parameter that has no neutral meaning is a loss.

    >>> read_requests({"model": "m", "prompt": "Hi", "max_tokens": 5})[0].request.params["max_completion_tokens"]
    5
    """
    return _Body(body, format, opt_in).requests()


def write_request(request: Request, *, format: str = "chatml") -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the Completions body of a request: its messages in a text format, and what that loses.

    >>> from diptych.model import Conversation, Message
    >>> hello = Conversation((Message("user", "Hi"),))
    >>> write_request(Request(hello, model="m", params={"max_tokens": 5}), format="plain")[0]
    {'model': 'm', 'prompt': 'Hi', 'max_tokens': 5}
    """
    conversation = request.conversation
    begun = bool(conversation.messages) and conversation.messages[-1].role == "assistant"
    writing = write_text(conversation, format, add_generation_prompt=not begun)
    text = writing.text
    if begun:
        turns = grammar_of(format).turns
        close = turns.get("assistant", turns["user"]).close
        text = text[: len(text) - len(close)] if close and text.endswith(close) else text
    # That a text has no tools and no schema is said by the body's own losses.
    written = [_of_messages(loss) for loss in writing.losses if loss.path not in ("$.tools", "$.response_format")]
    body = {**({} if request.model is None else {"model": request.model}), **chat_params(request)}
    found, losses = completions_body_of(body, text, writing.stop, open_cap=OPEN_CAP)
    return found, (*written, *losses)


def _of_messages(loss: Loss) -> Loss:
    return loss._replace(path="$.messages") if loss.path == "$" else loss


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


class _Body:
    def __init__(self, body: Mapping[str, Any], format: str, opt_in: Collection[str]) -> None:
        self.body, self.format, self.opt_in = body, format, opt_in
        self.model = str(body.get("model", ""))
        self.losses: list[Loss] = []

    def requests(self) -> list[PromptRequest]:
        shared = self._parameters()
        prompts = self._prompts()
        if len(prompts) > 1:
            self._lose("$.prompt", "split", f"{len(prompts)} prompts became as many requests")
        if not prompts:
            return [PromptRequest(Request(_NOTHING.conversation), _NOTHING, tuple(self.losses))]
        return [
            self._request(prompt, f"$.prompt[{i}]" if len(prompts) > 1 else "$.prompt", shared)
            for i, prompt in enumerate(prompts)
        ]

    def _request(self, prompt: str, path: str, shared: Mapping[str, Any]) -> PromptRequest:
        suffix = self.body.get("suffix")
        if suffix and "suffix" in self.opt_in:
            prompt = f"{_BETWEEN}\n\n<before>{prompt}</before>\n<after>{suffix}</after>"
        reading = read_text(prompt, "plain" if suffix else self.format)
        losses = [Loss(path, loss.kind, loss.detail) for loss in reading.losses]
        # Who asks for one message as it stands has decided what speaker labels are.
        is_decided = self.format == "plain" and not unknown_marks(prompt)
        if reading.verdict == "ambiguous" and not is_decided:
            losses.append(_doubt(reading, path))
        stops, more = self._stops(reading.format)
        name = self.model if "model" in self.body else None
        request = Request(reading.conversation, model=name, params=FrozenMap({**shared, **stops}))
        return PromptRequest(request, reading, (*self.losses, *losses, *more))

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
            text = encoding_for_model(self.model).decode_bytes(ids).decode("utf-8")
        except (KeyError, UnicodeDecodeError, TokenError, OverflowError) as error:
            raise FormatError(f"the token ids are no text of {self.model}: {error}", path=path) from None
        self._lose(path, "reencoded", f"{len(ids)} token ids were decoded as {self.model} has them")
        return text

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters that do not depend on the prompt."""
        found: dict[str, Any] = {}
        for name, value in self.body.items():
            row = PARAMETERS.get(name)
            if name == "model" or name == "max_completion_tokens":
                continue
            if row is None or row.to_chat in ("same", "absent"):
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
        if isinstance(self.body.get("logit_bias"), Mapping) and self.body["logit_bias"]:
            found["logit_bias"] = self.body["logit_bias"]
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


#: What a body without a prompt is read as: its losses refuse it.
_NOTHING: Final = read_text("", "plain")


def _doubt(reading: Reading, path: str) -> Loss:
    """Return what is lost where a prompt has other readings, or marks that no format explains."""
    if unknown_marks(reading.conversation.messages[0].text) and reading.format == "plain":
        return Loss(path, "marker-in-content", reading.detail)
    return Loss(path, "split", f"read as {reading.format}; it could also be one message")
