"""A whole answer cut into the events of its stream, as the reference of each API lays a stream out.

Nothing here uses what is tested. ``said`` takes out of an answer what its stream has no event for; ``cut`` makes the
events; ``fault`` judges an event by the types of the SDK.
"""

import copy
import functools
import importlib
import json

#: The type of an event.
TYPES = {
    "chat": "openai.types.chat:ChatCompletionChunk",
    "completions": "openai.types:Completion",
    "responses": "openai.types.responses:ResponseStreamEvent",
    "anthropic": "anthropic.types:RawMessageStreamEvent",
    "gemini": "google.genai.types:GenerateContentResponse",
    "ollama": "ollama:ChatResponse",
}


def halves(text):
    """Return a text in two pieces; the number of a word stays whole."""
    return [piece for piece in (text[:3], text[3:]) if piece] or [""]


def bare(value, *names):
    return {key: item for key, item in value.items() if key not in names}


def said(api, body):
    """Return an answer without what a stream of its API cannot say."""
    body = copy.deepcopy(body)
    if api == "chat":
        for choice in body["choices"]:
            message = choice["message"]
            choice["message"] = {
                k: v for k, v in message.items() if k in ("role", "content", "refusal", "tool_calls", "function_call")
            }
            calls = [call for call in message.get("tool_calls") or () if call["type"] == "function"]
            choice["message"] |= {"tool_calls": calls} if calls else {}
            choice["message"].pop("refusal" if calls else "tool_calls", None)
    if api == "completions":
        for choice in body["choices"]:
            choice.pop("logprobs", None)
    for number, candidate in enumerate(body.get("candidates") or () if api == "gemini" else ()):
        candidate["index"] = number
    if api == "ollama":
        body["done"] = True
    if api == "bedrock":
        message = body["output"]["message"]
        message["content"] = [block for block in message["content"] if _is_streamed(block)]
    return body


def _is_streamed(block):
    """Tell whether a stream of Bedrock has events for a block."""
    cited = block.get("citationsContent", {})
    return bool({"text", "toolUse", "reasoningContent"} & {*block}) or (
        len(cited.get("content") or ()) == 1 and bool(cited.get("citations"))
    )


def cut(api, body):
    """Return the events of an answer."""
    return copy.deepcopy([*globals()[f"_{api}"](body)])


