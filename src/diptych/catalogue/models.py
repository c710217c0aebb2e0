"""Models: which encoding and which counting family a model has, as dated data.

Rule: an exact name or its dated snapshot, never a bare prefix. A name that is not in
the table gets the rule of the family that its name suggests, marked ``known=False``;
a name that suggests none gets nothing, and no number is made up for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

#: When this table was last compared with OpenAI's list of models.
AS_OF: Final = "2026-11-23"

Family = Literal["chat", "chat-0301", "o", "gpt5", "search", "completions", "embedding"]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What counting knows of a model.

    ``base`` is the name in the table; ``known`` is False where a family was only
    suggested by the name; ``is_recorded`` where the family's rule was seen to hold for
    this model or its close kin; ``encoding`` is None where nothing is known.

    >>> model_info("gpt-4o-2024-08-06").base
    'gpt-4o'
    """

    name: str
    base: str
    encoding: str | None
    family: Family | None
    known: bool
    is_recorded: bool = True


#: Chat models that no recording shows under their family's rule, or the only one contradicts it
#: (o1-mini and a system message, 2024-12): the rule is assumed.
_ASSUMED: Final = re.compile(
    r"o1-mini|o1-preview|gpt-6|gpt-oss|chat-latest|gpt-chat-latest|computer-use|gpt-realtime|gpt-5-search"
)

# base names by (encoding, family). Sources: tiktoken 0.14.0 `model.py` for the encodings it
# knows; OpenAI's model pages for the later ones, which all say o200k; davinci-002 answers as
# `davinci:2023-07-21-v2` and its recorded counts are those of cl100k_base.
_TABLE: Final[tuple[tuple[str, Family, str], ...]] = (
    ("cl100k_base", "chat-0301", "gpt-3.5-turbo-0301"),
    ("cl100k_base", "chat", "gpt-3.5 gpt-3.5-turbo gpt-3.5-turbo-16k gpt-35-turbo gpt-35-turbo-16k"),
    ("cl100k_base", "chat", "gpt-4 gpt-4-32k gpt-4-turbo gpt-4-turbo-preview gpt-4-preview"),
    ("cl100k_base", "chat", "gpt-4-vision-preview gpt-4-1106-preview gpt-4-0125-preview"),
    ("cl100k_base", "chat", "gpt-4-1106-vision-preview"),
    ("o200k_base", "chat", "gpt-4o gpt-4o-mini chatgpt-4o-latest gpt-4.1 gpt-4.1-mini gpt-4.1-nano"),
    ("o200k_base", "chat", "gpt-4.5-preview gpt-4o-audio-preview gpt-4o-mini-audio-preview"),
    ("o200k_base", "chat", "gpt-4o-realtime-preview gpt-4o-mini-realtime-preview"),
    ("o200k_base", "chat", "gpt-4o-transcribe gpt-4o-mini-transcribe gpt-4o-mini-tts"),
    ("o200k_base", "chat", "gpt-audio gpt-audio-mini gpt-realtime gpt-realtime-mini"),
    ("o200k_base", "search", "gpt-4o-search-preview gpt-4o-mini-search-preview"),
    ("o200k_base", "o", "o1 o1-mini o1-preview o1-pro o3 o3-mini o3-pro o3-deep-research"),
    ("o200k_base", "o", "o4-mini o4-mini-deep-research codex-mini codex-mini-latest"),
    ("o200k_base", "chat", "computer-use-preview"),
    ("o200k_base", "gpt5", "gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro gpt-5-codex gpt-5-chat gpt-5-chat-latest"),
    ("o200k_base", "gpt5", "gpt-5.1 gpt-5.1-mini gpt-5.1-codex gpt-5.1-codex-mini gpt-5.1-codex-max"),
    ("o200k_base", "gpt5", "gpt-5.1-chat-latest gpt-5-search-api gpt-5.2 gpt-5.2-pro gpt-5.2-codex"),
    ("o200k_base", "gpt5", "gpt-5.2-chat-latest gpt-5.3-codex gpt-5.3-chat-latest gpt-5.4 gpt-5.4-mini"),
    ("o200k_base", "gpt5", "gpt-5.4-nano gpt-5.4-pro gpt-5.5 gpt-5.5-mini gpt-5.5-nano gpt-5.5-pro"),
    ("o200k_base", "gpt5", "gpt-5.6 gpt-5.6-sol gpt-5.6-luna gpt-5.6-terra chat-latest gpt-chat-latest"),
    ("o200k_base", "gpt5", "gpt-6 gpt-6-mini gpt-6-nano gpt-6-pro gpt-6-sol gpt-6-luna gpt-6-terra"),
    ("o200k_base", "gpt5", "gpt-6.1 gpt-6.1-mini gpt-6.1-nano gpt-6.1-pro gpt-6.1-sol gpt-6.1-luna gpt-6.1-terra"),
    ("o200k_harmony", "gpt5", "gpt-oss-20b gpt-oss-120b"),
    ("cl100k_base", "completions", "gpt-3.5-turbo-instruct gpt-35-turbo-instruct davinci-002 babbage-002"),
    ("p50k_base", "completions", "text-davinci-003 text-davinci-002 code-davinci-002 code-davinci-001"),
    ("p50k_base", "completions", "code-cushman-002 code-cushman-001 davinci-codex cushman-codex"),
    ("p50k_edit", "completions", "text-davinci-edit-001 code-davinci-edit-001"),
    ("r50k_base", "completions", "text-davinci-001 text-curie-001 text-babbage-001 text-ada-001"),
    ("r50k_base", "completions", "davinci curie babbage ada"),
    ("cl100k_base", "embedding", "text-embedding-ada-002 text-embedding-3-small text-embedding-3-large"),
)
_KNOWN: Final = {name: (enc, family) for enc, family, names in _TABLE for name in names.split()}

