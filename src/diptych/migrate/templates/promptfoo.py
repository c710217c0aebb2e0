"""promptfoo's prompts: lists of messages in JSON or YAML, texts between lines of ``---``, and its configuration.

========================================  ==================================================
``[{"role": …, "content": …}]``           messages; the list is parsed first, then each text
                                          is filled in (``renderVarsInObject``)
``"content": {{ name | dump }}``          the value of ``name``, as the text that it is
parts ``text``, ``image_url``, ``image``   text and ``{% image … %}``
texts between lines of ``---``            a template each; ambiguous where the file is not
                                          named as promptfoo's
``prompts:`` of a configuration           a template each; those in other files are refused
                                          with their names
Nunjucks                                  Jinja, by :mod:`.nunjucks`
``{name}``, ``$name``                     text; ambiguous, for other tools fill these in
``{% for %}``, ``{% if %}`` around        the same around messages; a loop that writes roles and
messages                                  contents of data, or ``{{ messages | dump }}``, is
                                          ``{% history … %}``
other fields of a message                 lost
========================================  ==================================================

A value that is not a text prints as Jinja prints it; Nunjucks prints lists and objects another way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from .draft import Draft
from .holes import ended
from .jinja import plain_renderer, write_message
from .meaning import HISTORY
from .model import Layout, Source
from .nunjucks import pieces_of_nunjucks
from .pieces import write

_FOREIGN: Final = re.compile(r"(?<!\{)\{[A-Za-z_]\w*\}(?!\})|\$\{?[A-Za-z_]\w*")
_DUMPED: Final = re.compile(r"\{\{-?\s*([A-Za-z_][\w.]*)\s*\|\s*dump\s*-?\}\}")
_TAG: Final = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_EACH: Final = re.compile(r"\{%-?\s*for\s+(\w+)\s+in\s+(\w+)\s*-?%\}")
_SINGLE: Final = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}")
_RULE: Final = re.compile(r"^[ \t]*---[ \t]*$", re.M)
#: What stands for a dumped value while the list is parsed.
_MARK: Final = "\ue000{}\ue001"
_FILE: Final = re.compile(
    r"^(?:file|exec|https?)://|^[^\s{}]*[\w*]\.(?:txt|json|ya?ml|md|j2|jinja|jsonl?|csv|py|js|ts|mjs|cjs)(?::\w+)?$"
)


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a list of messages. Raises MigrationError."""
    messages = _messages(source, draft)
    if not messages:
        raise draft.refuse("the file holds no list of messages")
    _fill(messages, "$", draft)


def read_all(source: Source) -> tuple[list[Draft], list[MigrationError]]:
    """Return a draft for each prompt of a configuration, or of a text with lines of ``---``."""
    drafts: list[Draft] = []
    refusals: list[MigrationError] = []
    for name, prompt, path in _prompts(source):
        draft = Draft(source.filename, name)
        try:
            _read_prompt(prompt, path, draft)
            if not source.is_named and path == "":
                draft.doubt("a line of --- is between two prompts for promptfoo, and text for other tools")
            drafts.append(draft)
        except MigrationError as error:
            error.message = f"{name}: {error.message}" if name else error.message
            refusals.append(error)
    return drafts, refusals


def _prompts(source: Source) -> list[tuple[str, Any, str]]:
    """Return names, prompts and paths."""
    if source.name.endswith((".yaml", ".yml", ".json")):
        value = source.value
        if isinstance(value, list):
            return [("", value, "$")]
        prompts = source.object().get("prompts")
        listed = prompts if isinstance(prompts, list) else [prompts]
        return [(_name(prompt, index), prompt, f"$.prompts[{index}]") for index, prompt in enumerate(listed)]
    parts = [part.strip() for part in _RULE.split(source.text)]
    return [(f"prompt_{index + 1}", part, "") for index, part in enumerate(filter(None, parts))]


def _name(prompt: Any, index: int) -> str:
    label = (prompt.get("label") or prompt.get("id")) if isinstance(prompt, Mapping) else None
    slug = re.sub(r"[^\w-]+", "_", str(label or "")).strip("_")
    return slug if slug and "://" not in str(label) else f"prompt_{index + 1}"


