"""Whether a model of one's own sees the same after the migration: each prompt against its messages.

Rule: a hole is one plain word on both sides, so the proof is of what the source writes around the data.
"""

from __future__ import annotations

from typing import TypeAlias

from ...conversion.proof import Prover as _Prover
from ...conversion.proof import prove_same
from ...errors import DiptychError
from .model import Change, Prompted

#: A chat template, or what asks a server, such as a client.
Prover: TypeAlias = _Prover


def proved(prompt: Prompted, by: Prover) -> Change:
    """Return a note that says whether a model sees the same text, and what would help where it does not.

    >>> from .model import Place
    >>> from diptych.sandbox.chat_template import ChatTemplate
    >>> template = ChatTemplate("[{{ messages[0].content }}]")
    >>> proved(Prompted(Place("a.py", 1, 1), "[Hi]", [{"role": "user", "content": "Hi"}]), template).what
    'the model sees the same (proof by the chat template)'
    """
    try:
        found = prove_same(prompt.text, prompt.messages, by)
    except DiptychError as error:
        return Change(prompt.place, f"there is no proof: {error.message}", "note")
    if found.equal:
        return Change(prompt.place, f"the model sees the same (proof by the {found.by})", "note")
    remedy = f"; {found.remedy}" if found.remedy else ""
    what = f"the model sees something else (by the {found.by}): {found.first_difference}{remedy}"
    return Change(prompt.place, what, "note")
