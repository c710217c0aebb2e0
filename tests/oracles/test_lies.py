"""The laws see a conversion that lies: each lie is told about one small request, and the law that concerns it finds it."""

import copy

import pytest

from diptych.format import Conversion
from diptych.loss import Loss

from .laws import DOORS, disordered, is_identity, overbooked, seen, silent, unplaced

BODY = {
    "model": "model-w1",
    "messages": [{"role": "user", "name": "name_w2", "content": "word w3"}, {"role": "user", "content": "word w4"}],
}


def honest(body):
    return body, ()


def drops(body):
    for message in body["messages"]:
        message.pop("name", None)
    return body, ()


def drops_and_books(path, kind="name-dropped"):
    return lambda body: (drops(body)[0], (Loss(path, kind),))


def swaps(body):
    one, two = body["messages"]
    one["content"], two["content"] = two["content"], one["content"]
    return body, ()


def reorders(body):
    return body | {"messages": body["messages"][::-1]}, ()


def mutes(body):
    return {"model": body["model"], "messages": []}, (Loss("$", "message-dropped"),)


def broken_by(body):
    """Return the names of the laws that a conversion to its own format breaks."""
    made = seen(body, "chat", "chat", "lie")
    laws = {
        "silent": not silent(body, made, "chat", "chat", "lie"),
        "overbooked": not overbooked(body, made),
        "unplaced": not unplaced(body, made, "chat"),
        "order": not disordered(body, made),
        "identity": is_identity(body, made),
    }
    return {name for name, holds in laws.items() if not holds}


@pytest.mark.parametrize(
    ("lie", "broken"),
    [
        (honest, set()),
        (drops, {"silent", "identity"}),
        (drops_and_books("$.messages[0].name"), {"identity"}),
        (drops_and_books("$.messages[0]"), {"overbooked", "identity"}),
        (drops_and_books("$"), {"silent", "overbooked", "identity"}),
        (drops_and_books("$.nowhere"), {"silent", "unplaced", "identity"}),
        (lambda body: (body, (Loss("$.messages[0].content", "text-dropped"),)), {"overbooked", "identity"}),
        (swaps, {"order", "identity"}),
        (reorders, {"order", "identity"}),
        (mutes, {"silent", "overbooked", "identity"}),
    ],
)
def test_a_lie_is_found(monkeypatch, lie, broken):
    def door(value, **_):
        output, losses = lie(copy.deepcopy(value))
        return Conversion(output, "lossy" if losses else "lossless", losses)

    monkeypatch.setitem(DOORS, "lie", door)
    assert broken_by(BODY) == broken
