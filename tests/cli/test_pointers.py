"""Names that mean two things are told apart where they are used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from diptych.cli.app import make_app


@pytest.mark.parametrize(("to", "is_told"), [("claude", True), ("anthropic", False), ("chatml", False)])
def test_a_body_as_the_text_format_claude_points_to_the_api(tmp_path: Path, to: str, is_told: bool) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}))
    shown = CliRunner().invoke(make_app(), ["convert", str(body), "--to", to])
    assert ("--to anthropic writes" in shown.stderr) is is_told


def test_each_day_of_prices_says_what_it_is() -> None:
    app = make_app()
    assert "price book of 20" in CliRunner().invoke(app, ["doctor"]).stdout
    shown = CliRunner().invoke(app, ["cost", "-", "--model", "gpt-5.4-mini", "--explain"], input="Hi").stdout
    assert "prices checked on 20" in shown
