"""``logit_bias`` for another model: token ids belong to an encoding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...catalogue.models import model_info
from ...encodings.encoding import encoding
from ...encodings.text import encode_text
from ...loss import Loss


def rebias(bias: Mapping[str, Any], source: str, target: str, losses: list[Loss]) -> dict[str, Any]:
    """Return a ``logit_bias`` with its ids as the target's encoding has them.

    An id that is no single token there is refused. Between models whose encodings are the
    same, or one and unknown, ids stay.
    """
    before, after = model_info(source).encoding, model_info(target).encoding
    if before == after or source == target:
        return dict(bias)
    if before is None or after is None:
        losses.append(
            Loss("$.logit_bias", "unsupported", f"the encoding of {source if before is None else target} is unknown")
        )
        return {}
    found: dict[str, Any] = {}
    for id_, value in bias.items():
        path = f"$.logit_bias.{id_}"
        try:
            piece = encoding(before).decode_single_token_bytes(int(id_))
            ids = encode_text(piece.decode("utf-8"), encoding_name=after)
        except (KeyError, ValueError, OverflowError):
            losses.append(Loss(path, "unsupported", f"no text of {source}"))
            continue
        if len(ids) != 1:
            losses.append(Loss(path, "unsupported", f"{piece.decode()!r} is {len(ids)} tokens of {target}"))
            continue
        found[str(ids[0])] = value
        if str(ids[0]) != str(id_):
            losses.append(Loss(path, "reencoded", f"{id_} became {ids[0]}"))
    return found
