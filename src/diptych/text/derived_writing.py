"""Write a conversation by a chat template: the template's own text, with the author of every character.

Rule: the template is rendered a second time with every text replaced by a sentinel. Where one stands,
its text stands in the prompt; one that is missing was dropped, and is a loss. The prompt is then read
back, and what reads otherwise is a loss, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..errors import DiptychError, FormatError, TemplateError
from ..format import Format, Writing
from ..loss import Loss
from ..model import Conversation, Message, Segment, Span, TextPart
from ..sandbox.chat_template import ChatTemplate
from .derived import SENTINEL, marks_of, reasoning_field, sentinel
from .derived_reading import NAME, read_template, wire
from .doubts import OWN_MARK
from .segments import cut
from .tool_notations import tool_body
from .unwritten import part_losses, side_losses

_MAPPING: Final = "the text that this chat template renders, and the conversation that renders to it"
_ID: Final = "zqcall001"


class _Leaf(NamedTuple):
    """A text of a message: where it stands, and the loss where the template does not write it."""

    message: int
    path: str
    kind: str
    text: str


def write_template(
    conversation: Conversation,
    template: ChatTemplate,
    *,
    add_generation_prompt: bool = True,
    provenance: Sequence[Sequence[Segment]] | None = None,
) -> Writing:
    """Write a conversation as a chat template renders it.

    The arguments of tool calls go in as objects where the template encodes them itself.
    Raises FormatError where the template refuses the messages, in its own words.

    >>> from ..model import Message
    >>> template = ChatTemplate("{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}")
    >>> write_template(Conversation((Message("user", "Hi"),)), template).text
    '[user]Hi'
    """
    messages = wire(_flat(conversation), reasoning_field(template, {}))
    options: dict[str, Any] = {
        "tools": [*map(tool_body, conversation.tools)] or None,
        "add_generation_prompt": add_generation_prompt,
        "continue_final_message": conversation.cue == "continue" and not add_generation_prompt,
        "parse_arguments": takes_objects(template),
    }
    try:
        text = template.render(messages, **options)
    except TemplateError as error:
        raise FormatError(f"the chat template refuses the messages: {error.message}", path="$.messages") from error
    marked, leaves = _marked(messages)
    skeleton = _rendered(template, marked, options)
    losses = [*_dropped(conversation, messages, template, options, text), *_missing(skeleton, leaves)]
    losses += _differences(conversation, text, template, {loss.path for loss in losses})
    return Writing(text, _stop(template), tuple(losses), lambda: _spans(text, skeleton, leaves, provenance))


def template_format(template: ChatTemplate) -> Format:
    """Return the registry's entry of a chat template.

    >>> template_format(ChatTemplate("{{ messages[0].content }}")).name
    'chat-template'
    """

    def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
        reading = read_template(value, template, value)
        return reading.conversation, reading.losses

    def write_it(conversation: Conversation) -> tuple[str, tuple[Loss, ...]]:
        writing = write_template(conversation, template, add_generation_prompt=conversation.cue != "continue")
        return writing.text, writing.losses

    return Format(NAME, "text", _MAPPING, read, write_it, grammar=template)


def _rendered(template: ChatTemplate, messages: list[dict[str, Any]], options: dict[str, Any]) -> str | None:
    try:
        return template.render(messages, **options)
    except DiptychError:
        return None


def _flat(conversation: Conversation) -> Conversation:
    """Return a conversation whose contents are texts where they are nothing else."""
    return Conversation(tuple(map(_flat_message, conversation.messages)), cue=conversation.cue)


def _flat_message(message: Message) -> Message:
    is_text = isinstance(message.content, tuple) and all(isinstance(part, TextPart) for part in message.content)
    return message.with_text(message.text).replace(is_list=False) if is_text and message.content else message


@lru_cache(maxsize=64)
def takes_objects(template: ChatTemplate) -> bool:
    """Return whether a template wants the arguments of a tool call as an object, and encodes them itself."""
    asked = [{"role": "user", "content": sentinel(1)}]
    for value, spoilt in ((f'{{"zq": "{sentinel(2)}"}}', '\\"'), ({"zq": sentinel(2)}, "'zq'")):
        call = {"id": _ID, "type": "function", "function": {"name": "zq_call", "arguments": value}}
        messages: list[dict[str, Any]] = [*asked, {"role": "assistant", "content": "", "tool_calls": [call]}]
        text = _rendered(template, messages, {})
        if text is None or sentinel(2) not in text or spoilt in text:
            return isinstance(value, str)
    return True


# losses ---------------------------------------------------------------------------------------


def _dropped(
    conversation: Conversation, messages: list[dict[str, Any]], template: ChatTemplate, options: Any, text: str
) -> Iterator[Loss]:
    """Yield what stands beside the messages and is not written, and what is not text in them."""
    without = Conversation(response_format=conversation.response_format)
    yield from side_losses(without)
    if conversation.tools and _rendered(template, messages, {**options, "tools": None}) == text:
        yield Loss("$.tools", "tools-dropped", f"the template writes none of {len(conversation.tools)} tools")
    for index, message in enumerate(conversation.messages):
        yield from (loss for loss in part_losses(message, f"$.messages[{index}]", NAME) if loss.kind != "name-dropped")


def _marked(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[_Leaf]]:
    """Return the messages with every text replaced by a sentinel, and the texts by their number."""
    marked, leaves = deepcopy(messages), []

    def put(holder: Any, name: str, index: int, path: str, kind: str) -> None:
        if isinstance(holder.get(name), str) and holder[name]:
            leaves.append(_Leaf(index, f"$.messages[{index}].{path}", kind, holder[name]))
            holder[name] = sentinel(len(leaves) - 1)

    for index, message in enumerate(marked):
        put(message, "content", index, "content", "text-dropped" if message.get("tool_calls") else "message-dropped")
        put(message, "name", index, "name", "name-dropped")
        for field in message.keys() & {"reasoning_content", "reasoning", "thinking", "thought"}:
            put(message, field, index, "reasoning", "reasoning-dropped")
        for number, call in enumerate(message.get("tool_calls") or ()):
            put(call.get("function", {}), "name", index, f"tool_calls[{number}]", "tool-calls-dropped")
    return marked, leaves


def _missing(skeleton: str | None, leaves: Sequence[_Leaf]) -> Iterator[Loss]:
    """Yield a loss for every text whose sentinel the template did not write."""
    if skeleton is None:
        return
    seen = {int(number) for number in SENTINEL.findall(skeleton)}
    for number, leaf in enumerate(leaves):
        if number not in seen:
            yield Loss(leaf.path, leaf.kind, "the template does not write it")


def _differences(conversation: Conversation, text: str, template: ChatTemplate, told: set[str]) -> Iterator[Loss]:
    """Yield how the text reads back otherwise, apart from what is told already."""
    if any(message.tool_calls or message.role == "tool" for message in conversation.messages):
        return
    reading = read_template(text, template, text)
    found, wanted = reading.conversation.messages, conversation.messages
    if len(found) != len(wanted):
        if not any(path.endswith(".content") for path in told):
            kind = "merged" if len(found) < len(wanted) else "marker-in-content"
            yield Loss("$.messages", kind, f"{len(wanted)} messages read back as {len(found)}")
        return
    for index, (was, came) in enumerate(zip(wanted, found, strict=True)):
        path = f"$.messages[{index}]"
        if was.role != came.role:
            yield Loss(f"{path}.role", "role-changed", f"{was.role} reads back as {came.role}")
        if was.text != came.text and f"{path}.content" not in told:
            held = "marker-in-content" if OWN_MARK in reading.detail else "substituted"
            kind = "trimmed" if was.text.strip() == came.text.strip() else held
            yield Loss(f"{path}.content", kind, "the content reads back differently")


@lru_cache(maxsize=64)
def _stop(template: ChatTemplate) -> tuple[str, ...]:
    """Return what ends a reply: what the template writes after one."""
    marks = next(marks_of(template)).ends.get("a", ())
    found = [mark.strip() for mark, asks in marks if not asks] + [template.special.get("eos_token") or ""]
    return tuple(dict.fromkeys(mark for mark in found if mark))[:1]


# spans ----------------------------------------------------------------------------------------


def _spans(
    text: str, skeleton: str | None, leaves: Sequence[_Leaf], provenance: Sequence[Sequence[Segment]] | None
) -> tuple[Span, ...]:
    """Return the authors of a text: where the sentinels of the skeleton stand, stand texts of messages."""
    spans: list[Span] = []
    last = 0
    for start, end, leaf in _places(text, skeleton, leaves):
        if last < start:
            spans.append(Span(last, start, "template"))
        spans += _authors(start, text[start:end], leaf, provenance)
        last = end
    return (*spans, Span(last, len(text), "template")) if last < len(text) else tuple(spans)


def _places(text: str, skeleton: str | None, leaves: Sequence[_Leaf]) -> Iterator[tuple[int, int, _Leaf]]:
    """Yield where the texts of messages stand in a prompt; without a skeleton they are looked for in order."""
    order = [int(number) for number in SENTINEL.findall(skeleton)] if skeleton else range(len(leaves))
    literals = SENTINEL.sub("\0", skeleton).split("\0") if skeleton else [""] * (len(leaves) + 1)
    position = 0
    for number, literal in zip(order, literals, strict=False):
        leaf = leaves[number]
        at = position + len(literal) if text.startswith(literal, position) else position
        for written in (leaf.text, leaf.text.strip()):
            found = text.find(written, at) if written else -1
            if found >= 0:
                yield found, found + len(written), leaf
                position = found + len(written)
                break


def _authors(start: int, text: str, leaf: _Leaf, provenance: Sequence[Sequence[Segment]] | None) -> Iterator[Span]:
    segments = [Segment(text, "data")]
    if provenance is not None and leaf.path.endswith(".content"):
        segments = cut(provenance[leaf.message], (at := leaf.text.find(text)), at + len(text))
    for piece, source, name in segments:
        yield Span(start, start + len(piece), source, name, leaf.message)
        start += len(piece)
