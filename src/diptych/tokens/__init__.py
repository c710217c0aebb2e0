"""Tokens: encodings from packed ranks, exact text counts, and what the API bills for a request.

Importing this loads no tokenizer; the first count does.
"""

from __future__ import annotations

from ..catalogue.models import ModelInfo, known_models, model_info
from ..encodings.encoding import encoding, encoding_for_model, encoding_name_for_model, preload
from ..encodings.text import byte_bounds, count_text, encode_text, fits, token_ids
from .count import TokenCount, body_of, count, name_of
from .rules import explain
from .tally import Item

__all__ = [
    "Item",
    "ModelInfo",
    "TokenCount",
    "body_of",
    "byte_bounds",
    "count",
    "count_text",
    "encode_text",
    "encoding",
    "encoding_for_model",
    "encoding_name_for_model",
    "explain",
    "fits",
    "known_models",
    "model_info",
    "name_of",
    "preload",
    "token_ids",
]
