"""What is to become of each row: a value that travels to every worker and stands in every manifest.

Rule: a spec that is resolved says everything; two workers with the same spec and the same
bytes write the same bytes, wherever they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, cast

from ...datasets.alternation import ASKED
from ...datasets.columns import ColumnMap
from ...datasets.finetune import Separators
from ...errors import FormatError, MigrationError
from ...model import EMPTY, FrozenMap, freeze, thaw
from ...policy import OnLoss, policy_of
from ...suggest import suggest

_NAMES: Final = {"from": "source", "to": "target"}
#: The fields of a spec that are those of a column map.
_MAP: Final = ("columns", "constants", "roles", "turn", "drop")


@dataclass(frozen=True)
class Spec:
    """What becomes of each row: its layout, the target's, and what a loss does to it.

    ``on_loss="raise"`` puts rows that would lose anything among the rejects. ``columns`` maps
    a field of the layout to the rows' own name for it; a name in ``drop`` is left out
    knowingly, which is no loss. ``model`` counts the tokens of the rows written, as it is
    billed; ``source_model`` those of the rows read. ``request`` holds fields for the bodies of
    batch lines (a ``model``, say). ``fail_fast`` raises at the first row that would be
    rejected. ``constants``, ``roles`` and ``turn`` are those of :class:`~diptych.datasets.columns.ColumnMap`, as
    ``columns`` and ``drop`` are. ``rules`` are asked of each row beside those of the target's receiver
    (``alternation``: user and assistant in turn). ``max_tokens`` rejects rows that are longer when written, counted
    for ``model``. ``dedupe`` writes equal rows of a file once; ``split`` is the share of rows, from 0 to 1, that
    goes to a second file, ``NAME.validation.jsonl``: which ones, their contents decide. ``separators`` are what
    stands around a legacy row's texts; they are found in the data where they are not given.

    >>> Spec.of({"from": "finetune_legacy", "to": "finetune_chat"}).source
    'finetune_legacy'
    """

    source: str = "auto"
    target: str = "finetune_chat"
    on_loss: OnLoss = "raise"
    columns: FrozenMap = field(default=EMPTY)
    drop: tuple[str, ...] = ()
    model: str | None = None
    source_model: str | None = None
    request: FrozenMap = field(default=EMPTY)
    fail_fast: bool = False
    separators: Separators | None = None
    constants: FrozenMap = field(default=EMPTY)
    roles: FrozenMap = field(default=EMPTY)
    turn: FrozenMap = field(default=EMPTY)
    rules: tuple[str, ...] = ()
    max_tokens: int | None = None
    dedupe: bool = False
    split: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", freeze(self.request))
        object.__setattr__(self, "drop", tuple(self.drop))
        try:
            object.__setattr__(self, "on_loss", policy_of(self.on_loss))
            made = ColumnMap(**{name: getattr(self, name) for name in _MAP})
        except FormatError as error:
            raise MigrationError(error.message, path=error.path, hint=error.hint) from None
        for name in _MAP:
            object.__setattr__(self, name, getattr(made, name))
        object.__setattr__(self, "_map", made)
        object.__setattr__(self, "rules", tuple(self.rules))
        for name in self.rules:
            if name not in ASKED:
                raise MigrationError(f"there is no rule {name!r}", path="$.rules", hint=suggest(name, ASKED))
        if self.max_tokens is not None and self.model is None:
            hint = "model=…, or --model on the command line"
            raise MigrationError("tokens are counted for a model, and none is named", path="$.max_tokens", hint=hint)
        if self.split is not None and not 0 < self.split < 1:
            raise MigrationError("a split is a share between 0 and 1", path="$.split")
        if self.separators is not None:
            object.__setattr__(self, "separators", Separators(*self.separators))

    @classmethod
    def of(cls, value: Spec | Mapping[str, Any]) -> Spec:
        """Return the spec of a mapping with ``from``, ``to`` and the fields above. Raises MigrationError."""
        if isinstance(value, Spec):
            return value
        known = {entry.name for entry in fields(cls)}
        found: dict[str, Any] = {}
        for name, item in value.items():
            own = _NAMES.get(name, name)
            if own not in known:
                hint = ", ".join(("from", "to", *sorted(known)))
                raise MigrationError(f"a spec has no {name!r}", path=f"$.{name}", hint=hint)
            found[own] = item
        return cls(**found)

    @property
    def column_map(self) -> ColumnMap:
        """What brings a row under the names of its layout."""
        return cast("ColumnMap", self._map)  # type: ignore[attr-defined]

    @property
    def is_of_one_piece(self) -> bool:
        """Whether a file is converted in one shard: its rows are seen together."""
        return self.dedupe or self.split is not None

    def resolved(self, source: str, target: str, separators: Separators | None) -> Spec:
        """Return the spec with the layouts' own names and the separators that were found in the data."""
        return replace(self, source=source, target=target, separators=separators)

    def to_json(self) -> dict[str, Any]:
        """Return the spec as the JSON object of a manifest."""
        return {
            "from": self.source,
            "to": self.target,
            "on_loss": self.on_loss,
            **{name: thaw(getattr(self, name)) for name in _MAP[:-1]},
            "drop": list(self.drop),
            "model": self.model,
            "source_model": self.source_model,
            "request": thaw(self.request),
            "rules": list(self.rules),
            "max_tokens": self.max_tokens,
            "dedupe": self.dedupe,
            "split": self.split,
            "separators": None if self.separators is None else list(cast("tuple[str, str, str]", self.separators)),
        }
