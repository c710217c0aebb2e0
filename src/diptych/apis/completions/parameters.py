"""The parameter map between the two APIs: one reviewed row a parameter.

Rule: what happens to a parameter stands here and nowhere else, with its severity;
the converters look rows up. Source: the OpenAI API specification (openapi.json, read
2026-11-23) and the sources of vLLM, llama.cpp, Ollama and TGI (2026-11).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

#: same: unchanged; converted: by a rule of its own; dropped: left out with a loss;
#: refused: leaving it out would change the task; absent: the API does not have it.
Action = Literal["same", "converted", "dropped", "refused", "absent"]


class Row(NamedTuple):
    """What becomes of a parameter on the way to Chat, and on the way to Completions."""

    to_chat: Action
    to_completions: Action
    note: str


PARAMETERS: Final[dict[str, Row]] = {
    "model": Row("converted", "converted", "a model that only serves the other API is replaced, by a dated table"),
    "prompt": Row("converted", "absent", "read as messages; a list becomes one request a prompt"),
    "messages": Row("absent", "converted", "written as a prompt by a text format, with its stops"),
    "suffix": Row("refused", "absent", "Chat cannot insert before a suffix; an empty one is nothing"),
    "max_tokens": Row("converted", "converted", "absent means 16 in Completions and no cap in Chat: it is written out"),
    "max_completion_tokens": Row("absent", "converted", "Completions calls it max_tokens"),
    "temperature": Row("same", "same", ""),
    "top_p": Row("same", "same", ""),
    "n": Row("same", "same", ""),
    "presence_penalty": Row("same", "same", ""),
    "frequency_penalty": Row("same", "same", ""),
    "stream": Row("same", "same", ""),
    "stream_options": Row("same", "same", ""),
    "seed": Row("same", "same", ""),
    "user": Row("same", "same", ""),
    "stop": Row("converted", "converted", "role markers are dropped, ends of turns are added; at most 4"),
    "logprobs": Row("converted", "converted", "k becomes true and top_logprobs=k; Completions takes at most 5"),
    "top_logprobs": Row("absent", "converted", "part of logprobs"),
    "echo": Row("converted", "absent", "the converted response has the prompt put before it; with logprobs refused"),
    "best_of": Row("converted", "absent", "1 or n is nothing; more is refused: Chat ranks no answers"),
    "logit_bias": Row("converted", "converted", "ids belong to an encoding: each is decoded and encoded again"),
    "safety_identifier": Row("absent", "converted", "Completions calls it user"),
    "tools": Row("absent", "refused", "Completions has no tools"),
    "tool_choice": Row("absent", "refused", "Completions has no tools"),
    "functions": Row("absent", "refused", "Completions has no functions"),
    "function_call": Row("absent", "refused", "Completions has no functions"),
    "audio": Row("absent", "refused", "Completions answers in text"),
    "modalities": Row("absent", "converted", "Completions answers in text; text alone is nothing"),
    "web_search_options": Row("absent", "refused", "Completions does not search"),
    "prediction": Row("absent", "dropped", "it speeds an answer up and does not change it"),
    "parallel_tool_calls": Row("absent", "dropped", "Completions has no tools"),
    "response_format": Row("absent", "converted", "text is nothing; JSON mode and schemas have no place"),
    "reasoning_effort": Row("absent", "dropped", ""),
    "verbosity": Row("absent", "dropped", ""),
    "metadata": Row("absent", "dropped", ""),
    "store": Row("absent", "dropped", ""),
    "service_tier": Row("absent", "dropped", ""),
    "moderation": Row("absent", "dropped", ""),
    "prompt_cache_key": Row("absent", "dropped", ""),
    "prompt_cache_options": Row("absent", "dropped", ""),
    "prompt_cache_retention": Row("absent", "dropped", ""),
}
