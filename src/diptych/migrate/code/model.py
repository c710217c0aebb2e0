"""What a code migration says: places, changes, refusals, and the closed table of reasons.

Rule: every refusal has a code of :data:`CODES`; the code says what to do about it, and
the reason says what was seen at the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_BRIDGE: Final = "or keep the call behind diptych.client.compat.Completions"

#: Why a call is left as it was: what it means, and what to do.
CODES: Final[dict[str, tuple[str, str]]] = {
    "annotation": (
        "a type of the Completions API stands beside the result",
        "change the annotation to the Chat type, run again",
    ),
    "api-version": (
        "this version of Azure's API has no Chat",
        "set api_version to 2024-10-21 or later, and name a deployment of a Chat model",
    ),
    "best-of": (
        "best_of has the server rank answers, which Chat does not do",
        f"ask for n answers and choose, {_BRIDGE}",
    ),
    "echo": ("Chat does not repeat its prompt", f"put the prompt before the text yourself, {_BRIDGE}"),
    "extra-body": (
        "the body is built elsewhere and may hold parameters of Completions",
        "write the extra body as a literal",
    ),
    "fill-in-middle": ("fill-in-the-middle prompts cannot be converted to messages", "keep the Completions API for it"),
    "function-escapes": (
        "the function itself is passed on, so its calls cannot be determined",
        f"call it by name, or write a lambda that reads the text, {_BRIDGE}",
    ),
    "http-body": ("cannot determine the body of the request", "write the body as a dict literal where it is sent"),
    "http-stream": ("the lines of a streamed HTTP answer have another shape in Chat", f"use a client, {_BRIDGE}"),
    "http-url": (
        "an address of the Completions API that no call of requests, httpx or aiohttp is seen to use",
        "change the address together with the body and with what is read of the answer",
    ),
    "internal": ("the analysis of the file failed", "report it; the file is left as it is"),
    "langchain-argument": ("an argument of LangChain's OpenAI that ChatOpenAI does not have", "take the argument out"),
    "langchain-use": (
        "a language model returns text, a chat model a message; cannot determine what reads the result",
        "put StrOutputParser() after the model, or read .content",
    ),
    "logit-bias": ("token ids belong to the old model's encoding", "write the ids of the new model's encoding"),
    "logprobs": (
        "log probabilities have another shape in Chat",
        "ask for logprobs=True and top_logprobs=k, and read .content of the logprobs",
    ),
    "magic": ("a line of notebook magic holds a call", "put the call on a line of its own"),
    "mock-apart": (
        "a mock and the calls that it stands for change together",
        "migrate both in one run, and mend what is refused of either",
    ),
    "mock-shape": (
        "cannot determine the answer of the mock",
        "write the mocked answer as a literal, run again",
    ),
    "mock-use": ("what a mock was called with is looked at", "look at messages in place of prompt"),
    "nested-quotes": ("no quotes are left inside this f-string", "take the call out of the f-string"),
    "no-prompt": ("there is no prompt", "say what is asked"),
    "not-understood": (
        "this looks like a call of the Completions API, and is not understood",
        "look at it by hand, or write it as a call of openai's client",
    ),
    "notebook": ("the notebook is not JSON of the known shape", "save it again with Jupyter"),
    "old-sdk": (
        "code of openai before 1 that cannot be moved to openai 1 with certainty",
        "move it by hand, and run again: a source moves as a whole",
    ),
    "other-language": (
        "a call of the Completions API in a file that is no Python",
        "change it by hand: /v1/chat/completions with messages; diptych convert writes a body anew",
    ),
    "positional-arguments": ("positional arguments have no names", "write name=value"),
    "prompt-list": ("a list of prompts becomes as many calls", f"call once a prompt, {_BRIDGE}"),
    "prompt-markup": (
        "the prompt holds special tokens, and no known text format reads it as messages",
        "write it as messages, or as one literal of a known text format with its holes",
    ),
    "prompt-tokens": ("token ids are not text", "give the text"),
    "raw-response": ("the raw bytes of an answer have another shape in Chat", "read the answer with .parse()"),
    "receiver-unknown": (
        "cannot determine which SDK this client belongs to",
        "annotate the client, for example client: OpenAI, or give it a name such as openai_client",
    ),
    "reply-begun": (
        "the prompt begins the reply, which a message of the user cannot",
        "say the beginning in the prompt, or use diptych.convert_request(continuation=…)",
    ),
    "result-escapes": (
        "the answer goes where it cannot be followed, and may be read there as a Completions answer",
        f"read the text here and pass that on, {_BRIDGE}",
    ),
    "result-mixed": (
        "a name holds this answer and something else",
        "give each its own name",
    ),
    "responses": (
        "Responses has no counterpart for this",
        "migrate this file with --target chat, or take it out first",
    ),
    "result-shape": ("a field is read that Chat does not have in this shape", f"read what Chat has, {_BRIDGE}"),
    "scoring": ("scoring with no new tokens has no counterpart in Chat", "keep the Completions API for it"),
    "shared-result": ("its answer is used together with that of a call that is refused", "mend the other call"),
    "stream-unknown": ("stream is not a literal, so the shape of the answer is unknown", "write one call for each"),
    "suffix": ("Chat cannot insert before a suffix", f"say it in the prompt, {_BRIDGE}"),
    "syntax": ("the file does not parse as Python", "mend it, or migrate it by hand"),
    "encoding": ("the file is not text in the encoding that it names", "save it as UTF-8"),
    "unknown-argument": ("an argument that the Completions API does not have", "take it out, or pass it in extra_body"),
    "unpacked-arguments": ("cannot determine what unpacked arguments hold", f"write the arguments out, {_BRIDGE}"),
}  # fmt: skip

#: What a change may be, in the words of the summary.
KINDS: Final[dict[str, str]] = {
    "call": "calls",
    "note": "notes",
    "result": "reads of an answer",
    "stream": "reads of a stream",
    "helper": "functions that give an answer back",
    "constant": "model constants",
    "import": "imports",
    "langchain": "LangChain models",
    "http": "HTTP requests",
    "mock": "mocks and fixtures",
    "sdk": "uses of the old SDK",
    "todo": "TODO comments",
}


class Place(NamedTuple):
    """A place in a source file: 1-based line and column.

    >>> str(Place("app.py", 3, 5))
    'app.py:3:5'
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Change(NamedTuple):
    """What was changed, where it stood, and its kind (one of ``KINDS``).

    >>> Change(Place("app.py", 3, 5), ".text became .message.content", "result").kind
    'result'
    """

    place: Place
    what: str
    kind: str = "call"


