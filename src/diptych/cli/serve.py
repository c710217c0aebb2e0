"""``diptych serve``: the bridge for programs that speak another API than the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

UpstreamApiOption = Annotated[
    str, typer.Option("--upstream-api", help="The API that it speaks: chat, completions, anthropic or another.")
]
ModelMapOption = Annotated[
    Path | None,
    typer.Option("--model-map", help='A JSON or YAML file: {"name of the client": "name of the upstream"}.'),
]
KeysFileOption = Annotated[
    Path | None,
    typer.Option("--keys-file", help="Keys that clients may use, one per line; also DIPTYCH_SERVE_KEYS."),
]
OptInOption = Annotated[
    str, typer.Option("--opt-in", help="Approximate this field (suffix or best_of) instead of refusing it.")
]
FormatOption = Annotated[
    str, typer.Option("--format", help="How prompts are read: auto, plain (one user message), or a text format.")
]
RequestsPerMinuteOption = Annotated[
    float | None, typer.Option("--requests-per-minute", help="Send no more than this to the upstream.")
]
TokensPerMinuteOption = Annotated[
    float | None, typer.Option("--tokens-per-minute", help="Send no more tokens than this to the upstream.")
]
DrainOption = Annotated[
    int, typer.Option("--drain", min=0, help="Seconds that accepted calls are given at shutdown.")
]
TemplatesOption = Annotated[
    Path | None, typer.Option("--templates", help="The only folder whose templates are rendered.")
]
RenderFormatOption = Annotated[
    str | None,
    typer.Option("--render-format", help="For /render: a text format, or a file with the chat template."),
]


def serve_command(
    upstream: Annotated[str | None, typer.Option("--upstream", help="The server to call, as http://host/v1.")] = None,
    upstream_api: UpstreamApiOption = "chat",
    model_map: ModelMapOption = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Send every other model name as this one.")] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port to listen on; 0 picks a free one.")] = 8484,
    keys_file: KeysFileOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would be changed or dropped.")] = False,
    opt_in: OptInOption = "",
    format: FormatOption = "auto",
    unknown: Annotated[str, typer.Option("--unknown", help="Fields that no API has: pass or refuse.")] = "pass",
    max_cost: Annotated[str | None, typer.Option("--max-cost", help="Refuse calls beyond this many USD.")] = None,
    requests_per_minute: RequestsPerMinuteOption = None,
    tokens_per_minute: TokensPerMinuteOption = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for a whole call, stream included.")] = 600.0,
    retries: Annotated[int, typer.Option("--retries", min=0, help="Further attempts of a call that failed.")] = 2,
    max_body: Annotated[int, typer.Option("--max-body", min=1, help="Bytes that a request may have.")] = 16_777_216,
    max_calls: Annotated[int, typer.Option("--max-calls", min=1, help="Calls at the same time.")] = 1024,
    max_queue: Annotated[int, typer.Option("--max-queue", min=0, help="Calls that may wait for a place.")] = 1024,
    drain: DrainOption = 60,
    record: Annotated[str | None, typer.Option("--record", help="Write what the upstream sends to a cassette.")] = None,
    replay: Annotated[str | None, typer.Option("--replay", help="Answer from a cassette.")] = None,
    templates: TemplatesOption = None,
    render_format: RenderFormatOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write no access log to standard error.")] = False,
) -> None:
    """Offer Completions, Chat, Responses and Messages over a server that speaks one of them.

    The key of the upstream comes from the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY and so on). Without
    --upstream the vendor of the API is called.

    diptych serve --upstream http://127.0.0.1:8080/v1

    diptych serve --upstream-api anthropic --model claude-sonnet-5 --max-cost 5
    """
    from ..config import setting
    from ..serve import Bridge, Settings
    from ..serve.gate import keys_from
    from ..serve.run import run_bridge

    chosen = Settings(
        upstream=setting("base_url", upstream) if upstream_api in ("chat", "completions", "responses") else upstream,
        upstream_api=upstream_api,  # type: ignore[arg-type]
        models=_models(model_map, model),
        strict=strict,
        opt_in=frozenset(name.strip() for name in opt_in.split(",") if name.strip()),
        format=format,
        unknown=unknown,  # type: ignore[arg-type]
        max_body=max_body,
        max_calls=max_calls,
        max_queue=max_queue,
        timeout=timeout,
        retries=retries,
        templates=templates,
        **_rendering(render_format),
        **_of_client(max_cost, requests_per_minute, tokens_per_minute, record, replay),
    )
    bridge = Bridge(chosen, keys=keys_from(keys_file), api_key="" if replay and not record else None)
    run_bridge(bridge, host=host, port=port, drain=drain, log=not quiet)


def _models(file: Path | None, model: str | None) -> dict[str, str]:
    from ..errors import ConfigError
    from .inputs import read_data

    found = read_data(str(file)) if file is not None else {}
    if not isinstance(found, dict) or not all(isinstance(one, str) for pair in found.items() for one in pair):
        raise ConfigError(f"{file}: a map of models is an object of names", hint='for example {"davinci": "gpt-4o"}')
    return {**found, **({"*": model} if model else {})}


def _rendering(given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
    if not Path(given).is_file():
        return {"render_format": given}
    from ..sandbox.chat_template import ChatTemplate

    if given.endswith(".json"):
        return {"chat_template": ChatTemplate.from_tokenizer_config(given)}
    return {"chat_template": ChatTemplate(Path(given).read_text("utf-8"))}


def _of_client(
    max_cost: str | None, requests: float | None, tokens: float | None, record: str | None, replay: str | None
) -> dict[str, Any]:
    from ..client import Budget, RateLimits
    from .run import _cassette

    found: dict[str, Any] = {} if max_cost is None else {"budget": Budget(usd=max_cost)}
    if requests or tokens:
        found["limits"] = RateLimits(requests_per_minute=requests, tokens_per_minute=tokens)
    if record or replay:
        found["cassette"] = _cassette(record, replay)
    return found
