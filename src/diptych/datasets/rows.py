"""What the layouts of training data have in common: rows, turns, tools, borders, proofs.

Rule: a row is read turn by turn into Chat messages, whatever names its fields have, and
everything that finds no place is a loss with its path. A null says nothing, so it is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..apis.chat import messages as openai_chat
from ..apis.proof import differences
from ..errors import FormatError
from ..format import Format
from ..loss import Loss, Severity
from ..model import Conversation, Example, Message

Read = tuple[Example, tuple[Loss, ...]]
Written = tuple[dict[str, Any], tuple[Loss, ...]]
#: Names of speakers that were seen in data sets, and the roles that they are.
SPEAKERS: Final = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "model": "assistant", "bot": "assistant", "system": "system", "developer": "developer", "tool": "tool",
    "observation": "tool", "function_response": "tool", "ipython": "tool", "prompter": "user", "chatbot": "assistant",
    "ai": "assistant", "bing": "assistant", "bard": "assistant", "llm": "assistant",
}  # fmt: skip
_TOOL_FIELDS: Final = frozenset({"name", "description", "parameters", "strict"})


def speaker_of(name: Any) -> str | None:
    """Return the role of a speaker's name, in any case; None for a name that is not known.

    >>> speaker_of("Chatbot"), speaker_of("narrator")
    ('assistant', None)
    """
    if not isinstance(name, str):
        return None
    return SPEAKERS.get(name) or SPEAKERS.get(name.strip().rstrip(":").lower())


def row_of(value: Any) -> Mapping[str, Any]:
    """Return a row as the object it is. Raises FormatError for any other value."""
    if not isinstance(value, Mapping):
        raise FormatError(f"a row is an object, not {type(value).__name__}", path="$")
    return value


def other(fields: Mapping[str, Any], known: Iterable[str], path: str = "$") -> list[Loss]:
    """Return a loss for every field that is not known here."""
    names = frozenset(known)
    return [
        Loss(f"{path}.{name}", "field-dropped", "no place in a conversation")
        for name, value in fields.items()
        if name not in names and value is not None
    ]


def text_of(row: Mapping[str, Any], name: str, path: str = "$") -> str:
    """Return a field of text. Raises FormatError where it is none."""
    value = row.get(name)
    if isinstance(value, str):
        return value
    raise FormatError(f"{name!r} is text, not {type(value).__name__}", path=f"{path}.{name}")


def flag_of(row: Mapping[str, Any], name: str, losses: list[Loss], path: str = "$") -> bool:
    """Return a field of true or false; 1 and 0 are taken, too."""
    value = row.get(name)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        losses.append(Loss(f"{path}.{name}", "renamed", f"{value!r} became {bool(value)}"))
        return bool(value)
    raise FormatError(f"{name!r} is true or false, not {type(value).__name__}", path=f"{path}.{name}")


def system_of(row: Mapping[str, Any]) -> tuple[Message, ...]:
    """Return the system message of a column; an empty one says nothing."""
    text = row.get("system")
    if text is not None and not isinstance(text, str):
        raise FormatError("a system message is text", path="$.system")
    return (Message("system", text),) if text else ()


def with_system(row: Mapping[str, Any], messages: tuple[Message, ...], losses: list[Loss]) -> tuple[Message, ...]:
    """Return the messages after that of the column ``system``; one that stands there already is said once."""
    found = system_of(row)
    if not found or messages[:1] == found:
        return messages
    if messages and messages[0].role in ("system", "developer"):
        losses.append(Loss("$.system", "undecidable", "the messages begin with another system message"))
        return messages
    losses.append(Loss("$.system", "renamed", "the first message"))
    return (*found, *messages)


#: Fields that say whether an answer is good (TRL, LLaMA-Factory). They may stand beside any layout.
JUDGEMENTS: Final = ("label", "kto_tag")


def judged(entry: Format) -> Format:
    """Return a layout that reads a judgement of the answer also where it has no field for one."""
    if entry.kind != "dataset" or entry.asks or entry.read is None:
        return entry
    return replace(entry, read=judging(entry.read))


def judging(read: Callable[[Any], tuple[Conversation, tuple[Loss, ...]]]) -> Callable[[Any], Read]:
    """Return a reader that takes ``label`` and ``kto_tag`` for what they say, where ``read`` has no place for them."""

    def reading(value: Any) -> Read:
        conversation, losses = read(value)
        example = Example.of(conversation)
        names = [name for name in JUDGEMENTS if any(_has_no_place(loss, name) for loss in losses)]
        if not names:
            return example, losses
        kept = [loss for loss in losses if not any(_has_no_place(loss, name) for name in names)]
        labels = {example.label, *(_judgement(row_of(value), name, kept) for name in names)} - {None}
        if len(labels) > 1:
            kept.append(Loss(f"$.{names[-1]}", "undecidable", "two fields judge the answer, and they differ"))
        return replace(example, label=labels.pop(), answer=border_of(example, [])), tuple(kept)

    return reading


def _has_no_place(loss: Loss, name: str) -> bool:
    return loss.kind == "field-dropped" and loss.path == f"$.{name}"


def _judgement(row: Mapping[str, Any], name: str, losses: list[Loss]) -> bool:
    try:
        return flag_of(row, name, losses)
    except FormatError as error:
        said = f"{error.message}; leave the column out (drop) if it does not judge the answer"
        raise FormatError(said, path=error.path) from None


# values and tools ---------------------------------------------------------------------------


def as_text(value: Any) -> str:
    """Return a text as it is, and any other JSON value as its text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def functions_of(row: Mapping[str, Any], losses: list[Loss]) -> Any:
    """Return the tools of a row, whose name was ``functions`` until November 2023."""
    if row.get("functions") is None or row.get("tools") is not None:
        return read_tools(row.get("tools"), losses)
    losses.append(Loss("$.functions", "renamed", "tools"))
    return read_tools(row["functions"], losses, "$.functions")


