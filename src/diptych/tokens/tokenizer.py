"""Counting with the tokenizer of a model that is at hand: a function, an object, a file.

Rule: messages are rendered by the model's own chat template and encoded as one text, as a server
of one's own does it: that is exact. Without a template the texts are counted, and the rest is a range.
The files need the extra ``tokenizers``; a chat template stands beside a tokenizer.json, or in a GGUF.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import FormatError, MissingExtra, TokenError
from .messages import compact_json, text_of

if TYPE_CHECKING:
    from ..sandbox.chat_template import ChatTemplate
from .tally import Item

#: What a border between messages may cost where no chat template says it: at least, likely, at most.
_BORDER: Final = (1, 4, 12)
_GPT2: Final = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_WORDS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
#: How a byte-level GGUF splits text first, by ``tokenizer.ggml.pre`` (llama.cpp, src/llama-vocab.cpp, 2026-11).
_SPLITS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("default", "gpt-2", "mpt", "olmo", "jais"), (_GPT2,)),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"), (r"\p{N}", _GPT2)),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "smaug-bpe", "dbrx"), (_WORDS % "{1,3}",)),
    **dict.fromkeys(("qwen2", "stablelm2", "hunyuan", "megrez"), (_WORDS % "",)),
}
_GGUF_KEYS: Final = tuple(
    f"tokenizer.{name}"
    for name in (
        "ggml.model", "ggml.pre", "ggml.tokens", "ggml.merges", "ggml.token_type",
        "ggml.bos_token_id", "ggml.eos_token_id", "ggml.add_bos_token", "chat_template",
    )
)  # fmt: skip


class Tokenizer(NamedTuple):
    """A tokenizer: tokens of a text, tokens that it puts before a bare prompt, and the chat template."""

    length: Callable[[str], int]
    start: int = 0
    template: ChatTemplate | None = None
    name: str = "tokenizer"


def read_tokenizer(source: Any) -> Tokenizer:
    """Return the tokenizer that ``source`` is: a function, an object with ``encode``, a file.

    Raises TokenError for anything else, MissingExtra where a file needs the extra ``tokenizers``.

    >>> read_tokenizer(str.split).length("one two")
    2
    """
    if isinstance(source, Tokenizer):
        return source
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source))
    encode = getattr(source, "encode", None)
    if callable(encode):
        return Tokenizer(lambda text: _size(_encoded(encode, text)), 0, _template_of(source), type(source).__name__)
    if callable(source):
        return Tokenizer(lambda text: _size(source(text)))
    raise TokenError(
        f"{type(source).__name__} is no tokenizer",
        hint="give a function from text to tokens, an object with encode, a tokenizer.json or a GGUF file",
    )


def _size(tokens: Any) -> int:
    if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0:
        return tokens
    ids = getattr(tokens, "ids", tokens)
    if not hasattr(ids, "__len__"):
        raise TokenError(f"the tokenizer returned {type(tokens).__name__}; expected tokens or their number")
    return len(ids)


def _encoded(encode: Callable[..., Any], text: str) -> Any:
    """Return the tokens of a text; what a tokenizer adds by itself stands in the chat template already."""
    for options in ({"add_special_tokens": False}, {"disallowed_special": ()}):
        try:
            return encode(text, **options)
        except TypeError:
            continue
    return encode(text)


def _template_of(source: Any) -> ChatTemplate | None:
    template = getattr(source, "chat_template", None)
    if not isinstance(template, str):
        return None
    from ..sandbox.chat_template import ChatTemplate

    special = getattr(source, "special_tokens_map", None)
    named: dict[str, Any] = {name: token for name, token in dict(special or {}).items() if isinstance(token, str)}
    return ChatTemplate(template, **named)


# files ---------------------------------------------------------------------------------


def _of_file(path: Path) -> Tokenizer:
    path = path / "tokenizer.json" if path.is_dir() else path
    if not path.is_file():
        raise TokenError(f"there is no tokenizer file {os.fspath(path)!r}", hint="give a tokenizer.json or a GGUF file")
    return _of_gguf(path) if path.suffix == ".gguf" else _of_json(path)


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise MissingExtra.of("tokenizers", "tokenizers") from error
    return tokenizers


def _counted(built: Any) -> Callable[[str], int]:
    return lambda text: len(built.encode(text, add_special_tokens=False).ids)


def _of_json(path: Path) -> Tokenizer:
    from ..sandbox.chat_template import ChatTemplate

    library = _library()
    try:
        built = library.Tokenizer.from_file(os.fspath(path))
    except Exception as error:  # the library raises bare Exception on what it cannot read
        raise TokenError(f"{path.name} cannot be read as a tokenizer: {error}") from None
    try:
        template = ChatTemplate.from_tokenizer_config(path.parent)
    except FormatError:
        template = None
    return Tokenizer(_counted(built), len(built.encode("", add_special_tokens=True).ids), template, path.name)


def _of_gguf(path: Path) -> Tokenizer:
    from ..sandbox.chat_template import ChatTemplate
    from ..sandbox.gguf import read_metadata

    held = {key.removeprefix("tokenizer."): value for key, value in read_metadata(path, _GGUF_KEYS).items()}
    tokens, merges = held.get("ggml.tokens"), held.get("ggml.merges")
    splits = _SPLITS.get(held.get("ggml.pre") or "default")
    if held.get("ggml.model") != "gpt2" or splits is None or tokens is None or merges is None:
        kind = f"{held.get('ggml.model')}, {held.get('ggml.pre') or 'default'}"
        raise TokenError(f"{path.name} has a tokenizer of an unknown kind ({kind})", hint="give its tokenizer.json")
    built = _byte_level(tokens, merges, splits, held.get("ggml.token_type") or ())
    named = {name: held.get(f"ggml.{name}_token_id") for name in ("bos", "eos")}
    special = {f"{name}_token": tokens[at] for name, at in named.items() if at is not None and at < len(tokens)}
    source = held.get("chat_template")
    template = ChatTemplate(source, **special) if source else None
    return Tokenizer(_counted(built), int(bool(held.get("ggml.add_bos_token"))), template, path.name)


def _byte_level(tokens: list[str], merges: list[str], splits: Sequence[str], types: Sequence[int]) -> Any:
    """Build a byte-level tokenizer from the vocabulary and the merges of a GGUF."""
    library = _library()
    vocabulary = {token: index for index, token in enumerate(tokens)}
    pairs = [tuple(merge.split(" ", 1)) for merge in merges]
    built = library.Tokenizer(library.models.BPE(vocab=vocabulary, merges=pairs, ignore_merges=False))
    steps = [library.pre_tokenizers.Split(library.Regex(split), "isolated") for split in splits]
    byte_level = library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    built.pre_tokenizer = library.pre_tokenizers.Sequence([*steps, byte_level])
    special = [token for token, kind in zip(tokens, types, strict=False) if kind in (3, 4)]
    built.add_special_tokens([library.AddedToken(token, special=True, normalized=False) for token in special])
    return built


# counting ------------------------------------------------------------------------------


def tokenizer_items(body: Mapping[str, Any], tokenizer: Tokenizer) -> list[Item]:
    """Return the lines of a body in the shape of Chat or Completions, counted with this tokenizer."""
    if "messages" not in body:
        return [*_prompt_items(body.get("prompt", body.get("input")), tokenizer), *_suffix_items(body, tokenizer)]
    template, tools = tokenizer.template, body.get("tools") or None
    if template is None or not all(_is_plain(message) for message in body["messages"]):
        return [*_loose_items(body["messages"], tokenizer.length), *_tool_items(tools, tokenizer.length)]
    messages = [_rendered(message, template.source) for message in body["messages"]]
    is_open = bool(messages) and messages[-1]["role"] == "assistant"
    text = template.render(messages, tools=tools, add_generation_prompt=not is_open, continue_final_message=is_open)
    items = [Item("$.messages", "rendered", tokenizer.length(text))]
    if is_open and not messages[-1]["content"].strip():
        # llama.cpp ends before a reply that is begun with nothing; other servers ask for one, or close it.
        least = tokenizer.length(template.render(messages[:-1], tools=tools))
        items = [items[0]._replace(basis="approximate", low=min(least, items[0].tokens), high=items[0].tokens + 5)]
    # llama.cpp leaves tools out where the template does not name them; other servers write them by other means.
    return items if not tools or "tools" in template.source else [*items, *_tool_items(tools, tokenizer.length, 0)]


def _prompt_items(prompt: Any, tokenizer: Tokenizer) -> list[Item]:
    prompts = [prompt] if isinstance(prompt, str) or (prompt and isinstance(prompt[0], int)) else prompt or [""]
    items = []
    for index, one in enumerate(prompts):
        path = "$.prompt" if prompts is not prompt else f"$.prompt[{index}]"
        tokens = tokenizer.length(one) + tokenizer.start if isinstance(one, str) else len(one)
        items.append(Item(path, "text" if isinstance(one, str) else "ids", tokens))
    return items


def _suffix_items(body: Mapping[str, Any], tokenizer: Tokenizer) -> list[Item]:
    suffix = body.get("suffix")
    if not isinstance(suffix, str) or not suffix:
        return []
    tokens = tokenizer.length(suffix)
    return [Item("$.suffix", "suffix", tokens + 3, "approximate", tokens, tokens + 8)]


def _is_plain(message: Mapping[str, Any]) -> bool:
    """Say whether every part of a message is text."""
    content = message.get("content")
    return not isinstance(content, list | tuple) or all(_is_text(part) for part in content)


def _rendered(message: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a message as a server gives it to a chat template: one text, arguments as an object."""
    content = message.get("content")
    text = _joined(content) if isinstance(content, list | tuple) else text_of(message)
    is_known = message["role"] != "developer" or "developer" in source
    plain = {**message, "role": message["role"] if is_known else "system", "content": text}
    if calls := message.get("tool_calls"):
        plain["tool_calls"] = [{**call, "function": _function(call.get("function") or {})} for call in calls]
    return plain


