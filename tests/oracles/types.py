"""Values of a type: what an official SDK's types allow, as hypothesis strategies.

TypedDicts, pydantic models and botocore's shapes are walked in the same way: every required field, a few
of the others, short lists. What type a text is says less than its name does: ``FIELDS`` knows what
a field of that name holds. Words are numbered in the end, so that each text occurs once, and a result of a
tool answers the oldest open call.
"""

import base64
import collections.abc
import datetime
import enum
import functools
import re
import types
import typing

import typing_extensions
from hypothesis import strategies as st

#: How the number in a word is found again.
WORD = re.compile(r"w\d+")


class Word(str):
    """A text that may be any text: it gets a number, so that it can be told from all others."""

    __slots__ = ("form",)

    def __new__(cls, form):
        made = super().__new__(cls, form)
        made.form = form
        return made


def schema(word):
    return {
        "type": "object",
        "properties": {word: {"type": "string", "description": Word("word {}")}},
        "required": [word],
    }


#: What the fields of a name hold, where the type alone does not say.
FIELDS = {
    **dict.fromkeys(("url", "uri", "file_url", "fileUri", "file_uri", "gcsUri"), Word("https://example.com/{}.png")),
    **dict.fromkeys(
        ("data", "file_data", "imageBytes", "thoughtSignature", "signature", "encrypted_content"), Word("base64 {}")
    ),
    **dict.fromkeys(("media_type", "mimeType", "mime_type"), "image/png"),
    **dict.fromkeys(
        ("parameters", "input_schema", "schema", "parametersJsonSchema", "responseJsonSchema"), schema("a")
    ),
    **dict.fromkeys(("name", "toolName", "tool_name"), Word("name_{}")),
    **dict.fromkeys(("model", "modelId"), Word("model-{}")),
    "arguments": Word('{{"a": "word {}"}}'),
    "image_url": Word("https://example.com/{}.png"),
    "images": [Word("base64 {}")],
    "json": {"a": Word("word {}")},
    "tool_use_id": Word("answer_{}"),
    "tool_call_id": Word("answer_{}"),
    "call_id": Word("call_{}"),
}
#: The same, by the type that has the field.
OF_TYPE = {
    ("ToolUseBlockParam", "id"): Word("call_{}"),
    ("ServerToolUseBlockParam", "id"): Word("call_{}"),
    ("ChatCompletionMessageFunctionToolCallParam", "id"): Word("call_{}"),
    ("ChatCompletionMessageCustomToolCallParam", "id"): Word("call_{}"),
    ("FunctionCallOutput", "call_id"): Word("answer_{}"),
    ("ToolUseBlock", "toolUseId"): Word("call_{}"),
    ("ToolResultBlock", "toolUseId"): Word("answer_{}"),
    ("FunctionCall", "id"): Word("call_{}"),
    ("FunctionResponse", "id"): Word("answer_{}"),
    ("Base64PDFSourceParam", "media_type"): "application/pdf",
    ("PlainTextSourceParam", "media_type"): "text/plain",
    ("PlainTextSourceParam", "data"): Word("word {}"),
    ("CompletionChoice", "logprobs"): {
        "tokens": [Word("word {}")], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5}], "text_offset": [0],
    },
    # token ids need the encoding of a model that is known, and several prompts are several requests
    ("CompletionCreateParamsBase", "prompt"): Word("word {}"),
    ("Content", "role"): ("user", "model"),
    ("Message", "role"): ("user", "assistant", "system", "tool"),
    ("InputAudio", "data"): Word("base64 {}"),
    ("FileFile", "file_data"): Word("data:application/pdf;base64,{}"),
    ("FileFile", "filename"): Word("file-{}.pdf"),
    ("ImageURL", "url"): Word("https://example.com/{}.png"),
    ("Tool", "tool_name"): Word("name_{}"),
}
#: Fields that a server asks for, and the type does not.
MUST = {
    "Content": ("role", "parts"), "Blob": ("data", "mimeType"), "FileData": ("fileUri", "mimeType"),
    "FunctionCall": ("name", "args"), "FunctionResponse": ("name", "response"), "FunctionDeclaration": ("name",),
    "GenerateContentRequest": ("contents",), "ResponseCreateParamsBase": ("input",), "FileFile": ("file_data",),
    "Candidate": ("content", "finishReason"), "GenerateContentResponse": ("candidates",),
    "Tool": ("function",), "Function": ("name",), "ToolFunction": ("name",),
    "ChatCompletionMessage": ("content",), "Message": ("stop_reason",),
    "ChatResponse": ("model", "created_at", "done"), "ChatRequest": ("messages",), "ToolCall": ("function",), "ConverseRequest": ("messages",),
}  # fmt: skip
#: Fields that an SDK adds to what the server says.
ADDED = {"sdkHttpResponse", "parsed", "automaticFunctionCallingHistory"}
#: Types of which a value has exactly one of these fields.
ONE_OF = {
    "Part": (
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
    ),
    "Tool": ("functionDeclarations", "googleSearch", "codeExecution", "urlContext"),
}
#: What occurs most in a union: drawn two times in three.
COMMON = {
    "TextBlockParam", "ImageBlockParam", "DocumentBlockParam", "ToolUseBlockParam", "ToolResultBlockParam",
    "ThinkingBlockParam", "UserMessageParam", "AssistantMessageParam", "ToolParam", "FunctionToolParam",
    "EasyInputMessageParam", "Message", "ResponseFunctionToolCallParam", "FunctionCallOutput",
    "ResponseReasoningItemParam", "ResponseOutputMessageParam", "TextBlock", "ToolUseBlock", "ThinkingBlock",
    "ResponseOutputMessage", "ResponseFunctionToolCall", "ResponseReasoningItem",
    "text", "image", "document", "toolUse", "toolResult", "reasoningContent", "toolSpec", "functionCall",
    "functionResponse", "inlineData", "functionDeclarations",
}  # fmt: skip
JSON = {"a": Word("word {}")}
SCALARS = {
    str: st.just(Word("word {}")),
    int: st.integers(1, 4),
    float: st.sampled_from([0.25, 0.5, 1.0]),
    bool: st.booleans(),
    bytes: st.just(Word("base64 {}")),
    datetime.datetime: st.just("2026-01-02T03:04:05Z"),
}
DEPTH = 9


