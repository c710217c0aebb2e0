"""One small request per feature and API: what a table of conversions shows, and inputs of the laws.

The same feature has the same name in every API that has it. A body is the plain one with the
fields of the feature put over it.
"""

from typing import Any

PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjQK"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*parts]}


def assistant(*parts: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [*parts]}


# Chat ------------------------------------------------------------------------------------------------

_FUNCTION = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": SCHEMA}}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
_RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "seen"}
_ASK = {"role": "user", "content": "Look!"}
CHAT = {
    "plain text": {"model": "m", "max_completion_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]},
    "system text": {"messages": [{"role": "system", "content": "Be brief."}, _ASK]},
    "several turns": {
        "messages": [_ASK, {"role": "assistant", "content": "Where?"}, {"role": "user", "content": "There."}]
    },
    "name of a speaker": {"messages": [{"role": "user", "name": "ann", "content": "Hi"}]},
    "image as bytes": {"messages": [user({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}})]},
    "image by address": {"messages": [user({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})]},
    "document as bytes": {
        "messages": [
            user({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}),
        ]
    },
    "audio": {"messages": [user({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})]},
    "tools": {"tools": [_FUNCTION]},
    "strict tools": {"tools": [{"type": "function", "function": {**_FUNCTION["function"], "strict": True}}]},
    "tool choice": {"tools": [_FUNCTION], "tool_choice": {"type": "function", "function": {"name": "look"}}},
    "calls and results": {"messages": [_ASK, {"role": "assistant", "content": None, "tool_calls": [_CALL]}, _RESULT]},
    "reasoning text": {"messages": [_ASK, {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}, _ASK]},
    "JSON schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "r", "schema": SCHEMA}}},
    "temperature": {"temperature": 0.5},
    "stop texts": {"stop": ["END"]},
    "reasoning effort": {"reasoning_effort": "low"},
    "seed": {"seed": 7},
    "several replies": {"n": 2},
    "open assistant text": {"messages": [_ASK, {"role": "assistant", "content": "It is"}]},
}

# Anthropic -------------------------------------------------------------------------------------------

_TOOL = {"name": "look", "description": "Looks.", "input_schema": SCHEMA}
_USE = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"a": 1}}
_TEXT = {"type": "text", "text": "Look!"}
_SEEN = {"type": "tool_result", "tool_use_id": "call_1", "content": "seen"}
_PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
ANTHROPIC = {
    "plain text": {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]},
    "system text": {"system": "Be brief."},
    "several turns": {"messages": [user(_TEXT), assistant(_TEXT), user(_TEXT)]},
    "image as bytes": {"messages": [user(_PICTURE)]},
    "image by address": {
        "messages": [user({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}})]
    },
    "document as bytes": {
        "messages": [
            user(
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                    "title": "a",
                }
            ),
        ]
    },
    "tools": {"tools": [_TOOL]},
    "strict tools": {"tools": [{**_TOOL, "strict": True}]},
    "server tools": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]},
    "tool choice": {"tools": [_TOOL], "tool_choice": {"type": "tool", "name": "look"}},
    "calls and results": {"messages": [user(_TEXT), assistant(_USE), user(_SEEN)]},
    "image in a result": {"messages": [user(_TEXT), assistant(_USE), user({**_SEEN, "content": [_PICTURE]})]},
    "error of a result": {"messages": [user(_TEXT), assistant(_USE), user({**_SEEN, "is_error": True})]},
    "text between calls": {"messages": [user(_TEXT), assistant(_USE, _TEXT), user(_SEEN)]},
    "signed reasoning": {
        "messages": [
            user(_TEXT),
            assistant({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, _TEXT),
            user(_TEXT),
        ]
    },
    "cache marks": {"messages": [user({**_TEXT, "cache_control": {"type": "ephemeral", "ttl": "1h"}})]},
    "JSON schema": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "temperature": {"temperature": 0.5},
    "stop texts": {"stop_sequences": ["END"]},
    "open assistant text": {"messages": [user(_TEXT), {"role": "assistant", "content": "It is"}]},
}

# Gemini ----------------------------------------------------------------------------------------------


