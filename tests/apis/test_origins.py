"""What a server's rules mend is reported at the place of the source that it comes from."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from diptych.apis.api import Api, read_request, write_request
from diptych.apis.ledger import Ledger
from diptych.apis.origins import obeyed


def api(name: str) -> Api:
    found: Api = import_module(f"diptych.apis.{name}.request").API
    return found


def converted(body: dict[str, Any], source: str, target: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    ledger = Ledger()
    request = read_request(api(source), body, ledger)
    written = write_request(api(target), request, ledger)
    found = obeyed(api(target), written, request, ledger)
    return found, [(loss.path, loss.kind) for loss in ledger.losses]


CASES = [
    ("responses", "anthropic", {"input": [{"role": "user", "content": " "}, {"role": "user", "content": "q"}],
                                "max_output_tokens": 20, "temperature": 2},
     [("$.input[0]", "message-dropped"), ("$.temperature", "clamped")]),
    ("gemini", "anthropic", {"contents": [{"role": "user", "parts": [{"text": "q"}, {"text": " "}]},
                                          {"role": "model", "parts": [{"text": "So, "}]}],
                             "generation_config": {"max_output_tokens": 9, "temperature": 1.5}},
     [("$.contents[0].parts[1].text", "trimmed"), ("$.contents[1].parts", "trimmed"),
      ("$.generation_config.temperature", "clamped")]),
    ("ollama", "responses", {"model": "m", "messages": [{"role": "user", "content": "q"}],
                             "options": {"num_predict": 3}},
     [("$.options.num_predict", "clamped")]),
    ("responses", "gemini", {"input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": "https://e.org/a"}, {"type": "input_text", "text": ""}]}]},
     [("$.input[0].content[0].image_url", "rule-breach"), ("$.input[0].content[1].text", "trimmed")]),
    ("anthropic", "gemini", {"messages": [{"role": "user", "content": "q"}], "max_tokens": 9, "tools": [
        {"name": "1f", "input_schema": {"type": "object"}}], "stop_sequences": ["a"] * 6},
     [("$.tools[0].name", "unsupported"), ("$.stop_sequences", "unsupported")]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "target", "body", "wanted"), CASES)
def test_what_is_mended_is_reported_at_its_place_in_the_source(
    source: str, target: str, body: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    assert sorted(converted(body, source, target)[1]) == sorted(wanted)


def test_of_two_parameters_with_one_place_the_one_that_is_written_is_reported():
    body = {"model": "m", "messages": [{"role": "user", "content": "q"}], "max_completion_tokens": 1, "max_tokens": 40}
    found, losses = converted(body, "chat", "responses")
    assert found["max_output_tokens"] == 16
    assert ("$.max_completion_tokens", "clamped") in losses