def _joined(parts: Sequence[Any]) -> str:
    """Return the texts of parts as llama.cpp joins them: a line each, and none for what is empty at the start."""
    text = ""
    for part in map(_text_of_part, parts):
        text = f"{text}\n{part}" if text else part
    return text


def _text_of_part(part: Any) -> str:
    return part if isinstance(part, str) else str(part.get("text") or "")


def _is_text(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and part.get("type") == "text")


def _function(function: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {**function, "arguments": json.loads(function.get("arguments") or "{}")}
    except (TypeError, ValueError):
        return dict(function)


def _loose_items(messages: Sequence[Mapping[str, Any]], length: Callable[[str], int]) -> list[Item]:
    low, likely, high = _BORDER
    items = []
    for index, message in enumerate(messages):
        calls = compact_json(message["tool_calls"]) if message.get("tool_calls") else ""
        tokens = length(text_of(message)) + length(calls)
        line = Item(f"$.messages[{index}]", "message", tokens + likely, "approximate", tokens + low, tokens + high)
        items.append(line if _is_plain(message) else line._replace(high=tokens + 48_169))
    return items


def _tool_items(tools: Any, length: Callable[[str], int], likely: int | None = None) -> list[Item]:
    if not tools:
        return []
    tokens = length(json.dumps(tools, default=str))
    least = tokens // 4 if likely is None else likely
    return [Item("$.tools", "tools", tokens if likely is None else likely, "approximate", least, tokens * 2 + 700)]
