"""What Gemini nests, laid out: tools in one list, results as contents, every call with an id.

:func:`unfold` lays a body out so that tables can read it, and notes under ``how`` what is not the
rule; :func:`fold` is its inverse. Calls and results without ids are linked by name and order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from ...errors import FormatError
from ..fields import NOTE, OBJECT
from ..order import Links
from ..values import object_of
from .schemas import gemini_schema, json_schema

#: The note of an object that says what of it is not the rule.
HOW: Final = f"{NOTE}how"
#: What a configuration says the response is, where the neutral model has a word for it.
TYPE: Final = f"{NOTE}type"
#: The note of a body that says how its functions are grouped.
GROUPS: Final = f"{NOTE}groups"
_SCHEMAS: Final = {"parameters": "parametersJsonSchema", "responseSchema": "responseJsonSchema"}
_FORMATS: Final = ("responseSchema", "responseJsonSchema", "responseMimeType")
_LINKED: Final = frozenset({"functionCall", "functionResponse"})
_FUNCTIONS: Final = "functionDeclarations"


def unfold(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body laid out. Raises FormatError with a path."""
    found = dict(body)
    contents = found.get("contents")
    if isinstance(contents, str):
        contents = [{"parts": [{"text": contents}], HOW: {"string": True}}]
    if not isinstance(contents, list | tuple):
        raise FormatError("contents are a list", path="$.contents")
    links = Links(_ids(contents))
    found["contents"] = [_unfold_content(one, f"$.contents[{i}]", links) for i, one in enumerate(contents)]
    if isinstance(found.get("generationConfig"), Mapping):
        found["generationConfig"] = _unfold_format(found["generationConfig"])
    if isinstance(found.get("tools"), list | tuple):
        found |= _unfold_tools(found["tools"])
    return found


