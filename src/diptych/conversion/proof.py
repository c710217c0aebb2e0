"""Whether a model sees the same text: the Chat request that a prompt became, rendered by the model's template.

Rule: equal means byte for byte, rendered as a server does by default (with a generation prompt). A remedy
is named only where it was tried on the texts (for blanks: the texts without them are equal).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Final

from ..errors import FormatError, TemplateError
from ..format import Proof
from ..sandbox.chat_template import ChatTemplate

_BY: Final = "chat template"
_SHOWN: Final = 20
_EMPTY_SYSTEM: Final = {"role": "system", "content": ""}
_OPTIONS: Final = {
    "send add_generation_prompt: false": {"add_generation_prompt": False},
    "send continue_final_message: true and add_generation_prompt: false": {
        "add_generation_prompt": False,
        "continue_final_message": True,
    },
}


def prove_same(value: Any, output: Any, template: ChatTemplate) -> Proof:
    """Compare a prompt with what a chat template makes of the messages (or the request) that it became.

    Raises FormatError where there is no text to compare, or no messages to render.

    >>> prove_same("[Hi]", [{"role": "user", "content": "Hi"}], ChatTemplate("[{{ messages[0].content }}]")).equal
    True
    """
    if not isinstance(template, ChatTemplate):
        raise FormatError(f"a {type(template).__name__} proves nothing", hint="pass a ChatTemplate")
    prompt = value.get("prompt") if isinstance(value, Mapping) else value
    request = output if isinstance(output, Mapping) else {"messages": output}
    messages, tools = request.get("messages"), request.get("tools")
    if not isinstance(prompt, str) or not isinstance(messages, list):
        raise FormatError("only a prompt text that becomes Chat messages can be proved", hint="leave prove out")
    try:
        text = template.render(messages, tools=tools, add_generation_prompt=True)
    except TemplateError as error:
        return Proof(False, _BY, f"the template refuses the messages: {error.message}")
    if text == prompt:
        return Proof(True, _BY)
    return Proof(False, _BY, _difference(prompt, text), _remedy(prompt, text, messages, tools, template))


def _difference(prompt: str, text: str) -> str:
    at = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(prompt, text, strict=False)))
    old, new = (side[at : at + _SHOWN] for side in (prompt, text))
    return f"at character {at}: the prompt has {old!r}, the template writes {new!r}"


def _remedy(prompt: str, text: str, messages: list[Any], tools: Any, template: ChatTemplate) -> str | None:
    bos = template.special.get("bos_token")
    if bos and text == bos + prompt:
        return f"the template writes {bos!r} first: the same if the server put it before the old prompt, too"
    if bos and bos + text == prompt:
        return f"the prompt begins with {bos!r}: the same if the server puts it before what the template writes"
    for said, options in _OPTIONS.items():
        if _renders(template, prompt, messages, tools, options):
            return said
    if _renders(template, prompt, [_EMPTY_SYSTEM, *messages], tools, {"add_generation_prompt": True}):
        return "put an empty system message first: the template has a default one"
    if "".join(prompt.split()) == "".join(text.split()):
        return "only blanks differ: trim the prompt as the template does"
    return None


def _renders(template: ChatTemplate, prompt: str, messages: list[Any], tools: Any, options: dict[str, bool]) -> bool:
    try:
        return template.render(messages, tools=tools, **options) == prompt  # type: ignore[arg-type]
    except (TemplateError, FormatError):
        return False
