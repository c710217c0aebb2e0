"""Mocks and the calls that they stand for, across files: both change, or neither does.

Rule: a mock stands for the calls of its way of asking (``openai.Completion``, a client's
``completions``, HTTP) in the modules that it names, or that its file leads to by the names of
modules. One refusal among a mock and its calls refuses them all, until nothing more is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .model import Link

_FROM: Final = re.compile(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT: Final = re.compile(r"^[ \t]*import[ \t]+([^\n#;]*)", re.MULTILINE)
#: A module that is named by a text: ``patch("app.client.…")``, ``import_module("app")``.
_TEXT: Final = re.compile(r"\b(?:patch|setattr|import_module|importorskip)\(\s*[\"']([\w.]+)[\"']")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
#: Words without which a file holds no mock.
MOCKS: Final = re.compile(
    r"\b(?:\w*[mM]ock\w*|\w*patch|setattr|respx|responses|return_value|SimpleNamespace)\b|def a?create\b"
)
_ABSENT: Final = "no call that it stands for is changed in this run"


@dataclass
class Together:
    """The links of every file of a run, and of the files around it that are not migrated.

    ``texts`` are the sources of the whole project by name; ``given`` the files of the run.
    """

    texts: Mapping[str, str]
    given: frozenset[str]
    _led: dict[str, frozenset[str]] = field(default_factory=dict)
    _stems: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.texts:
            parts = _parts(name)
            if parts:
                self._stems.setdefault(parts[-1], []).append((parts, name))

    def held(self, links: Mapping[str, tuple[Link, ...]]) -> dict[str, dict[tuple[int, int], str]]:
        """Return what must stay in each given file, by line and column, with the reason."""
        found: dict[str, dict[tuple[int, int], str]] = {}

        def hold(file: str, link: Link, why: str) -> None:
            if file in self.given and not link.is_refused:
                found.setdefault(file, {}).setdefault(link.at, why)

        for file, mock in self._each(links, is_mock=True):
            calls = list(self._calls(file, mock, links))
            if (why := self._why(file, mock)) is not None:
                for other, call in calls:
                    hold(other, call, why)
            if not calls:
                hold(file, mock, _ABSENT)
            for other, call in calls:
                if (why := self._why(other, call)) is not None:
                    hold(file, mock, why)
        return found

    def is_near(self, file: str, links: Mapping[str, tuple[Link, ...]]) -> bool:
        """Tell whether a file leads to one with links, or such a one of the run that holds mocks leads to it."""
        linked = {name for name, every in links.items() if every}
        mocks = {name for name, _ in self._each(links, is_mock=True)}
        return not linked.isdisjoint(self._leads_to(file)) or any(file in self._leads_to(name) for name in mocks)

    def has_alone(self, links: Mapping[str, tuple[Link, ...]]) -> bool:
        """Tell whether a mock of the run stands for no call that is known."""
        mocks = [(file, mock) for file, mock in self._each(links, is_mock=True) if file in self.given]
        return any(next(self._calls(file, mock, links), None) is None for file, mock in mocks)

    def _why(self, file: str, link: Link) -> str | None:
        """Return why a site does not change, None where it does."""
        if file not in self.given:
            return f"{link.place} is in no file of this run"
        return f"{link.place} cannot be changed" if link.is_refused else None

    def _each(self, links: Mapping[str, tuple[Link, ...]], *, is_mock: bool) -> Iterator[tuple[str, Link]]:
        return ((file, link) for file, every in links.items() for link in every if link.is_mock is is_mock)

    def _calls(self, file: str, mock: Link, links: Mapping[str, tuple[Link, ...]]) -> Iterator[tuple[str, Link]]:
        """Yield the calls that a mock may stand for."""
        calls = [
            (o, c) for o, c in self._each(links, is_mock=False) if not mock.family or c.family in (mock.family, "")
        ]
        named = self._files_of(mock.targets)
        near = [(other, call) for other, call in calls if other in named]
        near = near or [(other, call) for other, call in calls if other == file or other in self._leads_to(file)]
        # What leads to no call, as a conftest of the run, may stand for any.
        yield from near or ([] if mock.is_loose or file not in self.given else calls)

    def _leads_to(self, file: str) -> frozenset[str]:
        """Return the files whose modules a file names, and those that they name in turn."""
        if file not in self._led:
            found: set[str] = set()
            waiting = [file]
            while waiting:
                name = waiting.pop()
                new = {other for path in self._named(name) for other in self._files_of(path)} - found
                found |= new
                waiting += new
            self._led[file] = frozenset(found)
        return self._led[file]

    def _named(self, file: str) -> Iterator[tuple[str, ...]]:
        """Yield the paths of the modules that a file names."""
        text = self.texts.get(file, "")
        for dots, module, names in _FROM.findall(text):
            parts = (*_parts(file)[: -len(dots)], *module.split(".")) if dots else tuple(module.split("."))
            parts = tuple(part for part in parts if part)
            yield parts
            yield from ((*parts, name) for name in _WORD.findall(names))
        for names in _IMPORT.findall(text):
            yield from (tuple(name.split()[0].split(".")) for name in names.split(",") if name.strip())
        for path in _TEXT.findall(text):
            yield tuple(path.split("."))

    def _files_of(self, path: tuple[str, ...]) -> set[str]:
        """Return the files that a dotted path, or a beginning of it, may be the module of."""
        found: set[str] = set()
        for end in range(1, len(path) + 1):
            for parts, name in self._stems.get(path[end - 1], ()):
                if parts[-end:] == path[:end] or (end > len(parts) and path[:end][-len(parts) :] == parts):
                    found.add(name)
        return found


def _parts(name: str) -> tuple[str, ...]:
    """Return the folders and the module of a file, from the root."""
    path = Path(name).with_suffix("")
    parts = tuple(part for part in path.parts if part not in ("/", "."))
    return parts[:-1] if path.name == "__init__" else parts
