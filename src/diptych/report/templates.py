"""A template with its samples: prompt beside messages, who wrote what, tokens, cost and losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..catalogue import DEFAULT_MODEL
from ..errors import DiptychError
from ..model import ImagePart, Part, Segment, Span
from ..prices import estimate
from ..templating.rendered import Rendered
from ..templating.template import Template
from ..tokens import count
from ..views.parts import described


def template_document(
    template: Template, samples: Mapping[str, Mapping[str, Any]], *, models: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the document of a template: a section a sample, a row of cost a model.

    ``samples`` are inputs by name; ``models`` are by default the template's own, else the default
    model. A sample that does not render has an ``error`` in place of the rest.

    >>> template = Template.from_string("Say {{ word }}.")
    >>> document = template_document(template, {"one": {"word": "yes"}}, models=["gpt-4o"])
    >>> document["samples"][0]["prompt"][1]
    {'kind': 'text', 'text': 'yes', 'source': 'data', 'input': 'word'}
    """
    names = tuple(models) or (template.model or DEFAULT_MODEL,)
    return {
        "kind": "template",
        "title": template.name,
        "description": template.description,
        "hash": template.hash,
        "samples": [_sample(template, name, inputs, names) for name, inputs in samples.items()],
    }


def _sample(template: Template, name: str, inputs: Mapping[str, Any], models: tuple[str, ...]) -> dict[str, Any]:
    try:
        rendered = template.render(inputs)
        messages = [{"role": role, "pieces": [*map(_piece, pieces)]} for role, pieces in rendered.pieces]
    except DiptychError as error:
        return {"name": name, "error": str(error)}
    prompt, why_not = _prompt(rendered)
    return {
        "name": name,
        "error": None,
        "prompt": prompt,
        "prompt_error": why_not,
        "messages": messages,
        "losses": [loss.to_json() for loss in rendered.losses] if prompt is not None else [],
        "tokens": _tokens(rendered, models[0]),
        "costs": [cost_row(rendered, model) for model in models],
    }


def _prompt(rendered: Rendered) -> tuple[list[dict[str, Any]] | None, str | None]:
    """Return the prompt in runs of one author, or why there is none."""
    try:
        text, spans = rendered.prompt, rendered.spans
    except DiptychError as error:
        return None, str(error.message)
    return [_piece(_cut(text, span)) for span in spans], None


def _cut(text: str, span: Span) -> Segment:
    return Segment(text[span.start : span.end], span.source, span.input)


def _piece(piece: Segment | Part) -> dict[str, Any]:
    if isinstance(piece, Segment):
        return {"kind": "text", "text": piece.text, "source": piece.source, "input": piece.input}
    address = piece.url if isinstance(piece, ImagePart) and piece.url.startswith("data:image/") else None
    return {"kind": "image" if isinstance(piece, ImagePart) else "part", "label": described(piece), "src": address}


def _tokens(rendered: Rendered, model: str) -> dict[str, Any]:
    found = count(rendered, model)
    parts = [{"path": item.path, "kind": item.kind, "tokens": item.tokens} for item in found.items]
    return {"model": model, "total": found.tokens, "basis": found.basis, "parts": parts}


def cost_row(value: Any, model: str) -> dict[str, Any]:
    """Return what a call costs with a model: the row of a table."""
    found = estimate(value, model)
    document, prompt = found.to_json(), found.prompt
    return {
        "model": model,
        "prompt_tokens": prompt.tokens,
        "basis": prompt.basis,
        "low": prompt.low,
        "high": prompt.high,
        "output_tokens": found.output.expected,
        "cost": document["cost"],
        "reason": found.reason or prompt.reason,
        "price_date": found.price_date,
    }
