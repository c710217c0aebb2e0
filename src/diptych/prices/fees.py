"""What a request is billed for beside its tokens: tools that the server runs, searches, stored files.

Rule: a fee depends on what the server does with the request, so it stands in no line; it is named as
not included, with its rate where the vendor's page states one (OpenAI, pricing, as published in 2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Hosted tools by the start of their type, and what their vendor asks per use.
_TOOLS: Final = (
    ("web_search_preview", "web search: 10 to 25 USD per 1,000 calls"),
    ("web_search", "web search: 10 USD per 1,000 calls"),
    ("file_search", "file search: 2.50 USD per 1,000 calls, and storage"),
    ("code_interpreter", "code interpreter: 0.03 USD per container"),
    ("code_execution", "code execution: by the hour"),
    ("image_generation", "image generation: the tokens of each image"),
    ("google_search", "grounding with Google Search: per prompt or query"),
    ("googleSearch", "grounding with Google Search: per prompt or query"),
    ("computer", "computer use: its screenshots are billed as images"),
    ("mcp", "what the tools of an MCP server cost"),
)
#: Models whose every call has a fee.
_MODELS: Final = {"gpt-4o-search-preview": "about 0.025", "gpt-4o-mini-search-preview": "about 0.025",
                  "gpt-5-search-api": "about 0.010"}  # fmt: skip


def fees_of(body: Mapping[str, Any], model: str) -> tuple[str, ...]:
    """Return what is billed beside the tokens, in words.

    >>> fees_of({"tools": [{"type": "web_search"}]}, "gpt-5")
    ('web search: 10 USD per 1,000 calls',)
    """
    search = next((usd for name, usd in _MODELS.items() if model.startswith(name)), None)
    found = [f"web search: {search} USD per call"] if search else []
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list | tuple) else ():
        kinds = [str(tool.get("type") or ""), *map(str, tool)] if isinstance(tool, Mapping) else []
        found += [fee for start, fee in _TOOLS if any(kind.startswith(start) for kind in kinds)][:1]
    return tuple(dict.fromkeys(found))