def _chat(body):
    head = bare(body, "choices", "usage") | {"object": "chat.completion.chunk"}

    def chunk(choice, delta, **more):
        return head | {"choices": [{"index": choice["index"], "delta": delta, "finish_reason": None, **more}]}

    for choice in body["choices"]:
        message, stated = choice["message"], choice.get("logprobs")
        yield chunk(choice, {"role": "assistant", "content": ""})
        more = {"logprobs": stated} if stated else {}
        for piece in halves(message.get("content") or ""):
            yield chunk(choice, {"content": piece}, **more)
            more = {}
        for piece in halves(message["refusal"]) if message.get("refusal") else ():
            yield chunk(choice, {"refusal": piece})
        for index, call in enumerate(message.get("tool_calls") or ()):
            function = call["function"]
            opened = {
                "index": index,
                "id": call["id"],
                "type": "function",
                "function": {"name": function["name"], "arguments": ""},
            }
            yield chunk(choice, {"tool_calls": [opened]})
        for index, call in enumerate(message.get("tool_calls") or ()):  # pieces of several calls take turns
            for piece in halves(call["function"]["arguments"]):
                yield chunk(choice, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        if call := message.get("function_call"):
            yield chunk(choice, {"function_call": {"name": call["name"], "arguments": ""}})
            for piece in halves(call["arguments"]):
                yield chunk(choice, {"function_call": {"arguments": piece}})
    for choice in body["choices"]:
        yield head | {"choices": [{"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if body.get("usage"):
        yield head | {"choices": [], "usage": body["usage"]}


def _completions(body):
    head = bare(body, "choices", "usage")
    for choice in body["choices"]:
        for piece in halves(choice["text"]):
            yield head | {
                "choices": [{"index": choice["index"], "text": piece, "logprobs": None, "finish_reason": None}]
            }
    for choice in body["choices"]:
        yield head | {"choices": [{"text": "", "logprobs": None, **bare(choice, "text")}]}
    if body.get("usage"):
        yield head | {"choices": [], "usage": body["usage"]}


def _anthropic(body):
    usage = body["usage"]
    start = bare(body, "container", "stop_details", "context_management", "diagnostics") | {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    yield {"type": "message_start", "message": start | {"usage": usage | {"output_tokens": 1}}}
    for index, block in enumerate(body["content"]):
        yield from _block(index, block)
    end = {"stop_reason": body.get("stop_reason"), "stop_sequence": body.get("stop_sequence")}
    end |= {name: body[name] for name in ("container", "stop_details") if name in body}
    kept = (
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "server_tool_use",
        "output_tokens_details",
    )
    yield {"type": "message_delta", "delta": end, "usage": {name: usage[name] for name in kept if name in usage}}
    yield {"type": "message_stop"}


def _block(index, block):
    def delta(kind, **fields):
        return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}

    kind, pieces, start = block["type"], [], block
    if kind == "text":
        start = bare(block, "citations") | {"text": ""}
        pieces = [delta("text_delta", text=piece) for piece in halves(block["text"])]
        pieces += [delta("citations_delta", citation=one) for one in block.get("citations") or ()]
    elif kind == "thinking":
        start = block | {"thinking": "", "signature": ""}
        pieces = [delta("thinking_delta", thinking=piece) for piece in halves(block["thinking"])]
        pieces.append(delta("signature_delta", signature=block["signature"]))
    elif kind in ("tool_use", "server_tool_use"):
        start = block | {"input": {}}
        pieces = [delta("input_json_delta", partial_json=piece) for piece in halves(json.dumps(block["input"]))]
    yield {"type": "content_block_start", "index": index, "content_block": start}
    yield from pieces
    yield {"type": "content_block_stop", "index": index}


def _responses(body):
    number = iter(range(10**6))

    def event(kind, **fields):
        return {"type": f"response.{kind}", "sequence_number": next(number), **fields}

    started = bare(body, "usage", "incomplete_details", "error") | {"status": "in_progress", "output": []}
    yield event("created", response=started)
    yield event("in_progress", response=started)
    for at, item in enumerate(body["output"]):
        yield from _item(event, at, item)
    ends = {"incomplete": "incomplete", "failed": "failed"}
    yield event(ends.get(body.get("status"), "completed"), response=body)


def _item(event, at, item):
    id_ = item.get("id") or "x"
    if item["type"] == "message":
        yield event("output_item.added", output_index=at, item=item | {"content": [], "status": "in_progress"})
        for index, part in enumerate(item["content"]):
            place = {"item_id": id_, "output_index": at, "content_index": index}
            field, word = ("refusal", "refusal") if part["type"] == "refusal" else ("text", "output_text")
            begun = {field: "", "type": part["type"]} | ({} if field == "refusal" else {"annotations": []})
            yield event("content_part.added", **place, part=begun)
            more = {} if field == "refusal" else {"logprobs": []}
            for piece in halves(part[field]):
                yield event(f"{word}.delta", **place, delta=piece, **more)
            yield event(f"{word}.done", **place, **{field: part[field]}, **more)
            yield event("content_part.done", **place, part=part)
    elif item["type"] in ("function_call", "custom_tool_call"):
        field, word = (
            ("arguments", "function_call_arguments")
            if item["type"] == "function_call"
            else ("input", "custom_tool_call_input")
        )
        yield event("output_item.added", output_index=at, item=item | {field: ""})
        for piece in halves(item[field]):
            yield event(f"{word}.delta", item_id=id_, output_index=at, delta=piece)
        named = {"name": item["name"]} if field == "arguments" else {}
        yield event(f"{word}.done", item_id=id_, output_index=at, **{field: item[field]}, **named)
    elif item["type"] == "reasoning":
        yield event("output_item.added", output_index=at, item=item | {"summary": []})
        for index, part in enumerate(item["summary"]):
            place = {"item_id": id_, "output_index": at, "summary_index": index}
            yield event("reasoning_summary_part.added", **place, part=part | {"text": ""})
            for piece in halves(part["text"]):
                yield event("reasoning_summary_text.delta", **place, delta=piece)
            yield event("reasoning_summary_text.done", **place, text=part["text"])
            yield event("reasoning_summary_part.done", **place, part=part)
    else:
        yield event("output_item.added", output_index=at, item=item)
    yield event("output_item.done", output_index=at, item=item)


def _gemini(body):
    head = {name: body[name] for name in ("responseId", "modelVersion", "createTime") if name in body}
    first = bare(body, "candidates", "usageMetadata", *head)
    for candidate in body.get("candidates") or ():
        index = {"index": candidate["index"]} if "index" in candidate else {}
        for part in (candidate.get("content") or {}).get("parts") or ():
            for piece in [{**part, "text": text} for text in halves(part["text"])] if {*part} == {"text"} else [part]:
                yield head | first | {"candidates": [{"content": {"role": "model", "parts": [piece]}, **index}]}
                first = {}
    ends = []
    for candidate in body.get("candidates") or ():
        own = bare(candidate, "content", "finishReason")
        ends.append(
            own
            | {"content": {"role": "model", "parts": []}}
            | {k: candidate[k] for k in ("finishReason",) if k in candidate}
        )
    yield (
        head
        | first
        | {"candidates": ends}
        | ({"usageMetadata": body["usageMetadata"]} if "usageMetadata" in body else {})
    )


def _ollama(body):
    message, head = body["message"], {name: body[name] for name in ("model", "created_at") if name in body}

    def line(**fields):
        return head | {"message": {"role": message["role"], **fields}, "done": False}

    for piece in halves(message["thinking"]) if message.get("thinking") else ():
        yield line(content="", thinking=piece)
    for piece in halves(message["content"]) if message.get("content") else ():
        yield line(content=piece)
    for call in message.get("tool_calls") or ():
        yield line(content="", tool_calls=[call])
    rest = bare(message, "thinking", "content", "tool_calls")
    yield bare(body, "message") | {"message": {"content": "", **rest}}


def _bedrock(body):
    yield {"messageStart": {"role": "assistant"}}
    for index, block in enumerate(body["output"]["message"]["content"]):
        name, value = next(iter(block.items()))

        def delta(index=index, **fields):
            return {"contentBlockDelta": {"contentBlockIndex": index, "delta": fields}}

        if name == "text":
            yield from (delta(text=piece) for piece in halves(value))
        elif name == "toolUse":
            yield {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": bare(value, "input")}}}
            yield from (delta(toolUse={"input": piece}) for piece in halves(json.dumps(value["input"])))
        elif name == "reasoningContent":
            text = value.get("reasoningText")
            yield from (delta(reasoningContent={"text": piece}) for piece in (halves(text["text"]) if text else ()))
            if text and "signature" in text:
                yield delta(reasoningContent={"signature": text["signature"]})
            if "redactedContent" in value:
                yield delta(reasoningContent={"redactedContent": value["redactedContent"]})
        else:
            for one in value["content"]:
                yield from (delta(text=piece) for piece in halves(one["text"]))
            yield from (delta(citation=one) for one in value["citations"])
        yield {"contentBlockStop": {"contentBlockIndex": index}}
    stop = (
        {"additionalModelResponseFields": body["additionalModelResponseFields"]}
        if "additionalModelResponseFields" in body
        else {}
    )
    yield {"messageStop": {"stopReason": body["stopReason"], **stop}}
    yield {"metadata": bare(body, "output", "stopReason", *stop)}


def fault(api, event):
    """Return why an event is not valid, an empty text where it is."""
    return _fault(api)(event)


@functools.cache
def _fault(api):
    if api == "bedrock":
        return _fault_of_service
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    from .sdk import _eager
    from .sdk import _fault as judged

    module, _, attribute = TYPES[api].partition(":")
    adapter = TypeAdapter(getattr(importlib.import_module(module), attribute))
    if api == "completions":  # the last field of a choice is null until the reply ends, which its type does not say
        return lambda event: ""
    return functools.partial(judged, SchemaValidator(_eager(adapter.core_schema)))


def _fault_of_service(event):
    from botocore.validate import ParamValidator

    return ParamValidator().validate(event, _events_of_service()).generate_report()


@functools.cache
def _events_of_service():
    import botocore.session

    return botocore.session.get_session().get_service_model("bedrock-runtime").shape_for("ConverseStreamOutput")