def fold(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as Gemini has it."""
    found, links = dict(body), Links()
    groups = found.pop(GROUPS, None)
    found["contents"] = [_fold_content(content, links) for content in found["contents"]]
    if len(body["contents"]) == 1 and body["contents"][0].get(HOW, {}).get("string"):
        found["contents"] = found["contents"][0]["parts"][0]["text"]
    if "generationConfig" in found:
        found["generationConfig"] = _fold_format(_fold_schema(found["generationConfig"]))
    if "tools" in found:
        found["tools"] = _fold_tools(found["tools"], iter(groups["sizes"] if groups else ()))
    return found


def path_folder(body: Mapping[str, Any]) -> Callable[[str], str]:
    """Return the function that gives a path of an unfolded body as that of the folded one."""
    tools = body.get("tools")
    places = [place for place, _ in _tools(tools)] if isinstance(tools, list | tuple) else []
    given = body.get("generationConfig")
    config: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    schema = next((name for name in _FORMATS if config.get(name)), _FORMATS[-1])

    def place(path: str) -> str:
        if path == "$.generationConfig" and str(config.get("responseMimeType")).startswith("application/"):
            return f"{path}.{schema}"
        if tool := re.match(r"\$\.tools\[(\d+)\]", path):
            return places[int(tool[1])] + path[tool.end() :]
        path = path.replace(f"$.generationConfig.{TYPE}", "$.generationConfig.responseMimeType")
        if "responseSchema" in config:
            path = path.replace("$.generationConfig.responseJsonSchema", "$.generationConfig.responseSchema")
        path = path.replace("functionResponse.error", "functionResponse.response")
        path = path.replace("functionResponse.content[0].text", "functionResponse.response")
        return re.sub(r"functionResponse\.content\[(\d+)\]", _media_path, path)

    return place


def _media_path(found: re.Match[str]) -> str:
    return f"functionResponse.parts[{max(int(found[1]) - 1, 0)}]"


# contents ----------------------------------------------------------------------------------------


def _ids(contents: Any) -> Iterator[str]:
    lists = (one.get("parts") for one in contents if isinstance(one, Mapping))
    for part in (part for parts in lists if isinstance(parts, list | tuple) for part in parts):
        for kind in () if type(part) is dict and _LINKED.isdisjoint(part) else ("functionCall", "functionResponse"):
            value = part.get(kind) if isinstance(part, Mapping) else None
            if isinstance(value, Mapping) and isinstance(value.get("id"), str):
                yield value["id"]


def _unfold_content(content: Any, path: str, links: Links) -> Any:
    if not isinstance(content, OBJECT):
        raise FormatError("a content is an object", path=path)
    if content.get("role") in ("user", "model") and HOW not in content and _is_said(content.get("parts")):
        return content
    found, how = dict(content), dict(content.get(HOW, {}))
    parts = found.get("parts")
    if parts is None:
        how["parts"] = found.get("parts", "absent")
    elif not isinstance(parts, list | tuple) or not all(isinstance(part, Mapping) for part in parts):
        raise FormatError("a content has a list of parts", path=f"{path}.parts")
    has_results = any(isinstance(part.get("functionResponse"), Mapping) for part in parts or ())
    if found.get("role") in (None, "function") or (has_results and found["role"] == "model"):
        how["role"], found["role"] = found.get("role", "absent"), "user"
    found["parts"] = [_unfold_part(part, links) for part in parts or ()]
    return {**found, HOW: how} if how else found


def _is_said(parts: Any) -> bool:
    """Tell whether parts hold neither a call nor a result."""
    return type(parts) is list and all(type(part) is dict and _LINKED.isdisjoint(part) for part in parts)


def _fold_content(content: dict[str, Any], links: Links) -> dict[str, Any]:
    if HOW not in content and not any(part.keys() & _LINKED for part in content["parts"]):
        return content
    found = {name: value for name, value in content.items() if name != HOW}
    found["parts"] = [_fold_part(part, links) for part in found["parts"]]
    how = content.get(HOW, {})
    return _restored(found, {name: how[name] for name in ("role", "parts") if name in how and not _says(found, name)})


def _says(content: Mapping[str, Any], name: str) -> bool:
    return name == "parts" and bool(content["parts"])


def _restored(found: dict[str, Any], was: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with fields as they were before they were filled."""
    for name, value in was.items():
        found[name] = value
        if value == "absent":
            del found[name]
    return found


def _unfold_part(part: Mapping[str, Any], links: Links) -> Mapping[str, Any]:
    if isinstance(part.get("functionCall"), Mapping):
        return {**part, "functionCall": _unfold_call(part["functionCall"], links)}
    if isinstance(part.get("functionResponse"), Mapping):
        return {**part, "functionResponse": _unfold_result(part["functionResponse"], links)}
    return part


def _fold_part(part: dict[str, Any], links: Links) -> dict[str, Any]:
    if isinstance(call := part.get("functionCall"), dict):
        links.call(str(call.get("name")), call.get("id"))
        return {**part, "functionCall": _unmade(call)}
    if isinstance(result := part.get("functionResponse"), dict):
        return {**part, "functionResponse": _fold_result(result, links)}
    return part


def _made(value: Mapping[str, Any], id_: str, how: dict[str, Any]) -> dict[str, Any]:
    """Return a call or result with its id; ``how`` says whether it had one."""
    if not value.get("id"):
        how |= {"made": id_, "id": value.get("id", "absent")}
    return {**value, "id": id_, **({HOW: how} if how else {})}


def _unmade(value: dict[str, Any]) -> dict[str, Any]:
    """Return a call or result without what was made for it."""
    found, how = {name: item for name, item in value.items() if name != HOW}, value.get(HOW, {})
    was = {name: how[name] for name in ("id", "args", "name", "response") if name in how}
    if found.get("id") != how.get("made"):
        was.pop("id", None)
    return _restored(found, {name: item for name, item in was.items() if name == "id" or not found.get(name)})


def _unfold_call(call: Mapping[str, Any], links: Links) -> dict[str, Any]:
    how = {} if call.get("args") is not None else {"args": call.get("args", "absent")}
    id_ = links.call(str(call.get("name")), call.get("id") or None)
    return _made({**call, "args": call.get("args") or {}}, id_, how)


def _unfold_result(result: Mapping[str, Any], links: Links) -> dict[str, Any]:
    name = result.get("name")
    id_ = links.result(name if isinstance(name, str) else None, result.get("id") or None)
    rest = {key: value for key, value in result.items() if key not in ("response", "parts", "name")}
    content, how = _texts(result)
    if result.get("parts"):
        content += result["parts"]
    elif "parts" in result:
        rest["parts"] = result["parts"]
    if how.get("key") == "error":
        rest["error"] = True
        del how["key"]
    if name is None:
        how["name"] = result.get("name", "absent")
    elif (links.name(id_) or id_) != name:
        rest["name"] = name
    return {**_made(rest, id_, how), "content": content}


def _texts(result: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the texts of a response, and what fold has to know to write it again."""
    response = result.get("response")
    if response is None:
        return [], {"response": result.get("response", "absent")}
    if isinstance(response, Mapping) and len(response) == 1:
        ((key, value),) = response.items()
        if key in ("result", "output", "error") and isinstance(value, str):
            return [{"text": value}], {} if key == "result" else {"key": key}
        if key == "result" and isinstance(value, list) and len(value) > 1 and all(isinstance(v, str) for v in value):
            return [{"text": text} for text in value], {}
    return [{"text": json.dumps(response, ensure_ascii=False)}], {"key": "json"}


def _fold_result(result: dict[str, Any], links: Links) -> dict[str, Any]:
    content, is_error, how = result.get("content", ()), result.get("error"), result.get(HOW, {})
    found = {name: value for name, value in result.items() if name not in ("content", "error")}
    if "name" not in how:
        found.setdefault("name", links.name(found["id"]) or found["id"])
    texts = [part["text"] for part in content if part.keys() == {"text"}]
    media = [part for part in content if part.keys() != {"text"}]
    if texts or "response" not in how:
        found["response"] = _response(texts, "error" if is_error else how.get("key", "result"))
    return _unmade(found | ({"parts": media} if media else {}))


def _response(texts: list[str], key: str) -> dict[str, Any]:
    if key == "json" and (found := object_of("".join(texts))) is not None:
        return found
    return {"result" if key == "json" else key: texts if len(texts) > 1 else "".join(texts)}


# tools and schemas -------------------------------------------------------------------------------


def _tools(tools: Any) -> Iterator[tuple[str, Any]]:
    """Yield the functions one by one, and what else there is, with their places."""
    for index, tool in enumerate(tools):
        path = f"$.tools[{index}]"
        functions: Any = tool.get(_FUNCTIONS) if isinstance(tool, Mapping) else None
        is_group = functions and isinstance(functions, list | tuple)
        if not is_group or not all(isinstance(one, Mapping) and "name" in one for one in functions):
            yield path, tool
            continue
        for at, function in enumerate(functions):
            yield f"{path}.{_FUNCTIONS}[{at}]", function
        for name, value in tool.items():
            if name != _FUNCTIONS:
                yield f"{path}.{name}", {name: value, _FUNCTIONS: len(functions)}


def _unfold_tools(tools: Any) -> dict[str, Any]:
    """Lay functions out in one list with the other tools; the sizes of neighbouring groups are noted."""
    groups = [tool.get(_FUNCTIONS) if isinstance(tool, Mapping) else None for tool in tools]
    sizes = [len(group) if isinstance(group, list | tuple) else 0 for group in groups]
    found: dict[str, Any] = {"tools": [_unfold_schema(tool, "parameters") for _, tool in _tools(tools)]}
    if any(one and two for one, two in pairwise(sizes)):
        found[GROUPS] = {"sizes": [size for size in sizes if size]}
    return found


def _fold_tools(tools: list[Any], sizes: Iterator[int]) -> list[Any]:
    found: list[Any] = []
    left = 0
    for tool in tools:
        if "name" in tool:
            if not (left and found and found[-1].keys() == {_FUNCTIONS}):
                found.append({_FUNCTIONS: []})
                left = next(sizes, len(tools))
            found[-1][_FUNCTIONS].append(_fold_schema(tool))
            left -= 1
        elif isinstance(tool.get(_FUNCTIONS), int) and found:
            found[-1] |= {name: value for name, value in tool.items() if name != _FUNCTIONS}
        else:
            found.append(tool)
    return found


def _unfold_schema(value: Any, name: str) -> Any:
    """Return an object whose schema is a JSON Schema, where it can be one."""
    schema = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(schema, Mapping) or value.get(_SCHEMAS[name]) is not None:
        return value
    found = json_schema(schema)
    if found != schema and gemini_schema(found) != schema:
        return value
    rest = {key: item for key, item in value.items() if key not in (name, _SCHEMAS[name])}
    return {**rest, _SCHEMAS[name]: found, HOW: {"schema": name, "same": found == schema}}


def _unfold_format(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a configuration that says the type of the response in the words of the neutral model."""
    found = _unfold_schema(config, "responseSchema")
    is_schema = isinstance(found.get("responseJsonSchema"), Mapping)
    kind = {"application/json": "json_schema" if is_schema else "json_object", "text/plain": "text"}
    if (wanted := kind.get(str(found.get("responseMimeType")))) is None or (wanted == "text" and is_schema):
        return config
    return {**{name: value for name, value in found.items() if name != "responseMimeType"}, TYPE: wanted}


def _fold_format(config: dict[str, Any]) -> dict[str, Any]:
    if (wanted := config.pop(TYPE, None)) is not None:
        config["responseMimeType"] = "text/plain" if wanted == "text" else "application/json"
    return config


def _fold_schema(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: item for name, item in value.items() if name != HOW}
    name = value.get(HOW, {}).get("schema")
    if name and _SCHEMAS[name] in found:
        schema = found.pop(_SCHEMAS[name])
        found[name] = schema if value[HOW]["same"] else gemini_schema(schema)
    return found