@st.composite
def values(draw, tp, owner="", name="", depth=0):
    """Draw a value of a type; ``name`` is the field of ``owner`` that holds it."""
    return draw(_values(tp, owner, name, depth))


@functools.cache
def _values(tp, owner, name, depth):
    known = OF_TYPE.get((owner, name), FIELDS.get(name))
    if isinstance(known, tuple):
        return st.sampled_from(known) if _fits(tp, known[0]) else _of(bare(tp), owner, name, depth)
    return st.just(known) if known is not None and _fits(tp, known) else _of(bare(tp), owner, name, depth)


def _fits(tp, known):
    """Return whether a type takes a value of this sort; bytes are base64 in JSON."""
    sorts = {typing.get_origin(t) or t for t in (bare(option) for option in options(tp))}
    wanted = {str: {str, bytes}, dict: {dict, object, typing.Any}, list: {list, collections.abc.Sequence}}
    return any(isinstance(known, sort) and fitting & sorts for sort, fitting in wanted.items())


def _of(tp, owner, name, depth):
    origin, args = typing.get_origin(tp), typing.get_args(tp)
    if tp in SCALARS:
        return SCALARS[tp]
    if origin in (typing.Union, types.UnionType):
        return _union([a for a in args if usable(a)], owner, name, depth)
    if origin is typing.Literal or isinstance(tp, enum.EnumType):
        members = [getattr(member, "value", member) for member in args or list(tp)]
        return st.sampled_from([m for m in members if not str(m).endswith("UNSPECIFIED")] or members)
    if origin in LISTS:
        item = values(args[0], owner, name.removesuffix("s"), depth + 1)
        return st.lists(item, min_size=1, max_size=1 if depth > 3 else 3)
    if origin in MAPS:
        return st.builds(lambda value: {"7": value}, values(args[1], owner, "", depth + 1))
    return objects(tp, depth) if is_object(tp) else st.just(JSON)


