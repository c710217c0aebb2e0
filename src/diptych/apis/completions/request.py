"""OpenAI Completions: the ``prompt`` of a ``/v1/completions`` body.

- ``prompt`` is a text: it is read by the text formats, and written as ChatML with its stop list
- a text stays as it stands, whatever its format: converted to ``completions`` it is the ``prompt``
- ``max_tokens`` is the neutral cap: its hidden default of 16 is written out on the way to another API,
  and where a source has no cap, 4096 is asked for (``clamped``)
- ``logprobs=k`` is ``logprobs`` with ``top_logprobs=k``, at most 5; ``user`` is also the safety identifier
- ``echo`` is what ``convert_response`` does (``synthesised``); with ``logprobs`` it is scoring, which no chat
  does, and refused; ``suffix`` and ``best_of`` have no place (``parameter-dropped``)
- tools, schemas and what else Completions lacks is reported; a parameter that only one server knows stays
- several prompts in one body are several requests, and prompts of token ids belong to a model: both
  are left to ``convert_request``
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Final

from ...encodings.encoding import encoding_for_model
from ...errors import FormatError, TokenError
from ...format import Format, Reading, Wire, Writing
from ...loss import Loss
from ...model import EMPTY, Conversation, FrozenMap, Message
from ...request import Request
from ...text.grammar import Grammar
from ...text.marks import unknown_marks
from ...text.reading import read_text
from ...text.registry import grammar_of
from ...text.writing import write_text
from .. import api
from ..api import NAMES, Api, Reader, Writer
from ..chat.request import held
from ..detection import detector
from ..fields import NOTE, Field, Kind
from ..formats import format_of
from ..ledger import Ledger
from .rules import RULES
from .tables import ALONE, HIDDEN_CAP, LACKS, MOST_LOGPROBS, MOST_STOPS, OPEN_CAP, PARAMS, PARTS

#: The ends of turns of the text that was written.
_ENDS: Final = f"{NOTE}ends"
_BETWEEN: Final = "Write only the text that belongs between these two parts."
#: A value of a prompt: whatever it says stands in the prompt.
_IN_PROMPT: Final = Kind(
    Message,
    tuple(Field("", name) for name in {*chain(*NAMES.values()), "role", "content", "tool_call_id", "is_error"}),
)

# reading -----------------------------------------------------------------------------------------


def _read_messages(reader: Reader, body: dict[str, Any], format: str = "auto") -> Conversation:
    prompt, ledger = body.pop("prompt", None), reader.ledger
    if not isinstance(prompt, str):
        hint = "convert_request takes several prompts, and token ids"
        raise FormatError(f"a prompt is one text here, not {type(prompt).__name__}", path="$.prompt", hint=hint)
    reading = ledger.reading = read_text(prompt, format)
    for loss in (*reading.losses, *_doubts(prompt, reading, format)):
        ledger.report("$.prompt", loss.kind, loss.detail)
    for message in reading.conversation.messages:
        ledger.at(message, "$.prompt", _IN_PROMPT)
        for part in () if message.is_plain else message.parts:
            ledger.at(part, "$.prompt", _IN_PROMPT)
    for tool in reading.conversation.tools:
        ledger.at(tool, "$.prompt", _IN_PROMPT)
    return reading.conversation


def _doubts(prompt: str, reading: Reading, format: str) -> Iterator[Loss]:
    """Yield what is lost where a prompt has other readings, or marks that no format explains."""
    # Who asks for one message as it stands has decided what speaker labels are.
    if reading.verdict != "ambiguous" or (format == "plain" and not unknown_marks(prompt)):
        return
    if reading.format == "plain" and unknown_marks(reading.conversation.messages[0].text):
        yield Loss("$.prompt", "marker-in-content", reading.detail)
    else:
        yield Loss("$.prompt", "split", f"read as {reading.format}; it could also be one message")


def split(body: Mapping[str, Any], opt_in: Collection[str] = ()) -> Iterator[tuple[dict[str, Any], Ledger]]:
    """Yield a body per prompt, each a text, with the ledger of its places and losses.

    ``opt_in`` may name ``suffix`` (it becomes an instruction) and ``best_of`` (so many choices are asked
    for). Raises FormatError for a prompt that is neither text nor the token ids of one.

    >>> [one["prompt"] for one, _ in split({"model": "m", "prompt": ["a", "b"]})]
    ['a', 'b']
    """
    prompt = body.get("prompt")
    if prompt is not None and not isinstance(prompt, str | list):
        raise FormatError("a prompt is text, token ids, or a list of either", path="$.prompt")
    is_list = isinstance(prompt, list) and not (prompt and all(isinstance(token, int) for token in prompt))
    prompts = (prompt or [None]) if is_list else [prompt]
    for index, one in enumerate(prompts):
        ledger = Ledger()
        if len(prompts) > 1:
            ledger.report("$.prompt", "split", f"{len(prompts)} prompts became as many requests")
        if is_list and prompt:
            ledger.moved["$.prompt"] = f"$.prompt[{index}]"
        text = _text(one, str(body.get("model", "")), ledger, f"$.prompt[{index}]" if is_list else "$.prompt")
        yield _opted({**body, "prompt": text}, opt_in, ledger), ledger


def _text(prompt: Any, model: str, ledger: Ledger, path: str) -> str:
    if isinstance(prompt, str):
        return prompt
    if prompt is None:
        ledger.report("$.prompt", "unsupported", "no prompt means <|endoftext|>, which no message can say")
        return ""
    if not isinstance(prompt, list) or not all(isinstance(token, int) for token in prompt):
        raise FormatError("a prompt in a list is text or token ids", path=path)
    try:
        text = encoding_for_model(model).decode_bytes(prompt).decode("utf-8")
    except (KeyError, UnicodeDecodeError, TokenError, OverflowError) as error:
        raise FormatError(f"the token ids are no text of {model}: {error}", path=path) from None
    ledger.report("$.prompt", "reencoded", f"{len(prompt)} token ids were decoded as {model} has them")
    return text


def _opted(body: dict[str, Any], opt_in: Collection[str], ledger: Ledger) -> dict[str, Any]:
    """Return a body in which what was opted into is said in another way."""
    if body.get("suffix") and "suffix" in opt_in:
        before, after = body["prompt"], body.pop("suffix")
        body["prompt"] = f"{_BETWEEN}\n\n<before>{before}</before>\n<after>{after}</after>"
        ledger.report("$.suffix", "substituted", "it became an instruction, as asked")
    if "best_of" in opt_in and (best := body.get("best_of")) not in (None, 1, body.get("n") or 1):
        del body["best_of"]
        body |= {"n": best, "logprobs": body.get("logprobs") or True}
        ledger.report("$.best_of", "substituted", f"{best} choices are asked for and ranked by convert_response")
    return body


def insertion(body: Mapping[str, Any], opt_in: Collection[str] = ()) -> list[Loss]:
    """Return why a ``suffix`` is refused where nobody is there to accept the loss of it, nothing where it may go.

    >>> [loss.kind for loss in insertion({"prompt": "a", "suffix": "b"})], insertion({"suffix": "b"}, {"suffix"})
    (['unsupported'], [])
    """
    is_asked = body.get("suffix") and "suffix" not in opt_in
    return [Loss("$.suffix", "unsupported", ALONE["suffix"][1])] if is_asked else []


# leaving -----------------------------------------------------------------------------------------


def leave(request: Request, ledger: Ledger) -> Request:
    """Return a request that says what Completions means by default, and nothing that it has alone."""
    params, own = dict(request.params), dict(request.native.get("completions", EMPTY))
    params["max_completion_tokens"] = _cap(params.get("max_completion_tokens"), ledger)
    if "top_logprobs" in params:
        params["logprobs"] = True
        ledger.report("$.logprobs", "renamed", "logprobs and top_logprobs")
    for name, (kind, why) in ALONE.items():
        value = own.pop(name, None)
        if not value or (name == "best_of" and value == (params.get("n") or 1)):
            continue
        if name == "echo" and "logprobs" in params:
            kind, why = "unsupported", "echo with logprobs is scoring, which no chat does"
        ledger.report(f"$.{name}", kind, why)
    params |= _stops(params.pop("stop", None), ledger)
    native = FrozenMap({"completions": FrozenMap(own)}) if own else EMPTY
    return request.replace(params=params, native=native)


def _cap(cap: Any, ledger: Ledger) -> Any:
    if cap is None:
        ledger.report("$.max_tokens", "defaulted", f"Completions stops after {HIDDEN_CAP} tokens where no cap is given")
    elif cap == 0:
        ledger.report("$.max_tokens", "unsupported", "0 tokens is scoring, which no chat does")
    else:
        ledger.report("$.max_tokens", "renamed", "max_completion_tokens; reasoning tokens count, too")
    return HIDDEN_CAP if cap is None else cap


def _stops(stop: Any, ledger: Ledger) -> dict[str, Any]:
    """Return the stops that still mean something: those that were only role markers do not."""
    marks = _bare_marks(grammar_of(ledger.reading.format)) if ledger.reading else frozenset[str]()
    given = [stop] if isinstance(stop, str) else list(stop or ())
    kept = [mark for mark in given if not isinstance(mark, str) or mark.strip() not in marks]
    for mark in given:
        if mark not in kept:
            ledger.report("$.stop", "defaulted", f"{mark!r} marked the next turn, which a chat ends by itself")
    return {"stop": stop if len(kept) == len(given) else tuple(kept)} if kept else {}


def role_marks(format: str) -> list[str]:
    """Return the marks of a text format that only say whose turn it is.

    >>> role_marks("chatml")[0]
    '<|im_end|>'
    """
    return _role_marks(grammar_of(format))


def _role_marks(grammar: Grammar) -> list[str]:
    if grammar.plain:
        return []
    labels = [f"{label}{grammar.label_ends}" for label in grammar.labels]
    return [*grammar.stop, *labels, *(turn.open for turn in grammar.turns.values())]


@lru_cache(maxsize=64)
def _bare_marks(grammar: Grammar) -> frozenset[str]:
    """Return these marks without the white space around them."""
    return frozenset(mark.strip() for mark in _role_marks(grammar)) - {""}


# writing -----------------------------------------------------------------------------------------


def _write_messages(writer: Writer, request: Request, format: str = "chatml") -> dict[str, Any]:
    ledger, plain = writer.ledger, request.conversation
    if plain.tools or plain.response_format is not None:  # the tables say what has no place in a body
        plain = replace(plain, tools=(), response_format=None)
    if not all(message.plain_text is not None for message in plain.messages):
        plain = held(Request(plain), ledger).conversation
    begun = bool(plain.messages) and plain.messages[-1].role == "assistant" and bool(plain.messages[-1].text)
    writing = write_text(plain, format, add_generation_prompt=not begun)
    for loss in ledger.moved_to(plain, map(_of_messages, writing.losses)) if writing.losses else ():
        ledger.report(*loss)
    return {"prompt": _opened(writing.text, format) if begun else writing.text, _ENDS: writing.stop}


def _of_messages(loss: Loss) -> Loss:
    return loss._replace(path="$.messages") if loss.path == "$" else loss


def _opened(text: str, format: str) -> str:
    """Return a text without the end of its last turn, which is to be continued."""
    turns = grammar_of(format).turns
    return text.removesuffix(turns.get("assistant", turns["user"]).close)


def _write_given(writer: Writer, _: Request, writing: Writing) -> dict[str, Any]:
    for loss in writing.losses:
        if loss.path not in ("$.tools", "$.response_format"):
            writer.ledger.report(*loss)
    return {"prompt": writing.text, _ENDS: writing.stop}


def _mend(request: Request, ledger: Ledger) -> Request:
    """Return a request whose parameters are as Completions means them."""
    params = dict(request.params)
    for name, nothing in (("tool_choice", "none"), ("modalities", ("text",))):
        if params.get(name) == nothing:
            ledger.report(f"$.{ledger.param(name)}", "by-format-rule", f"{LACKS[name][1]}: that is the default")
            del params[name]
    wants, number = params.get("logprobs"), params.get("top_logprobs") or 0
    if isinstance(wants, bool):
        del params["logprobs"]
    if wants is True:
        params["top_logprobs"] = number
    elif "top_logprobs" in params:
        del params["top_logprobs"]
        ledger.report(f"$.{ledger.param('top_logprobs')}", "parameter-dropped", "without logprobs it asks for nothing")
    if wants is True and number > MOST_LOGPROBS:
        params["top_logprobs"] = MOST_LOGPROBS
        ledger.report(f"$.{ledger.param('top_logprobs')}", "clamped", f"{number} became {MOST_LOGPROBS}")
    return request if params == request.params else request.replace(params=params)


def _finish(body: dict[str, Any], writer: Writer, open_cap: int | None = OPEN_CAP) -> None:
    """Write out that there is no cap, or say that there is a hidden one."""
    ledger = writer.ledger
    path = f"$.{ledger.param('max_tokens')}"
    if "max_tokens" in body:
        name = ledger.param("max_completion_tokens")
        if name != "max_tokens" and "max_completion_tokens" in writer.request.params:
            ledger.report(f"$.{name}", "renamed", "max_tokens")
    elif open_cap is None:
        ledger.report(path, "defaulted", f"no cap: Completions stops after {HIDDEN_CAP} tokens")
    else:
        body["max_tokens"] = open_cap
        said = f"no cap became {open_cap}; Completions would stop after {HIDDEN_CAP} tokens"
        ledger.report(path, "clamped", said)


def _fold(body: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    """Add the ends of turns to the stops, as far as there is room."""
    stop, path = body.get("stop"), f"$.{ledger.param('stop')}"
    given = [stop] if isinstance(stop, str) else list(stop or [])
    more = [mark for mark in body.pop(_ENDS, ()) if mark not in given]
    added = more[: max(0, MOST_STOPS - len(given))]
    if more and not added:
        ledger.report(path, "unsupported", f"{len(given)} stops leave no room for the end of a turn")
    elif len(added) < len(more):
        left = ", ".join(map(repr, more[len(added) :]))
        ledger.report(path, "parameter-dropped", f"no room among {MOST_STOPS} stops for {left}")
    if added:
        ledger.report(path, "synthesised", f"ends of turns: {', '.join(map(repr, added))}")
    return {**body, "stop": [*given, *added]} if added else body


API: Final = Api(
    "completions",
    params=PARAMS,
    parts=PARTS,
    read_messages=_read_messages,
    write_messages=_write_messages,
    holds=frozenset({"prompt"}),
    finish=_finish,
    mend=_mend,
    fold=_fold,
    leave=leave,
    rules=RULES,
    shares=frozenset({"chat"}),
    is_open=True,
    lacks=LACKS,
)


def write_request(request: Request, writing: Writing) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the body of a request whose prompt is written already, and what has no place in it.

    Where it has no cap, that of the server holds, which is reported.

    >>> write_request(Request(Conversation(), model="m", params={"max_tokens": 5}), Writing("Hi"))
    ({'model': 'm', 'prompt': 'Hi', 'max_tokens': 5}, ())
    """
    ledger = Ledger()
    given = partial(_write_given, writing=writing)
    mended = _mend(request, ledger)
    body = api.write_request(replace(API, write_messages=given, finish=partial(_finish, open_cap=None)), mended, ledger)
    return body, tuple(ledger.losses)


FORMAT: Final = replace(
    format_of(
        API,
        "prompt: a text in any of the text formats; written as ChatML with its stop list",
        detect=detector("completions"),
        aliases=("openai_completions",),
    ),
    wire=Wire(holds=API.holds),
)


@lru_cache(maxsize=64)
def read_as(format: str) -> Format:
    """Return the format with the text format that its prompts are read as."""
    return replace(FORMAT, api=replace(API, read_messages=partial(_read_messages, format=format)))


@lru_cache(maxsize=64)
def written_as(format: str) -> Format:
    """Return the format with the text format that its prompts are written in."""
    return replace(FORMAT, api=replace(API, write_messages=partial(_write_messages, format=format)))
