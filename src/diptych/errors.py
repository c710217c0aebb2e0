"""Every error that Diptych raises on purpose.

Rule: an error says what is wrong, where, and the way out; it survives pickling
and carries no secret. Constructors take one message and keywords with defaults,
so that ``copy`` and ``pickle`` can rebuild them from ``args`` and ``__dict__``.

::

    DiptychError
    ├── TemplateError            .location, .chain
    │   ├── TemplateSyntaxError
    │   ├── TemplateNotFound
    │   ├── UndefinedInput
    │   ├── InvalidInput
    │   ├── ResourceLimit
    │   └── RoleError
    ├── FormatError
    │   └── LossError            .losses
    ├── TokenError
    ├── PriceError
    ├── BudgetExceeded
    ├── ClientError
    │   ├── ApiError             .status .code .type .param .request_id
    │   │   ├── RateLimited
    │   │   └── QuotaExceeded
    │   ├── Timeout
    │   ├── ConnectionFailed
    │   ├── StreamInterrupted    .partial
    │   ├── StreamIncomplete     .partial
    │   ├── InvalidResponse
    │   ├── ResponseTooLarge
    │   └── RedirectRefused
    ├── ConfigError
    ├── MigrationError
    └── MissingExtra             .extra
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .loss import Loss


class Location(NamedTuple):
    """Point at one place in a template file: 1-based line and column.

    ``source`` is the whole source line (without its newline), ``width`` the number
    of characters to underline.

    >>> str(Location("greet.jinja", 3, 7))
    'greet.jinja:3:7'
    """

    file: str
    line: int
    column: int = 1
    source: str = ""
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """Return the source line with a caret under the place, or an empty string."""
        if not self.source:
            return ""
        gutter = f"{self.line}"
        # A tab stays a tab in the caret line, so that the caret lines up in any terminal.
        lead = "".join(c if c == "\t" else " " for c in self.source[: self.column - 1])
        caret = "^" * max(1, min(self.width, len(self.source) - self.column + 1))
        return f" {gutter} | {self.source}\n {' ' * len(gutter)} | {lead}{caret}"


class DiptychError(Exception):
    """The root of the tree: catch it to catch everything that Diptych raises.

    Arguments: ``message`` says what is wrong; ``path`` says where in a JSON value
    (``$.messages[3].content[0]``); ``hint`` says the way out.

    >>> str(DiptychError("no role", path="$.messages[0]", hint="add a role"))
    '$.messages[0]: no role\\nhint: add a role'
    """

    error_code: ClassVar[str] = "error"

    def __init__(self, message: str = "", *, path: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint

    def where(self) -> str | None:
        """Return the place of the error as one string, or None."""
        return self.path

    def __str__(self) -> str:
        where = self.where()
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}\nhint: {self.hint}" if self.hint else text


class TemplateError(DiptychError):
    """A template could not be read or rendered; ``location`` says where.

    ``chain`` lists the places of the includes, imports and macro calls that led
    there, the outermost first.

    >>> from diptych import Template, TemplateError
    >>> try:
    ...     Template.from_string("{{ text").render()
    ... except TemplateError as error:
    ...     print(error.location)
    <string>:1:1
    """

    error_code = "template-error"

    def __init__(
        self,
        message: str = "",
        *,
        location: Location | None = None,
        chain: Sequence[Location] = (),
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.location = location
        self.chain = tuple(chain)

    def where(self) -> str | None:
        return str(self.location) if self.location else self.path

    def __str__(self) -> str:
        where = self.where()
        lines = [f"{where}: {self.error_code}: {self.message}" if where else self.message]
        if self.location and (excerpt := self.location.excerpt()):
            lines.append(excerpt)
        lines += [f"reached from {place}" for place in reversed(self.chain)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class TemplateSyntaxError(TemplateError):
    """The template does not parse or compile, names an unknown filter or test, or has wrong front matter.

    >>> from diptych import Template, TemplateSyntaxError
    >>> try:
    ...     Template.from_string("{{ text | uper }}").render(text="a")
    ... except TemplateSyntaxError as error:
    ...     print(error)
    <string>:1:11: template-syntax: unknown filter 'uper'
     1 | {{ text | uper }}
       |           ^^^^
    hint: did you mean 'upper'?
    """

    error_code = "template-syntax"


class TemplateNotFound(TemplateError):
    """There is no such template, folder or package, or a template's name leaves its root.

    >>> from diptych import Library, TemplateNotFound
    >>> try:
    ...     Library({"translate.jinja": "…"})["transalte"]
    ... except TemplateNotFound as error:
    ...     print(error.hint)
    did you mean 'translate'?
    """

    error_code = "template-not-found"


class UndefinedInput(TemplateError):
    """The template needs a name that nobody gave: pass the input or give it a default.

    >>> from diptych import Template, UndefinedInput
    >>> try:
    ...     Template.from_string("Hello {{ name }}").render()
    ... except UndefinedInput as error:
    ...     print(error.message)
    'name' is undefined
    """

    error_code = "undefined-input"


class InvalidInput(TemplateError):
    """An input is unknown, of the wrong type, or not plain data.

    >>> from diptych import InvalidInput, Template
    >>> try:
    ...     Template.from_string("Hello {{ name }}").render(nane="Ann")
    ... except InvalidInput as error:
    ...     print(error.hint)
    did you mean 'name'?
    """

    error_code = "invalid-input"


class ResourceLimit(TemplateError):
    """A render went over a cap on size, time, nesting or loop work.

    >>> from diptych import Limits, ResourceLimit, Template
    >>> template = Template.from_string("{{ text }}").with_limits(Limits(output=10))
    >>> try:
    ...     template.render(text="x" * 11)
    ... except ResourceLimit as error:
    ...     print(error.message)
    a value of 11 characters or items is over the cap of 10
    """

    error_code = "resource-limit"


class RoleError(TemplateError):
    """A message has no known role, stands inside another, or has text beside it.

    >>> from diptych import RoleError, Template
    >>> try:
    ...     Template.from_string("{% message role='robot' %}Hi{% endmessage %}").render().messages
    ... except RoleError as error:
    ...     print(error.message)
    'robot' is not a role
    """

    error_code = "role"


class FormatError(DiptychError):
    """A value does not read as, or cannot be written in, the named format.

    >>> from diptych import FormatError, to_prompt
    >>> try:
    ...     to_prompt([{"role": "user", "content": "Hi"}], "chatlm")
    ... except FormatError as error:
    ...     print(error.message)
    ...     print(error.hint)
    there is no text format 'chatlm'
    did you mean 'chatml'?
    """

    error_code = "format"


class LossError(FormatError):
    """A conversion would lose something and the policy is ``raise``; see ``losses``.

    >>> from diptych import LossError, convert
    >>> body = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "Hi"}], "seed": 7}
    >>> try:
    ...     convert(body, target="anthropic")
    ... except LossError as error:
    ...     print(error.losses[0])
    $.seed: parameter-dropped: a request parameter has no place in the target
    """

    error_code = "loss"

    def __init__(
        self,
        message: str = "",
        *,
        losses: Sequence[Loss] = (),
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.losses = tuple(losses)


class TokenError(DiptychError):
    """Tokens cannot be counted, encoded or decoded as asked.

    >>> from diptych import TokenError, count
    >>> try:
    ...     count([{"role": "user", "content": 5}], "gpt-5.4-mini")
    ... except TokenError as error:
    ...     print(error)
    $.messages[0].content: content is a number; expected a string, a list of parts or null
    """

    error_code = "token"


class PriceError(DiptychError):
    """A price is asked for that no price book knows, or a price entry is malformed.

    >>> from diptych import Budget, Client, PriceError
    >>> with Client("http://127.0.0.1:9/v1", budget=Budget(usd=1)) as client:
    ...     try:
    ...         client.send("Hello", model="unheard-of", max_tokens=5)
    ...     except PriceError as error:
    ...         print(error.message)
    no price is known for 'unheard-of', so a budget in USD cannot hold
    """

    error_code = "price"


#: What code raises where a value is not of the shape that it was written for.
OF_SHAPE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class malformed:  # it is used like a function
    """Raise FormatError where reading a foreign value fails in a way that no reader has foreseen.

    The first cause stays on the error, so that a fault of Diptych is found. Used at the doors where foreign
    values come in, not inside; one may guard many values, one after another.

    >>> with malformed("the row"):
    ...     {}["role"]
    Traceback (most recent call last):
    diptych.errors.FormatError: $: the row is malformed: KeyError
    """

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and isinstance(error, OF_SHAPE) and not isinstance(error, DiptychError):
            raise FormatError(f"{self._what} is malformed: {type(error).__name__}", path="$") from error


class BudgetExceeded(DiptychError):
    """A call would go over the budget, or nothing bounds its cost; it was not sent.

    ``reason`` is ``over the budget``, ``no output cap`` or ``no known price``.

    >>> from diptych import Budget, BudgetExceeded, Client
    >>> with Client("http://127.0.0.1:9/v1", budget=Budget(usd="0.000001")) as client:
    ...     try:
    ...         client.send("Hello", model="gpt-5.4-mini", max_tokens=1000)
    ...     except BudgetExceeded as error:
    ...         print(error.reason)
    over the budget
    """

    error_code = "budget-exceeded"

    def __init__(
        self,
        message: str = "",
        *,
        reason: str = "over the budget",
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.reason = reason


class ClientError(DiptychError):
    """A call failed. ``attempts`` tells of each attempt that was made.

    ``request_id`` is the server's id of the last attempt, where it sent one.

    >>> from diptych import Client, ClientError
    >>> try:
    ...     Client("localhost:8080")
    ... except ClientError as error:
    ...     print(error.message)
    base_url is not an http or https address
    """

    error_code = "client"

    def __init__(
        self,
        message: str = "",
        *,
        attempts: Sequence[Any] = (),
        request_id: str | None = None,
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.attempts = tuple(attempts)
        self.request_id = request_id


class ApiError(ClientError):
    """The server answered with an error: ``status``, ``code``, ``type``, ``param``.

    >>> from diptych import Client, ApiError
    >>> from diptych.testing import Server, status
    >>> with Server() as server, Client(server.base_url) as client:
    ...     _ = server.next(status(404, body={"error": {"message": "no such model", "code": "model_not_found"}}))
    ...     try:
    ...         client.send("Hello", model="test")
    ...     except ApiError as error:
    ...         print(error.status, error.code)
    404 model_not_found
    """

    error_code = "api"

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str | int | None = None,
        type: str | None = None,  # the field's name on the wire
        param: str | None = None,
        request_id: str | None = None,
        attempts: Sequence[Any] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, attempts=attempts, request_id=request_id, hint=hint)
        self.status = status
        self.code = code
        self.type = type
        self.param = param

    def where(self) -> str | None:
        return f"HTTP {self.status}" if self.status else None


class RateLimited(ApiError):
    """The server asks to slow down (429), and the retries are used up.

    >>> from diptych import Client, RateLimited
    >>> from diptych.testing import Server, status
    >>> with Server() as server, Client(server.base_url, retries=0) as client:
    ...     _ = server.next(status(429))
    ...     try:
    ...         client.send("Hello", model="test")
    ...     except RateLimited as error:
    ...         print(error.status, len(error.attempts))
    429 1
    """

    error_code = "rate-limited"


class QuotaExceeded(ApiError):
    """The account's quota or credit is used up: waiting does not help, so no retry.

    >>> from diptych import Client, QuotaExceeded
    >>> from diptych.testing import Server, status
    >>> with Server() as server, Client(server.base_url) as client:
    ...     _ = server.next(status(429, body={"error": {"message": "no credit left", "code": "insufficient_quota"}}))
    ...     try:
    ...         client.send("Hello", model="test")
    ...     except QuotaExceeded as error:
    ...         print(len(error.attempts))
    1
    """

    error_code = "quota-exceeded"


class Timeout(ClientError):
    """A time limit of a call has passed; ``limit`` names which one of :class:`~diptych.Timeouts`.

    ``limit`` is ``total``, ``connect``, ``first_token`` or ``idle``; ``partial`` is the reply of a
    stream as far as it had arrived. The setting is :class:`~diptych.Timeouts`.

    >>> Timeout("no answer within 30 s").limit
    'total'
    """

    error_code = "timeout"

    def __init__(
        self,
        message: str = "",
        *,
        limit: str = "total",
        partial: Any = None,
        attempts: Sequence[Any] = (),
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, attempts=attempts, request_id=request_id, hint=hint)
        self.limit = limit
        self.partial = partial


class ConnectionFailed(ClientError):
    """No connection: name, route, TLS or proxy; or it broke before the answer.

    >>> from diptych import Client, ConnectionFailed
    >>> from diptych.testing import Server, reset
    >>> with Server() as server, Client(server.base_url, retries=0) as client:
    ...     _ = server.next(reset())
    ...     try:
    ...         client.send("Hello", model="test")
    ...     except ConnectionFailed as error:
    ...         print(len(error.attempts))
    1
    """

    error_code = "connection-failed"


class _PartialError(ClientError):
    """A stream that ended too early; ``partial`` holds what had arrived."""

    def __init__(
        self,
        message: str = "",
        *,
        partial: Any = None,
        attempts: Sequence[Any] = (),
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, attempts=attempts, request_id=request_id, hint=hint)
        self.partial = partial


class StreamInterrupted(_PartialError):
    """The stream broke; ``partial`` holds what had arrived. It was not retried.

    >>> from diptych import Client, StreamInterrupted
    >>> from diptych.testing import Server, raw
    >>> head = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ncontent-length: 999\\r\\n\\r\\n"
    >>> event = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\\n\\n'
    >>> with Server() as server, Client(server.base_url) as client:
    ...     _ = server.next(raw(head, event))
    ...     try:
    ...         with client.stream([{"role": "user", "content": "Hello"}], model="test") as deltas:
    ...             list(deltas)
    ...     except StreamInterrupted as error:
    ...         print(error.partial.text)
    Hi
    """

    error_code = "stream-interrupted"


class StreamIncomplete(_PartialError):
    """The stream ended without a finish reason for every choice; see ``partial``.

    >>> from diptych import Client, StreamIncomplete
    >>> from diptych.testing import Server, cut
    >>> with Server() as server, Client(server.base_url) as client:
    ...     _ = server.next(cut(2))
    ...     try:
    ...         with client.stream("one two three", model="test") as deltas:
    ...             list(deltas)
    ...     except StreamIncomplete as error:
    ...         print(error.partial.text)
    one two
    """

    error_code = "stream-incomplete"


class InvalidResponse(ClientError):
    """The answer is not what the API promises; at most 500 bytes of it are quoted.

    ``body`` is the whole answer as text where it was read to its end, without the key: it was paid for.

    >>> from diptych import Client, InvalidResponse
    >>> from diptych.testing import Server, raw
    >>> with Server() as server, Client(server.base_url, retries=0) as client:
    ...     _ = server.next(raw(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n[]"))
    ...     try:
    ...         client.send("Hello", model="test")
    ...     except InvalidResponse as error:
    ...         print(error.message)
    the answer holds no choices: '[]'
    """

    error_code = "invalid-response"

    def __init__(
        self,
        message: str = "",
        *,
        body: str | None = None,
        attempts: Sequence[Any] = (),
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, attempts=attempts, request_id=request_id, hint=hint)
        self.body = body


class ResponseTooLarge(ClientError):
    """The answer is larger than the cap on received or decompressed bytes.

    >>> from diptych import Client, ResponseTooLarge
    >>> from diptych.testing import Server, raw
    >>> head = b"HTTP/1.1 200 OK\\r\\n\\r\\n"
    >>> with Server() as server, Client(server.base_url, retries=0) as client:
    ...     _ = server.next(raw(head, *[b" " * 1_000_000] * 20))
    ...     try:
    ...         client.send([{"role": "user", "content": "Hello"}], model="test")
    ...     except ResponseTooLarge as error:
    ...         print(error.message)
    the answer is larger than 16777216 bytes
    """

    error_code = "response-too-large"


class RedirectRefused(ClientError):
    """The server redirects: a prompt is never sent on to another address.

    >>> from diptych import Client, RedirectRefused
    >>> from diptych.testing import Server, redirect
    >>> with Server() as server, Client(server.base_url) as client:
    ...     _ = server.next(redirect("https://elsewhere.example"))
    ...     try:
    ...         client.send("Hello", model="test")
    ...     except RedirectRefused as error:
    ...         print(error.message.partition(" redirects ")[2])
    (307) to https://elsewhere.example
    """

    error_code = "redirect-refused"


class ConfigError(DiptychError):
    """The configuration file cannot be read, or holds what is not a setting; ``path`` is file and line.

    >>> import os, pathlib, tempfile
    >>> from diptych.config import find_file
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "diptych.toml").write_text('modle = "gpt-5.4-mini"')
    >>> try:
    ...     find_file(folder)
    ... except ConfigError as error:
    ...     print(error.message)
    unknown setting 'modle'
    """

    error_code = "config"


class MigrationError(DiptychError):
    """A migration cannot go on; finished shards and files are kept.

    >>> from diptych import MigrationError
    >>> from diptych.migrate import migrate_code
    >>> try:
    ...     migrate_code("def broken(:", "app.py")
    ... except MigrationError as error:
    ...     print(error)
    app.py:1:12: the source does not parse: invalid syntax
    """

    error_code = "migration"


class MissingExtra(DiptychError, ImportError):
    """An optional dependency is not installed; ``extra`` names what to install.

    >>> str(MissingExtra.of("images", "imagesize"))
    "imagesize is not installed\\nhint: pip install 'diptych[images]'"
    """

    error_code = "missing-extra"

    def __init__(self, message: str = "", *, extra: str = "", path: str | None = None, hint: str | None = None) -> None:
        DiptychError.__init__(self, message, path=path, hint=hint)
        self.extra = extra

    @classmethod
    def of(cls, extra: str, module: str) -> MissingExtra:
        """Return the error for ``module``, which the extra ``extra`` installs."""
        return cls(f"{module} is not installed", extra=extra, hint=f"pip install 'diptych[{extra}]'")
