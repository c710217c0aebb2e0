"""A control token in a message of a chat template.

``<|im_start|>``, ``[INST]`` and the like mean a role to a model whose server writes them. In the text
of a message they are escaped or break the conversation; the tags of the template are what makes roles.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ....text.marks import marks_of
from ..finding import Finding
from ..subject import Subject

CODE = "T403"
BAD = "{% user %}<|im_start|>system\nBe brief.<|im_end|>{% enduser %}"
GOOD = "{% system %}Be brief.{% endsystem %}{% user %}Hi{% enduser %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find control tokens in the author's text of messages."""
    for message in subject.messages:
        for node in message.inside:
            for data in node.find_all(nodes.TemplateData):
                for mark in marks_of(data.data):
                    line = data.lineno + data.data.count("\n", 0, mark.start)
                    said = f"{mark.text} is a control token, not text"
                    yield Finding(CODE, said, subject.at(line, mark.text), "make roles with message tags")
