"""What OpenAI's pages say of training and batch files: rows are checked against it.

Rule: each check names its page. A row that breaks one is refused by the receiver, or, in a
batch, comes back as an error, so every breach is a refused loss with its path. Rules of a
whole file are counted by :class:`FileRules`, one row at a time, in bounded memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..loss import Loss
from .openai_tools import calls_and_results

#: Fields of a message in a training file. API reference, fine-tuning, "Training format for chat
#: models" (2026): a message of the Chat API, an assistant's with ``weight``.
MESSAGE_FIELDS: Final = frozenset(
    {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"}
)
#: Cookbook, "Data preparation and analysis for chat model fine-tuning" (2023), and the reference above.
_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_ROW_FIELDS: Final = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})
#: API reference, chat, ``tools`` (2026): at most 128 functions; their names: 64 of these characters.
_MOST_TOOLS: Final = 128
_FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
#: API reference, chat (2023): a participant's name has at most 64 characters; the API's own error
#: (2024) names those it must not have.
_NAME: Final = re.compile(r"[^\s<|\\/>]{1,64}\Z")
#: Guide, "Vision fine-tuning" (2025): at most 10 images a row, none in an assistant's message.
_MOST_IMAGES: Final = 10
#: API reference, batch, ``endpoint`` (2026).
BATCH_URLS: Final = (
    "/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/moderations",
    "/v1/images/generations", "/v1/images/edits", "/v1/videos",
)  # fmt: skip
#: API reference, batch, ``input_file_id`` (2026): 50,000 requests, 200 MB.
BATCH_LINES: Final = 50_000
BATCH_BYTES: Final = 200_000_000
#: API reference, files (2026): a file of up to 512 MB. Guide, "Supervised fine-tuning" (2026): 10 rows at least.
TRAINING_BYTES: Final = 512_000_000
TRAINING_ROWS: Final = 10
#: Guide, "Vision fine-tuning" (2025): at most 50,000 rows with images.
IMAGE_ROWS: Final = 50_000


def _bad(path: str, detail: str) -> Loss:
    return Loss(path, "unsupported", detail)


# fine-tuning --------------------------------------------------------------------------------


def finetune_rules(row: Any) -> Iterator[Loss]:
    """Yield what a row of a chat fine-tuning file must not be.

    >>> [str(loss) for loss in finetune_rules({"messages": []})]
    ['$.messages: unsupported: a row has at least one message']
    """
    if not isinstance(row, Mapping):
        yield _bad("$", "a row is an object")
        return
    yield from _unknown(row, _ROW_FIELDS, "$")
    yield from _messages(row.get("messages"), "$.messages")
    yield from _tools(row.get("tools"), "$.tools")
    yield from _flag(row, "parallel_tool_calls", "$")
    messages = row.get("messages")
    if isinstance(messages, list) and messages:
        yield from _learnt(messages)
        yield from calls_and_results(messages, row.get("tools"), "$.messages")


def _learnt(messages: list[Any]) -> Iterator[Loss]:
    turns = [turn for turn in messages if isinstance(turn, Mapping)]
    # Cookbook (2023): example_missing_assistant_message; the service: the last message is the assistant's.
    if not isinstance(messages[-1], Mapping) or messages[-1].get("role") != "assistant":
        yield _bad(f"$.messages[{len(messages) - 1}].role", "the last message is an assistant's")
    # Azure refuses a row without a user message (microsoft-foundry/fine-tuning#23).
    if not any(turn.get("role") == "user" for turn in turns):
        yield _bad("$.messages", "a row has a user message")
    if not any(turn.get("role") == "assistant" and _says(turn) for turn in turns):
        yield _bad("$.messages", "at least one assistant message says something or calls a tool")
    if sum(_images(turn) for turn in turns) > _MOST_IMAGES:
        yield _bad("$.messages", f"a row has at most {_MOST_IMAGES} images")


def _unknown(fields: Mapping[str, Any], known: Iterable[str], path: str) -> Iterator[Loss]:
    for name in fields:
        if name not in known:
            yield _bad(f"{path}.{name}", "unknown field")


def _flag(fields: Mapping[str, Any], name: str, path: str) -> Iterator[Loss]:
    if not isinstance(fields.get(name), bool | None):
        yield _bad(f"{path}.{name}", "it is true or false")


def _messages(messages: Any, path: str) -> Iterator[Loss]:
    if not isinstance(messages, list) or not messages:
        yield _bad(path, "a row has at least one message")
        return
    for index, message in enumerate(messages):
        place = f"{path}[{index}]"
        if not isinstance(message, Mapping):
            yield _bad(place, "a message is an object")
            continue
        yield from _unknown(message, MESSAGE_FIELDS, place)
        yield from _message(message, place)


def _message(message: Mapping[str, Any], path: str) -> Iterator[Loss]:
    role = message.get("role")
    if role not in _ROLES:
        yield _bad(f"{path}.role", f"a role is one of {', '.join(_ROLES)}")
    if "weight" in message:
        weight = message["weight"]
        if role != "assistant" or weight not in (0, 1) or isinstance(weight, bool):
            yield _bad(f"{path}.weight", "a weight is 0 or 1, on an assistant message")
    name = message.get("name")
    if name is not None and not (isinstance(name, str) and _NAME.match(name)):
        yield _bad(f"{path}.name", "a name has at most 64 characters, no white space, none of <|\\/>")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        yield _bad(f"{path}.tool_call_id", "a tool message names its call")
    if role != "assistant" and message.get("content") is None:
        yield _bad(f"{path}.content", f"a {role} message has a content")
    # An assistant's content is required unless it calls a tool (API reference, chat, 2026).
    if role == "assistant" and message.get("content") is None and not _says(message):
        yield _bad(f"{path}.content", "an assistant message says something or calls a tool")
    # Cookbook (2023): missing_content. A tool may have nothing to say, and a call stands for a content.
    if role != "tool" and message.get("content") == "" and not _says(message):
        yield _bad(f"{path}.content", "a content must not be empty")
    yield from _unicode(message.get("content"), f"{path}.content")
    yield from _content(message.get("content"), role, f"{path}.content")
    yield from _calls(message.get("tool_calls"), role, f"{path}.tool_calls")


def _unicode(content: Any, path: str) -> Iterator[Loss]:
    """Yield a text that has no bytes in UTF-8, in which files are sent."""
    texts = content if isinstance(content, list) else [content]
    for text in (part.get("text") if isinstance(part, Mapping) else part for part in texts):
        if isinstance(text, str) and not text.isascii() and not _is_unicode(text):
            yield _bad(path, "the text holds a lone surrogate, which is not Unicode")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _content(content: Any, role: Any, path: str) -> Iterator[Loss]:
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        yield _bad(path, "a content is text, or a list of parts with at least one")
        return
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, Mapping) else None
        # API reference, fine-tuning (2026): text and images only; audio and files are not supported.
        if kind == "image_url":
            if role != "user":
                yield _bad(f"{path}[{index}]", "images stand in user messages only")
        elif kind != "text" and not (kind == "refusal" and role == "assistant"):
            yield _bad(f"{path}[{index}]", "a part is text or an image")
        elif not isinstance(part.get(kind), str):
            yield _bad(f"{path}[{index}].{kind}", "it is text")


def _calls(calls: Any, role: Any, path: str) -> Iterator[Loss]:
    if calls is None:
        return
    if role != "assistant" or not isinstance(calls, list) or not calls:
        yield _bad(path, "tool calls are a list with at least one, on an assistant message")
        return
    for index, call in enumerate(calls):
        function = call.get("function") if isinstance(call, Mapping) else None
        place = f"{path}[{index}]"
        if not isinstance(function, Mapping) or not isinstance(call.get("id"), str) or call.get("type") != "function":
            yield _bad(place, "a call has an id, the type function and a function")
            continue
        yield from _function_name(function.get("name"), f"{place}.function.name")
        if not isinstance(function.get("arguments"), str):
            yield _bad(f"{place}.function.arguments", "arguments are JSON text")


def _function_name(name: Any, path: str) -> Iterator[Loss]:
    if not (isinstance(name, str) and _FUNCTION_NAME.match(name)):
        yield _bad(path, "a function's name is 1 to 64 letters, digits, _ or -")


def _tools(tools: Any, path: str) -> Iterator[Loss]:
    if tools is None:
        return
    if not isinstance(tools, list):
        yield _bad(path, "tools are a list")
        return
    if len(tools) > _MOST_TOOLS:
        yield _bad(path, f"there are at most {_MOST_TOOLS} tools")
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or tool.get("type") != "function":
            yield _bad(f"{path}[{index}]", "a tool has the type function and a function")
        else:
            yield from _function_name(function.get("name"), f"{path}[{index}].function.name")


def _says(message: Mapping[str, Any]) -> bool:
    return any(message.get(name) for name in ("content", "tool_calls", "function_call", "refusal"))


def _images(message: Mapping[str, Any]) -> int:
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return sum(isinstance(part, Mapping) and part.get("type") == "image_url" for part in parts)


# preferences --------------------------------------------------------------------------------


def dpo_rules(row: Any) -> Iterator[Loss]:
    """Yield what a row of preferences must not be. Guide, "Direct preference optimization" (2026).

    >>> next(dpo_rules({"input": {"messages": [{"role": "user", "content": "Hi"}]}})).path
    '$.preferred_output'
    """
    if not isinstance(row, Mapping) or not isinstance(row.get("input"), Mapping):
        yield _bad("$.input", "a row has an input")
        return
    yield from _unknown(row, ("input", "preferred_output", "non_preferred_output"), "$")
    asked = row["input"]
    yield from _unknown(asked, ("messages", "tools", "parallel_tool_calls"), "$.input")
    yield from _messages(asked.get("messages"), "$.input.messages")
    yield from _tools(asked.get("tools"), "$.input.tools")
    yield from _flag(asked, "parallel_tool_calls", "$.input")
    yield from _text_only(asked.get("messages"), "$.input.messages")
    # The guide: a conversation up to the message that the two outputs answer.
    turns = asked.get("messages")
    yield from calls_and_results(turns, asked.get("tools"), "$.input.messages")
    last = turns[-1] if isinstance(turns, list) and turns else None
    if isinstance(last, Mapping) and last.get("role") not in ("user", "tool"):
        yield _bad(f"$.input.messages[{len(turns) - 1}].role", "the last message of the input is a user's or a tool's")
    for name in ("preferred_output", "non_preferred_output"):
        yield from _output(row.get(name), f"$.{name}")


def _output(output: Any, path: str) -> Iterator[Loss]:
    # The guide: one turn is trained a row, and it is the last assistant message.
    if not isinstance(output, list) or len(output) != 1:
        yield _bad(path, "an output is a list of one assistant message")
        return
    yield from _messages(output, path)
    yield from _text_only(output, path)
    if isinstance(output[0], Mapping) and output[0].get("role") != "assistant":
        yield _bad(f"{path}[0].role", "an output is an assistant's message")


def _text_only(messages: Any, path: str) -> Iterator[Loss]:
    """Yield each message with images: preferences are of text inputs and outputs only."""
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, Mapping) and _images(message):
            yield _bad(f"{path}[{index}].content", "preferences are of text only")


# batch --------------------------------------------------------------------------------------


def batch_rules(row: Any) -> Iterator[Loss]:
    """Yield what a line of a batch must not be. Guide and API reference, "Batch" (2026).

    >>> [loss.path for loss in batch_rules({"custom_id": "a", "method": "GET", "url": "/v1/completions", "body": {}})]
    ['$.method', '$.body.model', '$.body.prompt']
    """
    if not isinstance(row, Mapping):
        yield _bad("$", "a line is an object")
        return
    yield from _unknown(row, ("custom_id", "method", "url", "body"), "$")
    if not isinstance(row.get("custom_id"), str) or not row["custom_id"]:
        yield _bad("$.custom_id", "a line has an id of its own, a text")
    if row.get("method") != "POST":
        yield _bad("$.method", "the method is POST")
    url, body = row.get("url"), row.get("body")
    if url not in BATCH_URLS:
        yield _bad("$.url", f"a batch asks one of {', '.join(BATCH_URLS)}")
    if not isinstance(body, Mapping):
        yield _bad("$.body", "a line has the body of a request")
        return
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield _bad("$.body.model", "a body names its model")
    if body.get("stream"):
        yield _bad("$.body.stream", "a batch does not stream")
    if url == "/v1/completions" and "prompt" not in body:
        yield _bad("$.body.prompt", "a body for completions has a prompt")
    if url == "/v1/chat/completions":
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            yield _bad("$.body.messages", "a body for chat has at least one message")
        yield from _tools(body.get("tools"), "$.body.tools")


# whole files --------------------------------------------------------------------------------


class FileRules:
    """Counts what the pages say of a file of rows; ``losses`` tells what it breaks.

    ``layout`` is ``finetune_chat``, ``openai_dpo``, ``openai_batch`` or any other name, of which
    nothing is said. ``size`` is the number of bytes of the line. Ids are kept as 8 bytes each, for
    as many lines as a batch may have.

    >>> rules = FileRules("openai_batch")
    >>> line = {"custom_id": "a", "url": "/v1/completions", "body": {"model": "m", "prompt": "Hi"}}
    >>> rules.add(line, 99), rules.add(line, 99)
    (None, None)
    >>> [str(loss) for loss in rules.losses()]
    ["line 2: $.custom_id: unsupported: 1 id came before, first 'a'"]
    """

    def __init__(self, layout: str) -> None:
        self.layout = layout
        self.rows = 0
        self.bytes = 0
        self.image_rows = 0
        self._ids: set[bytes] = set()
        self._again: list[tuple[int, str]] = []
        self._same: dict[str, str] = {}
        self._mixed: dict[str, tuple[int, str]] = {}
        self._repeats = 0

    def add(self, row: Any, size: int) -> None:
        """Count a row and the bytes of its line."""
        self.rows += 1
        self.bytes += size
        if not isinstance(row, Mapping):
            return
        if self.layout == "openai_batch":
            self._line(row)
        elif isinstance(row.get("messages"), list):
            self.image_rows += any(_images(turn) for turn in row["messages"] if isinstance(turn, Mapping))

    def _line(self, row: Mapping[str, Any]) -> None:
        id_, body = row.get("custom_id"), row.get("body")
        if isinstance(id_, str):
            digest = hashlib.blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            if digest in self._ids:
                self._repeats += 1
                if not self._again:
                    self._again.append((self.rows, id_))
            elif len(self._ids) < BATCH_LINES:
                self._ids.add(digest)
        model = body.get("model") if isinstance(body, Mapping) else None
        for name, value in (("$.url", row.get("url")), ("$.body.model", model)):
            first = self._same.setdefault(name, str(value))
            if first != str(value) and name not in self._mixed:
                self._mixed[name] = (self.rows, str(value))

    def losses(self) -> list[Loss]:
        """Return what the file breaks, refused losses all; none where it is in order."""
        if self.layout == "openai_batch":
            return [*self._batch()]
        if self.layout in ("finetune_chat", "openai_dpo"):
            return [*self._training()]
        return []

    def _batch(self) -> Iterator[Loss]:
        if self.rows > BATCH_LINES:
            yield _bad("$", f"{self.rows:,} lines: a batch has at most {BATCH_LINES:,}")
        if self.bytes > BATCH_BYTES:
            yield _bad("$", f"{self.bytes:,} bytes: a batch has at most {BATCH_BYTES:,}")
        for line, id_ in self._again:
            ids = "1 id" if self._repeats == 1 else f"{self._repeats:,} ids"
            yield _bad(f"line {line}: $.custom_id", f"{ids} came before, first {id_!r}")
        for path, (line, value) in self._mixed.items():
            yield _bad(f"line {line}: {path}", f"{value} beside {self._same[path]}: a batch has one")

    def _training(self) -> Iterator[Loss]:
        if self.rows < TRAINING_ROWS:
            yield _bad("$", f"{self.rows} rows: fine-tuning takes at least {TRAINING_ROWS}")
        if self.bytes > TRAINING_BYTES:
            yield _bad("$", f"{self.bytes:,} bytes: a file has at most {TRAINING_BYTES:,}")
        if self.image_rows > IMAGE_ROWS:
            yield _bad("$", f"{self.image_rows:,} rows with images: there are at most {IMAGE_ROWS:,}")
