"""One raw reply becomes a message: reasoning, content and tool calls with typed arguments.

Rule: what precedes the reply (the prompt) says where it begins, since a prompt may have opened the
reasoning already. For a chat template the marks come from ``reply_marks``, and the reading is proved by
rendering the message; for a named format the prompt and the reply are read together. Text that is no
well-formed call stays text. A streamed reply is read by :class:`ReplyReader`, which hands text over as
soon as nothing that follows can make it a mark, and reads the whole at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from ..errors import DiptychError, FormatError
from ..format import Reading
from ..loss import Loss, Verdict, verdict_of
from ..model import Conversation, Message, ToolSpec
from ..projection import write
from ..response import Event
from ..sandbox.chat_template import ChatTemplate
from .calls import Schemas
from .derived import marks_of as prompt_marks
from .derived import reasoning_field, sentinel
from .derived_reading import NAME, wire
from .grammar import Grammar
from .reading import read_text
from .registry import grammar_of
from .reply_body import Body, message_of, own_tokens, take_apart
from .reply_marks import ReplyMarks, reply_marks
from .reply_stream import Scan
from .tool_notations import tool_body

Decode = Callable[[Sequence[int]], str]


class Tokenizer(Protocol):
    """What turns token ids into text: of tiktoken, tokenizers, transformers."""

    def decode(self, ids: Any, /, **options: Any) -> str: ...


_MISSING: Final = "a reply is read after its prefix: the prompt that the model was given, or its end"


def read_reply(
    reply: str | Sequence[int],
    *,
    format: str | Grammar | ChatTemplate,
    prefix: str,
    tools: Sequence[Any] | None = None,
    decode: Decode | Tokenizer | None = None,
) -> Reading:
    """Read what a model generated as one assistant message.

    ``reply`` is the text, or token ids with ``decode``: the tokenizer, or its function that turns them
    into text, control tokens included. ``format`` is the model's chat template, or the name of a text format;
    ``prefix`` the prompt that the reply continues, or its end. ``tools`` (as in a request) gives
    arguments their types, and says which names are calls where no control token does. Raises
    FormatError for a prefix that does not end as the format asks for a reply.

    >>> turns = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    >>> template = ChatTemplate(turns + "{% if add_generation_prompt %}<|assistant|>{% endif %}")
    >>> read_reply("Hello<|end|>", format=template, prefix="<|user|>Hi<|end|><|assistant|>").messages
    [{'role': 'assistant', 'content': 'Hello'}]
    """
    reader = ReplyReader(format=format, prefix=prefix, tools=tools)
    reader.feed(reply if isinstance(reply, str) else _decoded(reply, decode))
    return reader.finish()


def _decoded(ids: Sequence[int], decode: Decode | Tokenizer | None) -> str:
    if decode is None:
        raise FormatError("token ids need a tokenizer", path="$", hint="pass decode=tokenizer, or the text")
    if callable(decode):
        return str(decode(list(ids)))
    try:  # those of Hugging Face would leave control tokens out
        return str(decode.decode(list(ids), skip_special_tokens=False))
    except TypeError:
        return str(decode.decode(list(ids)))


class ReplyReader:
    """Reads a reply while it comes: ``feed`` takes its pieces, ``finish`` returns the :class:`Reading`.

    What ``feed`` hands over (events of kind ``text`` and ``reasoning``) is the beginning of what the
    message will hold, wherever the reply is cut. Arguments as of :func:`read_reply`.

    >>> turns = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    >>> template = ChatTemplate(turns + "{% if add_generation_prompt %}<|assistant|>{% endif %}")
    >>> reader = ReplyReader(format=template, prefix="<|user|>Hi<|end|><|assistant|>")
    >>> [event.text for event in reader.feed("Hello <|e")]
    ['Hello']
    >>> reader.feed("nd|>"), reader.finish().messages
    ([], [{'role': 'assistant', 'content': 'Hello '}])
    """

    def __init__(
        self, *, format: str | Grammar | ChatTemplate, prefix: str, tools: Sequence[Any] | None = None
    ) -> None:
        if not isinstance(prefix, str) or not prefix:
            raise FormatError(_MISSING, path="$.prefix", hint="pass prefix=prompt")
        self._format, self._prefix = format, prefix
        self._tools = [tool_body(tool) if isinstance(tool, ToolSpec) else tool for tool in tools or ()]
        self._pieces: list[str] = []
        self._scan: Scan | None = None
        self._before = ""
        if isinstance(format, ChatTemplate):
            marks = _marks(format)
            self._before = tail_of(prefix, marks, format)
            self._scan = Scan(marks, self._before)

    def feed(self, text: str) -> list[Event]:
        """Take a piece of the reply; return what is certain of it."""
        self._pieces.append(text)
        return self._scan.feed(text) if self._scan is not None else []

    def finish(self) -> Reading:
        """Return the reading of the whole reply."""
        reply = "".join(self._pieces)
        if isinstance(self._format, ChatTemplate):
            return _read_by_template(self._before + reply, self._format, self._tools)
        return _read_by_grammar(self._prefix, reply, grammar_of(self._format), schemas_of(self._tools))


def schemas_of(tools: Sequence[Any] | None) -> dict[str, Mapping[str, Any]]:
    """Return the schemas of the properties of each tool, by its name.

    >>> schemas_of([{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {}}}}}])
    {'f': {'a': {}}}
    """
    functions = [tool.get("function", tool) for tool in tools or ()]
    return {str(one.get("name")): (one.get("parameters") or {}).get("properties") or {} for one in functions}


# by a named format ----------------------------------------------------------------------------


def _read_by_grammar(prefix: str, reply: str, grammar: Grammar, schemas: Schemas) -> Reading:
    """Read prompt and reply together; the reply is what the prompt alone does not hold."""
    before = read_text(prefix, grammar)
    whole = read_text(prefix + reply, grammar)
    asked, found = before.conversation, whole.conversation
    if asked.cue == "none" and not grammar.plain:
        raise FormatError(f"the prefix does not ask for a reply as {grammar.name} does", path="$.prefix", hint=_MISSING)
    start = len(asked.messages) - (asked.cue == "continue")
    messages = found.messages[start:]
    merged = _typed(_merged(messages), reply, grammar, schemas) if messages else Message("assistant", reply)
    verdict: Verdict = whole.verdict if messages else "lossy"
    losses = whole.losses
    conversation = Conversation((merged,))
    return replace(whole, conversation=conversation, messages=write(conversation), verdict=verdict, losses=losses)


def _typed(message: Message, reply: str, grammar: Grammar, schemas: Schemas) -> Message:
    """Return a message whose arguments have the types of the tools' schemas, where calls stand argument by argument."""
    if not schemas or not message.tool_calls or not grammar.calls or not grammar.calls.argument:
        return message
    close = grammar.turns["assistant"].close
    body = reply.rstrip() if reply.endswith(close) and not close.strip() else reply
    for mark in filter(None, (close, close.strip(), *grammar.stop)):
        body = body.removesuffix(mark)
    _, calls = grammar.calls.split(body, 0, schemas)
    if [call.name for call in calls] != [call.name for call in message.tool_calls]:
        return message
    pairs = zip(message.tool_calls, calls, strict=True)
    given = {id(own): replace(own, arguments=call.arguments) for own, call in pairs}
    return message.replace(parts=[given.get(id(part), part) for part in message.parts])


