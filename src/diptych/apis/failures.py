"""Errors of every message API: read into one neutral value, written in the shape of any.

Rule: ``SHAPES`` has one row per API, ``_STATUSES`` the neutral kinds of an error and their HTTP status. A
body is taken apart by its row; what the row has no place for stays in ``native``, so that the same API
gives the body back, and what another API cannot say is a loss with the path of the source.

Sources, read 2026-11-26: OpenAI "Error codes"; Anthropic "Errors"; ``google.rpc.Code`` and "Gemini API
troubleshooting"; botocore 1.44, ``bedrock-runtime``; Ollama ``docs/api.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..loss import Loss
from ..model import EMPTY, FrozenMap, thaw
from ..response import Failure
from .fields import NOTE
from .ledger import leaves

#: The kinds of an error and the HTTP status of each.
STATUSES: Final = {
    "invalid_request": 400, "authentication": 401, "billing": 402, "permission": 403, "not_found": 404,
    "conflict": 409, "too_large": 413, "rate_limit": 429, "server": 500, "overloaded": 503, "timeout": 504,
}  # fmt: skip
_KINDS: Final = {status: kind for kind, status in STATUSES.items()} | {
    408: "timeout", 422: "invalid_request", 424: "server", 502: "overloaded", 529: "overloaded",
}  # fmt: skip
#: Further kinds that servers answer with a status.
_SAME_STATUS: Final = {400: ("billing",), 403: ("authentication",), 429: ("billing", "overloaded")}
#: The kind that is written where an API has no word for one; "server" for what no API says more of.
_NEAREST: Final = {
    "billing": "rate_limit", "too_large": "invalid_request", "conflict": "invalid_request",
    "overloaded": "server", "timeout": "server", "authentication": "permission",
}  # fmt: skip
#: Notes: where the error and its message stood, and the words that the row would write differently.
_AT: Final = f"{NOTE}at"
_SAID: Final = f"{NOTE}said"


class Shape(NamedTuple):
    """How an API states an error.

    ``at`` is the field of the body that holds it ("" for the body), ``word`` the field of its kind, ``words`` the
    kind of each word, the one that is written first. ``codes`` are codes of OpenAI that say more than the word,
    ``number`` the field of the HTTP status. ``fixed`` stands in the body, ``needs`` beside the message.
    """

    words: Mapping[str, str]
    at: str = "error"
    message: str = "message"
    word: str = "type"
    codes: Mapping[str, str] = {}
    number: str = ""
    fixed: Mapping[str, Any] = {}
    needs: Mapping[str, Any] = {}

    def path_of(self, name: str) -> str:
        """Return where a field of the error stands in a body."""
        return f"$.{self.at}.{name}" if self.at else f"$.{name}"

    def words_for(self, kind: str | None) -> tuple[str | None, str | None, str]:
        """Return word, code and kind that are written for a kind: its own, else the nearest."""
        tried = kind or "server"
        known = {*self.words.values(), *self.codes.values()}
        while tried not in known and tried != "server":
            tried = _NEAREST.get(tried, "server")
        code = next((code for code, of in self.codes.items() if of == tried), None)
        word = next((word for word, of in self.words.items() if of == tried), None)
        return word or next(iter(self.words), None), code, tried


_OPENAI: Final = Shape(
    {
        "invalid_request_error": "invalid_request", "permission_error": "permission", "not_found_error": "not_found",
        "conflict_error": "conflict", "request_too_large": "too_large", "rate_limit_error": "rate_limit",
        "server_error": "server", "service_unavailable_error": "overloaded", "timeout_error": "timeout",
        "insufficient_quota": "billing", "authentication_error": "authentication", "requests": "rate_limit",
        "tokens": "rate_limit", "api_error": "server", "internal_server_error": "server",
        "overloaded_error": "overloaded", "unavailable_error": "overloaded", "BadRequestError": "invalid_request",
        "NotFoundError": "not_found",
    },
    codes={
        "invalid_api_key": "authentication", "insufficient_quota": "billing", "rate_limit_exceeded": "rate_limit",
        "model_not_found": "not_found", "billing_hard_limit_reached": "billing",
    },
    needs={"type": None, "param": None, "code": None},
)  # fmt: skip
SHAPES: Final[Mapping[str, Shape]] = {
    "chat": _OPENAI,
    "completions": _OPENAI,
    "responses": _OPENAI,
    "anthropic": Shape(
        {
            "invalid_request_error": "invalid_request", "authentication_error": "authentication",
            "billing_error": "billing", "permission_error": "permission", "not_found_error": "not_found",
            "conflict_error": "conflict", "request_too_large": "too_large", "rate_limit_error": "rate_limit",
            "api_error": "server", "overloaded_error": "overloaded", "timeout_error": "timeout",
        },
        fixed={"type": "error"},
    ),
    "gemini": Shape(
        {
            "INVALID_ARGUMENT": "invalid_request", "UNAUTHENTICATED": "authentication",
            "PERMISSION_DENIED": "permission", "NOT_FOUND": "not_found", "ABORTED": "conflict",
            "RESOURCE_EXHAUSTED": "rate_limit", "INTERNAL": "server", "UNAVAILABLE": "overloaded",
            "DEADLINE_EXCEEDED": "timeout", "FAILED_PRECONDITION": "invalid_request",
            "OUT_OF_RANGE": "invalid_request", "ALREADY_EXISTS": "conflict", "UNKNOWN": "server",
        },
        word="status",
        number="code",
    ),
    "bedrock": Shape(
        {
            "ValidationException": "invalid_request", "UnrecognizedClientException": "authentication",
            "AccessDeniedException": "permission", "ServiceQuotaExceededException": "billing",
            "ResourceNotFoundException": "not_found", "ConflictException": "conflict",
            "ThrottlingException": "rate_limit", "InternalServerException": "server",
            "ServiceUnavailableException": "overloaded", "ModelTimeoutException": "timeout",
            "ModelErrorException": "server", "ModelNotReadyException": "overloaded",
            "ModelStreamErrorException": "server",
        },
        at="",
        word="__type",
    ),
    "ollama": Shape({}, at="", message="error", word=""),
}  # fmt: skip


def failure_api(body: Mapping[str, Any], source: str = "auto") -> str | None:
    """Return the API that a body is an error of, ``chat`` where many share its shape; None where it is none.

    >>> failure_api({"type": "error", "error": {"type": "api_error", "message": "no"}})
    'anthropic'
    >>> failure_api({"error": "no such model"}), failure_api({"detail": "Not Found"}), failure_api({"choices": []})
    ('ollama', 'chat', None)
    """
    found = _failure_api(body)
    if found is None and source == "bedrock" and body.keys() in ({"message"}, {"Message"}):
        return source  # its kind stood in a header
    known = SHAPES.get(source)
    return source if found and known and known.at == SHAPES[found].at else found


def _failure_api(body: Mapping[str, Any]) -> str | None:
    error = body.get("error")
    if isinstance(error, Mapping) and "choices" not in body and "output" not in body:
        if body.get("type") == "error":
            return "anthropic"
        return "gemini" if isinstance(error.get("status"), str) and type(error.get("code")) is int else "chat"
    if isinstance(error, str) and body.keys() == {"error"}:
        return "ollama"
    if isinstance(body.get("__type"), str) or _is_boto(body):
        return "bedrock"
    return "chat" if body.get("object") == "error" or body.keys() == {"detail"} else None


def _is_boto(body: Mapping[str, Any]) -> bool:
    """Tell whether a body is the ``response`` of an exception of boto3."""
    error = body.get("Error")
    return isinstance(error, Mapping) and "Code" in error


def read_failure(body: Mapping[str, Any], api: str, *, status: int | None = None) -> Failure:
    """Read the body of a failed answer; ``status`` is its HTTP status, which counts where no word says its kind.

    >>> read_failure({"error": {"message": "slow down", "type": "rate_limit_error"}}, "chat").kind
    'rate_limit'
    >>> read_failure({"error": "not here"}, "ollama", status=404).kind
    'not_found'
    """
    shape = SHAPES[api]
    at, message, word = _places(body, shape)
    inner = dict(body[at]) if at else dict(body)
    stated = {name: inner.pop(name) for name in {message, word, "param", "code", shape.number} if name in inner}
    code, number, param = stated.get("code"), stated.get(shape.number or "code"), stated.get("param")
    kind = _kind(shape, stated.get(word), code) or _KINDS.get(number if type(number) is int else status or 0)
    text = stated.get(message)
    found = Failure(
        text if isinstance(text, str) else "" if text is None else json.dumps(text, ensure_ascii=False, default=str),
        kind,
        code if isinstance(code, str) and code and not shape.number else None,
        param if isinstance(param, str) and param else None,
    )
    rest = {name: value for name, value in body.items() if name != at} | {at: inner} if at else inner
    notes = {_AT: {"at": at, "message": message, "word": word}, _SAID: {"kind": kind, **stated}}
    return found._replace(native=FrozenMap({api: {**rest, **notes}}))


def _places(body: Mapping[str, Any], shape: Shape) -> tuple[str, str, str]:
    """Return the names of the object of an error, of its message and of its word."""
    error = body.get("error")
    if _is_boto(body):
        return "Error", "Message", "Code"
    if isinstance(error, Mapping):
        return "error", shape.message if shape.at else "message", shape.word or "type"
    if error is not None:
        return "", "error", shape.word
    return "", "detail" if "detail" in body and "message" not in body else "message", shape.word or "type"


def _kind(shape: Shape, word: Any, code: Any) -> str | None:
    """Return the kind that a word and a code say; a word of Bedrock may come with its namespace, or as in streams."""
    found = shape.codes.get(code) or (shape.words.get(code) if not word else None) if isinstance(code, str) else None
    if found is None and isinstance(word, str) and word:
        bare = word.rpartition("#")[2].partition(":")[0]
        found = shape.words.get(word) or shape.words.get(bare) or shape.words.get(bare[:1].upper() + bare[1:])
    return found


def kind_of(*words: Any) -> str | None:
    """Return the kind that the first known of some words means, whatever API it is of.

    >>> kind_of(None, "RESOURCE_EXHAUSTED"), kind_of("throttlingException"), kind_of("so_sorry")
    ('rate_limit', 'rate_limit', None)
    """
    found = (_kind(shape, word, word) for word in words for shape in SHAPES.values())
    return next((kind for kind in found if kind is not None), None)


def write_failure(failure: Failure, api: str) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the body of a failed answer; return it and what it cannot carry.

    >>> write_failure(Failure("slow down", "rate_limit"), "gemini")[0]
    {'error': {'message': 'slow down', 'status': 'RESOURCE_EXHAUSTED', 'code': 429}}
    """
    if api in failure.native:
        return _own(failure, thaw(failure.native[api])), ()
    shape, losses = SHAPES[api], list[Loss]()
    source = next(iter(failure.native), "")
    word, code, kind = shape.words_for(failure.kind)
    inner: dict[str, Any] = {**shape.needs, shape.message: failure.message}
    inner |= {shape.word: word} if shape.word else {}
    inner |= {shape.number: STATUSES[kind]} if shape.number else {}
    if "code" in shape.needs:
        inner |= {"code": failure.code or code, "param": failure.param}
    body = {**shape.fixed, shape.at: inner} if shape.at else inner
    if source and SHAPES[source] is not shape:
        _tell(failure, source, shape, kind, losses)
    elif source:
        made = _own(failure, thaw(failure.native[source]))
        return {**made, "error": {**shape.needs, **made["error"]}} if "error" in made else made, ()
    elif failure.kind not in (None, kind):
        losses.append(Loss("$", "substituted", f"{api} has no word for {failure.kind!r}"))
    return body, tuple(losses)


