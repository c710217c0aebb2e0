"""What a prompt text is written on: its pieces, with the author of each."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Segment, Source, Span


class Paper:
    """The text while it is written: pieces, and beside them who wrote each for which message."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.authors: list[tuple[Source, str | None, int | None]] = []

    def put(self, text: str, source: Source, name: str | None, message: int | None) -> None:
        """Write ``text``."""
        if text:
            self.pieces.append(text)
            self.authors.append((source, name, message))

    def mark(self, text: str, message: int | None = None) -> None:
        """Write a mark of the format."""
        self.put(text, "template", None, message)

    def put_all(self, segments: Sequence[Segment], message: int | None) -> None:
        """Write the text of a message."""
        for text, source, name in segments:
            self.put(text, source, name, message)

    def spans(self) -> tuple[Span, ...]:
        """Return the authors of the text; neighbours of one author are one span."""
        spans: list[Span] = []
        start = end = 0
        for index, author in enumerate(self.authors):
            end += len(self.pieces[index])
            if self.authors[index + 1 : index + 2] != [author]:
                spans.append(Span(start, end, *author))
                start = end
        return tuple(spans)
