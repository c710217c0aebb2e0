"""What servers can do, as dated rows, and what is done where one refuses.

Rule: a row says what was seen of a server, and when. A client without a profile assumes
the API as documented and learns from refusals: one parameter of the body is put another
way, the call is made again, and the reply's ``notes`` say so. Nothing that changes the
answer is left out; a schema becomes a JSON object with the schema in a message only
for ``parse``, which validates the answer itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..suggest import suggest

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of server can do.

    ``cap``: the name of the output cap that it heeds in Chat. ``stream_usage``: whether a
    stream has usage on request, always or never. ``schema``: what it makes of a JSON schema.
    ``logprobs``: the shape on the Completions endpoint. ``prefill``: whether a last assistant
    message is continued. ``key_header``: the header that its key goes in, where it is not the API's.
    ``seen``: version and month of what was observed.

    >>> PROFILES["llama-cpp-python"].cap
    'max_tokens'
    """

    name: str
    seen: str
    cap: Literal["max_completion_tokens", "max_tokens", "both"] = "both"
    stream_usage: Literal["asked", "always", "never"] = "asked"
    schema: Literal["enforced", "ignored", "refused"] = "enforced"
    json_object: Literal["enforced", "ignored"] = "enforced"
    logprobs: Literal["completions", "chat", "none"] = "completions"
    seed: bool = True
    prefill: bool = False
    key_header: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


#: What was observed on real servers, and for OpenAI what its API reference says (2026-11).
PROFILES: Final[dict[str, Profile]] = {
    row.name: row
    for row in (
        Profile("openai", "API reference, 2026-11", cap="max_completion_tokens"),
        Profile("azure", "API reference 2024-10-21", cap="max_completion_tokens", key_header="api-key"),
        Profile("llama.cpp", "b1-7e4c0a9, 2026-11", json_object="ignored", logprobs="chat", prefill=True),
        Profile("llama-cpp-python", "0.3.36, 2026-11", cap="max_tokens", stream_usage="never", schema="refused"),
        Profile(
            "transformers", "5.23, 2026-11", stream_usage="always", schema="ignored", json_object="ignored",
            logprobs="none", seed=False,
        ),
        Profile("vllm", "documentation, 2026-11", prefill=True),
        Profile("ollama", "documentation, 2026-11", cap="max_tokens"),
        Profile("lm-studio", "documentation, 2026-11", cap="max_tokens"),
    )
}  # fmt: skip


#: The other name of an output cap, where a server heeds one alone.
_OTHER_CAP: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


def profile_of(value: str | Profile | None) -> Profile | None:
    """Return the profile for what ``profile=`` was given. Raises ValueError for an unknown name."""
    if value is None or isinstance(value, Profile):
        return value
    if value not in PROFILES:
        raise ValueError(f"there is no profile {value!r}; {suggest(value, PROFILES)}")
    return PROFILES[value]


def fitted(
    body: Mapping[str, Any], api: str, profile: Profile | None, *, validates: bool
) -> tuple[Body, tuple[str, ...]]:
    """Return the body as the profile's server takes it, and what was put another way."""
    found: Body = dict(body)
    if profile is None:
        return found, ()
    notes: list[str] = []
    if profile.stream_usage == "never" and "stream_options" in found:
        del found["stream_options"]
    if api == "chat" and (old := _OTHER_CAP.get(profile.cap)) and (note := _rename(found, old, profile.cap)):
        notes.append(note)
    if validates and profile.schema == "refused" and (note := _schema_as_text(found)):
        notes.append(note)
    return found, tuple(notes)


def adapted(body: Mapping[str, Any], api: str, status: int, said: str, *, validates: bool) -> tuple[Body, str] | None:
    """Return the body put another way after a refusal, and what that was; None where nothing helps."""
    if status not in (400, 404, 422, 500, 501):
        return None
    found: Body = dict(body)
    ways: list[Callable[[], str]] = []
    if status != 500 and "stream_options" in said:
        ways.append(lambda: _drop(found, "stream_options"))
    if api == "chat" and status != 500 and "max_completion_tokens" in said:
        ways.append(lambda: _rename(found, "max_tokens", "max_completion_tokens"))
        ways.append(lambda: _rename(found, "max_completion_tokens", "max_tokens"))
    if validates and any(word in said for word in ("json_schema", "response_format")):
        ways.append(lambda: _schema_as_text(found))
    for way in ways:
        if note := way():
            return found, note
    return None


def _drop(body: Body, name: str) -> str:
    return f"the server refused {name}" if body.pop(name, None) is not None else ""


def _rename(body: Body, old: str, new: str) -> str:
    if old not in body or new in body:
        return ""
    body[new] = body.pop(old)
    return f"{old} was sent as {new}"


def _schema_as_text(body: Body) -> str:
    """Ask for a JSON object instead of a schema, with the schema in a message of its own."""
    wanted = body.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema" or "messages" not in body:
        return ""
    schema = json.dumps(wanted["json_schema"].get("schema", {}), ensure_ascii=False, separators=(",", ":"))
    rule = {"role": "system", "content": f"Answer with one JSON object that fits this JSON Schema: {schema}"}
    body["response_format"] = {"type": "json_object"}
    body["messages"] = [rule, *body["messages"]]
    return "the server takes no JSON schema: a JSON object was asked for, with the schema in a system message"
