"""Column maps in files: this project's own, and those of axolotl and LLaMA-Factory.

- own (YAML, JSON): ``from``, ``columns``, ``constants``, ``roles``, ``turn``, ``drop``
- axolotl: an entry of ``datasets``, of ``type: chat_template`` or of the keys ``field_instruction`` …
- LLaMA-Factory: an entry of ``dataset_info.json``: ``formatting``, ``columns``, ``tags``

A key that says something of the rows and is not understood is an error; where a file says what
other tools do with the data set (its path, its split) it is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from ...errors import MigrationError
from ...suggest import suggest

_Fields = dict[str, Any]
_OWN: Final = ("from", "columns", "constants", "roles", "turn", "drop")
#: Keys of axolotl that say where a data set lies and how it is read or trained on, nothing of its columns.
_PLACES: Final = frozenset({
    "path", "name", "split", "ds_type", "data_files", "revision", "trust_remote_code", "shards", "shards_idx",
    "preprocess_shards", "chat_template", "chat_template_jinja", "roles_to_train", "train_on_eos", "train_on_eot",
    "message_field_training", "message_field_training_detail", "roles_override", "split_thinking",
})  # fmt: skip
#: The fields of ``alpaca_row`` as axolotl's own prompts and LLaMA-Factory's columns call them.
_AXOLOTL: Final = {
    "field_instruction": "instruction", "field_input": "input", "field_output": "output", "field_system": "system",
}  # fmt: skip
_FACTORY: Final = {"prompt": "instruction", "query": "input", "response": "output"}
_SAME: Final = ("history", "system", "tools", "chosen", "rejected", "kto_tag", "images", "videos", "audios")
_TAGS: Final = {
    "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system", "observation_tag": "tool",
    "function_tag": "function_call",
}  # fmt: skip
_FACTORY_PLACES: Final = frozenset({
    "hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name", "subset", "split", "folder",
    "num_samples", "formatting", "ranking", "columns", "tags",
})  # fmt: skip


def read_map(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the fields of a spec that a map file gives: ``columns``, ``roles`` and so on.

    ``FILE#NAME`` is the entry of this name, number or path of a file of several. Raises
    MigrationError for a file that is not read, for an unknown key and for an unknown entry.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "map.yml"
    >>> _ = file.write_text("columns: {question: frage}")
    >>> read_map(file)
    {'columns': {'question': 'frage'}}
    """
    name, _, entry = os.fspath(path).partition("#")
    try:
        value = yaml.safe_load(Path(name).read_text("utf-8"))
    except OSError as error:
        raise MigrationError(f"the map cannot be read: {error.strerror}", path=name) from None
    except (yaml.YAMLError, ValueError) as error:
        raise MigrationError(f"the map is not YAML or JSON: {' '.join(str(error).split())}", path=name) from None
    try:
        return _fields_of(_entry(value, entry))
    except MigrationError as error:
        raise MigrationError(error.message, path=f"{name}: {error.path}", hint=error.hint) from None


def _entry(value: Any, name: str) -> Mapping[str, Any]:
    """Return the one entry of a file that is meant."""
    if not isinstance(value, Mapping):
        raise MigrationError("a map is an object", path="$")
    if isinstance(found := value.get("datasets"), list):
        return _named({str(item["path"]) if "path" in item else str(n): item for n, item in enumerate(found)}, name)
    are_many = value and all(isinstance(item, Mapping) for item in value.values()) and not value.keys() & {*_OWN}
    return _named(value, name) if name or are_many else value


