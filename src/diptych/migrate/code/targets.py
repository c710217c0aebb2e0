"""What calls of Completions become: calls of Chat, or of Responses.

Rule: a target is its names; what it has no counterpart for is refused where it is met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Target:
    """An API that calls are migrated to: its resource and the names of what a call gives it."""

    name: str
    #: The resource of a client, of openai before 1, and the class of the SDK that mocks name.
    resource: str
    old_resource: str
    class_path: str
    prompt: str
    cap: str

    def resource_of(self, sdk: str) -> str:
        """Return what the resource is called in an SDK: v0 or v1.

        >>> TARGETS["chat"].resource_of("v0"), TARGETS["responses"].resource_of("v1")
        ('ChatCompletion', 'responses')
        """
        return self.old_resource if sdk == "v0" else self.resource

    def mocked(self, old: str) -> str:
        """Return the target of a mock: ``old`` is that of Completions.

        >>> TARGETS["chat"].mocked("completions"), TARGETS["responses"].mocked("completions.Completions")
        ('chat.completions', 'responses.Responses')
        """
        if old == "Completion":
            return self.old_resource
        return self.class_path if "." in old else self.resource


CHAT: Final = Target(
    "chat", "chat.completions", "ChatCompletion", "chat.completions.Completions", "messages", "max_completion_tokens"
)
RESPONSES: Final = Target("responses", "responses", "", "responses.Responses", "input", "max_output_tokens")
TARGETS: Final = {target.name: target for target in (CHAT, RESPONSES)}
