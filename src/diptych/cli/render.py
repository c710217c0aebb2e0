"""``diptych render``: a template and its inputs, as prompt, messages or request."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from .options import ApiOption, Json, Model, OnLoss, OnLossOption, Pairs, TemplateName, Vars, complete_format, inputs_of


class As(StrEnum):
    """What to print."""

    prompt = "prompt"
    messages = "messages"
    request = "request"
    view = "view"


def render_command(
    template: TemplateName,
    param: Pairs = None,
    vars_file: Vars = None,
    as_: Annotated[
        As, typer.Option("--as", help="What to print; view: a framed display with inputs in colour.")
    ] = As.prompt,
    api: ApiOption = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="The text format of a chat as a prompt.", autocompletion=complete_format),
    ] = None,
    model: Model = None,
    on_loss: OnLossOption = OnLoss.raise_,
    json_: Json = False,
) -> None:
    """Render a template.

    diptych render translate -p text=Hello

    diptych render translate-chat -p text=Hello --as messages
    """
    from ..config import setting
    from .count import model_of
    from .inputs import find_template
    from .output import console, write_document, write_json, write_text

    found = find_template(template)
    rendered = found.render(**inputs_of(found, param, vars_file))
    chosen = setting("format", format_)
    if as_ is As.request:
        asked: dict[str, Any] = {"model": model_of(model, rendered), "on_loss": on_loss.value}
        body = rendered.request(api.value if api else None, **asked)
        write_document(request=body) if json_ else write_json(body)
    elif json_:
        write_document(**document_of(rendered, chosen))
    elif as_ is As.messages:
        write_json(rendered.messages)
    elif as_ is As.view:
        console().print(rendered.__rich__())
    else:
        write_text(rendered.write(chosen).text if chosen and rendered.is_chat else rendered.prompt)


def document_of(rendered: Any, format_name: str | None = None) -> dict[str, Any]:
    """Return what ``--json`` shows of a rendered template."""
    writing = rendered.write(format_name) if format_name and rendered.is_chat else None
    spans = writing.spans if writing else rendered.spans
    losses = writing.losses if writing else rendered.losses
    return {
        "prompt": writing.text if writing else rendered.prompt,
        "messages": rendered.messages,
        "spans": [span._asdict() for span in spans],
        "losses": [loss.to_json() for loss in losses],
        "template": {"name": rendered.template.name, "hash": rendered.template.hash},
    }
