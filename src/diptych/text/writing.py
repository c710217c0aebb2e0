"""Write a conversation as text, by a grammar, with the author of every character.

Rule: markers are the format's (``template``), contents belong to whoever wrote
them. The text is read back before it is handed out, and what does not come back is
a loss; a content that would read as structure is broken up, refused, or reported, as
the guard says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ..format import Writing
from ..loss import Loss
from ..model import Conversation, Message, Segment, ToolCall
from .alone import turns_alone
from .calls import Calls, answers_of
from .direct import write_plain
from .grammar import Grammar
from .paper import Paper
from .registry import grammar_of
from .segments import Guard, guarded, segments_of, trim
from .turns import NAME, calls_lost, changes_of, differences_of, messages_of, opening, tools_changed, tools_of
from .unwritten import message_losses, part_losses, side_losses


def write_text(
    conversation: Conversation,
    format: str | Grammar = "transcript",
    *,
    add_generation_prompt: bool = True,
    provenance: Sequence[Sequence[Segment]] | None = None,
    guard: Guard = "off",
    bos: bool | None = None,
    keep_reasoning: bool = False,
) -> Writing:
    """Write a conversation in a text format.

    ``provenance`` gives each message's text as segments; without it contents count
    as data. ``guard`` says what happens to data that holds a marker of the format:
    ``escape`` breaks it up (loss ``escaped``), ``refuse`` raises, ``off`` writes it as
    it is (loss ``marker-in-content``). ``bos`` writes the mark of the beginning, which
    most servers add themselves. ``keep_reasoning`` writes the reasoning of earlier turns, too, which
    most formats leave out by their own rule (loss ``by-format-rule``). Raises FormatError.
    """
    grammar = grammar_of(format)
    with_bos = grammar.writes_bos if bos is None else bos

    def written() -> _Writer:
        writer = _Writer(grammar, conversation, provenance, guard, keep_reasoning)
        writer.run(add_generation_prompt, with_bos)
        return writer

    if not conversation.tools and not conversation.response_format:
        turns = write_plain(grammar, conversation.messages, provenance)
        if turns is not None:
            text = (grammar.bos if with_bos else "") + turns + (grammar.cue if add_generation_prompt else "")
            return Writing(text, grammar.stop, (), lambda: written().paper.spans())
    if grammar.writer is not None:
        return _Writer(grammar, conversation, provenance, guard, keep_reasoning).run_own(add_generation_prompt)
    writer = written()
    text = "".join(writer.paper.pieces)
    losses = [*writer.losses, *_unseen(text, writer)]
    if writer.tools:
        losses += tools_changed(conversation.tools, tools_of(text, grammar))
    if grammar.calls and not any(loss.kind in ("merged", "split", "role-dropped") for loss in losses):
        told = {loss.path for loss in losses}
        losses += [loss for loss in calls_lost(conversation, text, grammar) if loss.path not in told]
    return Writing(text, grammar.stop, tuple(losses), writer.paper.spans)


def unproved(conversation: Conversation, grammar: Grammar, *, cue: bool, bos: bool) -> str:
    """Return the text alone, which is not read back: for a reader, who compares it with what was read."""
    turns = None if conversation.tools else turns_alone(grammar, conversation.messages, cue=cue)
    if turns is not None:
        return (grammar.bos if bos else "") + turns
    writer = _Writer(grammar, conversation, None, "off")
    writer.is_proof = True
    if grammar.writer is not None:
        writer.write_own(cue)
    else:
        writer.run(cue, bos)
    return "".join(writer.paper.pieces)


class _Writer:
    def __init__(
        self,
        grammar: Grammar,
        conversation: Conversation,
        provenance: Sequence[Sequence[Segment]] | None,
        guard: Guard,
        keep_reasoning: bool = False,
    ) -> None:
        self.grammar, self.conversation, self.guard = grammar, conversation, guard
        self.keep_reasoning = keep_reasoning
        self.provenance = provenance
        self.paper = Paper()
        writes = grammar.declares and conversation.tools and not grammar.declares.is_read_only
        self.tools = grammar.declares.write(conversation.tools) if grammar.declares and writes else ""
        declares = self.tools or grammar.writer is not None
        self.losses = [loss for loss in side_losses(conversation) if not declares or loss.path != "$.tools"]
        users = [index for index, message in enumerate(conversation.messages) if message.role == "user"]
        #: Reasoning before the last user message is of earlier turns.
        self.first_user, self.last_user = (users[0], users[-1]) if users else (-1, -1)
        #: The call, and its number, of every tool result that answers one in the order of the calls.
        self.answers = answers_of(conversation.messages, grammar.calls) if grammar.calls else {}
        self.called = 0
        #: Whether the text alone counts: then no content is searched for marks.
        self.is_proof = False
        #: Role and text of every message as it should come back.
        self.expected: list[tuple[str, str]] = []
        #: The index of the message that each of these is.
        self.places: list[int] = []

    def run(self, cue: bool, bos: bool) -> None:
        messages = self.conversation.messages
        self.paper.mark((self.grammar.bos if bos else "") + self._tools("head"))
        if self.grammar.plain and len(messages) > 1:
            self._lose("$.messages", "role-dropped", f"{len(messages)} messages became one text")
        elif self.grammar.plain and messages and messages[0].role != "user":
            self._lose("$.messages[0].role", "role-dropped", f"a text does not say that it is of {messages[0].role}")
        system, rest = self._split_system()
        host = self._host(rest)
        if host is None:
            rest, system = system + rest, []  # no user turn can carry the system text
        elif system and self.grammar.system == "first-user" and host != rest[0]:
            self._lose("$.messages", "reordered", "the system text stands in the first user turn, after other messages")
        for number, index in enumerate(rest):
            before = rest[number - 1] if number else None
            after = rest[number + 1] if number + 1 < len(rest) else None
            joined = self._joint(before, index)
            if number:
                self.paper.mark(self.grammar.separator if joined is None else joined)
            self._message(
                index,
                system if index == host else [],
                opens=joined is None,
                closes=self._joint(index, after) is None,
                resumes=self._resumes(before, index),
            )
        if cue and (self.grammar.cue or not self.grammar.plain):
            self._cue(bool(messages))

    def run_own(self, cue: bool) -> Writing:
        """Write by the grammar's own writer, which keeps more than texts."""
        self.write_own(cue)
        text = "".join(self.paper.pieces)
        told = {loss.path for loss in self.losses}
        found = differences_of(self.conversation, text, self.grammar)
        self.losses += [loss for loss in found if loss.path not in told]
        return Writing(text, self.grammar.stop, tuple(self.losses), self.paper.spans)

    def write_own(self, cue: bool) -> None:
        contents = [self._guarded(index) for index in range(len(self.conversation.messages))]
        self.losses += self.grammar.writer(
            self.conversation, self.paper, contents, cue=cue, keep_reasoning=self.keep_reasoning
        )

    def _guarded(self, index: int) -> list[Segment]:
        message, path = self.conversation.messages[index], f"$.messages[{index}]"
        given = self.provenance[index] if self.provenance is not None else None
        segments = list(given) if given is not None else segments_of(message)
        if self.is_proof:
            return segments
        self.losses += part_losses(message, path, self.grammar.name)
        return guarded(self.grammar, segments, path, self.guard, self.losses, at_line_start=False)

    def _cue(self, after_messages: bool) -> None:
        last, calls = len(self.conversation.messages) - 1, self.grammar.calls
        if calls and calls.resumes and after_messages:
            is_open = calls.inside and bool(self.conversation.messages[last].tool_calls)
            if self._results(last) or is_open:
                return  # the assistant's turn goes on
        if after_messages and self.grammar.cue:
            self.paper.mark(self.grammar.separator)
        self.paper.mark(self.grammar.cue)

    def _tools(self, place: str) -> str:
        """Return the declaration of the tools where this is its place."""
        return self.tools if self.grammar.declares and self.grammar.declares.place == place else ""

    def _tools_around(self, index: int, role: str, segments: list[Segment]) -> tuple[str, str]:
        """Return the declaration of the tools that stands before a content, and behind it."""
        if index or role != "system" or not self.grammar.declares or not self._tools("system"):
            return "", ""
        return self.grammar.declares.around(self.tools, "".join(segment.text for segment in segments))

    def _environment(self) -> str:
        """Return what stands before the system text where tools are declared."""
        return self.grammar.declares.environment if self.grammar.declares and self.tools else ""

    # the system text -----------------------------------------------------------------------

    def _split_system(self) -> tuple[list[int], list[int]]:
        """Return the leading system messages that stand elsewhere, and the turns; write a prefix."""
        messages, grammar = self.conversation.messages, self.grammar
        system: list[int] = []
        if grammar.system != "turn":
            for index, message in enumerate(messages):
                if message.role not in ("system", "developer"):
                    break
                system.append(index)
        rest = list(range(len(system), len(messages)))
        if grammar.system == "turn":
            self._default_turn(messages)
        elif grammar.system == "prefix":
            self._prefix(system)
            system = []
        for index in system[1:] if grammar.system != "prefix" else []:
            self._lose(f"$.messages[{index}]", "merged", "several system messages became one")
        return system, rest

    def _default_turn(self, messages: Sequence[Message]) -> None:
        default, prefix = self.grammar.default_system, self.grammar.system_prefix
        turn, declares = self.grammar.turns.get("system"), self.grammar.declares
        if turn is None:
            return
        self.paper.mark(turn.open + self._tools("turn") + turn.close if self._tools("turn") else "")
        has_own = bool(messages) and self._role(0) == "system"
        tools = "" if has_own else self._tools("system")
        if has_own or (default is None and not prefix and not tools):
            return
        text = default or (declares.alone if declares and tools else "")
        before, after = declares.around(tools, text or None) if declares and tools else ("", "")
        self.paper.mark(turn.open + self._environment() + prefix + before + text + after + turn.close)
        if default is None and not prefix:
            return
        self._lose("$.messages", "synthesised", "the format's own system message was added")
        if default is not None and not self.grammar.is_implied:
            self._expect("system", default, 0)

    def _prefix(self, system: list[int]) -> None:
        wrap, declares = self.grammar.system_turn, self.grammar.declares
        if not system:
            default = self.grammar.default_system
            self.paper.mark(self._tools("system"))
            if default is not None:
                self.paper.mark(wrap.open + default + wrap.close)
                self._lose("$.messages", "synthesised", "the format's own preamble was added")
            return
        self.paper.mark(wrap.open, system[0])
        texts = []
        for number, index in enumerate(system):
            if number:
                self.paper.mark("\n\n", index)
                self._lose(f"$.messages[{index}]", "merged", "several system messages became one")
            segments = self._content(index, "system")
            texts.append("".join(segment.text for segment in segments))
            self.paper.put_all(segments, index)
        after = declares.around(self.tools, texts[0])[1] if declares and self._tools("system") else ""
        self.paper.mark(after + wrap.close, system[-1])
        self._expect_system(system, texts)

    def _host(self, rest: list[int]) -> int | None:
        """Return the user turn that carries the system text."""
        users = [index for index in rest if self._role(index) == "user"]
        if not users:
            return None
        return users[0] if self.grammar.system == "first-user" else users[-1]

    # turns -----------------------------------------------------------------------------------

    def _role(self, index: int) -> str:
        role = self.conversation.messages[index].role
        if role == "tool" and self._results(index):
            return cast("Calls", self.grammar.calls).turn
        if role == "tool" and self.grammar.calls and (self.grammar.calls.resumes or self.grammar.calls.open):
            return self.grammar.role_map.get(role, "user")  # its frame would say that it answers a call
        role = role if role in self.grammar.turns else self.grammar.role_map.get(role, "user")
        return role if role in self.grammar.turns else "user"

    def _results(self, index: int) -> bool:
        """Return whether a message is a result that this format has a place for."""
        return self.grammar.calls is not None and bool(self.grammar.calls.result) and index in self.answers

    def _joint(self, index: int | None, following: int | None) -> str | None:
        """Return what stands between two neighbours that are written as one turn, None where they are two."""
        if index is None or following is None:
            return None
        if self._results(index) or self._results(following):
            both = self._results(index) and self._results(following)
            return cast("Calls", self.grammar.calls).joined if both else None
        if any(self.conversation.messages[one].tool_calls for one in (index, following)):
            return None
        return self.grammar.joins or None if self._role(index) == self._role(following) != "system" else None

    def _resumes(self, index: int | None, following: int) -> bool:
        """Return whether an assistant's turn goes on behind a result without a mark that opens it."""
        calls = self.grammar.calls
        is_open = calls is not None and calls.resumes and index is not None and self._results(index)
        return is_open and self._role(following) == "assistant"

    def _marks(self, index: int, role: str) -> tuple[str, str]:
        """Return what opens the turn of a message, and what closes it."""
        turn, calls = self.grammar.turns[role], self.grammar.calls
        if calls is None or not self._calls(index, role) or not (calls.open or calls.inside):
            return turn.open, turn.close
        is_answered = index + 1 < len(self.conversation.messages) and self._results(index + 1)
        return calls.open or turn.open, "" if calls.inside and is_answered else calls.close

    def _message(self, index: int, system: list[int], *, opens: bool, closes: bool, resumes: bool) -> None:
        role, message = self._role(index), self.conversation.messages[index]
        original = message.role
        if role != original and not self._results(index):
            self._lose(f"$.messages[{index}].role", "role-changed", f"{original} is written as {role}")
        open_, close = self._marks(index, role)
        if index == self.last_user and opens:
            self.paper.mark(self._tools("last-user"))
        self.paper.mark(opening(self.grammar, open_, message.name) if opens and not resumes else "", index)
        self.paper.mark(self._tools("first-user") if index == self.first_user and opens else "", index)
        self.paper.mark(self._environment() if not index and role == "system" else "", index)
        if role == "system" and self.grammar.system_prefix:
            self.paper.mark(self.grammar.system_prefix, index)
            self._lose(f"$.messages[{index}].content", "synthesised", "the format's own lines were put before it")
        inner = self._system_inside(system)
        self.paper.put_all(self._thinking(index, role, resumes=resumes), index)
        segments = self._content(index, role)
        before, after = self._tools_around(index, role, segments)
        self.paper.mark(before, index)
        self._put(segments, index, role)
        self.paper.mark(after + (close if closes else ""), index)
        text = inner + "".join(segment.text for segment in segments)
        if opens or self._results(index):
            self._expect(original if self._results(index) else role, text, index)
        else:
            self._lose(f"$.messages[{index}]", "merged", f"joined to the {role} message before it")
            self.expected[-1] = (role, self.expected[-1][1] + self.grammar.joins + text)

    def _put(self, segments: list[Segment], index: int, role: str) -> None:
        """Write a content with the calls behind it, or the frame of a result around it."""
        message, calls = self.conversation.messages[index], self.grammar.calls
        before = after = ""
        if calls and self._results(index):
            call, number = self.answers[index]
            self._report_id(f"$.messages[{index}].tool_call_id", call, number, calls)
            before, after = calls.frame(call, number)
            encoded = calls.encoded(message.text)
            segments = segments if encoded == message.text else [Segment(encoded, "data")]
        self.paper.mark(before, index)
        self.paper.put_all(segments, index)
        self.paper.mark(after, index)
        if calls and self._calls(index, role):
            self.paper.mark(calls.write(message.tool_calls, after_content=bool(message.text), count=self.called), index)
            self._report_ids(index, message.tool_calls, calls)

    def _calls(self, index: int, role: str) -> bool:
        """Return whether the calls of a message can be written: their arguments are JSON."""
        message = self.conversation.messages[index]
        known = self.grammar.calls is not None and role == "assistant" and bool(message.tool_calls)
        return known and all(map(cast("Calls", self.grammar.calls).takes, message.tool_calls))

    def _thought_of_calls(self, index: int, role: str) -> tuple[str, str] | None:
        """Return what stands around the reasoning in a turn of calls, where the format has such turns."""
        return self.grammar.calls.thought if self.grammar.calls and self._calls(index, role) else None

    def _report_ids(self, index: int, calls: Sequence[ToolCall], own: Calls) -> None:
        """Report the ids of calls that are not those which reading will make."""
        for position, call in enumerate(calls):
            self._report_id(f"$.messages[{index}].tool_calls[{position}].id", call, self.called, own)
            self.called += 1

    def _report_id(self, path: str, call: ToolCall, number: int, own: Calls) -> None:
        expected = own.id_of(call.name, number)
        if "{id}" not in own.call and call.id != expected:
            self._lose(path, "substituted", f"{call.id!r} has no place; it reads back as {expected!r}")

    def _system_inside(self, system: list[int]) -> str:
        """Write system texts inside a user turn; return them where they will read as user text."""
        wrap, start = self.grammar.system_turn, len(self.paper.pieces)
        if not system:
            return ""
        self.paper.mark(wrap.open, system[0])
        texts = []
        for number, index in enumerate(system):
            self.paper.mark("\n\n" if number else "", index)
            segments = self._content(index, "system")
            texts.append("".join(segment.text for segment in segments))
            self.paper.put_all(segments, index)
        self.paper.mark(wrap.close, system[-1])
        if wrap.open:
            self._expect_system(system, texts)
            return ""
        for index in system:
            self._lose(f"$.messages[{index}].role", "merged", "the system text became part of a user message")
        return "".join(self.paper.pieces[start:])

    def _content(self, index: int, role: str) -> list[Segment]:
        """Return the text of a message as it will be written; record what it loses."""
        message, path = self.conversation.messages[index], f"$.messages[{index}]"
        given = self.provenance[index] if self.provenance is not None else None
        segments = list(given) if given is not None else segments_of(message)
        thinks = (self.grammar.thinking and role == "assistant") or self._thought_of_calls(index, role)
        own = {"reasoning-dropped"} if thinks else set()
        own |= {"tool-calls-dropped"} if self._calls(index, role) or self._results(index) else set()
        own |= {"name-dropped"} if self.grammar.named and NAME.fullmatch(message.name or "") else set()
        self.losses += [x for x in message_losses(message, path, self.grammar.name) if x.kind not in own]
        if role in self.grammar.trim:
            segments = trim(segments, path, self.losses)
        if self.is_proof:
            return segments
        opens = bool(self.grammar.turns[role].open) if role in self.grammar.turns else False
        return guarded(self.grammar, segments, path, self.guard, self.losses, at_line_start=not opens)

    def _thinking(self, index: int, role: str, *, resumes: bool) -> list[Segment]:
        """Return the reasoning of a message as it stands before its content."""
        thinking, message = self.grammar.thinking, self.conversation.messages[index]
        if (thought := self._thought_of_calls(index, role)) is not None:
            inner = [Segment(message.reasoning or "", "data")]
            inner = guarded(self.grammar, inner, f"$.messages[{index}]", self.guard, self.losses, at_line_start=False)
            return [Segment(thought[0], "template"), *inner, Segment(thought[1], "template")]
        if thinking is None or role != "assistant":
            return []
        path = f"$.messages[{index}]"
        reasoning = message.reasoning
        if reasoning is not None and not (thinking.keeps_earlier or self.keep_reasoning or index > self.last_user):
            self._lose(f"{path}.reasoning", "by-format-rule", f"{self.grammar.name} leaves earlier reasoning out")
            reasoning = None
        is_last = index == len(self.conversation.messages) - 1
        empty = "" if resumes else thinking.nothing(is_last=is_last, is_recent=index > self.last_user)
        if reasoning is None and not empty and thinking.split(message.text) != (None, message.text):
            self._lose(f"{path}.content", "split", "its beginning reads back as reasoning")
        if reasoning is None:
            return [Segment(empty, "template")] if empty else []
        data = [Segment(reasoning, "data")]
        inner = guarded(self.grammar, data, path, self.guard, self.losses, at_line_start=False)
        return [Segment(thinking.open, "template"), *inner, Segment(thinking.close, "template")]

    def _expect_system(self, system: list[int], texts: list[str]) -> None:
        self._expect("system", "\n\n".join(texts), system[0])
        for index in system:
            if self.conversation.messages[index].role != "system":
                self._lose(f"$.messages[{index}].role", "role-changed", "developer is written as system")

    def _expect(self, role: str, text: str, index: int) -> None:
        self.expected.append((role, text))
        self.places.append(index)

    def _lose(self, path: str, kind: str, detail: str) -> None:
        self.losses.append(Loss(path, kind, detail))


# proof --------------------------------------------------------------------------------------


def _unseen(text: str, writer: _Writer) -> list[Loss]:
    """Read the text back and return what differs and has not been told."""
    if writer.grammar.plain:
        return []
    found = messages_of(text, writer.grammar)
    told = {(loss.path, loss.kind) for loss in writer.losses}
    return [loss for loss in changes_of(writer.expected, found, writer.places) if (loss.path, loss.kind) not in told]
