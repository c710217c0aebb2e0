"""An API key, and the forms in which a server can send it back.

Rule: a key is replaced where bytes come in and where an error goes out, at the same
length, so that JSON stays JSON and chunks keep their boundaries. A server can return a
key escaped (JSON, percent, HTML) or in base64 (an ``Authorization: Basic`` header); all
of these count. A key below 12 characters is a placeholder (``ollama``, ``EMPTY``,
``test``): it protects nothing, and replacing it would damage answers.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
import weakref
from typing import Any, Final, NoReturn

#: Characters below which a key is a placeholder and no secret.
LEAST: Final = 12
#: What an escaped form of a character begins with: JSON, Python and C, URLs, HTML.
_SIGNS: Final = ("\\u00", "\\x", "%", "&#")
#: One escape sequence of JSON, or one character.
_UNIT: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_ESCAPES: Final = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\b": "\b", "\\f": "\f"}
#: Loggers of HTTP libraries, which log the status line and all headers of an answer.
_LOGGERS: Final = (
    "httpx",
    "httpx2",
    *(
        f"{core}{part}"
        for core in ("httpcore", "httpcore2")
        for part in ("", ".connection", ".http11", ".http2", ".proxy", ".socks")
    ),
)


class Secret:
    """A key that shows itself nowhere: not in repr, str, format, pickle or copy.

    >>> key = Secret("sk-0123456789")
    >>> key
    Secret('***')
    >>> key.hide("Bearer sk%2D0123456789"), Secret("ollama").hide("run ollama")
    ('Bearer ***************', 'run ollama')
    """

    __slots__ = ("__weakref__", "_known", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._known: _Forms | None = None

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def hide(self, text: str) -> str:
        """Return the text with every form of the key replaced by as many ``*``."""
        forms = self._forms
        return forms.pattern.sub(lambda found: forms.mark * len(found[0]), text) if forms.may_be_in(text) else text

    def hide_bytes(self, data: bytes) -> bytes:
        r"""Return bytes, of JSON or of any other text, with every form of the key replaced at the same length.

        >>> Secret("sk-0123456789").hide_bytes(rb'{"n": "sk\u002d0123456789"}')
        b'{"n": "**\\u002a**********"}'
        """
        forms, text = self._forms, data.decode("latin-1")  # a key is ASCII: other bytes may stay as they are
        if not forms.may_be_in(text) or not forms.pattern.search(text):
            return data
        units = _UNIT.findall(text)
        for found in forms.pattern.finditer("".join(map(_meant, units))):
            for place in range(*found.span()):
                units[place] = forms.struck(units[place])
        # Text that is not JSON can have a backslash before the key. In JSON that would be an escape: keep its letter.
        text = forms.pattern.sub(lambda found: found[0][0] + forms.mark * (len(found[0]) - 1), "".join(units))
        return text.encode("latin-1")

    @property
    def protects(self) -> bool:
        """True for a key that is long enough to be one."""
        return len(self._value) >= LEAST

    @property
    def _forms(self) -> _Forms:
        if self._known is None:
            self._known = _Forms(self._value if self.protects else "")
        return self._known

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({'***' if self._value else ''!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled: make the client where it is used")


#: No key at all.
NOTHING: Final = Secret("")


class _Forms:
    """The forms of one key: a quick test for them, and the pattern that finds them."""

    __slots__ = ("_key", "_literal", "_pattern", "_quick", "mark")

    def __init__(self, key: str) -> None:
        self._key, self._pattern = key, re.compile(r"(?!)")
        self._literal = (key, *_base64_forms(key.encode())) if key else ()
        signs: tuple[str, ...] = _SIGNS if key else ()
        if set(key) & set("\"'/\\"):
            signs += ("\\",)
        self._quick = (*self._literal, *signs)
        # A key of digits could stand in JSON as a number, which must stay one.
        self.mark = "*" if not key.isdigit() else "1" if set(key) != {"1"} else "2"

    def may_be_in(self, text: str) -> bool:
        """Return False where no form can be in the text: nearly every text ends here."""
        return any(map(text.__contains__, self._quick))

    @property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of all forms, compiled when it is first needed."""
        if self._pattern.pattern == "(?!)" and self._key:
            spelled = "".join(map(_spellings, self._key))
            self._pattern = re.compile("|".join((spelled, *map(re.escape, self._literal[1:]))))
        return self._pattern

    def struck(self, unit: str) -> str:
        """Return the mark in place of one unit of JSON text, at the same length."""
        return rf"\u{ord(self.mark):04x}" if len(unit) == 6 else self.mark * len(unit)


def _spellings(char: str) -> str:
    """Return the pattern of one ASCII character as it is, escaped in JSON (repeatedly), in a URL or in HTML."""
    code = ord(char)
    hexa = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{code:02x}")
    plain = char if char.isalnum() else rf"\\{{0,8}}{re.escape(char)}"
    return rf"(?:{plain}|\\{{1,8}}(?:u00|x){hexa}|%(?:25){{0,2}}{hexa}|&#(?:0{{0,4}}{code}|[xX]0{{0,4}}{hexa});)"


def _base64_forms(key: bytes) -> set[str]:
    """Return what base64 makes of the key after 0, 1 or 2 other bytes, less the characters that others share."""
    found = set()
    for lead in range(3):
        code = base64.b64encode(bytes(lead) + key).decode()[(lead * 8 + 5) // 6 : (lead + len(key)) * 8 // 6]
        found |= {code, code.replace("+", "-").replace("/", "_")}
    return found


def _meant(unit: str) -> str:
    """Return the one character that a unit of JSON text stands for."""
    if len(unit) == 6:
        return chr(int(unit[2:], 16))
    return _ESCAPES.get(unit, unit[-1])


# logs of the HTTP libraries -----------------------------------------------------------------------

_lock = threading.Lock()
_in_use: weakref.WeakSet[Secret] = weakref.WeakSet()


class _Filter(logging.Filter):
    """Replace the keys in use in what an HTTP library logs, in headers and reason phrases for example."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = hidden = record.getMessage()
        except (TypeError, ValueError):
            return True  # logging itself reports a record that does not format
        with _lock:
            secrets = list(_in_use)
        for secret in secrets:
            hidden = secret.hide(hidden)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


_FILTER: Final = _Filter()


def guard_logs(secret: Secret) -> None:
    """Keep a key, while it is in use, out of the logs of the HTTP libraries."""
    if not secret.protects:
        return
    with _lock:
        _in_use.add(secret)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)


def strike(error: Any, secret: Secret) -> None:
    """Replace the key in every text that an exception carries."""
    error.args = tuple(secret.hide(arg) if isinstance(arg, str) else arg for arg in error.args)
    for name, value in vars(error).items():
        if isinstance(value, str):
            setattr(error, name, secret.hide(value))
