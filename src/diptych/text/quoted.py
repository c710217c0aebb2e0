"""Labels of a talk that nobody holds: quoted, to be worked on, the form of an answer, a record, a glossary.

Each judgement needs a sign in the text: a fence, a tag or a line that ends a quotation behind the labels, an
instruction before or behind them, holes in the place of contents, fields that no speaker has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .labels import Label, Name
from .names import KNOWN

#: What ends an instruction that is followed by the form of the answer, not by a talk.
_FORM: Final = re.compile(
    r"\b(?:formats?|templates?|structure|form|schema|layout|like this|as follows|looks? like|reply with|respond with|"
    r"example)\b[^\n.]{0,40}:?\s*\Z",
    re.IGNORECASE,
)
#: An instruction to do something with a talk that stands there: the deed, the talk, and the word that points at it.
_DEED: Final = re.compile(
    r"(?:\A|[.!?:,\n]\s*|\b(?:please|to|and|you|then|briefly|progressively) )(?:summari[sz]e|classif|categori[sz]e|"
    r"translat|extract|rewrite|rephrase|paraphrase|edit|proofread|correct|analy[sz]|evaluate|rate|grad|judge|assess|"
    r"review|score|label|annotate|convert|identify|detect|determine|find|list|describe|title|turn|generate|create|"
    r"given|write an? [\w ]*(?:title|summary)|"
    r"résume|tradui|classe|analyse|réécris|extrai|corrige|fasse|übersetze|bewerte|analysiere|korrigiere|klassifiziere|"
    r"resum|traduc|clasifi|analiza|extrae|traduz|classifi|riassum|traduci|analizza|кратко|перескажи|переведи|"
    r"проанализируй|классифицируй)"
    r"|总结|總結|概括|翻译|翻譯|分析|提取|归纳|改写|要約|翻訳|分類|요약|번역|분석",
    re.IGNORECASE,
)
_TALK: Final = re.compile(
    r"conversa|dialog|diálogo|chat|transcript|\bcall\b|interview|exchange|discussion|thread|\blogs?\b|\bfaq|script|"
    r"scene|examples|gespräch|unterhaltung|entretien|对话|對話|聊天|会話|対話|대화|разговор|диалог|бесед",
    re.IGNORECASE,
)
_POINTS: Final = re.compile(
    r"\b(?:th[ei]se?|follow\w*|below|above|here|suivant\w*|ci-dessous|folgende\w*|siguiente\w*|seguinte\w*|seguente|"
    r"следующ\w+|этот)\b|以下|下面|この|次の|다음",
    re.IGNORECASE,
)
#: What the last paragraph begins with where it says what to do with the text above it.
_ORDER: Final = re.compile(
    r"(?:now |please )?(?:summari[sz]e|classify|translate|extract|rewrite|rephrase|edit|correct|analy[sz]e|evaluate|"
    r"rate|judge|review|convert|identify|find|list|describe|explain|write|draft|count|return|answer|reply|continue|add|fix|"
    r"render|create|generate|make|turn|parse|compare|did|does|was|were|is|are|has|which|what|who|how|why|when|should)\b",
    re.IGNORECASE,
)
#: A word of someone who speaks, and one that points at what stands above.
_SPEAKS: Final = re.compile(r"\b(?:I|you|your|me|my|we|us)\b", re.IGNORECASE)
_ABOVE: Final = re.compile(
    r"\b(?:it|this|these|above|the (?:user|bot|assistant|agent|customer|client|speakers?|conversation|chat|"
    r"dialog(?:ue)?|transcript|interview|exchange))\b",
    re.IGNORECASE,
)
#: What stands for a text that is to come.
_HOLE: Final = re.compile(r"\s*(?:<[^<>\n]+>|\[[^\[\]\n]+\]|\{[^{}\n]+\}|\.{3}|…|_{3,})\s*")
#: A line that quotes what follows it.
_OPENS: Final = re.compile(
    r"(```|~~~|\"\"\"|''')\w*[ \t]*$|^[ \t]*<(\w[\w-]*)[^<>\n]*>[ \t]*$|^[ \t]*[\[<(*#=-]+ ?(?:BEGIN|START)\b",
    re.MULTILINE,
)
#: How many of the last lines that quote are looked at.
_NEAREST: Final = 16


def is_quoted(text: str, labels: Sequence[Label]) -> bool:
    """Return whether labels stand inside a fence, tags or lines of a quotation that ends behind them.

    >>> is_quoted("<log>\\nUser: Hi\\n</log>", [Label(6, 11, "user", "User:")])
    True
    """
    opened = {
        one[1] or (f"</{one[2]}>" if one[2] else "END"): one.end() for one in _OPENS.finditer(text, 0, labels[0].start)
    }
    return any(
        text.find(end, start, labels[0].start) < 0 and text.find(end, labels[-1].end) >= 0
        for end, start in [*opened.items()][-_NEAREST:]
    )


def is_form(text: str, labels: Sequence[Label]) -> bool:
    """Return whether labels are the form of an answer: announced as one, or with holes for contents.

    >>> is_form("Q: <question>", [Label(0, 2, "user", "Q:")])
    True
    """
    ends = [*(label.start for label in labels[1:]), len(text)]
    if all(_HOLE.match(text, label.end, end) for label, end in zip(labels, ends, strict=True)):
        return True
    return len(labels) < 3 and _FORM.search(text, 0, labels[0].start) is not None


def is_about(text: str, labels: Sequence[Label], *, is_open: bool) -> bool:
    """Return whether an instruction before or behind a talk asks for something to be done with it.

    ``is_open``: the text ends in a label that nobody of the talk bears.

    >>> is_about("Rate this chat:\\nUser: Hi", [Label(16, 21, "user", "User:")], is_open=False)
    True
    """
    before = text[: labels[0].start]
    if _DEED.search(before) and (is_open or (_TALK.search(before) and _POINTS.search(before))):
        return True
    _, blank, last = text[labels[-1].end :].strip().rpartition("\n\n")
    if not blank or "\n" in last or not _ORDER.match(last):
        return False
    return not _SPEAKS.search(last) if labels[-1].role == "assistant" else _ABOVE.search(last) is not None


def is_record(text: str, names: Sequence[Name], spoken: Sequence[Label], *, is_weak: bool) -> bool:
    """Return whether two speakers are fields of a record or of code, or entries of a glossary.

    ``is_weak``: their names are those of people in general, not of a user and a model.
    """
    start = spoken[0].start
    others = sum(one.name not in KNOWN and one.start > start for one in names)
    if is_weak and (others or "\n\n" in text[spoken[-1].end :].strip()):
        return True
    block = text[start:].partition("\n\n")[0]
    if spoken[-1].start - start >= len(block):
        return False
    lines = [text[label.end :].partition("\n")[0].strip() for label in spoken]
    fields = sum(start <= one.start < start + len(block) for one in names)
    return all(line.endswith((",", ";")) for line in lines) or (others > 0 and fields == block.count("\n") + 1)
