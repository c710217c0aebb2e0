"""What a rule of ``diptych check`` finds: a code, a place, the way out, and a fix where one is safe."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import Location


class Fix(NamedTuple):
    """A change of a file's text that keeps what the template means: put ``text`` in place of ``start:end``."""

    start: int
    end: int
    text: str


class Finding(NamedTuple):
    """One finding; ``location`` has file, line and column, ``hint`` says what to do."""

    code: str
    message: str
    location: Location
    hint: str | None = None
    fix: Fix | None = None

    def __str__(self) -> str:
        lines = [f"{self.location}: {self.code} {self.message}", self.location.excerpt()]
        return "\n".join([*filter(None, lines), *([f"  hint: {self.hint}"] if self.hint else [])])

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON: code, message, location, hint, fix."""
        place = self.location
        return {
            "code": self.code,
            "message": self.message,
            "location": {"file": place.file, "line": place.line, "column": place.column, "width": place.width},
            "hint": self.hint,
            "fix": self.fix._asdict() if self.fix else None,
        }
