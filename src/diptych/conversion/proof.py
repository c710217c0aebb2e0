"""Whether a model sees the same: the Chat request that a prompt became, rendered by the model's own template.

Rule: equal means byte for byte, rendered as a server does by default (with a generation prompt); by a
server, token for token as well. A remedy is named only where it was tried on the texts (for blanks: the
texts without them are equal).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, Protocol, TypeAlias, Union, runtime_checkable

from ..errors import ApiError, FormatError, TemplateError
from ..format import Proof, Reading
from ..sandbox.chat_template import ChatTemplate
from ..text.derived import settings
from ..text.reading import read_text

_SHOWN: Final = 20
_EMPTY_SYSTEM: Final = {"role": "system", "content": ""}
_NO_REPLY: Final = {"add_generation_prompt": False}


class Sight(Protocol):
    """The text that a model sees of a request, and its token ids."""

    @property
    def text(self) -> str: ...

    @property
    def token_ids(self) -> list[int]: ...


@runtime_checkable
class Renderer(Protocol):
    """What can say what a server makes of a Chat or Completions body, such as a client."""

    def seen(self, body: Mapping[str, Any]) -> Sight: ...


Prover: TypeAlias = Union[ChatTemplate, Renderer]


@dataclass(frozen=True)
class _Seen:
    """A text as a model sees it; without a server, its tokens are not known."""

    text: str
    token_ids: list[int] | None = None


def prove_same(value: Any, output: Any, by: Prover) -> Proof:
    """Compare a prompt with what its receiver makes of the messages (or the request) that it became.

    ``by`` is a chat template, or a client of a server that shows what it renders. Raises FormatError
    where there is no text to compare, or no messages to render.

    >>> prove_same("[Hi]", [{"role": "user", "content": "Hi"}], ChatTemplate("[{{ messages[0].content }}]")).equal
    True
    """
    if not isinstance(by, ChatTemplate | Renderer):
        raise FormatError(f"a {type(by).__name__} proves nothing", hint="pass a ChatTemplate or a Client")
    old = value if isinstance(value, Mapping) else {"prompt": value}
    request = output if isinstance(output, Mapping) else {"messages": output}
    if not isinstance(old.get("prompt"), str) or not isinstance(request.get("messages"), list):
        raise FormatError("only a prompt text that becomes Chat messages can be proved", hint="leave prove out")
    name = "chat template" if isinstance(by, ChatTemplate) else "server"
    was = _prompt(by, old, request)
    try:
        came = _chat(by, request, {})
    except (TemplateError, ApiError) as error:
        return Proof(False, name, f"the template refuses the messages: {error.message}")
    if was == came:
        return Proof(True, name)
    return Proof(False, name, _difference(was, came), next(_remedies(by, was, came, request), None))


def _prompt(by: Prover, old: Mapping[str, Any], request: Mapping[str, Any]) -> _Seen:
    if isinstance(by, ChatTemplate):
        return _Seen(old["prompt"])
    model = old.get("model") or request.get("model")
    seen = by.seen({"prompt": old["prompt"]} | ({"model": model} if model else {}))
    return _Seen(seen.text, seen.token_ids)


def _chat(by: Prover, request: Mapping[str, Any], options: Mapping[str, Any]) -> _Seen:
    if isinstance(by, Renderer):
        seen = by.seen({**request, **options})
        return _Seen(seen.text, seen.token_ids)
    given = {**(request.get("chat_template_kwargs") or {}), **options.get("chat_template_kwargs", {})}
    cue = {name: options[name] for name in options if name != "chat_template_kwargs"}
    named = {"add_generation_prompt": True, "parse_arguments": True, **given, **cue}
    return _Seen(by.render(request["messages"], tools=request.get("tools"), **named))


def _difference(was: _Seen, came: _Seen) -> str:
    if was.text == came.text:
        at = _first(was.token_ids or [], came.token_ids or [])
        old, new = ((side.token_ids or [])[at : at + 3] for side in (was, came))
        return f"the same text, but at token {at} the prompt has {old}, the request {new}"
    at = _first(was.text, came.text)
    old_text, new_text = (side.text[at : at + _SHOWN] for side in (was, came))
    return f"at character {at}: the prompt has {old_text!r}, the template writes {new_text!r}"


def _first(one: Any, two: Any) -> int:
    """Return the first place where two sequences differ."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))


# remedies -------------------------------------------------------------------------------------


def _remedies(by: Prover, was: _Seen, came: _Seen, request: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes the two the same, each tried."""
    yield from _beginning(by, was.text, came.text)
    for said, changed, options in _changes(by, request):
        if _is_same(by, was, {**request, "messages": changed}, options):
            yield said
    if isinstance(by, ChatTemplate):
        yield from _by_reading(was.text, request["messages"], by)
    if was.text.replace("\r\n", "\n") == came.text:
        yield "the prompt's lines end in CRLF, those of the template in LF"
    if "".join(was.text.split()) == "".join(came.text.split()):
        yield "only blanks differ: trim the prompt as the template does"


def _beginning(by: Prover, was: str, came: str) -> Iterator[str]:
    bos = by.special.get("bos_token") if isinstance(by, ChatTemplate) else None
    if bos and came == bos + was:
        yield f"the template writes {bos!r} first: the same if the server put it before the old prompt, too"
    if bos and bos + came == was:
        yield f"the prompt begins with {bos!r}: the same if the server puts it before what the template writes"


def _changes(by: Prover, request: Mapping[str, Any]) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Yield what may help: in words, the messages, the options of the request."""
    messages = request["messages"]
    yield "send add_generation_prompt: false", messages, _NO_REPLY
    continued = {**_NO_REPLY, "continue_final_message": True}
    yield "send continue_final_message: true and add_generation_prompt: false", messages, continued
    yield "put an empty system message first: the template has a default one", [_EMPTY_SYSTEM, *messages], {}
    if messages and messages[0].get("role") == "system":
        yield "leave the system message out: the template writes it by itself", messages[1:], {}
    for setting in settings(by)[1:] if isinstance(by, ChatTemplate) else ():
        for more, options in (("", {}), (" and add_generation_prompt: false", _NO_REPLY)):
            said = ", ".join(f'"{name}": {str(value).lower()}' for name, value in setting.items())
            yield f"send chat_template_kwargs: {{{said}}}{more}", messages, {"chat_template_kwargs": setting, **options}


def _is_same(by: Prover, was: _Seen, request: Mapping[str, Any], options: dict[str, Any]) -> bool:
    try:
        return _chat(by, request, options) == was
    except (TemplateError, FormatError, ApiError):
        return False


def _by_reading(prompt: str, messages: list[Any], template: ChatTemplate) -> Iterator[str]:
    """Yield what the template's own reading of the prompt says."""
    if (reading := proved_reading(prompt, template)) is None:
        return
    if reading.messages != messages:
        yield "read the prompt by the template itself: convert(…, source=template)"
    yield from (loss.detail for loss in reading.losses)


def proved_reading(prompt: str, template: ChatTemplate) -> Reading | None:
    """Return the reading of a prompt that a template renders to the same text, None where there is none.

    >>> template = ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
    >>> proved_reading("<user>Hi", template).messages
    [{'role': 'user', 'content': 'Hi'}]
    """
    reading = read_text(prompt, template)
    return None if reading.verdict == "lossy" or any(loss.severity for loss in reading.losses) else reading
