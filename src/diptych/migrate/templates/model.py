"""The values of this package: a file that is read, a layout, a migrated template.

Rule: a layout is one module with a ``LAYOUT``; what it knows of a file is its name and its
content, and reading is a function of both that fills a draft. A file is asked for what
belongs to it; nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...errors import MigrationError
from ...loss import Loss, Severity, Verdict, worst
from .reading import parse

if TYPE_CHECKING:
    from .draft import Draft


@dataclass(frozen=True)
class TemplateMigration:
    """A migrated template: its source, the layout that was read, what was lost.

    ``name`` is the definition's in a file of several, else empty. ``detail`` says why the file
    could also mean something else, with the place; it is empty where nothing else could be meant.

    >>> TemplateMigration("Hi", "text", (Loss("$.top_k", "parameter-dropped"),)).verdict
    'lossy'
    """

    source: str
    layout: str
    losses: tuple[Loss, ...] = ()
    name: str = ""
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        """``ambiguous`` where the file could mean something else, else ``lossless`` where nothing was lost."""
        if self.detail:
            return "ambiguous"
        return "lossless" if worst(self.losses) < Severity.CHANGED else "lossy"


@dataclass(frozen=True)
class TemplateMigrations:
    """What a file gave: its templates in order, and what was refused, each with its place.

    >>> len(TemplateMigrations((TemplateMigration("Hi", "text"),)))
    1
    """

    migrations: tuple[TemplateMigration, ...] = ()
    refusals: tuple[MigrationError, ...] = ()

    def __iter__(self) -> Iterator[TemplateMigration]:
        return iter(self.migrations)

    def __len__(self) -> int:
        return len(self.migrations)


@dataclass(frozen=True)
class Source:
    """A file as it is read: its text with ``\\n`` line breaks, its name, whether its layout was named.

    >>> Source("{}", "A.PROMPT.YML").name
    'a.prompt.yml'
    """

    text: str
    filename: str = "<string>"
    is_named: bool = False
    #: Texts of other files that the file may take in, by name.
    partials: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name in lower case, for its ending."""
        return self.filename.lower()

    @cached_property
    def value(self) -> Any:
        """The JSON or YAML value of the file. Raises MigrationError where it does not parse."""
        return parse(self.text, self.filename)

    @property
    def keys(self) -> dict[str, Any]:
        """The file's object where it is JSON or YAML and parses, else an empty one."""
        if not self.name.endswith((".json", ".yaml", ".yml")):
            return {}
        try:
            return self.value if isinstance(self.value, dict) else {}
        except MigrationError:
            return {}

    def object(self) -> dict[str, Any]:
        """Return the file's object. Raises MigrationError where it holds none."""
        if not isinstance(self.value, dict):
            raise MigrationError("the file holds no object", path=self.filename)
        return self.value


@dataclass(frozen=True)
class Layout:
    """One layout of template files.

    ``is_certain`` says that a file is of this layout and of no other: such files are taken
    from a folder. ``is_likely`` is asked for a file that somebody named. ``rank`` orders the
    asking where a file could be of several.
    """

    name: str
    read: Callable[[Source, Draft], None]
    is_certain: Callable[[Source], bool]
    is_likely: Callable[[Source], bool] = lambda _: False
    rank: int = 50
    #: The program, with its version, that the layout was compared with.
    oracle: str = "none, by the tool's documentation"
    #: True where a name that is not given prints nothing and is false.
    is_lenient: bool = False
    #: Names of files that may stand beside one of this layout and belong to it.
    beside: tuple[str, ...] = ()
    #: For a layout whose files hold several templates: drafts and refusals.
    read_all: Callable[[Source], tuple[list[Draft], list[MigrationError]]] | None = None
    #: Which files of such a layout are read by ``read_all``.
    several: Callable[[Source], bool] = lambda source: source.name.endswith((".py", ".yaml", ".yml"))
