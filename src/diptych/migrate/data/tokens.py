"""Tokens of a data set, before and after: counted as they are billed, a row at a time.

Rule: a row of messages counts as the messages do; a row of a prompt and a completion
counts as those two texts. What is spliced is counted from its texts alone, which is the
same number: a message is its border, its role and its text (tests/migrate/data/test_tokens.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...apis.chat import messages as openai_chat
from ...conversion.registry import get
from ...datasets.finetune import Separators
from ...encodings.encoding import encoding
from ...encodings.text import LONG_RUN, count_text
from ...errors import DiptychError, FormatError, MigrationError
from ...model import Conversation, Example, Message
from ...tokens import count
from .counts import ShardCounts
from .plain import Talk
from .spec import Spec

if TYPE_CHECKING:
    from ...encodings.packed import PackedEncoding


class Tokens:
    """Adds the tokens of rows to a shard's counts, where the spec names models for it."""

    def __init__(self, spec: Spec, counts: ShardCounts) -> None:
        self._spec, self._counts = spec, counts
        self._before = _counter(spec.source_model)
        self._after = _counter(spec.model)
        if self._before is not None:
            counts.tokens_before = 0
        if self._after is not None:
            counts.tokens_after = 0

    def fit(self, written: list[Any]) -> None:
        """Raise FormatError for a row that is longer, when written, than the spec allows."""
        most = self._spec.max_tokens
        if most is None or self._after is None:
            return
        for value in written:
            found = self._after.row(value, self._spec.target)
            if found > most:
                hint = f"allow more with max_tokens={found}, or --max-tokens {found} on the command line"
                raise FormatError(f"the row has {found:,} tokens, more than {most:,}", path="$", hint=hint)

    def add(self, row: Any, written: list[Any]) -> None:
        """Add the tokens of a row, and of what was written for it."""
        if self._before is not None:
            found = self._before.row(row, self._spec.source)
            self._counts.tokens_before = (self._counts.tokens_before or 0) + found
        if self._after is not None:
            found = sum(self._after.row(value, self._spec.target) for value in written)
            self._counts.tokens_after = (self._counts.tokens_after or 0) + found

    @property
    def are_asked(self) -> bool:
        """Whether any tokens are to be counted."""
        return self._before is not None or self._after is not None

    def add_texts(self, prompts: list[str], completions: list[str], separators: Separators) -> None:
        """Add the tokens of spliced rows: their prompts and completions as they were."""
        counts, (end, start, close) = self._counts, separators
        if self._before is not None:
            found = self._before.texts(prompts) + self._before.texts(completions)
            counts.tokens_before = (counts.tokens_before or 0) + found
        if self._after is not None:
            users = [prompt.removesuffix(end) for prompt in prompts]
            answers = [text.removeprefix(start).removesuffix(close) for text in completions]
            found = self._after.border * len(users) + self._after.texts(users) + self._after.texts(answers)
            counts.tokens_after = (counts.tokens_after or 0) + found


    def add_talks(self, talks: list[Talk]) -> None:
        """Add the tokens of plain rows, which have the same turns before and after."""
        counts = self._counts
        if talks and self._before is not None:
            counts.tokens_before = (counts.tokens_before or 0) + self._before.talks(talks)
        if talks and self._after is not None:
            counts.tokens_after = (counts.tokens_after or 0) + self._after.talks(talks)


class RowCounter:
    """Counts rows as one model is billed."""

    def __init__(self, model: str) -> None:
        self._model = model
        pair = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
        found = count(pair, model)
        if found.tokens is None or found.encoding is None:
            raise MigrationError(f"the tokens of {model!r} cannot be counted: its encoding is not known")
        #: The tokens of a question and its answer around their texts.
        self.border = found.tokens
        self._encoding = found.encoding
        self._borders: dict[tuple[str, ...], int | None] = {}
        self._count_many = cast("PackedEncoding", encoding(found.encoding)).count_many

    def text(self, text: str) -> int:
        """Return the tokens of a text."""
        return count_text(text, encoding_name=self._encoding)

    def texts(self, texts: list[str]) -> int:
        """Return the tokens of many texts, with no detour where none is very long."""
        if max(map(len, texts), default=0) < LONG_RUN:
            return self._count_many(texts)
        return sum(map(self.text, texts))

    def talks(self, talks: list[Talk]) -> int:
        """Return the tokens of talks as Chat messages: each is the border of its roles, and its texts."""
        roles = Counter(tuple(role for role, _ in talk) for talk in talks)
        borders = [(self._border_of(each), number) for each, number in roles.items()]
        if any(border is None for border, _ in borders):
            return sum(self.conversation(Conversation(tuple(Message(*turn) for turn in talk))) for talk in talks)
        texts = [text for talk in talks for _, text in talk]
        return sum((border or 0) * number for border, number in borders) + self.texts(texts)

    def _border_of(self, roles: tuple[str, ...]) -> int | None:
        """Return the tokens around the texts of messages of these roles, None where they cannot be counted."""
        if roles not in self._borders:
            empty = [{"role": role, "content": ""} for role in roles]
            self._borders[roles] = count({"messages": empty}, self._model).tokens
        return self._borders[roles]

    def row(self, row: Any, layout: str) -> int:
        """Return the tokens of a row of this layout; of one that cannot be read, those of its texts."""
        if isinstance(row, Mapping) and layout == "finetune_legacy":
            return self.text(str(row.get("prompt", ""))) + self.text(str(row.get("completion", "")))
        if isinstance(row, Mapping) and isinstance(row.get("body"), Mapping):
            return count({**row["body"], "model": self._model}, self._model).tokens or 0
        try:
            read = get(layout, "dataset").read
            conversation = read(row)[0] if read is not None else None
        except DiptychError:
            conversation = None
        if conversation is None:
            return self.text(row if isinstance(row, str) else str(row))
        return self.conversation(conversation)

    def conversation(self, conversation: Conversation) -> int:
        """Return the tokens of a conversation as Chat messages, those of a worse answer added."""
        example = Example.of(conversation)
        tools = {"tools": openai_chat.write_tools(conversation)} if conversation.tools else {}
        total = count({"messages": openai_chat.write(conversation), **tools}, self._model).tokens or 0
        if example.rejected is not None:
            worse = Conversation((*example.messages[: example.answer], *example.rejected))
            total += count({"messages": openai_chat.write(worse), **tools}, self._model).tokens or 0
        return total


def _counter(model: str | None) -> RowCounter | None:
    return None if model is None else RowCounter(model)