def _read_prompt(prompt: Any, path: str, draft: Draft) -> None:
    if isinstance(prompt, Mapping):
        draft.text_field("description", prompt.get("label"))
        draft.drop(prompt, ("raw", "label", "id", "display"), path)
        prompt = prompt.get("raw", prompt.get("id"))
    if isinstance(prompt, list):
        _fill(prompt, path, draft)
        return
    if not isinstance(prompt, str) or not prompt.strip():
        raise draft.refuse("there is no prompt", path)
    if _FILE.match(prompt.strip()) and "\n" not in prompt.strip():
        raise draft.refuse(f"the prompt stands in {prompt.strip()[:80]}", path, hint="migrate that file")
    messages = _listed(prompt)
    if messages is not None:
        _fill(messages, path or "$", draft)
        return
    draft.prompt(ended(_jinja(prompt, path, draft)))
    body = _without_dump(prompt)
    draft.meaning = lambda inputs: [("user", plain_renderer(body)(inputs))]


def _messages(source: Source, draft: Draft) -> list[Any]:
    """Return the messages of a file; tags between them are texts, a value that is dumped is a mark in them."""
    if source.name.endswith(".json") and re.search(r"\{\{|\{%", source.text):
        listed = _listed(source.text)
        if listed is None and (found := _TAG.search(source.text)):
            line = source.text.count("\n", 0, found.start()) + 1
            raise draft.refuse(
                "a list that is made by tags in this way cannot be migrated", line, hint="pass a history"
            )
        return listed or []
    value = source.value if source.name.endswith((".json", ".yaml", ".yml")) else None
    return value if isinstance(value, list) and all(map(_is_message, value)) else []


def _listed(text: str) -> list[Any] | None:
    """Return the messages of a text that is a list in JSON once it is filled in, None where it is none."""
    text = text.strip()
    if whole := _DUMPED.fullmatch(text):
        return [{"type": "history", "name": whole[1]}]
    text = _DUMPED.sub(lambda found: json.dumps(_MARK.format(found[1])), text)
    found: list[Any] = []
    at = 1
    while text.startswith("["):
        at += len(re.match(r"[\s,]*", text[at:])[0])  # type: ignore[index]
        if text[at:] == "]":
            return found if any(map(_is_message, found)) else None
        if tag := _TAG.match(text, at):
            found.append(tag[0])
            at = tag.end()
            continue
        try:
            value, at = json.JSONDecoder().raw_decode(text, at)
        except ValueError:
            return None
        found.append(value)
    return None


def _with_histories(messages: list[Any]) -> list[Any]:
    """Return messages in which a loop that writes the roles and contents of data is a history."""
    found: list[Any] = []
    for item in messages:
        is_end = isinstance(item, str) and re.fullmatch(r"\{%-?\s*endif\s*-?%\}", item)
        if is_end and found and isinstance(found[-1], str) and re.match(r"\{%-?\s*if\b", found[-1]):
            found.pop()  # it stood around a comma
            continue
        found.append(item)
        loop, body, end = found[-3:] if len(found) > 2 else (None, None, None)
        each = _EACH.fullmatch(loop) if isinstance(loop, str) else None
        if each and isinstance(body, Mapping) and isinstance(end, str) and re.fullmatch(r"\{%-?\s*endfor\s*-?%\}", end):
            role, content = (re.sub(r"[{}\s\ue000\ue001]", "", str(body.get(key))) for key in ("role", "content"))
            if (role, content) == (f"{each[1]}.role", f"{each[1]}.content"):
                found[-3:] = [{"type": "history", "name": each[2]}]
    return found


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and {"role", "content"} <= value.keys()