def _merged(messages: Sequence[Message]) -> Message:
    """Return one message of all parts: a format may write reasoning and calls as turns of their own."""
    if len(messages) == 1 and messages[0].role == "assistant":
        return messages[0]
    return Message.of("assistant", (part for message in messages for part in message.parts))


# by a chat template ---------------------------------------------------------------------------


def tail_of(prefix: str, marks: ReplyMarks, template: ChatTemplate) -> str:
    """Return what a prefix already holds of the reply. Raises FormatError where it asks for none."""
    places = [at + len(header) for header in marks.headers if (at := prefix.rfind(header)) >= 0]
    tail = prefix[max(places) :] if places else None
    if tail is not None and not any(end in tail for end in marks.ends):
        return tail
    for setting in prompt_marks(template):
        for found in setting.ends.values():
            for mark, asks in found:
                if asks and mark.strip() and prefix.rstrip().endswith(mark.rstrip()):
                    at = mark.find(marks.reasoning_open) if marks.reasoning_open else -1
                    return mark[at:] if at >= 0 else ""
    raise FormatError("the prefix does not end as the chat template asks for a reply", path="$.prefix", hint=_MISSING)


def _marks(template: ChatTemplate) -> ReplyMarks:
    marks = reply_marks(template)
    if marks is None:
        raise FormatError("the chat template writes no assistant message", path="$.format")
    return marks


def _read_by_template(text: str, template: ChatTemplate, tools: list[Any]) -> Reading:
    body = take_apart(text, _marks(template), schemas_of(tools))
    message = message_of(body)
    losses = tuple(_losses(body, text, template, tools))
    conversation = Conversation((message,))
    return Reading(conversation, write(conversation), NAME, verdict_of(losses), losses)


def _losses(body: Body, text: str, template: ChatTemplate, tools: list[Any]) -> Iterator[Loss]:
    """Yield why a reading is not certain: what belongs to nothing, and what the template writes otherwise."""
    marks, message = _marks(template), message_of(body)
    if body.rest.strip():
        yield Loss("$", "substituted", f"malformed: {body.rest.strip()[:40]!r} is no part of a reply and stays text")
    if not body.is_whole:
        yield Loss("$.reasoning", "substituted", "malformed: the reasoning does not end")
    if held := next((one for one in own_tokens(marks) if one in body.content), ""):
        yield Loss("$.content", "marker-in-content", f"malformed: {held!r} in the content is no part of a call")
    again = rendered_reply(message, template, marks, tools)
    if again is None or squeezed(again, marks) != squeezed(text, marks):
        same = again is not None and _said(take_apart(again, marks, schemas_of(tools))) == _said(body)
        yield Loss("$", "renamed" if same else "substituted", "the template writes the reply otherwise")


def _said(body: Body) -> tuple[Any, ...]:
    """Return what a reply says: ids of calls, and blanks around texts, say nothing."""
    calls = [(call.name, call.arguments) for call in body.calls]
    return (body.reasoning, body.content.strip(), calls, body.rest)


def squeezed(text: str, marks: ReplyMarks) -> str:
    """Return a reply without the mark of its end, white space and the order of its JSON aside."""
    for end in marks.ends:
        text = text.partition(end)[0] if end else text
    return "".join(text.split())


def rendered_reply(message: Message, template: ChatTemplate, marks: ReplyMarks, tools: list[Any]) -> str | None:
    """Return what a template writes for a reply, after its header."""
    asked = {"role": "user", "content": sentinel(1)}
    (said,) = wire(Conversation((message,)), reasoning_field(template, {}))
    try:
        text = template.render([asked, said], tools=tools or None, parse_arguments=True)
    except DiptychError:
        return None
    after = text.rpartition(sentinel(1))[2]
    header = next((one for one in marks.headers if one in after), "")
    return after.partition(header)[2] if header else after