MAPS = (dict, collections.abc.Mapping)
LISTS = (list, collections.abc.Iterable, collections.abc.Sequence, typing_extensions.Sequence)


def _union(choices, owner, name, depth):
    common = [c for c in choices if getattr(bare(c), "__name__", "") in COMMON]
    plain = [c for c in choices if not is_object(bare(c)) and typing.get_origin(bare(c)) not in LISTS]
    if depth > DEPTH and plain:
        choices, common = plain, []
    if any(is_object(bare(c)) for c in choices):  # a mapping beside it means the same object
        choices = [c for c in choices if typing.get_origin(bare(c)) not in MAPS]
    drawn = [values(c, owner, name, depth + 1) for c in choices]
    often = [values(c, owner, name, depth + 1) for c in common] * (2 * len(choices) // max(1, len(common)))
    return st.one_of(*drawn, *often)


@st.composite
def objects(draw, tp, depth=0, most=2):
    """Draw an object: its required fields, and a few of the others."""
    required, optional = fields(tp)
    one = [key for key in ONE_OF.get(tp.__name__, ()) if key in optional]
    if one:
        optional = {k: v for k, v in optional.items() if k not in one}
        chosen = draw(st.sampled_from([o for o in one if o in COMMON] * 4 + list(one)))
        required = required | {chosen: all_fields(tp)[chosen]}
    few = (
        draw(st.lists(st.sampled_from(sorted(optional)), max_size=1 if depth > 6 else most, unique=True))
        if optional
        else []
    )
    wanted = required | {key: optional[key] for key in few}
    return {key: draw(values(t, tp.__name__, key, depth + 1)) for key, t in wanted.items()}


def is_object(tp):
    return typing_extensions.is_typeddict(tp) or hasattr(tp, "model_fields")


@functools.cache
def fields(tp):
    """Return the required and the optional fields of an object type, each with its type."""
    usual = {k: t for k, t in all_fields(tp).items() if usable(t) and k not in ADDED}
    must = {key for key, t in usual.items() if _is_required(tp, key, t) or key in MUST.get(tp.__name__, ())}
    return {k: t for k, t in usual.items() if k in must}, {k: t for k, t in usual.items() if k not in must}


@functools.cache
def all_fields(tp):
    if hasattr(tp, "model_fields"):
        return {info.alias or key: info.annotation for key, info in tp.model_fields.items()}
    return typing.get_type_hints(tp, include_extras=True)


def _is_required(tp, key, annotated):
    """Tell by the annotation: where annotations are texts, ``__required_keys__`` does not see ``Required``."""
    if hasattr(tp, "model_fields"):
        return any(info.is_required() for name, info in tp.model_fields.items() if key in (name, info.alias))
    origin = typing.get_origin(annotated)
    return origin in REQUIRED or (tp.__total__ and origin not in NOT_REQUIRED)


REQUIRED = (typing.Required, typing_extensions.Required)
NOT_REQUIRED = (typing.NotRequired, typing_extensions.NotRequired)


def bare(tp):
    """Return a type without what only annotates it."""
    while typing.get_origin(tp) in (typing.Annotated, *REQUIRED, *NOT_REQUIRED):
        tp = typing.get_args(tp)[0]
    return tp if not isinstance(tp, typing.TypeVar) else str


def options(tp):
    tp = bare(tp)
    return typing.get_args(tp) if typing.get_origin(tp) in (typing.Union, types.UnionType) else (tp,)


def usable(tp):
    """Return whether JSON can hold a value of this type."""
    tp = bare(tp)
    if typing.get_origin(tp) in (typing.Union, types.UnionType):
        return any(map(usable, typing.get_args(tp)))
    is_other = isinstance(tp, type) and tp not in SCALARS and not is_object(tp) and tp is not object
    no_json = is_other and not isinstance(tp, enum.EnumType | types.GenericAlias) and typing.get_origin(tp) is None
    return tp is not type(None) and not no_json and typing.get_origin(tp) is not collections.abc.Callable


# the shapes of botocore -------------------------------------------------------------------------------

PATTERNED = {"modelId": Word("model-{}"), "guardrailIdentifier": Word("guard{}"), "guardrailVersion": "DRAFT",
             "projectIdentifier": Word("project-{}"), "uri": Word("s3://bucket/{}"), "bucketOwner": "123456789012"}  # fmt: skip


@st.composite
def shapes(draw, shape, owner="", name="", depth=0):
    """Draw a value of a botocore shape; blobs are base64, as in raw JSON."""
    known = (
        PATTERNED.get(name) or OF_TYPE.get((owner, name)) or (FIELDS.get(name) if name in ("name", "json") else None)
    )
    if isinstance(known, str | dict) and not getattr(shape, "enum", ()) and shape.type_name in ("string", "structure"):
        return known
    return draw(_of_shape(shape, depth))


def _of_shape(shape, depth):
    low, high = shape.metadata.get("min", 1), shape.metadata.get("max", 4)
    if getattr(shape, "enum", ()):
        return st.sampled_from(shape.enum)
    if getattr(shape, "is_document_type", False):
        return st.just(JSON)
    made = {
        "string": lambda: st.just(Word("word {}")),
        "blob": lambda: st.just(Word("base64 {}")),
        "boolean": st.booleans,
        "float": lambda: st.sampled_from([0.25, 0.5]),
        "list": lambda: st.lists(shapes(shape.member, shape.name, "", depth + 1), min_size=max(1, low), max_size=max(1, low, min(3 - depth // 4, high))),
        "map": lambda: st.builds(lambda value: {"key": value}, shapes(shape.value, shape.name, "", depth + 1)),
        "structure": lambda: structures(shape, depth),
    }  # fmt: skip
    return made.get(shape.type_name, lambda: st.integers(max(1, low), max(2, low)))()


@st.composite
def structures(draw, shape, depth=0, most=2):
    members = shape.members
    if getattr(shape, "is_tagged_union", False):
        chosen = [draw(st.sampled_from([m for m in members if m in COMMON] * 3 + list(members)))]
    else:
        rest = sorted(set(members) - set(shape.required_members))
        few = draw(st.lists(st.sampled_from(rest), max_size=most, unique=True)) if rest else []
        chosen = dict.fromkeys([*shape.required_members, *few, *members.keys() & {*MUST.get(shape.name, ())}])
    return {key: draw(shapes(members[key], shape.name, key, depth + 1)) for key in chosen}


# numbering ----------------------------------------------------------------------------------------------


def numbered(value):
    """Return a value with a number in every word; a result answers the oldest call without one."""
    count, calls = iter(range(1, 10_000)), []

    def settled(item):
        if isinstance(item, Word):
            return _numbered(item.form, next(count), calls)
        if isinstance(item, dict):
            return {key: settled(inner) for key, inner in item.items()}
        return [placed(settled(inner), n) for n, inner in enumerate(item)] if isinstance(item, list | tuple) else item

    def placed(item, place):
        return item | {"index": place} if isinstance(item, dict) and type(item.get("index")) is int else item

    return settled(value)


def _numbered(form, number, calls):
    if form.startswith("base64"):
        return base64.b64encode(b"data %03d" % number).decode()
    if form.startswith("answer") and calls:
        return calls.pop(0)
    made = form.format(f"w{number}")
    if form.startswith("call"):
        calls.append(made)
    return made