def _fill(messages: list[Any], path: str, draft: Draft) -> None:
    said: list[tuple[str, str | None]] = []
    for index, message in enumerate(_with_histories(messages)):
        place = f"{path}[{index}]"
        if isinstance(message, str):
            draft.raw(write(pieces_of_nunjucks(message, draft, place)) + "\n")
            said.append(("", None))
            continue
        if isinstance(message, Mapping) and message.get("type") == "history":
            draft.history(str(message["name"]))
            said.append((HISTORY, str(message["name"])))
            continue
        if not _is_message(message):
            raise draft.refuse("a message is not an object with role and content", place)
        draft.drop(message, ("role", "content"), place)
        role = draft.role(message["role"], f"{place}.role")
        content = message["content"]
        write_message(role, _content(content, f"{place}.content", draft), draft, path)
        said.append((role, _shown(content)))
    if all(text is not None for _, text in said):
        draft.meaning = lambda inputs: [(role, plain_renderer(text or "")(inputs).strip("\n")) for role, text in said]


def _shown(content: Any) -> str | None:
    """Return a text as Jinja's own engine takes it, None for parts."""
    if not isinstance(content, str):
        return None
    return re.sub("\ue000([\\w.]+)\ue001", r"{{ \1 }}", _without_dump(content))


def _without_dump(text: str) -> str:
    text = re.sub(r"\|\s*dump\b", "|tojson", text).replace("===", "==").replace("!==", "!=")
    return re.sub(r"\{%(-?)\s*elseif\b", r"{%\1 elif", text)


def _content(content: Any, place: str, draft: Draft) -> str:
    if isinstance(content, str):
        if found := _FOREIGN.search(content):
            draft.doubt(f"{draft.filename}: {place}: {found[0]} is text for promptfoo and a hole for other tools")
        return _jinja(content, place, draft)
    parts = content if isinstance(content, list) else [content]
    return "".join(_part(part, f"{place}[{index}]", draft) for index, part in enumerate(parts))


def _part(part: Any, place: str, draft: Draft) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return _jinja(part["text"], f"{place}.text", draft)
    address = _address(part) if isinstance(part, Mapping) else None
    if address is not None:
        head, found = address.rpartition(",")[0], _SINGLE.fullmatch(address.rpartition(",")[2].strip())
        if found and "{{" not in head:
            name = draft.input_name(found[1])
            return f"{{% image {f'{head},'!r} ~ {name} %}}" if head else f"{{% image {name} %}}"
        if "{{" not in address and "{%" not in address:
            return f"{{% image {address!r} %}}"
    raise draft.refuse("a message whose content is not text cannot be migrated", place)


def _address(part: Mapping[str, Any]) -> str | None:
    """Return the address of a picture of OpenAI's or Anthropic's, None for another part."""
    image, source = part.get("image_url"), part.get("source")
    url = image.get("url") if isinstance(image, Mapping) else image
    if part.get("type") == "image" and isinstance(source, Mapping):
        data = source.get("data")
        is_inline = source.get("type") == "base64" and isinstance(data, str)
        url = f"data:{source.get('media_type', 'image/png')};base64,{data}" if is_inline else source.get("url")
    return url if isinstance(url, str) else None


def _jinja(text: str, place: str, draft: Draft) -> str:
    text = re.sub("\ue000([\\w.]+)\ue001", r"{{ \1 }}", text)
    return write(pieces_of_nunjucks(text, draft, place))


def _is_config(source: Source) -> bool:
    value = source.keys
    return bool(value.get("prompts")) and bool(value.keys() & {"providers", "tests", "defaultTest", "targets"})


def _is_several(source: Source) -> bool:
    return source.name.endswith((".txt", ".md")) or source.name.endswith((".yaml", ".yml")) or _is_config(source)


def _is_likely(source: Source) -> bool:
    if source.name.endswith(".txt"):
        parts = list(filter(str.strip, _RULE.split(source.text)))
        return len(parts) > 1 and all(_SINGLE.search(part) for part in parts)
    if source.name.endswith(".json") and _listed(source.text) is not None:
        return True
    try:
        return bool(_messages(source, Draft(source.filename)))
    except MigrationError:
        return source.name.endswith(".json") and _DUMPED.search(source.text) is not None


LAYOUT: Final = Layout(
    "promptfoo",
    read,
    _is_config,
    _is_likely,
    rank=40,
    is_lenient=True,
    read_all=read_all,
    several=_is_several,
    oracle="promptfoo 0.123.1",
)
