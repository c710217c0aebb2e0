"""Small doors: what is iterated once, what follows an error, what is no source."""

from __future__ import annotations

import pytest

import diptych
from diptych import MigrationError, convert_stream
from diptych.migrate import migrate_code
from diptych.testing import Server


def test_send_many_takes_a_generator() -> None:
    with Server() as server, diptych.Client(server.base_url) as client:
        found = client.send_many((text for text in ("a", "b")), model="m")
    assert [reply.text for reply in found if isinstance(reply, diptych.Reply)] == ["a", "b"]


@pytest.mark.parametrize("to", ["chat", "completions"])
def test_nothing_follows_the_error_of_a_stream(to: str) -> None:
    chunks = [{"choices": [{"index": 0, "text": "Hi", "finish_reason": None}]}, {"error": {"message": "boom"}}]
    assert list(convert_stream(chunks, to=to))[-1] == {"error": {"message": "boom"}}  # type: ignore[arg-type]


def test_what_is_no_text_is_no_source() -> None:
    with pytest.raises(MigrationError, match="NoneType"):
        migrate_code(None)  # type: ignore[arg-type]
