"""What the test server answers beside messages: embeddings, counts of tokens, models."""

from __future__ import annotations

import base64
import hashlib
import math
import random
from array import array
from collections.abc import Mapping
from typing import Any, Final

from .. import tokens
from ..catalogue import DEFAULT_MODEL
from .answers import CREATED, ENCODING
from .others import prompt_tokens
from .refusals import BadRequestError

#: Dimensions of an embedding where the body asks for none (API reference, 2026-11).
_DIMENSIONS: Final = {"text-embedding-3-large": 3072}
_USUAL: Final = 1536
MODELS: Final = ("test", DEFAULT_MODEL)


def embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return vectors of length 1 that depend on the text alone. Raises BadRequestError.

    >>> embeddings({"model": "test", "input": "Hi", "dimensions": 2})["data"][0]["object"]
    'embedding'
    """
    if not isinstance(body.get("model"), str):
        raise BadRequestError("you must provide a model parameter")
    wanted = body.get("dimensions", _DIMENSIONS.get(body["model"], _USUAL))
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 < wanted <= 16_384:
        raise BadRequestError("Invalid 'dimensions': expected a number of at least 1.", "dimensions", "invalid_value")
    if body.get("encoding_format", "float") not in ("float", "base64"):
        message = "Invalid value for 'encoding_format'. Supported values are: 'float' and 'base64'."
        raise BadRequestError(message, "encoding_format", "invalid_value")
    inputs = _inputs(body)
    vectors = [_shown(_vector(one, wanted), body.get("encoding_format")) for one in inputs]
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    used = sum(len(one) if isinstance(one, list) else _length(one) for one in inputs)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def _length(text: str) -> int:
    return len(tokens.encode_text(text, encoding_name=ENCODING))


def _inputs(body: Mapping[str, Any]) -> list[str | list[int]]:
    if "input" not in body:
        raise BadRequestError("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    given = body["input"]
    if _is_one(given):
        return [given]
    if isinstance(given, list) and given and all(map(_is_one, given)) and len({type(one) for one in given}) == 1:
        return given
    raise BadRequestError("'$.input' is invalid. Please check the API reference.", "input", "invalid_value")


def _is_one(value: Any) -> bool:
    """Tell whether a value is one text: no empty one, and token ids as well as words."""
    is_ids = isinstance(value, list) and all(isinstance(token, int) and token >= 0 for token in value)
    return bool(value) and (isinstance(value, str) or is_ids)


def _vector(one: str | list[int], dimensions: int) -> list[float]:
    text = one if isinstance(one, str) else ",".join(map(str, one))
    seed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    source = random.Random(seed)  # noqa: S311  # the same text, the same vector
    found = [source.uniform(-1, 1) for _ in range(dimensions)]
    length = math.sqrt(sum(value * value for value in found))
    return [value / length for value in found]


def _shown(vector: list[float], form: Any) -> list[float] | str:
    return base64.b64encode(array("f", vector).tobytes()).decode() if form == "base64" else vector


def count(api: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tokens of a body as the counter of its API says them. Raises BadRequestError.

    >>> count("anthropic", {"model": "test", "messages": [{"role": "user", "content": "Hi"}]})
    {'input_tokens': 7}
    """
    if api == "gemini":
        inner = body.get("generateContentRequest", body)
        return {"totalTokens": prompt_tokens(api, inner if isinstance(inner, Mapping) else {})}
    found = prompt_tokens(api, body)
    return {"input_tokens": found} | ({"object": "response.input_tokens"} if api == "responses" else {})


def models(*, of_anthropic: bool = False) -> dict[str, Any]:
    """Return the list of models; Anthropic's has another shape."""
    data = [model(name, of_anthropic=of_anthropic) for name in MODELS]
    pages = {"has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    return {"data": data, **pages} if of_anthropic else {"object": "list", "data": data}


def model(name: str, *, of_anthropic: bool = False) -> dict[str, Any]:
    """Return one model: the server takes any name."""
    if of_anthropic:
        return {"type": "model", "id": name, "display_name": name, "created_at": "2023-11-14T22:13:20Z"}
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "diptych"}
