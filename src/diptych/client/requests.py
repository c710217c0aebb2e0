"""What goes out: address, headers, body, key. No HTTP library, no socket.

Rule: everything that can be known to be wrong is refused here, before anything is
sent: a key with a line feed, a key over plain http to another machine, a key inside
an address. A key lives in :class:`.secret.Secret` and in the headers made for one request.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..apis.bedrock.media import as_json
from ..apis.framing import FRAMINGS
from ..catalogue import replacement_for, shutdown_of
from ..config import fallback
from ..conversion.requests import build
from ..errors import ClientError, FormatError
from ..policy import OnLoss
from ..request import Api
from .endpoints import ENDPOINTS, OPENAI
from .secret import Secret, guard_logs

_OPENAI_HOSTS: Final = frozenset({"api.openai.com", "eu.api.openai.com", "us.api.openai.com"})
_AZURE: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
#: What a host may be made of; of other alphabets any letter (IDNA), and the colons of IPv6.
_HOST: Final = re.compile(r"[\w.:%~-]+", re.UNICODE)
_KEY_WORDS: Final = ("key", "token", "secret", "password", "sig")


class Headers(dict[str, str]):
    """Headers of one request: a dict that does not show its values."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready for a wire."""

    url: str
    headers: Headers
    content: bytes = field(repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Server:
    """An address with its key, checked. ``query`` stays on every address (Azure's api-version)."""

    base_url: str
    key: Secret
    #: The header of the key where the server has one of its own, whatever the API.
    key_header: str | None = None
    query: str = ""

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own server, where the catalogue says what a model is."""
        return is_openai(self.base_url)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_local(self) -> bool:
        """True for a server on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    def url(self, api: Api, body: Mapping[str, Any] | None = None, *, streams: bool = False) -> str:
        """Return the address that a body goes to.

        >>> Server("http://127.0.0.1:8080/v1", Secret("")).url("chat")
        'http://127.0.0.1:8080/v1/chat/completions'
        """
        return self.at(ENDPOINTS[api].path_for(body or {}, streams=streams))

    def at(self, path: str) -> str:
        """Return the address of a path; one that begins with ``//`` stands beside ``/v1``.

        >>> Server("http://127.0.0.1:8080/v1", Secret("")).at("//tokenize")
        'http://127.0.0.1:8080/tokenize'
        """
        base = self.base_url.removesuffix("/v1") if path.startswith("//") else self.base_url
        joint = "&" if "?" in path else "?"
        return base + path.removeprefix("/" * path.startswith("//")) + (f"{joint}{self.query}" if self.query else "")

    def outgoing(self, api: Api, body: Mapping[str, Any], *, streams: bool = False) -> Outgoing:
        """Return the request that carries this body."""
        endpoint = ENDPOINTS[api]
        return self.posting(
            self.url(api, body, streams=streams),
            endpoint.body_of(body),
            endpoint.headers,
            key_header=endpoint.key_header,
            accept=FRAMINGS[api].media_type if streams else "application/json",
        )

    def posting(
        self,
        url: str,
        body: Mapping[str, Any],
        extra: Mapping[str, str] | None = None,
        *,
        key_header: str = "authorization",
        accept: str = "application/json",
    ) -> Outgoing:
        """Return the request that carries this body to an address of the server."""
        headers = Headers(extra or {})
        headers["content-type"] = "application/json"
        headers["accept"] = accept
        # Compression buys nothing on token streams and opens the door to bombs.
        headers["accept-encoding"] = "identity"
        if self.key:
            key = self.key.reveal()
            name = self.key_header or key_header
            headers[name] = f"Bearer {key}" if name == "authorization" else key
        return Outgoing(url, headers, encode(body))


def is_openai(base_url: str | None) -> bool:
    """Return whether an address, or the one that counts without it, is OpenAI's own.

    >>> is_openai("https://api.openai.com/v1"), is_openai("http://localhost:8080/v1")
    (True, False)
    """
    return urlsplit(base_url or fallback("base_url") or OPENAI).hostname in _OPENAI_HOSTS


def encode(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of a body. Raises FormatError for what JSON cannot say.

    >>> encode({"a": "é"})
    b'{"a":"\\xc3\\xa9"}'
    """
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate has an escape in JSON, though no UTF-8 form.
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise FormatError(f"the body is not JSON: {error}") from None


def server_of(base_url: str | None, api_key: str | None, api: Api = "chat") -> Server:
    """Return the server for these arguments and the environment; ``api`` says whose server is meant without an address.

    ``api_key=""`` means no key. Without one, the vendor's variable counts (OPENAI_API_KEY,
    ANTHROPIC_API_KEY, GEMINI_API_KEY); a loopback server needs none. Raises ClientError for an address or key
    that cannot be right.

    >>> server_of("http://localhost:8080/v1/", "").base_url
    'http://localhost:8080/v1'
    """
    endpoint = ENDPOINTS[api]
    address = base_url or endpoint.base_from_environment()
    parts = _parsed(address) if isinstance(address, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ClientError("base_url is not an http or https address", hint="for example https://api.openai.com/v1")
    if parts.username or parts.password or any(_names_key(name) for name, _ in parse_qsl(parts.query)):
        raise ClientError("base_url holds a key, and addresses are logged", hint="pass it as api_key=…")
    key = check_key(endpoint.key_from_environment() if api_key is None else api_key)
    local = is_loopback(parts.hostname)
    if key and parts.scheme == "http" and not local:
        raise ClientError(
            f"a key would go over plain http to {parts.hostname}",
            hint="use https, or pass api_key='' where the server needs none",
        )
    if not key and api_key is None and not local:
        raise ClientError("there is no API key", hint=f"pass api_key=… or set {endpoint.key}; api_key='' sends none")
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    header = "api-key" if parts.hostname.endswith(_AZURE) else None
    return Server(base, key, header, parts.query)


def _parsed(address: str) -> SplitResult | None:
    """Return the parts of an address, None where it has a port or an IPv6 host that cannot be."""
    try:
        parts = urlsplit(address.strip())
        if parts.port == 0 or not _HOST.fullmatch(parts.hostname or ""):
            return None
        (parts.hostname or "").removesuffix(".").encode("idna")
        return parts
    except ValueError:  # UnicodeError is one: an empty label, or one too long
        return None


def azure_url(endpoint: str, *, deployment: str, api_version: str = "2024-10-21") -> str:
    """Return the base URL of an Azure OpenAI deployment (the newest stable api-version of that API).

    >>> azure_url("https://me.openai.azure.com", deployment="gpt-4o")
    'https://me.openai.azure.com/openai/deployments/gpt-4o?api-version=2024-10-21'
    """
    return f"{endpoint.rstrip('/')}/openai/deployments/{deployment}?api-version={api_version}"


def _names_key(name: str) -> bool:
    return any(word in name.lower() for word in _KEY_WORDS)


def check_key(key: str) -> Secret:
    """Return the key without white space around it; the key itself is in no error.

    Raises ClientError for a character that a header cannot carry.
    """
    secret = Secret(key.strip())
    if any(not "!" <= c <= "~" for c in secret.reveal()):
        # An exception from here must not hold the key in its frame's arguments.
        del key, secret
        raise ClientError(
            "the API key holds a character that no key has (a space, a line feed, or not ASCII)",
            hint="copy it again; was a quotation mark or a second line copied with it?",
        )
    guard_logs(secret)
    return secret


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("10.0.0.1")
    (True, True, True, False)
    """
    host = host.removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1
    return (inner or address).is_loopback


@dataclass(frozen=True, slots=True)
class Ask:
    """A call as it was asked for: the API, the body, and where the text came from."""

    api: Api
    body: dict[str, Any]
    template_hash: str | None = None
    template_version: str | None = None
    #: Why this API was used.
    reason: str = ""
    #: The answer is validated by the client, so that a schema may be asked for in words.
    validates: bool = False
    streams: bool = False
    #: The rendered template that the body was made from, where it was one.
    rendered: Any = field(default=None, repr=False, compare=False)

    @property
    def prompt(self) -> Any:
        """The prompt or the messages."""
        return next((self.body[name] for name in _SAID if name in self.body), None)

    @property
    def tools(self) -> frozenset[str]:
        """The names of the tools and functions that the body offers."""
        lists = [self.body.get(name) for name in ("tools", "functions")]
        offered = [item for one in lists if isinstance(one, list) for item in one]
        tools = [item for item in offered if isinstance(item, Mapping)]
        inner = [tool.get(kind) for tool in tools for kind in ("function", "custom")]
        declared = [one for tool in tools for one in tool.get("functionDeclarations") or ()]
        names = [item.get("name") for item in (*tools, *inner, *declared) if isinstance(item, Mapping)]
        return frozenset(name for name in names if isinstance(name, str))

    @property
    def choices(self) -> int:
        """How many choices the body asks for: ``n`` times the prompts of a list."""
        if self.api not in ("chat", "completions"):
            count = (self.body.get("generationConfig") or {}).get("candidateCount")
            return count if isinstance(count, int) and count > 0 else 1
        prompt = self.body.get("prompt")
        many = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
        prompts = len(cast("list[Any]", prompt)) if many else 1
        n = self.body.get("n")
        return prompts * (n if isinstance(n, int) and n > 0 else 1)


#: The fields of a body that hold what is said.
_SAID: Final = ("messages", "prompt", "input", "contents")


def ask(
    x: Any,
    *,
    model: str | None = None,
    api: Api | None = None,
    on_loss: OnLoss = "raise",
    own_server: bool = False,
    today: str | None = None,
    streams: bool = False,
    **params: Any,
) -> Ask:
    """Return the call for a rendered template, a list of messages, a prompt, or a whole body.

    ``own_server`` says whether it goes to the vendor's own server, where the model's row in the
    catalogue counts, ``today`` (ISO) the day of the call. Raises FormatError for a parameter that
    the API does not know, for a model past its last day on its vendor's server, and for any other
    value.

    >>> ask("Hello", model="m").api
    'completions'
    """
    built = build(x, model=model, api=api, on_loss=on_loss, own_server=own_server, **params)
    if own_server and today is not None:
        check_alive(str(built.body.get("model")), today)
    template = getattr(x, "template", None)
    known = (getattr(template, "hash", None), getattr(template, "version", None))
    is_stream = streams or bool(built.body.get("stream"))
    body = as_json(built.body) if ENDPOINTS[built.api].has_bytes else built.body
    rendered = None if template is None else x
    return Ask(built.api, body, *known, reason=built.reason, streams=is_stream, rendered=rendered)


def check_alive(model: str, today: str) -> None:
    """Raise FormatError for a model that its vendor shut down before ``today`` (ISO).

    >>> check_alive("gpt-4o", "2026-11-26")
    """
    day = shutdown_of(model)
    if day is None or today <= day:
        return
    found = replacement_for(model)
    hint = f"use {found.model}" if found else "diptych models lists those that are served"
    raise FormatError(f"{model} was shut down on {day}", path="$.model", hint=hint)


def digest(value: Any) -> str:
    """Return the SHA-256 in hex of a JSON value in canonical form (sorted keys, no spaces).

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
