"""Tool arguments as OpenAI sends them are encoded twice, or refused.

In OpenAI's messages the arguments of a call are a JSON text. A template that writes them with
``tojson`` encodes that text again, with escaped quotes, and the model sees another call than it was
trained on. Test ``arguments is string`` and print a text as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..chat import TOOL, USER, ChatSubject
from ..finding import Finding

CODE = "H001"
BAD = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}{% for c in m.tool_calls or [] %}"
    "{{ c.function.arguments | tojson }}{% endfor %}\n{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}"
)
GOOD = BAD.replace("c.function.arguments | tojson", "c.function.arguments")


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render a call whose arguments are a JSON text."""
    if not subject.takes_tools:
        return
    call = {"id": "call00001", "type": "function", "function": {"name": "fq", "arguments": '{"aq": "Vq"}'}}
    messages: list[dict[str, Any]] = [USER, {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call00001", "name": "fq", "content": "Rq"}]  # fmt: skip
    parsed = {**call, "function": {"name": "fq", "arguments": {"aq": "Vq"}}}
    as_object = [USER, {**messages[1], "tool_calls": [parsed]}, messages[2]]
    found = subject.render(messages, tools=[TOOL])
    place = subject.at(r"arguments[^\n]*?tojson", r"\barguments\b")
    hint = (
        "print a text as it is: {% if arguments is string %}{{ arguments }}{% else %}"
        "{{ arguments | tojson }}{% endif %}"
    )
    if found.text is None:
        if subject.render(as_object, tools=[TOOL]).text is not None:
            yield from subject.found(CODE, "arguments that are a JSON text are refused", place, found, hint)
    elif '\\"aq\\"' in found.text:
        yield from subject.found(
            CODE, "arguments that are a JSON text are encoded twice", place, found.shown('\\"aq'), hint
        )
    elif "Vq" not in found.text and "Vq" in (subject.render(as_object, tools=[TOOL]).text or ""):
        yield from subject.found(CODE, "arguments that are a JSON text are lost", place, found, hint)
