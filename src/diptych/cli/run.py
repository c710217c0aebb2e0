"""``diptych run``: render, estimate, check the budget, send."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from .options import ApiOption, Json, Model, OnLoss, OnLossOption, Pairs, TemplateName, Vars, inputs_of


def run_command(
    template: TemplateName,
    param: Pairs = None,
    vars_file: Vars = None,
    api: ApiOption = None,
    model: Model = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Another server, as http://host/v1.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it comes.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="For a reproducible answer, as far as the server can.")
    ] = None,
    json_mode: Annotated[bool, typer.Option("--json-mode", help="Ask for a JSON object.")] = False,
    schema: Annotated[
        str | None, typer.Option("--schema", help="A JSON Schema file that the answer must follow.")
    ] = None,
    max_cost: Annotated[str | None, typer.Option("--max-cost", help="USD; do not send what may cost more.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the request and send nothing.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Answer with the embedded model.")] = False,
    local_model: Annotated[str | None, typer.Option("--local-model", help="Another model, a GGUF file.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="Write what the server sends to a cassette.")] = None,
    replay: Annotated[str | None, typer.Option("--replay", help="Answer from a cassette.")] = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, help="Send the request N times; exit with status 1 if the answers differ.")
    ] = 1,
    compare: Annotated[str | None, typer.Option("--compare", help="Compare with a reply saved by --json.")] = None,
    on_loss: OnLossOption = OnLoss.raise_,
    json_: Json = False,
) -> None:
    """Render a template and send it.

    diptych run translate -p text=Hello --local

    diptych run extract -p text=@letter.txt --dry-run
    """
    from ..config import setting
    from .count import model_of
    from .inputs import find_template

    found = find_template(template)
    rendered = found.render(**inputs_of(found, param, vars_file))
    params = _params(seed, json_mode, schema)
    chosen = api.value if api else None
    model = model_of(model, rendered)
    use_local = local or local_model is not None
    if dry_run:
        _show_request(rendered, model, chosen, None if use_local else base_url, params, on_loss.value, use_local, json_)
        return
    with _endpoint(use_local, local_model) as server:
        target = server.base_url if server else setting("base_url", base_url)
        asked = {"model": server.model if server else model, "api": chosen, "on_loss": on_loss.value, **params}
        with _client(target, server is not None, max_cost, record, replay) as client:
            replies = [_ask(client, rendered, asked, stream and not json_) for _ in range(repeat)]
    _show(replies, json_, stream, compare)


def _show_request(
    rendered: Any,
    model: str | None,
    api: str | None,
    base_url: str | None,
    params: dict[str, Any],
    on_loss: Any,
    use_local: bool,
    json_: bool,
) -> None:
    """Print the body that would be sent, and with ``--json`` its API and why."""
    from ..client.requests import is_openai
    from ..config import setting
    from ..conversion.requests import build
    from .output import write_document, write_json

    own = not use_local and is_openai(setting("base_url", base_url))
    model = model or ("local" if use_local else None)
    built = build(rendered, model=model, api=api, on_loss=on_loss, own_server=own, **params)
    losses = [loss.to_json() for loss in built.losses]
    if json_:
        write_document(request=built.body, api=built.api, api_reason=built.reason, losses=losses)
    else:
        write_json(built.body)


def _params(seed: int | None, json_mode: bool, schema: str | None) -> dict[str, Any]:
    from .inputs import read_data

    params: dict[str, Any] = {} if seed is None else {"seed": seed}
    if schema:
        params["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": read_data(schema)},
        }
    elif json_mode:
        params["response_format"] = {"type": "json_object"}
    return params


@contextlib.contextmanager
def _endpoint(use_local: bool, model: str | None) -> Iterator[Any]:
    if not use_local:
        yield None
        return
    from ..local import LocalServer

    with LocalServer(model) as server:
        yield server


def _client(target: str | None, local: bool, max_cost: str | None, record: str | None, replay: str | None) -> Any:
    from ..client import Budget, Client

    options: dict[str, Any] = {"budget": Budget(usd=max_cost)} if max_cost is not None else {}
    if record or replay:
        options["cassette"] = _cassette(record, replay)
    if replay and not record:
        target = target or _recorded(replay)
        options["api_key"] = ""  # nothing is sent
    # A model of this machine is not behind the proxies of the environment.
    return Client(target, trust_env=not local, **options)


def _ask(client: Any, rendered: Any, asked: dict[str, Any], stream: bool) -> Any:
    if not stream:
        return client.send(rendered, **asked)
    with client.stream(rendered, **asked) as deltas:
        for delta in deltas:
            sys.stdout.write(delta.text)
            sys.stdout.flush()
        return deltas.reply


def _show(replies: list[Any], json_: bool, stream: bool, saved: str | None) -> None:
    """Print the first reply, and how the others, and a saved one, compare with it."""
    from ..client.drift import worst
    from .inputs import read_data
    from .output import write_document, write_text

    found = [reply.to_json() for reply in replies]
    before = [read_data(saved)] if saved else []
    drift = worst([*before, *found]) if saved or len(found) > 1 else None
    if json_:
        compared = {"outcome": drift.outcome, "drift": drift.detail, "repeats": len(found)} if drift else {}
        write_document(**found[0], **compared)
    elif not stream:
        write_text(_shown(replies[0].message))
    elif more := _shown({**replies[0].message, "content": None}):
        write_text(f"\n{more}" if replies[0].message.get("content") else more)
    _say_usage(replies[0])
    if drift is not None:
        print(f"[{drift.outcome}: {drift.detail}]", file=sys.stderr)
        if drift.outcome != "identical":
            raise typer.Exit(1)


def _shown(message: dict[str, Any]) -> str:
    """Return the text of a message, with a line for a refusal and for every tool call."""
    lines = [str(message["content"])] if message.get("content") else []
    if message.get("refusal"):
        lines.append(f"[refused] {message['refusal']}")
    for call in message.get("tool_calls") or ():
        asked = call.get("function") or call.get("custom") or {}
        given = asked.get("arguments", asked.get("input", ""))
        lines.append(f"[tool call {call.get('id')}] {asked.get('name')}({given})")
    return "\n".join(lines)


def _recorded(replay: str) -> str | None:
    """Return the base address that the first recording was made with."""
    with open(replay, encoding="utf-8") as file:
        url = json.loads(file.readline() or "{}").get("request", {}).get("url", "")
    return str(url).removesuffix("/completions").removesuffix("/chat") or None


def _cassette(record: str | None, replay: str | None) -> Any:
    from ..client.cassette import Cassette

    return Cassette(record, mode="all") if record else Cassette(replay or "", mode="none")


def _say_usage(reply: Any) -> None:
    """Tell on standard error what the call used."""
    usage = reply.usage
    parts = [f"model {reply.model}"]
    if usage:
        parts.append(f"{usage.prompt_tokens} + {usage.completion_tokens} tokens")
    parts.append(f"{reply.cost:f} USD" if reply.cost is not None else f"cost unknown: {reply.cost_reason}")
    if reply.system_fingerprint:
        parts.append(f"fingerprint {reply.system_fingerprint}")
    print(f"\n[{', '.join(parts)}]", file=sys.stderr)