def read_tools(tools: Any, losses: list[Loss], path: str = "$.tools") -> Any:
    """Return the tools of a row as the Chat reader takes them: lists, and JSON text of one."""
    if isinstance(tools, str):
        losses.append(Loss(path, "renamed", "JSON text became a list")) if tools else None
        try:
            tools = json.loads(tools or "null")
        except (ValueError, RecursionError):
            raise FormatError("tools are a list, or JSON text of one", path=path) from None
    if isinstance(tools, Mapping):
        tools = [tools]
    if tools is None or not isinstance(tools, list | tuple):
        if tools is not None:
            raise FormatError(f"tools are a list, not {type(tools).__name__}", path=path)
        return None
    for index, tool in enumerate(tools):
        place = f"{path}[{index}]"
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise FormatError("a tool needs a function with a name", path=place)
        if function is tool:
            losses += other(tool, {*_TOOL_FIELDS, "type"}, place)
        else:
            losses += other(tool, ("type", "function"), place)
            losses += other(function, _TOOL_FIELDS, f"{place}.function")
        if function.get("parameters") is not None and not isinstance(function["parameters"], Mapping):
            raise FormatError("parameters are a JSON Schema", path=f"{place}.function.parameters")
    return tools


def example_of(messages: Sequence[Message], losses: Iterable[Loss] = (), *, tools: Any = None, **fields: Any) -> Read:
    """Return an example of these messages and tools, with the losses of reading them."""
    return Example(tuple(messages), openai_chat.read_tools(tools), **fields), tuple(losses)


# borders ------------------------------------------------------------------------------------


def implied(messages: Sequence[Message], answer: int | None) -> bool:
    """Say whether the messages alone show where this answer begins."""
    first = next((i for i, m in enumerate(messages) if m.role == "assistant"), len(messages))
    asks = not messages or messages[-1].role != "assistant"
    return answer is None or answer == first or (asks and answer == len(messages))


def border_of(example: Example, losses: list[Loss]) -> int:
    """Return where the answer begins; where a row does not say, at its last turn.

    Cutting a talk of several answers at the last leaves the others untaught: a loss.
    """
    messages = example.messages
    if example.answer is not None:
        return min(example.answer, len(messages))
    if not messages or messages[-1].role != "assistant":
        return len(messages)
    start = len(messages)
    while start and messages[start - 1].role in ("assistant", "tool"):
        start -= 1
    start += next(i for i, message in enumerate(messages[start:]) if message.role == "assistant")
    if not implied(messages, start):
        losses.append(Loss("$.answer", "split", "several answers are learnt; the cut is before the last turn"))
    return start


def border_kept(example: Example) -> list[Loss]:
    """Return the loss of a border that a list of messages does not show."""
    if implied(example.messages, example.answer):
        return []
    return [Loss("$.answer", "merged", f"nothing says that the answer begins at message {example.answer}")]


def refusal(path: str, detail: str) -> tuple[Loss, ...]:
    """Return the one loss of a row that this layout cannot hold."""
    return (Loss(path, "unsupported", detail),)


def proven_row(example: Example, told: Iterable[Loss], read: Callable[[Any], Read], output: Any) -> tuple[Loss, ...]:
    """Return the losses told of, and those that reading the row again shows beside them.

    What its own reader would refuse is not written, either.
    """
    said = tuple(told)
    again, reread = read(output)
    found = differences(example, again)
    if example.rejected is not None and again.rejected is not None:
        worse = differences(Conversation(example.rejected), Conversation(again.rejected))
        found += [loss._replace(path=loss.path.replace("$.messages", "$.rejected", 1)) for loss in worse]
    known = tuple(loss.path for loss in said if loss.severity > Severity.EXACT)
    refused = [loss for loss in reread if loss.severity is Severity.REFUSED]
    return (*said, *(loss for loss in found if not loss.path.startswith(known)), *refused)


def untouched(value: Any, source: str, output: Any, target: str) -> bool:
    """Tell whether a row came out of its own layout as it went in: then reading it lost nothing."""
    return source == target and bool(output == value)