#: What the end of a dated snapshot looks like: -2024-08-06, -0613, :20230824-v2.
_DATED: Final = re.compile(r"(?:-\d{4}-\d{2}-\d{2}|-\d{4}|:\d{8}-v\d+)$")

#: Answers of the API that name a model otherwise than the request does.
_RENAMED: Final = {"davinci:2023-07-21-v2": "davinci-002", "babbage:2023-07-21-v2": "babbage-002"}

# What the name of an unknown model suggests. Only OpenAI's own naming, only as an approximation.
_SUGGESTED: Final[tuple[tuple[re.Pattern[str], str, Family], ...]] = (
    (re.compile(r"gpt-3\.5.*instruct"), "cl100k_base", "completions"),
    (re.compile(r"gpt-3\.?5|gpt-4(?:$|-)"), "cl100k_base", "chat"),
    (re.compile(r"(?:gpt-4[.o]|chatgpt-4o|gpt-(?:audio|realtime))"), "o200k_base", "chat"),
    (re.compile(r"o\d+(?:$|-)"), "o200k_base", "o"),
    (re.compile(r"(?:gpt|chatgpt|codex)-"), "o200k_base", "gpt5"),
    (re.compile(r"text-embedding-"), "cl100k_base", "embedding"),
)

#: Dates of snapshots that one kind of model bears alone (OpenAI's model pages, 2024-2026): a
#: deployment of any name that ends in one is taken for that kind, as an approximation.
_SNAPSHOTS: Final = {
    "2024-05-13": "gpt-4o", "2024-07-18": "gpt-4o-mini", "2024-08-06": "gpt-4o", "2024-11-20": "gpt-4o",
    "2025-01-31": "o3-mini", "2025-04-14": "gpt-4.1", "2025-04-16": "o3", "2025-08-07": "gpt-5",
    "2025-11-13": "gpt-5.1", "2026-03-05": "gpt-5.4", "2026-03-17": "gpt-5.4-mini",
}  # fmt: skip
# The longer names of the table inside another name: "prod-gpt-4o-eu" is a gpt-4o, "ada-llama" no ada.
_INNER: Final = sorted((name for name in _KNOWN if name.startswith(("gpt-", "text-", "code-"))), key=len, reverse=True)
_WITHIN: Final = re.compile(rf"(?:^|[-_./ ])({'|'.join(map(re.escape, _INNER))})(?=$|[-_./: ])", re.I)


@lru_cache(maxsize=1024)
def model_info(model: str) -> ModelInfo:
    """Return what counting knows of ``model``; never raises.

    Fine-tuned names (``ft:gpt-4o-mini-2024-07-18:org::id``) and names with the
    provider in front (``openai/gpt-4o``) are those of their base model. A deployment
    whose name holds a model's name, or ends in the date of one, is taken for that
    model with ``known=False``.

    >>> model_info("gpt-9-vast").known, model_info("gpt-9-vast").encoding
    (False, 'o200k_base')
    >>> model_info("claude-3").encoding is None
    True
    >>> model_info("prod-gpt-4o-eu").base
    'gpt-4o'
    """
    base = base_name(model)
    if base in _KNOWN:
        encoding, family = _KNOWN[base]
        return ModelInfo(model, base, encoding, family, True, not _ASSUMED.match(base))
    for pattern, encoding, family in _SUGGESTED:
        if pattern.match(base):
            return ModelInfo(model, base, encoding, family, False, False)
    kin = _kin_of(model)
    if kin is None:
        return ModelInfo(model, base, None, None, False, False)
    encoding, family = _KNOWN[kin]
    return ModelInfo(model, kin, encoding, family, False, False)


def _kin_of(model: str) -> str | None:
    """Return the known model that a deployment's name speaks of, if it speaks of one."""
    within = _WITHIN.search(model)
    return within[1].lower() if within else _SNAPSHOTS.get(model[-10:])


def base_name(model: str) -> str:
    """Return the name in the table for ``model``, or what is left of it where none fits."""
    name = _RENAMED.get(model, model)
    for provider in ("openai/", "azure/"):
        name = name.removeprefix(provider)
    if name.startswith("ft:"):
        name = name.split(":")[1]
    if name in _KNOWN:
        return name
    return _DATED.sub("", name)


def known_models() -> dict[str, ModelInfo]:
    """Return every model of the table, in its order."""
    return {name: model_info(name) for name in _KNOWN}