def _turn(role: str, *parts: Any) -> dict[str, Any]:
    return {"role": role, "parts": [*parts]}


_LOOK = {"text": "Look!"}
_ASKED = {"functionCall": {"name": "look", "args": {"a": 1}}}
_ANSWER = {"functionResponse": {"name": "look", "response": {"result": "seen"}}}
_DECLARED = [{"functionDeclarations": [{"name": "look", "description": "Looks.", "parametersJsonSchema": SCHEMA}]}]
GEMINI = {
    "plain text": {"contents": [_turn("user", {"text": "Hi"})]},
    "system text": {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
    "several turns": {"contents": [_turn("user", _LOOK), _turn("model", _LOOK), _turn("user", _LOOK)]},
    "image as bytes": {"contents": [_turn("user", {"inlineData": {"mimeType": "image/png", "data": PNG}})]},
    "image by address": {
        "contents": [_turn("user", {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}})]
    },
    "document as bytes": {"contents": [_turn("user", {"inlineData": {"mimeType": "application/pdf", "data": PDF}})]},
    "audio": {"contents": [_turn("user", {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}})]},
    "tools": {"tools": _DECLARED},
    "server tools": {"tools": [{"googleSearch": {}}]},
    "tool choice": {
        "tools": _DECLARED,
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
    },
    "calls and results": {"contents": [_turn("user", _LOOK), _turn("model", _ASKED), _turn("user", _ANSWER)]},
    "signed reasoning": {
        "contents": [
            _turn("user", _LOOK),
            _turn("model", {**_ASKED, "thoughtSignature": "c2ln"}),
            _turn("user", _ANSWER),
        ]
    },
    "JSON schema": {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}},
    "temperature": {"generationConfig": {"temperature": 0.5}},
    "stop texts": {"generationConfig": {"stopSequences": ["END"]}},
    "seed": {"generationConfig": {"seed": 7}},
    "several replies": {"generationConfig": {"candidateCount": 2}},
    "open assistant text": {"contents": [_turn("user", _LOOK), _turn("model", {"text": "It is"})]},
}

# Bedrock ---------------------------------------------------------------------------------------------

_SPEC = {"toolSpec": {"name": "look", "description": "Looks.", "inputSchema": {"json": SCHEMA}}}
_TOOL_USE = {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"a": 1}}}
_IMAGE = {"image": {"format": "png", "source": {"bytes": PNG}}}


def _outcome(**more: Any) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": "call_1", "content": [{"text": "seen"}], **more}}


BEDROCK = {
    "plain text": {"modelId": "m", "messages": [user({"text": "Hi"})]},
    "system text": {"system": [{"text": "Be brief."}]},
    "several turns": {"messages": [user(_LOOK), assistant(_LOOK), user(_LOOK)]},
    "image as bytes": {"messages": [user(_IMAGE)]},
    "document as bytes": {
        "messages": [user({"document": {"format": "pdf", "name": "a", "source": {"bytes": PDF}}}, _LOOK)]
    },
    "tools": {"toolConfig": {"tools": [_SPEC]}},
    "strict tools": {"toolConfig": {"tools": [{"toolSpec": {**_SPEC["toolSpec"], "strict": True}}]}},
    "tool choice": {"toolConfig": {"tools": [_SPEC], "toolChoice": {"tool": {"name": "look"}}}},
    "calls and results": {"messages": [user(_LOOK), assistant(_TOOL_USE), user(_outcome())]},
    "image in a result": {"messages": [user(_LOOK), assistant(_TOOL_USE), user(_outcome(content=[_IMAGE]))]},
    "error of a result": {"messages": [user(_LOOK), assistant(_TOOL_USE), user(_outcome(status="error"))]},
    "text between calls": {"messages": [user(_LOOK), assistant(_TOOL_USE, _LOOK), user(_outcome())]},
    "signed reasoning": {
        "messages": [
            user(_LOOK),
            assistant({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}, _LOOK),
            user(_LOOK),
        ]
    },
    "cache marks": {"messages": [user(_LOOK, {"cachePoint": {"type": "default"}})]},
    "JSON schema": {
        "outputConfig": {
            "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type": "object"}'}}}
        }
    },
    "temperature": {"inferenceConfig": {"temperature": 0.5}},
    "stop texts": {"inferenceConfig": {"stopSequences": ["END"]}},
    "open assistant text": {"messages": [user(_LOOK), assistant({"text": "It is"})]},
}

