"""``diptych count``: the tokens of a text, of messages, of a request, or of each line of a file."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from .options import FileName, Json, Jsonl, complete_model


def count_command(
    file: FileName,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Default: the model of the request.", autocompletion=complete_model),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", min=0, help="Exit with status 1 if the count exceeds this limit or is unknown."),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", help="A tokenizer.json or a GGUF file: count with it and its chat template."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say the rule and the source behind each line.")] = False,
    json_: Json = False,
    jsonl: Jsonl = False,
) -> None:
    """Count the tokens of a text, of messages, of a request body or of a line of a Batch file.

    --model wins over the model that a request names.

    diptych count prompt.txt --model gpt-5.4-mini --max-tokens 4000
    """
    from .output import write_document, write_text
    from .values import read_value

    named_models(model)
    if jsonl:
        raise typer.Exit(_count_lines(file, model, max_tokens, _read(tokenizer)))
    counted = _count(
        read_value(file, lines_hint=f"diptych count {file} --jsonl counts each line"), model, _read(tokenizer)
    )
    if json_:
        write_document(**counted.to_json())
    elif explain:
        explain_count(counted)
    else:
        write_text(f"{counted.tokens if counted.tokens is not None else 'unknown'}\n")
    if _is_over(counted, max_tokens):
        _say(_over(counted, max_tokens))
        raise typer.Exit(1)


def named_models(model: str | None) -> list[str]:
    """Return the models of ``--model``: none where it is not given, a usage error where it is empty."""
    names = [name.strip() for name in (model or "").split(",") if name.strip()]
    if model is not None and not names:
        raise typer.BadParameter(
            "no model is named; leave --model out to take that of the request", param_hint="--model"
        )
    return names


def model_of(flag: str | None, value: Any) -> str | None:
    """Return the model: the flag, else None for that of the request or template itself, else the configured one."""
    from ..config import setting

    own = value.get("model") or value.get("modelId") if isinstance(value, dict) else getattr(value, "model", None)
    return flag or (None if own is not None else setting("model") or None)


def _read(tokenizer: str | None) -> Any:
    from ..tokens.tokenizer import read_tokenizer

    return None if tokenizer is None else read_tokenizer(tokenizer)


def _count(value: Any, model: str | None, tokenizer: Any = None) -> Any:
    from ..tokens import count
    from .values import at_path, request_of

    value, path = request_of(value)
    with at_path(path):
        return count(value, model=model_of(model, value), tokenizer=tokenizer)


def explain_count(counted: Any) -> None:
    """Print each line of a count with its rule and where the rule comes from."""
    from ..tokens import explain
    from .output import write_text

    for item in counted.items:
        rule, source = explain(item.kind)
        write_text(f"{item.tokens:>8}  {item.basis:<12}{item.path:<28}{rule} ({source})\n")
    shown = "unknown" if counted.tokens is None else counted.tokens
    write_text(f"{shown:>8}  {counted.basis:<12}{counted.encoding or counted.reason}\n")


def _over(counted: Any, limit: int | None) -> str:
    if counted.tokens is None:
        return f"the count is unknown, so it cannot be compared with {limit}: {counted.reason}"
    return f"{counted.high if counted.high is not None else counted.tokens} tokens are more than {limit}"


def _is_over(counted: Any, limit: int | None) -> bool:
    if limit is None:
        return False
    highest = counted.high if counted.high is not None else counted.tokens
    return highest is None or highest > limit


def _count_lines(file: str, model: str | None, limit: int | None, tokenizer: Any) -> int:
    from ..errors import DiptychError
    from .inputs import error_json, iter_jsonl
    from .output import write_json

    code = 0
    totals = Totals()
    for value in iter_jsonl(file):
        totals.start()
        try:
            if isinstance(value, DiptychError):
                raise value
            counted = _count(value, model, tokenizer)
            write_json(counted.to_json(), indent=None)
            totals.add(counted)
            code = max(code, int(_is_over(counted, limit)))
        except DiptychError as error:
            code = 1
            totals.refused += 1
            write_json(error_json(error), indent=None)
    totals.say()
    return code


class Totals:
    """What the lines of a file add up to: told on standard error, with a line of progress on a terminal."""

    def __init__(self) -> None:
        self.lines = self.refused = self.unknown = self.tokens = self.low = self.high = 0
        self._started = self._shown = time.monotonic()
        self._is_live = sys.stderr.isatty()

    def start(self) -> None:
        """Count one line begun; on a terminal show how far the file is, four times a second."""
        self.lines += 1
        now = time.monotonic()
        if self._is_live and now - self._shown > 0.25:
            self._shown = now
            rate = self.lines / (now - self._started)
            sys.stderr.write(f"\r{self.lines:,} lines, {self.tokens:,} tokens, {rate:,.0f} lines a second")

    def add(self, counted: Any) -> None:
        """Add the count of one line."""
        if counted.tokens is None:
            self.unknown += 1
            return
        self.tokens += counted.tokens
        self.low += counted.low
        self.high += counted.high

    def say(self) -> None:
        """Tell the totals."""
        spread = "" if self.low == self.high else f" ({self.low:,} to {self.high:,})"
        rest = "".join(f", {n:,} {what}" for n, what in ((self.unknown, "unknown"), (self.refused, "refused")) if n)
        clear = "\r\x1b[K" if self._is_live else ""
        sys.stderr.write(f"{clear}{self.lines:,} lines: {self.tokens:,} tokens{spread}{rest}\n")


def _say(text: str) -> None:
    typer.echo(text, err=True)
