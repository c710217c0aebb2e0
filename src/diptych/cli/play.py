"""``diptych play``: a local page to edit templates."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer


def play_command(
    folder: Annotated[Path, typer.Argument(help="The folder of templates.")] = Path("templates"),
    port: Annotated[int, typer.Option("--port", help="The port of 127.0.0.1; 0 picks a free one.")] = 0,
    local: Annotated[bool, typer.Option("--local", help="Let the embedded model answer.")] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Let the page send requests, with the key of the environment.")
    ] = False,
    base_url: Annotated[str | None, typer.Option("--base-url", help="The server that --send calls.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model that is asked.")] = None,
    max_cost: Annotated[str, typer.Option("--max-cost", help="Send no more than this costs, in USD.")] = "1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address; open no browser.")] = False,
) -> None:
    """Edit templates in the browser, with prompt, messages, tokens, cost, findings and bodies beside them.

    It listens on this machine alone, and its address holds a token. Nothing is sent without --local or --send.

    diptych play templates
    """
    from ..errors import TemplateNotFound
    from ..play.app import Play
    from ..play.door import new_token
    from ..play.run import run_play

    if not folder.is_dir():
        raise TemplateNotFound(f"there is no folder {str(folder)!r}", hint="give the folder of your templates")
    with ExitStack() as stack:
        more = _sending(stack, local, send, base_url, model, max_cost)
        run_play(Play(folder.resolve(), new_token(), **more), port=port, opens=not no_open)


def _sending(
    stack: ExitStack, local: bool, send: bool, base_url: str | None, model: str | None, max_cost: str
) -> dict[str, Any]:
    """Return the client, the model and what is said of them; nothing where nothing may be sent."""
    from ..client import AsyncClient, Budget
    from ..config import setting

    if local:
        from ..local import LocalServer

        server = stack.enter_context(LocalServer(None))
        client = AsyncClient(server.base_url, trust_env=False)
        return {"client": client, "model": "local", "told": "requests go to the embedded model"}
    if not send:
        return {}
    client = AsyncClient(setting("base_url", base_url), budget=Budget(usd=max_cost))
    told = f"requests go to {client.base_url} for at most {max_cost} USD"
    return {"client": client, "model": setting("model", model), "told": told}