class Refusal(NamedTuple):
    """A call that was left as it was: where, why, and what to do.

    >>> Refusal.of(Place("app.py", 3, 5), "suffix").reason
    'Chat cannot insert before a suffix'
    """

    place: Place
    reason: str
    code: str = "result-escapes"
    hint: str = ""

    @classmethod
    def of(cls, place: Place, code: str, detail: str = "") -> Refusal:
        """Return a refusal of the table; ``detail`` says what was seen."""
        reason, hint = CODES[code]
        return cls(place, f"{reason}: {detail}" if detail else reason, code, hint)


class Link(NamedTuple):
    """A call, or a mock of calls, as other files must know of it: both change together.

    ``family`` is the way of asking: v0, v1, http, or "" for an answer that stands in for any.
    ``targets`` are the modules that a mock names; ``at`` is the line and column in the parsed text.
    """

    place: Place
    family: str
    is_mock: bool
    is_refused: bool
    targets: tuple[str, ...] = ()
    at: tuple[int, int] = (0, 0)
    #: A literal answer in no mock that is known: reported only where a call is refused for it.
    is_loose: bool = False


class Prompted(NamedTuple):
    """A prompt that goes to a server of one's own, each hole a word, and the messages that it became."""

    place: Place
    text: str
    messages: list[dict[str, str]]


#: Calls and mocks that stay, by line and column, each with the reason.
Held = Mapping[tuple[int, int], str]
NOTHING_HELD: Final[Held] = {}


@dataclass(frozen=True)
class CodeMigration:
    """The migrated source, what was changed and what was refused.

    >>> CodeMigration("x = 1").changes
    ()
    """

    source: str
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    #: The calls and mocks that must change together with those of other files.
    links: tuple[Link, ...] = field(default=(), compare=False, repr=False)
    #: The prompts that a proof can be run on.
    prompts: tuple[Prompted, ...] = field(default=(), compare=False, repr=False)
