"""A prompt with holes becomes a Diptych template: a Completions template migrates to Chat.

Rule: holes are opaque while the text is read, so nothing in or beside them is taken for
structure. Jinja holes stay as they are; ``{name}`` of an f-string or ``str.format`` becomes
``{{ name }}``, ``{x:>9}`` becomes ``{{ '{:>9}'.format(x) }}``, and doubled braces become one. Text
that Jinja would obey is kept raw.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

from ..errors import FormatError
from ..format import Conversion
from ..loss import Loss, verdict_of
from ..model import Conversation
from .grammar import Grammar
from .reading import read_text
from .unwritten import message_losses, side_losses

Syntax = Literal["auto", "jinja", "fstring", "none"]
_JINJA: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_FSTRING: Final = re.compile(
    r"\{\{|\}\}|\{(?P<path>[^\W\d]\w*(?:\.\w+|\[\w+\])*)"
    r"(?P<how>(?:![rsa])?(?::(?:[^{}]|\{[^\W\d]\w*(?:\.\w+|\[\w+\])*\})*)?)\}"
)
_NESTED: Final = re.compile(r"\{([^{}]+)\}")
_OBEYED: Final = re.compile(r"\{\{|\{%|\{#")


class Hole(NamedTuple):
    """A range that is not text, and what stands for it in the template."""

    start: int
    end: int
    written: str


def holes_of(text: str, syntax: Syntax = "auto") -> tuple[Hole, ...]:
    """Return the holes of a prompt template. Jinja is seen where its marks are.

    >>> [hole.written for hole in holes_of("Say {x} to {{ y }}")], [h.written for h in holes_of("Say {x}")]
    (['{{ y }}'], ['{{ x }}'])
    """
    if syntax == "auto":
        named = re.search(r"\{[^\W\d][\w.]*\}", text) is not None
        syntax = "jinja" if _marks(text) else "fstring" if named else "none"
    if syntax == "jinja":
        return tuple(Hole(m.start(), m.end(), m.group()) for m in _marks(text))
    if syntax == "fstring":
        return tuple(Hole(m.start(), m.end(), _of_fstring(m)) for m in _FSTRING.finditer(text))
    return ()


def _marks(text: str) -> list[re.Match[str]]:
    """Return Jinja's marks; nothing behind the last closing is one, and none is searched for there."""
    end = max(text.rfind(closing) for closing in ("}}", "%}", "#}"))
    return list(_JINJA.finditer(text, 0, end + 2)) if end >= 0 else []


def _of_fstring(found: re.Match[str]) -> str:
    if found.group() in ("{{", "}}"):
        return _raw(found.group()[0])
    paths = [_path(found["path"]), *map(_path, _NESTED.findall(found["how"]))]
    if found["how"] in ("", "!s", ":"):
        return f"{{{{ {paths[0]} }}}}"
    # A conversion and a specification are Python's: it carries them out, as there.
    how = _NESTED.sub("{}", found["how"])
    return f"{{{{ {'{' + how + '}'!r}.format({', '.join(paths)}) }}}}"


def _path(written: str) -> str:
    return re.sub(r"\[([^\W\d]\w*)\]", r"['\1']", written)


def _raw(text: str) -> str:
    """Return text as Jinja source that writes it."""
    if not text or not _OBEYED.search(text):
        return text
    if "endraw" in text:
        quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
        return f"{{{{ '{quoted}' }}}}"
    return f"{{% raw %}}{text}{{% endraw %}}"


def to_template(prompt: Any, format: str | Grammar = "auto", syntax: Syntax = "auto") -> Conversion:
    """Return the source of a Diptych template for a prompt with holes, or for a conversation.

    Raises FormatError for a value that is neither.

    >>> to_template('Translate to French: "{text}"').output
    'Translate to French: "{{ text }}"'
    """
    if isinstance(prompt, Conversation):
        losses = [*side_losses(prompt), *_unwritten(prompt)]
        return Conversion(_tags(prompt, None, ()), verdict_of(losses), tuple(losses), "conversation")
    if not isinstance(prompt, str):
        raise FormatError(f"a template is made of text, not of {type(prompt).__name__}", path="$")
    holes = holes_of(prompt, syntax)
    reading = read_text(prompt, format, opaque=[(hole.start, hole.end) for hole in holes])
    whole = [message.role for message in reading.conversation.messages] == ["user"] and reading.format == "plain"
    output = _filled(prompt, holes) if whole else _tags(reading.conversation, prompt, holes)
    found = [*reading.losses, *_layout(reading.conversation, whole)]
    alternatives = tuple(other.messages for other in reading.alternatives)
    verdict = verdict_of(found) if reading.verdict == "lossless" else reading.verdict
    return Conversion(output, verdict, tuple(found), reading.format, alternatives, reading.detail)


def _unwritten(conversation: Conversation) -> list[Loss]:
    """Return what a tag has no place for."""
    found = [message_losses(m, f"$.messages[{i}]", "a template") for i, m in enumerate(conversation.messages)]
    return [*chain.from_iterable(found), *_layout(conversation, False)]


def _layout(conversation: Conversation, whole: bool) -> list[Loss]:
    """Return the losses of line breaks: those that a message tag takes for layout, and those that Jinja rewrites."""
    losses = []
    for index, message in enumerate(conversation.messages):
        path = f"$.messages[{index}].content"
        if not whole and message.text != message.text.strip("\r\n"):
            losses.append(Loss(path, "trimmed", "line breaks at the ends of a message are layout"))
        if "\r" in message.text:
            losses.append(Loss(path, "substituted", "lines of a template end in line feeds, not in carriage returns"))
    return losses


def _tags(conversation: Conversation, prompt: str | None, holes: tuple[Hole, ...]) -> str:
    pieces, position = [], 0
    for message in conversation.messages:
        text = message.text
        start = prompt.find(text, position) if prompt is not None and text else -1
        if start >= 0:
            position = start + len(text)
            inside = [Hole(h.start - start, h.end - start, h.written) for h in holes if start <= h.start < position]
            text = _filled(text, tuple(inside))
        else:
            text = _raw(text)
        pieces.append(f"{{% {message.role} %}}{text}{{% end{message.role} %}}\n")
    return "".join(pieces)


def _filled(text: str, holes: tuple[Hole, ...]) -> str:
    written, last = "", 0
    for hole in holes:
        written = _join(_join(written, _raw(text[last : hole.start])), hole.written)
        last = hole.end
    return _join(written, _raw(text[last:]))


def _join(left: str, right: str) -> str:
    """Join two pieces of source; a brace that is text must not make a mark with what follows."""
    if left.endswith("{") and right[:1] in ("{", "%", "#"):
        return f"{left[:-1]}{{{{ '{{' }}}}{right}"
    return left + right
