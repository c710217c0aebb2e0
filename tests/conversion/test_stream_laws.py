"""The laws of streams over what official SDKs call valid, for every pair of APIs.

An answer that the SDK calls valid is cut into the events of its stream. The own API is the identity; every leaf of
an event is carried or told at its place; nothing is told that stands in its place; a loss names a place; and what
the written events add up to is what the whole answer becomes.
"""

import collections
import json
import re
import warnings

import pytest
from hypothesis import assume, given, settings

from diptych import FormatError, LossError, convert_response, convert_stream
from diptych.conversion.responses import answering
from diptych.conversion.streams import streaming
from diptych.loss import Severity
from diptych.model import ReasoningPart, RefusalPart, TextPart
from diptych.policy import settle
from diptych.response import add_up

from ..oracles.laws import DERIVED, above, changed, is_under, leaves, objects, overbooked, places, plain
from ..oracles.sdk import oracle
from ..oracles.streamed import cut, fault, said

APIS = sorted(streaming())


#: What other leaves say with it: input tokens that are fewer than their parts.
FOLLOWS = re.compile(r"\.usage\.input_tokens$")


class Made:
    """What a stream becomes, with its losses."""

    def __init__(self, chunks, source, target):
        self.losses = []
        try:
            self.output = [*convert_stream(chunks, to=target, source=source, on_loss="ignore")]
        except (LossError, FormatError):
            self.output = None


@pytest.fixture(autouse=True)
def collected(monkeypatch):
    """Collect what ``convert_stream`` settles, which under ``ignore`` nobody sees."""
    found = []

    def keep(losses, policy):
        found.extend(losses)
        return settle(losses, policy)

    monkeypatch.setattr("diptych.conversion.streams.settle", keep)
    return found


def general(path):
    return re.sub(r"\[\d+\]", "", plain(path))


def seen(body, source, target, collected):
    collected.clear()
    chunks = cut(source, body)
    made = Made(chunks, source, target)
    made.losses = [*collected]
    return chunks, made


def block(chunk):
    """Return the number of the block that an event belongs to: its events say one object."""
    inner = next(iter(chunk.values())) if len(chunk) == 1 else chunk
    return inner.get("index", inner.get("contentBlockIndex")) if isinstance(inner, dict) else None


def told(path, losses, chunks):
    """Tell whether a leaf of an event is told: at its path, but for numbers, or with the block that it is a piece of."""
    for loss in losses:
        if is_under(general(path), general(loss.path)) and loss.path != "$":
            return True
        at = re.match(r"\$\[(\d+)\]", loss.path)
        mine = re.match(r"\$\[(\d+)\]", path)
        if at and loss.kind in ("field-dropped", "media-dropped") and "lock" in loss.path:
            number = block(chunks[int(at[1])])
            if number is not None and number == block(chunks[int(mine[1])]):
                return True
    return False


def silent(body, source, target, collected):
    """Return the leaves of an answer that neither the written stream nor a loss knows."""
    chunks, made = seen(body, source, target, collected)
    if made.output is None or any(map(_is_error, made.output)):
        return [], chunks, made
    before = dict(leaves(chunks))
    lost = []
    for (path, _), way in zip(leaves(body), places(body), strict=True):
        other = changed(body, way)
        if FOLLOWS.search(path) or DERIVED.search(path) or is_wrong(source, other):
            continue
        again = said(source, other)
        different = [at for at, value in leaves(cut(source, again)) if before.get(at) != value]
        if not different or any(told(at, made.losses, chunks) for at in different if at in before):
            continue
        _, shown = seen(again, source, target, collected)
        if shown.output == made.output and [*map(str, shown.losses)] == [*map(str, made.losses)]:
            lost.append((path, different[:2]))
    return lost, chunks, made


def unplaced(chunks, made):
    """Return the losses that name no place of the stream; a change may name an absent field."""
    around = {*objects(chunks)}
    known = around | {path for path, _ in leaves(chunks)}
    absent = (loss for loss in above(made) if plain(loss.path) not in known)
    return [
        loss for loss in absent if loss.severity > Severity.CHANGED or plain(loss.path).rpartition(".")[0] not in around
    ]


def is_wrong(source, body):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return bool(oracle(source, "response").fault(body))
        except UserWarning:
            return True


def meaning(response):
    """Return what a response says; where a text was cut, and what its server made, is not part of it."""
    found = []
    for choice in response.choices:
        said = collections.defaultdict(str)
        for part in choice.message.parts:
            if isinstance(part, TextPart | ReasoningPart | RefusalPart):
                said[type(part).__name__] += part.text.strip("\n")
        calls = [(call.name, _json(call.arguments)) for call in choice.message.tool_calls]
        found.append(({kind: text for kind, text in said.items() if text}, calls, choice.finish_reason))
    return found, response.usage and (response.usage.prompt_tokens, response.usage.completion_tokens)


def same_but_end(streamed, whole):
    """Tell whether two meanings differ in that the whole gives no end where the source has none."""
    without = [[(texts, calls) for texts, calls, _ in said] for said, _ in (streamed, whole)]
    return without[0] == without[1] and all(end is None for _, _, end in whole[0]) and streamed[1] == whole[1]


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def wrong(target, events):
    """Return what the SDK says of written events; of an error it has no type."""
    stated = [event for event in events if not _is_error(event) and "custom" not in json.dumps(event)]
    return [why for event in stated if (why := fault(target, event))]


def _is_error(event):
    is_error = "error" in event or event.get("type") == "error" or bool(event.get("response", {}).get("error"))
    return is_error or any(name.endswith("Exception") for name in event)


def whole(body, source, target):
    try:
        return convert_response(body, to=target, source=source, on_loss="ignore").output
    except (LossError, FormatError):
        return None


@pytest.mark.parametrize("source", APIS)
def test_every_leaf_of_a_stream_is_carried_or_told(source, collected):
    @settings(max_examples=settings.default.max_examples // 4)
    @given(oracle(source, "response").values)
    def law(value):
        body = said(source, value)
        for target in APIS:
            lost, chunks, made = silent(body, source, target, collected)
            assert not lost, (target, lost)
            if made.output is None:
                continue
            assert not overbooked(chunks, made), target
            assert not unplaced(chunks, made), target
            assert source != target or made.output == chunks

    law()


@pytest.mark.parametrize("source", APIS)
def test_chunk_by_chunk_is_the_whole(source, collected):
    @settings(max_examples=settings.default.max_examples // 3)
    @given(oracle(source, "response").values)
    def law(value):
        body = said(source, value)
        assume(not body.get("error"))
        for target in APIS:
            _, made = seen(body, source, target, collected)
            other = whole(body, source, target)
            if made.output is None or other is None or any(map(_is_error, made.output)):
                continue
            reader = streaming()[target].StreamReader()
            read = add_up(event for chunk in made.output for event in reader.feed(chunk))
            wanted = meaning(answering()[target].read_response(other))
            assert meaning(read) == wanted or same_but_end(meaning(read), wanted), target
            assert not wrong(target, made.output), target

    law()


@pytest.mark.parametrize("api", APIS)
def test_the_cut_streams_are_valid(api):
    @settings(max_examples=settings.default.max_examples // 6)
    @given(oracle(api, "response").values)
    def law(value):
        assert not [why for event in cut(api, said(api, value)) if (why := fault(api, event))]

    law()