def _own(failure: Failure, own: dict[str, Any]) -> dict[str, Any]:
    """Return a body as it came, with what was changed since."""
    places, stated = own.pop(_AT), own.pop(_SAID)
    kind = stated.pop("kind")
    body, at = own, places["at"]
    inner = {**(body[at] if at else body), **stated}
    said = stated.get(places["message"])
    if isinstance(said, str | None) and failure.message != (said or ""):
        inner[places["message"]] = failure.message
    if failure.kind != kind and places["word"]:
        shape = SHAPES[next(iter(failure.native))]
        word, code, _ = shape.words_for(failure.kind)
        inner |= {places["word"]: word, **({"code": code} if "code" in stated and not shape.number else {})}
    return {**body, at: inner} if at else inner


def _tell(failure: Failure, source: str, target: Shape, kind: str, losses: list[Loss]) -> None:
    """Report what of a body of ``source`` the target has no place for."""
    own = thaw(failure.native[source])
    places, stated = own.pop(_AT), own.pop(_SAID)
    root = f"$.{places['at']}" if places["at"] else "$"
    read = stated.pop("kind")
    for name, value in stated.items():
        path = f"{root}.{name}"
        if value is None or value == "":
            continue
        if name == places["message"]:
            if not isinstance(value, str):
                losses.append(Loss(path, "flattened", "the message is JSON"))
        elif not target.word and name == places["word"]:
            losses.append(Loss(path, "field-dropped", "the target says what happened in words alone"))
        elif name == places["word"] and (read != kind or _kind(SHAPES[source], value, None) is None):
            losses.append(Loss(path, "substituted", f"the target has no word for {value!r}"))
        elif name != places["word"] and not _is_carried(value, read, SHAPES[source], target):
            losses.append(Loss(path, "field-dropped"))
    if read is None and not stated.get(places["word"]) and target.word:
        losses.append(Loss(root, "synthesised", "the source does not say what kind of error it is"))
    inner = own.pop(places["at"], EMPTY) if places["at"] else EMPTY
    fixed = {"object": "error", **SHAPES[source].fixed}
    outer = {name: value for name, value in own.items() if fixed.get(name) != value}
    losses += [Loss(path, "field-dropped") for path, _ in (*leaves(outer, "$"), *leaves(inner, root))]


