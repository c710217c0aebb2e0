"""``diptych convert``: any format to any other, with the truth about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from .options import FileName, Json, Jsonl, OnLoss, complete_format, on_loss_option

FromOption = Annotated[
    str, typer.Option("--from", help="The format of the file.", autocompletion=complete_format)
]
ToOption = Annotated[
    str, typer.Option("--to", help="The format to write.", autocompletion=complete_format)
]
OnLossOption = Annotated[
    OnLoss,
    on_loss_option(
        "report: write the output, print losses to standard error and exit with status 1 if there are any. "
        "raise: write nothing if there are any. ignore: say nothing."
    ),
]
DiffOption = Annotated[
    bool, typer.Option("--diff", help="For each possible format of the prompt, show where it differs.")
]
ProveOption = Annotated[
    str | None,
    typer.Option(
        help="A tokenizer_config.json, its folder, a .jinja file, or the URL of a server (llama.cpp, vLLM): say "
        "whether the model's chat template renders the messages to the same prompt (a server: to the same "
        "tokens), and exit with status 1 if not."
    ),
]
StreamOption = Annotated[
    bool, typer.Option("--stream", help="The JSON lines of the file are the events of one stream.")
]


def convert_command(
    file: FileName,
    from_: FromOption = "auto",
    to: ToOption = "chat",
    on_loss: OnLossOption = OnLoss.report,
    diff: DiffOption = False,
    prove: ProveOption = None,
    stream: StreamOption = False,
    json_: Json = False,
    jsonl: Jsonl = False,
) -> None:
    """Convert a prompt, messages, a request, a reply or a recorded stream from one format to another.

    diptych convert prompt.txt --to chat

    diptych convert request.json --to anthropic

    diptych convert recorded.sse --to responses
    """
    from ..conversion.convert import convert, convert_whole
    from ..conversion.registry import get
    from ..policy import settle
    from .convert_stream import is_stream
    from .inputs import read_file
    from .output import write_document, write_json, write_text
    from .values import value_of

    if prove and diff:
        raise typer.BadParameter("--prove converts the prompt: leave --diff out")
    if jsonl:
        raise typer.Exit(_convert_lines(file, from_, to, on_loss, prove))
    if diff:
        _explain(read_file(file), json_)
        return
    text = read_file(file)
    if stream or is_stream(text):
        raise typer.Exit(_convert_stream(text, from_, to, on_loss, json_))
    value = value_of(text, file, lines_hint=f"diptych convert {file} --jsonl converts each line")
    policy = _engine_policy(on_loss)
    named = None if from_ == "auto" else get(from_)
    if prove:
        with prover(prove) as by:
            whole = [convert(value, source=from_, target=to, on_loss=policy, prove=by)]
    else:
        whole = convert_whole(value, get(to).name, named) or [convert(value, source=from_, target=to, on_loss=policy)]
    code = _report_proof(whole[0].proof)
    for result in whole:
        settle(result.losses, policy)
        code = max(code, _report(result.losses, on_loss))
        if result.detail and on_loss is not OnLoss.ignore:
            print(f"ambiguous: {result.detail}", file=sys.stderr)
    if on_loss is not OnLoss.ignore:
        _point_to_api(get(to).name, value)
    result = whole[0]
    if len(whole) > 1:
        write_document(outputs=[*map(document_of, whole)]) if json_ else write_json([one.output for one in whole])
    elif json_:
        write_document(**document_of(result))
    elif isinstance(result.output, str):
        write_text(result.output)
    else:
        write_json(result.output)
    raise typer.Exit(code)


def _explain(prompt: str, json_: bool) -> None:
    """Say which formats a prompt may be of, and where each would be written otherwise."""
    from ..text.reading import dialects
    from .output import write_document, write_text

    rows = dialects(prompt)
    if json_:
        names = ("format", "confidence", "verdict", "difference")
        write_document(formats=[dict(zip(names, row, strict=True)) for row in rows])
        return
    for name, confidence, verdict, difference in rows:
        write_text(f"{name}: {confidence:.2f}, {verdict}; {difference or 'written again, the text is identical'}\n")


def _point_to_api(target: str, value: Any) -> None:
    """Say which API bears the name of a text format that structured input was converted to."""
    api = {"claude": "anthropic"}.get(target)
    if api is not None and not isinstance(value, str):
        what = f"{target} is the old text format of prompts; --to {api} writes a request of the Messages API"
        print(f"note: {what}", file=sys.stderr)


def _engine_policy(on_loss: OnLoss) -> Any:
    """Return the policy for ``convert``: losses to report are printed here, not issued as warnings."""
    return "raise" if on_loss is OnLoss.raise_ else "ignore"


def _report(losses: Any, on_loss: OnLoss, where: str = "") -> int:
    """Print the losses above exact where they are to be reported, and return the exit status."""
    above = [loss for loss in losses if loss.severity > 0] if on_loss is OnLoss.report else []
    for loss in above:
        print(f"warning: {where}{loss}", file=sys.stderr)
    return 1 if above else 0


def _report_proof(proof: Any, where: str = "") -> int:
    """Print what a proof found, and return the exit status."""
    if proof is None:
        return 0
    said = "the same text" if proof.equal else f"another text: {proof.first_difference}"
    print(f"{where}proof by the {proof.by}: {said}", file=sys.stderr)
    if proof.remedy:
        print(f"{where}remedy: {proof.remedy}", file=sys.stderr)
    return 0 if proof.equal else 1


@contextmanager
def prover(name: str | None) -> Iterator[Any]:
    """Yield the chat template of a file or folder, or a client of the server at a URL; None for no name."""
    from ..client import Client
    from ..sandbox.chat_template import ChatTemplate
    from .inputs import read_file

    if name is None:
        yield None
    elif "://" in name:
        with Client(name) as client:
            yield client
    elif name.endswith(".jinja"):
        yield ChatTemplate(read_file(name))
    else:
        yield ChatTemplate.from_tokenizer_config(name)


def document_of(result: Any) -> dict[str, Any]:
    """Return what ``--json`` shows of a conversion."""
    return {
        "output": result.output,
        "format": result.format,
        "verdict": result.verdict,
        "detail": result.detail,
        "losses": [loss.to_json() for loss in result.losses],
        "alternatives": list(result.alternatives),
        "proof": result.proof._asdict() if result.proof else None,
    }


def _convert_stream(text: str, source: str, target: str, on_loss: OnLoss, json_: bool) -> int:
    """Write a recorded stream as the target's server would send it, and return the exit status."""
    from ..conversion.registry import get
    from .convert_stream import convert_recorded, shown
    from .output import write_document, write_text

    policy: Any = on_loss.value
    api = get(target, "api").name
    events, said = convert_recorded(text, source, api, policy)
    for warning in said:
        print(f"warning: {warning}", file=sys.stderr)
    if json_:
        write_document(events=events, losses=said)
    else:
        write_text(shown(events, api))
    return 1 if said else 0


def _convert_lines(file: str, source: str, target: str, on_loss: OnLoss, prove: str | None) -> int:
    from ..conversion.convert import convert
    from ..errors import DiptychError
    from .inputs import error_json, iter_jsonl
    from .output import write_json

    failed = 0
    with prover(prove) as by:
        for number, value in enumerate(iter_jsonl(file), 1):
            try:
                if isinstance(value, DiptychError):
                    raise value
                result = convert(value, source=source, target=target, on_loss=_engine_policy(on_loss), prove=by)
                failed |= _report(result.losses, on_loss, f"result {number}: ")
                failed |= _report_proof(result.proof, f"result {number}: ")
                write_json(document_of(result), indent=None)
            except DiptychError as error:
                failed = 1
                write_json(error_json(error), indent=None)
    return failed
