"""The old call shape over a Chat server: code that cannot be changed today keeps working.

::

    from diptych.client.compat import Completions

    completions = Completions(diptych.Client(), model="gpt-5.4-mini")
    reply = completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hi", max_tokens=5)
    reply.choices[0].text, reply["choices"][0]["text"]

Rule: the request is converted by the table of parameters, the answer converted back; a
loss is warned of once a kind and path, and what would change the task raises.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Final

from ..apis.completions.request import insertion
from ..apis.completions.response import write_responses
from ..conversion.bodies import convert_request
from ..conversion.streams import convert_stream
from ..errors import FormatError
from ..format import Conversion
from ..loss import Loss, Severity
from ..policy import LossWarning, settle
from . import Client
from .replies import Reply
from .wishes import unmet

#: What the old SDKs took beside a body, and a client takes here.
_OF_THE_CLIENT: Final = frozenset(
    {"api_key", "api_base", "api_type", "api_version", "organization", "headers", "extra_headers", "extra_query"}
)


class Record(dict[str, Any]):
    """A body that is read by item and by attribute, as both old SDKs allowed.

    >>> Record({"choices": [{"text": "Hi"}]}).choices[0].text
    'Hi'
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__({name: _record(value) for name, value in body.items()})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def model_dump(self) -> dict[str, Any]:
        """Return the body as plain data."""
        return {name: _plain(value) for name, value in self.items()}

    to_dict = model_dump


def _record(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Record(value)
    return [_record(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.model_dump()
    return [_plain(item) for item in value] if isinstance(value, list) else value


class Chunks(Iterator[Record]):
    """The chunks of a streamed answer: an iterator, and a context manager as the streams of the SDKs are.

    >>> with Chunks(iter([Record({"choices": []})])) as chunks:
    ...     len(list(chunks))
    1
    """

    def __init__(self, chunks: Iterator[Record]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> Record:
        return next(self._chunks)

    def __enter__(self) -> Chunks:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, wherever the stream is."""
        if isinstance(self._chunks, Generator):
            self._chunks.close()


class Completions:
    """``create`` as the Completions API had it, answered by a Chat server.

    ``client`` makes the calls; ``model`` is asked in place of the model of each call.
    """

    def __init__(self, client: Client, *, model: str | None = None) -> None:
        self._client, self._model = client, model
        self._told: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"<Completions over {self._client!r}>"

    def create(self, **body: Any) -> Any:
        """Return a Completions-shaped reply, or with ``stream=True`` :class:`Chunks`, an iterator of its chunks.

        Takes the parameters of the Completions API (``engine`` counts as ``model``), and
        ``timeout`` seconds. Raises LossError for what Chat cannot do (suffix, scoring),
        and the errors of the client.
        """
        options = {name: body.pop(name) for name in ("timeout",) if name in body}
        if "request_timeout" in body:
            options["timeout"] = body.pop("request_timeout")
        if wrong := sorted(_OF_THE_CLIENT & body.keys()):
            raise FormatError(f"create takes no {wrong[0]!r}", path=f"$.{wrong[0]}", hint="give it to the client")
        if "engine" in body:
            body.setdefault("model", body.pop("engine"))
        streams = bool(body.pop("stream", False))
        settle(insertion(body))
        converted = convert_request(body, source="completions", to="chat", on_loss="ignore", model=self._model)
        self._tell([*self._other_model(body), *(loss for conversion in converted for loss in conversion.losses)])
        if streams:
            return Chunks(self._stream(converted, body, options))
        replies = [self._client.send(c.output, **options) for c in converted]
        self._note(replies)
        responses = [reply.response for reply in replies]
        output, losses = write_responses(responses, body)
        self._tell(settle(losses, "ignore"))
        return Record(output)

    def _stream(
        self, converted: list[Conversion], body: Mapping[str, Any], options: dict[str, Any]
    ) -> Iterator[Record]:
        """Yield the chunks of each prompt's answer in turn, its choices numbered on."""
        n, prompts = body.get("n") or 1, body.get("prompt")
        for number, conversion in enumerate(converted):
            own = {**body, "prompt": prompts[number]} if isinstance(prompts, list) and len(converted) > 1 else body
            with self._client.stream(conversion.output, **options) as deltas:
                chunks = _once(delta.raw for delta in deltas)
                for chunk in convert_stream(chunks, to="completions", request=own, on_loss="report"):
                    for choice in chunk["choices"]:
                        choice["index"] += number * n
                    yield Record(chunk)
                self._note([deltas.reply])
                if (body.get("stream_options") or {}).get("include_usage") and deltas.reply.raw.get("usage"):
                    yield Record({**chunk, "choices": [], "usage": deltas.reply.raw["usage"]})

    def _other_model(self, body: Mapping[str, Any]) -> list[Loss]:
        """Return what is to be said where another model answers than the call names."""
        named = body.get("model")
        is_other = self._model is not None and named not in (None, self._model)
        return [Loss("$.model", "substituted", f"{self._model} is asked in place of {named}")] if is_other else []

    def _note(self, replies: list[Reply]) -> None:
        """Warn of what a server was asked for and did not do, of each once."""
        for note in (note for reply in replies if reply.asked for note in unmet(reply.asked, reply.response)):
            if ("", note) not in self._told:
                self._told.add(("", note))
                warnings.warn(note, LossWarning, stacklevel=3)

    def _tell(self, losses: Iterable[Loss]) -> None:
        for loss in losses:
            key = (loss.path, loss.kind)
            if loss.severity > Severity.EXACT and key not in self._told:
                self._told.add(key)
                warnings.warn(str(loss), LossWarning, stacklevel=3)


def _once(chunks: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield each chunk once: a chunk of several choices comes with each of their deltas."""
    last: Mapping[str, Any] | None = None
    for chunk in chunks:
        if chunk is not last:
            yield chunk
        last = chunk
