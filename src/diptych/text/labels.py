"""Speaker labels: who speaks in a prompt that has no markers, only names at line starts.

Rule: a label opens a turn where it stands at the start of a line and ends in a colon;
the text before the first label is the system text; white space and record separators
around a content belong to no turn; an empty last label asks for the reply. Which
labels are speakers is a judgement: hints first, then the names people use, then two
labels that alternate. The judgement is never called certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

from ..errors import FormatError
from .parse import Parse, Range

#: Names that people give to the two speakers (prompt galleries of 2020-2026).
KNOWN: Final[dict[str, str]] = {
    **dict.fromkeys(
        ["user", "human", "you", "me", "customer", "client", "student", "patient", "visitor", "guest", "caller",
         "interviewer", "q", "question", "query", "person", "prompter"],
        "user",
    ),
    **dict.fromkeys(
        ["assistant", "ai", "bot", "chatbot", "agent", "a", "answer", "gpt", "chatgpt", "support", "tutor", "teacher",
         "doctor", "advisor", "helper", "assistant bot", "ai assistant", "virtual assistant", "model", "response"],
        "assistant",
    ),
    **dict.fromkeys(
        ["用户", "用戶", "人类", "问", "问题", "客户", "ユーザー", "質問", "사용자", "질문", "пользователь", "вопрос",
         "utilisateur", "benutzer", "nutzer", "frage", "usuario", "usuário", "pregunta", "utente", "domanda", "kunde"],
        "user",
    ),
    **dict.fromkeys(
        ["助手", "助理", "答", "回答", "客服", "アシスタント", "어시스턴트", "답변", "ассистент", "ответ", "réponse",
         "assistent", "antwort", "asistente", "respuesta", "assistente", "risposta"],
        "assistant",
    ),
    **dict.fromkeys(["system", "系统", "系統", "システム", "시스템", "система", "sistema", "système"], "system"),
}  # fmt: skip
#: Labels of examples rather than of a talk.
_EXAMPLES: Final = frozenset({"q", "a", "question", "answer", "query", "response", "问", "答", "问题", "回答"})
#: Labels with which a text that has no other begins a talk.
_OPENING: Final = frozenset({"user", "human"})
#: The signs of Markdown that may stand around a label: ``**User:**``, ``### User:``.
_BEFORE: Final = r"(?:\*\*|__|#{1,6} )?"
_AFTER: Final = r"(?:\*\*|__)?"
_LABEL: Final = re.compile(
    rf"^{_BEFORE}([^\s:：*_#][^:：\n*]{{0,39}}?){_AFTER}[ \t]*(?::{_AFTER}(?=\s|$)|：{_AFTER})", re.MULTILINE
)
#: What ends an instruction that is followed by the form of the answer, not by a talk.
_FORM: Final = re.compile(r"\b(?:formats?|templates?|structure|form|schema|layout)\b[^\n.]{0,40}:?\s*\Z", re.IGNORECASE)
_SEPARATOR: Final = re.compile(
    r"(?:\A|\n)[ \t]*(?:#{3,}|-{3,}|={3,}|\+{3,}|\*{3,})[ \t]*\Z"
    r"|(?:#{3} ?End|</s>|<\|(?:endoftext|eot_id|im_end|end|eot)\|>|<end_of_turn>|<｜end▁of▁sentence｜>)\Z"
)
_MAX_WORDS: Final = 4
#: What stands after a label; the second is the colon of Chinese and Japanese.
_COLONS: Final = ":\uff1a"

Kind = Literal["hinted", "talk", "examples", "pairs", "slot", "trace", "lines"]


class Label(NamedTuple):
    """A label in a text: where it starts, where its content may start, who speaks."""

    start: int
    end: int
    role: str
    text: str


class Speakers(NamedTuple):
    """The labels that open turns, and how they were recognised."""

    labels: tuple[Label, ...]
    kind: Kind


def speakers(text: str, hints: Mapping[str, Any] | None = None) -> Speakers | None:
    """Return the speakers of a text, None where nobody is seen to speak.

    >>> [label.role for label in speakers("You: Hi\\nFriend: Hey\\nYou: Bye\\nFriend:").labels]
    ['user', 'assistant', 'user', 'assistant']
    """
    if hints:
        found = tuple(label for _, label in _hinted(text, read_hints(hints)))
        return Speakers(found, "hinted") if found else None
    seen = [(m.start(), m.end(), m.group(1)) for m in _LABEL.finditer(text) if _is_name(m.group(1))]
    if not seen:
        return None
    return _known(text, seen) or _pairs(text, seen) or _lines(text)


def read_hints(hints: Mapping[str, Any]) -> dict[str, str]:
    """Return label → role from either shape of hints.

    ``{"Customer": "user"}`` or ``{"user_labels": ["Customer:"], "assistant_labels": […]}``.
    Raises FormatError for another shape, and for a role that is none.
    """
    if not isinstance(hints, Mapping):
        raise FormatError(f"hints are a mapping from labels to roles, not {type(hints).__name__}", path="$.hints")
    found: dict[str, str] = {}
    for key, value in hints.items():
        key = str(key)
        if key.endswith("_labels") and isinstance(value, Sequence) and not isinstance(value, str):
            found |= {str(label): key.removesuffix("_labels") for label in value}
        else:
            found[key] = "user" if value == "human" else str(value)
    for label, role in found.items():
        if role not in ("system", "developer", "user", "assistant", "tool"):
            expected = "system, developer, user, assistant or tool"
            raise FormatError(f"the hint for {label!r} names no role: {role!r}", path="$.hints", hint=expected)
    return found


def unmatched_hints(text: str, roles: Mapping[str, str]) -> list[str]:
    """Return the hinted labels that open no turn of a text.

    >>> unmatched_hints("Customer: Hi", {"Customer": "user", "Clerk": "assistant"})
    ['Clerk']
    """
    seen = {hint for hint, _ in _hinted(text, roles)}
    return [hint for hint in roles if hint not in seen]


def own_labels(text: str, roles: Mapping[str, str]) -> list[Label]:
    """Return the labels of a known format, at line starts alone."""
    folded = {label.casefold(): role for label, role in roles.items()}
    words = "|".join(sorted(map(re.escape, roles), key=len, reverse=True))
    found = re.finditer(rf"^({words})[ \t]*:", text, re.MULTILINE | re.IGNORECASE)
    return [Label(m.start(), m.end(), folded[m.group(1).casefold()], m.group()) for m in found]


def _hinted(text: str, roles: Mapping[str, str]) -> list[tuple[str, Label]]:
    """Find hinted labels at line starts; where one role has none there, anywhere after white space or a mark.

    Each comes with the hint that names it.
    """
    hints = sorted((hint for hint in roles if _bare(hint)), key=lambda hint: -len(_bare(hint)))
    found: list[tuple[str, Label]] = []
    # A label that begins with a sign, as ``### Instruction``, need not begin a line.
    signs = all(not _bare(hint)[0].isalnum() for hint in hints)
    for before in ("",) if signs else (f"^{_BEFORE}", rf"(?:^{_BEFORE}|(?<=[\s>]))"):
        words = "|".join(f"({_label_pattern(_bare(hint))})" for hint in hints)
        matches = re.finditer(f"{before}(?:{words})", text, re.MULTILINE | re.IGNORECASE) if hints else ()
        named = [(hints[(m.lastindex or 1) - 1], m) for m in matches]
        found = [(hint, Label(m.start(), m.end(), roles[hint], m.group())) for hint, m in named]
        if {label.role for _, label in found} >= {roles[hint] for hint in hints}:
            break
    return found


def _label_pattern(label: str) -> str:
    """Return the pattern of a label: a word needs a colon or a line break after it, a sign does not."""
    colon = rf"{_AFTER}[ \t]*[{_COLONS}]{_AFTER}"
    end = rf"(?:{colon}|(?=\n))" if label[-1].isalnum() else rf"(?:[ \t]*[{_COLONS}])?"
    return re.escape(label) + end


def _bare(label: str) -> str:
    return label.strip().rstrip(_COLONS).strip()


def _is_name(label: str) -> bool:
    return len(label.split()) <= _MAX_WORDS and label[0] not in "\"'([{<-*•/\\|" and "  " not in label


def _label(text: str, seen: tuple[int, int, str], role: str) -> Label:
    return Label(seen[0], seen[1], role, text[seen[0] : seen[1]])


def _known(text: str, seen: list[tuple[int, int, str]]) -> Speakers | None:
    """Return the speakers where known names speak, alone or with one that alternates with them."""
    roles = {name.casefold(): KNOWN[name.casefold()] for _, _, name in seen if name.casefold() in KNOWN}
    present = set(roles.values())
    if any(name.casefold().startswith("thought") for _, _, name in seen) and "user" in present:
        return _trace(text, seen, roles)
    if present >= {"user", "assistant"}:
        kind: Kind = "examples" if set(roles) <= _EXAMPLES else "talk"
    elif "user" in present and (other := _partner(text, seen, roles)):
        roles[other.casefold()] = "assistant"
        kind = "talk" if not set(roles) & _EXAMPLES else "examples"
    elif roles and "assistant" in present and _is_empty_last(text, seen):
        kind = "slot"
    elif present == {"user"} and not set(roles) - _OPENING and not text[: seen[0][0]].strip():
        kind = "talk"
    else:
        return None
    labels = [_label(text, s, roles[s[2].casefold()]) for s in seen if s[2].casefold() in roles]
    if _FORM.search(text, 0, labels[0].start) and text[labels[-1].end :].strip():
        kind = "slot"  # an answer's form, not a talk: one message, unless someone says otherwise
    return Speakers(tuple(labels), kind) if kind == "slot" or _is_talk(text, labels) else None


def _is_talk(text: str, labels: list[Label]) -> bool:
    """Return whether labels follow each other as speakers do: a user first, or turn by turn to an open end.

    A glossary that happens to hold two of the names does not.
    """
    spoken = [label.role for label in labels if label.role != "system"]
    if spoken[0] == "user":
        return True
    alternates = all(a != b for a, b in pairwise(spoken))
    return alternates and (len(spoken) > 2 or not text[labels[-1].end :].strip())


def _trace(text: str, seen: list[tuple[int, int, str]], roles: dict[str, str]) -> Speakers:
    """Return a question with its thoughts: the first thought after a question opens the answer."""
    labels: list[Label] = []
    for one in seen:
        name = one[2].casefold()
        if roles.get(name) == "user":
            labels.append(_label(text, one, "user"))
        elif name.startswith("thought") and labels and labels[-1].role == "user":
            labels.append(_label(text, one, "assistant"))
    return Speakers(tuple(labels), "trace")


def _partner(text: str, seen: list[tuple[int, int, str]], roles: Mapping[str, str]) -> str | None:
    """Return the other name that takes turns with the known ones."""
    for _, _, name in reversed(seen):
        folded = name.casefold()
        if folded in roles:
            continue
        turns = [s[2].casefold() == folded for s in seen if s[2].casefold() == folded or s[2].casefold() in roles]
        alternates = all(a != b for a, b in pairwise(turns))
        if alternates and (turns.count(True) > 1 or _is_empty_last(text, seen)) and not turns[0]:
            return name
    return None


def _pairs(text: str, seen: list[tuple[int, int, str]]) -> Speakers | None:
    """Return two unknown labels that alternate and end in an empty one: examples, or a record to fill in."""
    if not _is_empty_last(text, seen):
        return None
    last = seen[-1][2].casefold()
    for _, _, name in reversed(seen[:-1]):
        first = name.casefold()
        mine = [s for s in seen if s[2].casefold() in (first, last)]
        turns = [s[2].casefold() == first for s in mine]
        expected = [index % 2 == 0 for index in range(len(turns))]
        if first != last and turns == expected and len(turns) >= 4:
            labels = [_label(text, s, "user" if s[2].casefold() == first else "assistant") for s in mine]
            return Speakers(tuple(labels), "pairs")
    return None


def _lines(text: str) -> Speakers | None:
    """Return lines of ``left: right`` of which the last has no right."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 3 or not lines[-1].rstrip().endswith(":") or any(":" not in line for line in lines):
        return None
    return Speakers((), "lines")


def _is_empty_last(text: str, seen: list[tuple[int, int, str]]) -> bool:
    return not text[seen[-1][1] :].strip()


def parse_labelled(text: str, labels: Sequence[Label]) -> Parse:
    """Return the turns that labels open, as ranges of the text."""
    found = Parse()
    if not labels:
        return Parse([Range("user", 0, len(text))])
    start, end = _tight(text, 0, labels[0].start)
    if start < end:
        found.ranges.append(Range("system", start, end))
    for index, label in enumerate(labels):
        is_last = index + 1 == len(labels)
        start, end = _tight(text, label.end, len(text) if is_last else labels[index + 1].start)
        if is_last and start >= end and label.role == "assistant":
            found.cue = True
        elif not (is_last and start >= end and index):  # an open label of the user is a place to write, no message
            is_open = is_last and label.role == "assistant"
            found.ranges.append(Range(label.role, start, end, not is_open))
    return found


def _tight(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a range without the white space and the record separator at its ends."""
    while True:
        piece = text[start:end]
        end -= len(piece) - len(piece.rstrip())
        separator = _SEPARATOR.search(text[max(start, end - 40) : end])
        if separator is None or separator.start() == separator.end():
            break
        end -= separator.end() - separator.start()
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), max(start, end)
