"""A request body of a message API as a Chat body, which becomes a template; what is lost on the way is reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...conversion.bodies import convert_request
from ...errors import FormatError, LossError
from .draft import Draft
from .openai_request import fill


def read_body(body: Mapping[str, Any], api: str, draft: Draft) -> None:
    """Fill the draft from a body of that API. Raises MigrationError."""
    try:
        (found,) = convert_request(body, source=api, to="chat", on_loss="ignore")
    except (FormatError, LossError) as error:
        raise draft.refuse(f"the body does not convert to Chat: {error.message}", error.path or "$") from None
    output = found.output
    if not isinstance(output, Mapping):  # a body of messages alone is a list of them
        if output and output[-1]["role"] == "assistant":
            draft.lose("$", "substituted", "Chat begins a new reply; the source goes on with its last message")
        output = {"messages": output}
    fill(output, draft)
    for loss in found.losses:
        draft.lose(*loss)
