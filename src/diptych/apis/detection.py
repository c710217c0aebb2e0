"""Which API a body or a list of messages is of: by marks that one API alone has.

:func:`features` names what a value consists of, ``MARKS`` says which API each is a mark of. A value
with marks of one API is of that API; with marks of several it fits them equally. Without marks, plain
messages are those of Chat, which every API reads alike; from a value that says nothing, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

#: Where an API has its messages, by the name of the field in a body.
_FIELDS: Final = ("messages", "contents", "input")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: ``name``: a field of the body; ``item.``: of a message or item; ``block.``: of a part of its content (``block=``:
#: its type); ``tool.``: of a tool; ``call=``: what the arguments of a call are.
MARKS: Final[Mapping[str, frozenset[str]]] = {
    "chat": _words("""
        max_completion_tokens n logit_bias response_format functions function_call modalities reasoning_effort
        item.function_call item.refusal item.reasoning_content item.audio item=function result=unnamed
        block=image_url block=input_audio block=file block=refusal call=text prediction web_search_options
        """),
    "anthropic": _words("""
        system=text system=typed stop_sequences thinking output_config anthropic_version mcp_servers block=tool_use
        block=tool_result block=thinking block=redacted_thinking block=image block=document block=server_tool_use
        block=search_result block=container_upload block=result block=mcp_tool_use tool.input_schema tool=server
        choice=any choice=tool
        """),
    "bedrock": _words("""
        modelId inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables
        additionalModelResponseFieldPaths outputConfig performanceConfig requestMetadata system=untyped block.text
        block.image block.document block.video block.audio block.toolUse block.toolResult block.guardContent
        block.cachePoint block.reasoningContent block.citationsContent block.searchResult
        """),
    "gemini": _words("""
        contents generationConfig generation_config systemInstruction system_instruction safetySettings
        safety_settings item.parts
        """),
    "responses": _words("""
        input instructions previous_response_id max_output_tokens truncation item=message item=call item=reasoning
        item=item_reference item=compaction item.summary block=input_text block=output_text block=input_image
        block=input_file prompt.id
        """),
    "ollama": _words("""
        options keep_alive think format item.images item.thinking item.tool_name call=object
        """),
}
#: Any of these beside a prompt makes a row of data a body of a request, and any of those a row.
OF_PROMPTS: Final = _words("model max_tokens temperature stop logprobs echo best_of")
OF_ROWS: Final = _words("completion completions chosen rejected messages label")
#: The APIs whose messages stand under a name.
_HOLDS: Final = {
    "contents": ("gemini",),
    "input": ("responses",),
    "messages": ("chat", "anthropic", "bedrock", "ollama"),
}


def features(value: Any) -> set[str]:
    """Return what a body or a list of messages consists of, in the words of ``MARKS``.

    >>> sorted(features([{"role": "user", "content": [{"text": "Hi"}]}]))
    ['block.text', 'item.content', 'item.role']
    """
    return set(_of_body(value)) if isinstance(value, Mapping) else set(_of_items(value))


def fits(value: Any) -> tuple[str, ...]:
    """Return the APIs that a value fits equally well, none where it says nothing.

    >>> fits([{"role": "user", "content": "Hi"}]), fits({"messages": []}), fits({"contents": "Hi"})
    (('chat',), (), ('gemini',))
    """
    possible = _possible(value)
    if not possible:
        return ()
    found = features(value)
    if marked := tuple(api for api in possible if found & MARKS[api]):
        return marked
    return ("chat",) if "chat" in possible and "item.role" in found else ()


def detector(api: str) -> Callable[[Any], float]:
    """Return the function that says how sure it is that a value is of an API; a list is surer than a body."""

    return lambda value: confidence(value).get(api, 0.0)


def confidence(value: Any) -> dict[str, float]:
    """Return how sure it is that a value is of an API, for each API that it fits equally well."""
    if _is_prompt(value):
        return {"completions": 0.97}
    found = fits(value)
    return dict.fromkeys(found, 1.0 if not isinstance(value, Mapping) else 0.95 if found != ("chat",) else 0.9)


def _is_prompt(value: Any) -> bool:
    """Tell whether a value is a body of Completions: a prompt alone may be a row of data."""
    is_body = isinstance(value, Mapping) and isinstance(value.get("prompt"), str | list)
    return is_body and not OF_PROMPTS.isdisjoint(value) and OF_ROWS.isdisjoint(value)


def _possible(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        if isinstance(value.get("prompt"), Mapping):
            return ("responses",)
        name = next((name for name in _FIELDS if isinstance(value.get(name), str | list | tuple)), None)
        return () if name is None or (name == "messages" and isinstance(value[name], str)) else _HOLDS[name]
    is_list = isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)
    return tuple(MARKS) if is_list else ()


def _of_body(body: Mapping[str, Any]) -> Iterator[str]:
    yield from body
    for name in _FIELDS:
        yield from _of_items(body.get(name))
    system, choice, prompt = body.get("system"), body.get("tool_choice"), body.get("prompt")
    if isinstance(system, str):
        yield "system=text"
    for block in system if isinstance(system, list | tuple) else ():
        yield "system=typed" if isinstance(block, Mapping) and "type" in block else "system=untyped"
    if isinstance(choice, Mapping):
        yield f"choice={choice.get('type')}"
    if isinstance(prompt, Mapping) and "id" in prompt:
        yield "prompt.id"
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list | tuple) else ():
        if isinstance(tool, Mapping) and tool.get("type", "function") not in ("function", "custom"):
            yield "tool=server"
        yield from (f"tool.{name}" for name in tool) if isinstance(tool, Mapping) else ()


def _of_items(items: Any) -> Iterator[str]:
    for item in items if isinstance(items, list | tuple) else ():
        if not isinstance(item, Mapping):
            continue
        yield from (f"item.{name}" for name, value in item.items() if value is not None)
        if item.get("role") == "function":
            yield "item=function"
        if item.get("role") == "tool" and "tool_name" not in item:
            yield "result=unnamed"
        kind = item.get("type")
        if isinstance(kind, str):
            yield "item=call" if kind.endswith(("_call", "_call_output")) else f"item={kind}"
        for block in item["content"] if isinstance(item.get("content"), list | tuple) else ():
            yield from _of_block(block)
        for call in item["tool_calls"] if isinstance(item.get("tool_calls"), list | tuple) else ():
            yield from _of_call(call)


def _of_block(block: Any) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if isinstance(kind, str):
        yield "block=result" if kind.endswith("_tool_result") else f"block={kind}"
    elif isinstance(block, Mapping):
        yield from (f"block.{name}" for name in block)


def _of_call(call: Any) -> Iterator[str]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if isinstance(function, Mapping):
        is_text = isinstance(function.get("arguments"), str) or "type" in call
        yield "call=text" if is_text else "call=object"