# Responses -------------------------------------------------------------------------------------------

_ITEM = {"type": "message", "role": "user", "content": "Look!"}
_CALLED = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"a": 1}'}
_OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}
_WISHED = {"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA, "strict": False}


def _said(part: Any) -> list[Any]:
    return [{"type": "message", "role": "user", "content": [part]}]


RESPONSES = {
    "plain text": {"model": "m", "input": "Hi"},
    "system text": {"instructions": "Be brief."},
    "several turns": {"input": [_ITEM, {"type": "message", "role": "assistant", "content": "Where?"}, _ITEM]},
    "image as bytes": {
        "input": _said({"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"})
    },
    "image by address": {
        "input": _said({"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"})
    },
    "document as bytes": {
        "input": _said({"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"})
    },
    "tools": {"tools": [_WISHED]},
    "strict tools": {"tools": [{**_WISHED, "strict": True}]},
    "server tools": {"tools": [{"type": "web_search"}]},
    "tool choice": {"tools": [_WISHED], "tool_choice": {"type": "function", "name": "look"}},
    "calls and results": {"input": [_ITEM, _CALLED, _OUTPUT]},
    "image in a result": {
        "input": [
            _ITEM,
            _CALLED,
            {
                **_OUTPUT,
                "output": [{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}],
            },
        ]
    },
    "text between calls": {
        "input": [_ITEM, _CALLED, {"type": "message", "role": "assistant", "content": "Yes."}, _OUTPUT]
    },
    "signed reasoning": {
        "input": [
            _ITEM,
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2ln"},
            _CALLED,
            _OUTPUT,
        ]
    },
    "JSON schema": {"text": {"format": {"type": "json_schema", "name": "r", "schema": SCHEMA}}},
    "temperature": {"temperature": 0.5},
    "reasoning effort": {"reasoning": {"effort": "low"}},
    "stored state": {"previous_response_id": "resp_1"},
}

# Ollama ----------------------------------------------------------------------------------------------

_OLLAMA_CALL = {"function": {"name": "look", "arguments": {"a": 1}}}
OLLAMA = {
    "plain text": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "system text": {"messages": [{"role": "system", "content": "Be brief."}, _ASK]},
    "several turns": {
        "messages": [_ASK, {"role": "assistant", "content": "Where?"}, {"role": "user", "content": "There."}]
    },
    "image as bytes": {"messages": [{"role": "user", "content": "Look!", "images": [PNG]}]},
    "tools": {"tools": [_FUNCTION]},
    "calls and results": {
        "messages": [
            _ASK,
            {"role": "assistant", "content": "", "tool_calls": [_OLLAMA_CALL]},
            {"role": "tool", "tool_name": "look", "content": "seen"},
        ]
    },
    "reasoning text": {"messages": [_ASK, {"role": "assistant", "content": "Yes.", "thinking": "Hm."}, _ASK]},
    "JSON schema": {"format": SCHEMA},
    "temperature": {"options": {"temperature": 0.5}},
    "stop texts": {"options": {"stop": ["END"]}},
    "seed": {"options": {"seed": 7}},
    "reasoning effort": {"think": "low"},
    "open assistant text": {"messages": [_ASK, {"role": "assistant", "content": "It is"}]},
}

COMPLETIONS = {
    "plain text": {"model": "m", "max_tokens": 99, "prompt": "Hi"},
    "temperature": {"temperature": 0.5},
    "stop texts": {"stop": ["END"]},
    "seed": {"seed": 7},
    "several replies": {"n": 2},
}

_ALL = {
    "anthropic": ANTHROPIC, "bedrock": BEDROCK, "chat": CHAT, "completions": COMPLETIONS, "gemini": GEMINI,
    "ollama": OLLAMA, "responses": RESPONSES,
}  # fmt: skip
#: Per API and feature the whole body.
FEATURES = {
    api: {name: {**bodies["plain text"], **body} for name, body in bodies.items()} for api, bodies in _ALL.items()
}