def _named(entries: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    names = [*entries]
    if not name and len(names) != 1:
        hint = f"name one: FILE#{names[0]}" if names else None
        raise MigrationError(f"the file describes {len(names)} data sets", path="$", hint=hint)
    name = name or names[0]
    if name not in entries and name.isdecimal() and int(name) < len(names):
        name = names[int(name)]
    if not isinstance(entries.get(name), Mapping):
        raise MigrationError(f"the file describes no data set {name!r}", path="$", hint=suggest(name, names))
    found: Mapping[str, Any] = entries[name]
    return found


def _fields_of(entry: Mapping[str, Any]) -> _Fields:
    read: Callable[[Mapping[str, Any]], _Fields]
    if "type" in entry or any(name.startswith(("field_", "message_")) for name in entry):
        read = _axolotl
    elif "tags" in entry or "formatting" in entry or any(name.endswith(("_hub_url", "file_name")) for name in entry):
        read = _factory
    else:
        read = _own
    return {name: value for name, value in read(entry).items() if value}


def _unknown(entry: Mapping[str, Any], known: Any, whose: str, path: str = "$") -> None:
    for name in entry:
        if name not in known:
            hint = suggest(name, list(known))
            raise MigrationError(f"{whose} has no key {name!r} that is understood", path=f"{path}.{name}", hint=hint)


def _own(entry: Mapping[str, Any]) -> _Fields:
    _unknown(entry, _OWN, "a map")
    return dict(entry)


# axolotl --------------------------------------------------------------------------------------


def _axolotl(entry: Mapping[str, Any]) -> _Fields:
    kind = entry.get("type", "chat_template")
    if isinstance(kind, Mapping):
        return _axolotl_prompt(kind)
    if kind != "chat_template":
        hint = "chat_template, or an object of field_instruction, field_output …"
        raise MigrationError(f"the type {kind!r} of axolotl is no map of columns", path="$.type", hint=hint)
    known = ("type", "field_messages", "message_property_mappings", "message_field_role", "message_field_content",
             "roles", "field_system", "field_tools")  # fmt: skip
    _unknown({name: item for name, item in entry.items() if name not in _PLACES}, known, "an entry of axolotl")
    turn = dict(entry.get("message_property_mappings") or {})
    for name in ("role", "content"):
        if f"message_field_{name}" in entry:
            turn.setdefault(name, entry[f"message_field_{name}"])
    columns = {"messages": entry.get("field_messages"), "system": entry.get("field_system"),
               "tools": entry.get("field_tools")}  # fmt: skip
    return {
        "from": "finetune_chat",
        "columns": _moved(columns),
        "roles": entry.get("roles"),
        "turn": _moved(turn),
    }


def _axolotl_prompt(kind: Mapping[str, Any]) -> _Fields:
    _unknown(kind, (*_AXOLOTL, "system_prompt", "system_format", "format", "no_input_format"), "a type of axolotl")
    for name, plain in (("format", "{instruction}\n{input}"), ("no_input_format", "{instruction}")):
        if kind.get(name) not in (None, "", plain):
            raise MigrationError(
                f"a {name!r} is text around the columns, which a map does not write",
                path=f"$.type.{name}",
                hint="leave it out: the model's chat template frames the messages",
            )
    columns = {own: kind.get(name) for name, own in _AXOLOTL.items()}
    constants = {"system": kind["system_prompt"]} if kind.get("system_prompt") else {}
    return {"from": "alpaca_row", "columns": _moved(columns), "constants": constants}


def _moved(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that are named, without those that bear their field's own name."""
    return {name: column for name, column in columns.items() if column not in (None, "", name)}


# LLaMA-Factory --------------------------------------------------------------------------------


def _factory(entry: Mapping[str, Any]) -> _Fields:
    _unknown(entry, _FACTORY_PLACES, "an entry of dataset_info.json")
    formatting = entry.get("formatting", "alpaca")
    columns, tags = dict(entry.get("columns") or {}), dict(entry.get("tags") or {})
    _unknown(columns, (*_FACTORY, "messages", *_SAME), "columns", "$.columns")
    _unknown(tags, ("role_tag", "content_tag", *_TAGS), "tags", "$.tags")
    same = {name: columns.get(name) for name in _SAME}
    if formatting == "alpaca":
        found = {own: columns.get(name) for name, own in _FACTORY.items()}
        return {"from": "alpaca_row", "columns": _moved({**found, **same})}
    if formatting not in ("sharegpt", "openai"):
        hint = "alpaca, sharegpt or openai"
        raise MigrationError(f"the formatting {formatting!r} is not known", path="$.formatting", hint=hint)
    is_openai = formatting == "openai"
    turns = columns.get("messages", "conversations")
    names = ("role", "content") if is_openai else ("from", "value")
    return {
        "from": "finetune_chat" if is_openai else "sharegpt",
        "columns": _moved({"messages" if is_openai else "conversations": turns, **same}),
        "turn": _moved({own: tags.get(f"{kind}_tag") for own, kind in zip(names, ("role", "content"), strict=True)}),
        "roles": {role: tags[name] for name, role in _TAGS.items() if name in tags},
    }
