"""Unknown variables.

transformers, vLLM and llama.cpp give messages, tools, documents, add_generation_prompt and the special
tokens. Any other name is undefined unless the caller passes it: it prints nothing and is false. Ask
with ``is defined``, or give a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import jinja2
from jinja2 import nodes

from ....sandbox.names import undeclared_names
from ..chat import ChatSubject
from ..finding import Finding

CODE = "H012"
BAD = "{% for m in messages %}{{ m.content }}{% endfor %}{{ persona }}"
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}{% if persona is defined %}{{ persona }}{% endif %}"
_GIVEN = frozenset({
    "messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "bos_token", "eos_token",
    "unk_token", "pad_token", "sep_token", "cls_token", "mask_token", "strftime_now", "raise_exception", "namespace",
    "range", "dict", "lipsum", "cycler", "joiner",
})  # fmt: skip


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Find names that are neither given, nor set, nor asked for."""
    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])  # noqa: S701 - nothing is rendered
    source = re.sub(r"\{%[-+]?\s*(?:end)?generation\s*[-+]?%\}", "", subject.source)
    try:
        tree = environment.parse(source)
        names = undeclared_names(tree) - _GIVEN - subject.special.keys()
    except Exception:  # what does not parse is a finding of its own
        return
    assigned = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}  # in a branch, it may be
    for name in sorted(names - assigned):
        asked = r"(?:\s+is\s+(?:not\s+)?(?:defined|undefined|none)|\s*\|\s*d(?:efault)?)\b"
        if not re.search(rf"\b{re.escape(name)}{asked}", source):
            hint = f"ask with {{% if {name} is defined %}}, or give it a default"
            place = subject.at(rf"\b{re.escape(name)}\b")
            yield from subject.found(CODE, f"unknown variable {name!r}", place, "it is undefined there", hint)