def _is_carried(value: Any, read: str | None, source: Shape, target: Shape) -> bool:
    """Tell whether a target says a code or a parameter, or its word says what a code or an HTTP status says."""
    if type(value) is int:
        return bool(target.word) and value in _KINDS and read in (_KINDS[value], *_SAME_STATUS.get(value, ()))
    if "code" in target.needs:
        return isinstance(value, str)
    return bool(target.word) and (value in source.codes or value in source.words)


def failed_answer(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Loss, ...]] | None:
    """Return the error of an answer of Responses that failed before it said anything, and what stands beside it."""
    error = body.get("error")
    if body.get("status") != "failed" or not isinstance(error, Mapping) or body.get("output"):
        return None
    rest = {name: value for name, value in body.items() if name not in ("error", "status", "object", "output")}
    return {"error": error}, tuple(Loss(path, "field-dropped") for path, _ in leaves(rest, "$"))


def convert_failure(
    body: Mapping[str, Any], *, source: str, to: str, status: int | None = None
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Return the body of a failed answer in the shape of another API, and what that cannot carry.

    >>> convert_failure({"error": "no such model"}, source="ollama", to="anthropic", status=404)[0]
    {'type': 'error', 'error': {'message': 'no such model', 'type': 'not_found_error'}}
    """
    return write_failure(read_failure(body, source, status=status), to)


def restated(error: Any, source: str, to: str) -> tuple[Any, tuple[Loss, ...]]:
    """Return an error inside of a stream as another API states it there, and what that cannot carry.

    >>> restated({"type": "throttlingException", "message": "slow"}, "bedrock", "anthropic")[0]
    {'message': 'slow', 'type': 'rate_limit_error'}
    """
    if SHAPES[source] is SHAPES[to]:
        return error, ()
    if source == "bedrock" and isinstance(error, Mapping):
        body = {("__type" if name == "type" else name): value for name, value in error.items()}
    else:
        body = {**SHAPES[source].fixed, "error": error}
    made, lost = convert_failure(body, source=source, to=to)
    inner = "$.error" if "error" in body else "$.__type"  # the name of Bedrock's event
    losses = tuple(one._replace(path="$" + one.path.removeprefix(inner).removeprefix("$")) for one in lost)
    if to != "bedrock":
        return made["error"], losses
    word = str(made.pop("__type"))
    return {"type": word[:1].lower() + word[1:], **made}, losses
