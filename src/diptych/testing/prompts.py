"""Assertions about what a template renders: roles, tokens, cost, and whole snapshots.

Rule: a snapshot is a text that people read in a review: tokens, every message under its role, the
prompt. A difference is shown by message.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ..catalogue import DEFAULT_MODEL
from ..prices import estimate
from ..templating.rendered import Rendered
from ..tokens import count

_SECTION: Final = re.compile(r"^===== (.*) =====$", re.MULTILINE)


def assert_prompt(
    rendered: Rendered,
    *,
    roles: Sequence[str] | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    model: str | None = None,
) -> None:
    """Assert the roles of a rendered template, and that its request is under a cap of tokens or USD.

    ``model`` defaults to the template's, then to the catalogue's default model. Raises AssertionError,
    and what counting and pricing raise.

    >>> from diptych import Template
    >>> assert_prompt(Template.from_string("Hi").render(), roles=["user"], max_tokens=20)
    """
    name = model or rendered.model or DEFAULT_MODEL
    if roles is not None:
        found = [message["role"] for message in rendered.messages]
        assert found == list(roles), f"the roles are {found}, not {list(roles)}"
    if max_tokens is not None:
        tokens = count(rendered, name).tokens
        assert tokens is not None, f"the tokens of {name} are not known"
        assert tokens <= max_tokens, f"{tokens:,} tokens with {name}, over {max_tokens:,}"
    if max_cost is not None:
        cost = estimate(rendered, name).cost
        assert cost is not None, f"the price of {name} is not known"
        assert float(cost.expected) <= max_cost, f"about {cost.expected} USD with {name}, over {max_cost}"


def snapshot_of(rendered: Rendered, *, model: str | None = None) -> str:
    """Return the snapshot of a rendered template: its tokens, its messages, its prompt.

    >>> from diptych import Template
    >>> print(snapshot_of(Template.from_string("Hi").render(), model="gpt-4o").splitlines()[0])
    ===== 8 tokens with gpt-4o =====
    """
    name = model or rendered.model or DEFAULT_MODEL
    counted = count(rendered, name)
    shown = "unknown" if counted.tokens is None else f"{counted.tokens:,}"
    parts = [(f"{shown} tokens with {name}", "")]
    for index, message in enumerate(rendered.messages):
        named = f" ({message['name']})" if message.get("name") else ""
        parts.append((f"message {index}: {message['role']}{named}", _content(message)))
    parts.append(("prompt", rendered.prompt))
    return "".join(f"===== {title} =====\n{_escaped(text)}\n" for title, text in parts)


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    lines = [part["text"] if part.get("type") == "text" else f"[{part.get('type')}] {_short(part)}" for part in parts]
    calls = [call.get("function", {}) for call in message.get("tool_calls") or ()]
    return "\n".join([*lines, *(f"[tool call] {call.get('name')}({call.get('arguments')})" for call in calls)])


def _short(part: dict[str, Any]) -> str:
    text = str(part.get(str(part.get("type"))))
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text):,} characters)"


def _escaped(text: str) -> str:
    """Return a text none of whose lines looks like the beginning of a section."""
    return _SECTION.sub(lambda found: f"\\{found[0]}", text)


def difference(before: str, after: str) -> str:
    """Return which parts of two snapshots differ, and how, line by line."""
    old, new = _sections(before), _sections(after)
    told = []
    for title in dict.fromkeys([*old, *new]):
        if title not in new or title not in old:
            told.append(f"{title}: {'is gone' if title in old else 'is new'}")
        elif old[title] != new[title]:
            lines = difflib.unified_diff(old[title].split("\n"), new[title].split("\n"), "was", "is", lineterm="", n=1)
            told.append("\n".join([f"{title}:", *list(lines)[2:]]))
    return "\n\n".join(told)


def _sections(text: str) -> dict[str, str]:
    parts = _SECTION.split(text)
    return {title: body.strip("\n") for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def file_name(test: str) -> str:
    """Return a test's name as a name of a file; a short hash keeps apart what would become the same.

    >>> file_name("test_prompts-TestA.test_b"), file_name("test_c[a/b]"), file_name("test_c[a b]")
    ('test_prompts-TestA.test_b', 'test_c-a-b-8fc19912', 'test_c-a-b-8e7f4d08')
    """
    plain = re.sub(r"[^\w.-]+", "-", test).strip("-")[:120]
    return plain if plain == test else f"{plain}-{hashlib.sha256(test.encode('utf-8', 'replace')).hexdigest()[:8]}"


class Snapshots:
    """The snapshots of one test: call it with what was rendered. See the fixture ``diptych_snapshot``."""

    def __init__(self, folder: Path, test: str, *, accepts: bool) -> None:
        self._folder = folder
        self._test = test
        self._accepts = accepts
        self._taken: list[str] = []

    def __call__(self, rendered: Rendered, *, name: str | None = None, model: str | None = None) -> None:
        """Compare with the file ``__snapshots__/TEST[-NAME].txt``; with ``--accept`` write it.

        Raises AssertionError where they differ, and for a name that the test has used before.
        """
        ending = f"-{name}" if name else f"-{len(self._taken) + 1}" if self._taken else ""
        file = self._folder / f"{file_name(self._test + ending)}.txt"
        assert file.name not in self._taken, f"two snapshots of {self._test} are called {name!r}: rename one"
        self._taken.append(file.name)
        found = snapshot_of(rendered, model=model)
        known = file.read_bytes().decode("utf-8") if file.is_file() else None
        if known == found:
            return
        if self._accepts:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(found.encode("utf-8"))
            return
        told = f"there is no snapshot {file.name}" if known is None else difference(known, found)
        raise AssertionError(f"{told}\n\nif the new text is right: pytest --accept")
