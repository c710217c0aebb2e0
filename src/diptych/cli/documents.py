"""The JSON documents of ``--json``, one type per command; ``diptych schema COMMAND`` prints its JSON Schema.

Every document is one object with ``version``. Money is text with all its digits (USD), times are
seconds. A later version may add fields, and changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Verdict = Literal["lossless", "lossy", "ambiguous"]
Basis = Literal["exact", "fitted", "approximate", "unknown"]
Json = dict[str, Any]


class Shape(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Open(Shape):
    """Has further fields, which depend on others."""

    model_config = ConfigDict(extra="allow")


class Document(Shape):
    version: Literal[1]


class LossJson(Shape):
    path: str
    kind: str
    severity: Literal["exact", "changed", "dropped", "refused"]
    detail: str


class SpanJson(Shape):
    start: int
    end: int
    source: Literal["template", "data"]
    input: str | None
    message: int | None


class TemplateName(Shape):
    name: str
    hash: str


class Render(Document):
    """A prompt and its messages."""

    prompt: str
    messages: list[Json]
    spans: list[SpanJson]
    losses: list[LossJson]
    template: TemplateName


class RequestBody(Document):
    """With ``--as request``."""

    request: Json


class ProofJson(Shape):
    equal: bool
    by: str
    first_difference: str | None
    remedy: str | None


class ConversionJson(Shape):
    output: Any
    format: str
    verdict: Verdict
    detail: str
    losses: list[LossJson]
    alternatives: list[Any]
    proof: ProofJson | None


class Convert(Document, ConversionJson):
    """One value."""


class ConvertMany(Document):
    """Where one body becomes several."""

    outputs: list[ConversionJson]


class ConvertStream(Document):
    """For a recorded stream."""

    events: list[Any]
    losses: list[str]


class Candidate(Shape):
    format: str
    confidence: float
    verdict: Verdict
    difference: str


class ConvertDiff(Document):
    """With ``--diff``."""

    formats: list[Candidate]


class CountItem(Shape):
    path: str
    kind: str
    tokens: int | None
    basis: Basis
    low: int | None = None
    high: int | None = None


class Count(Document):
    tokens: int | None
    basis: Basis
    encoding: str | None
    low: int | None
    high: int | None
    model: str
    items: list[CountItem]
    reason: str = ""


class TokenJson(Shape):
    id: int
    text: str
    bytes: list[int]


class Tokens(Document):
    encoding: str
    tokens: int
    items: list[TokenJson]


class Range(Shape):
    low: int
    expected: float
    high: int | None


class Usd(Shape):
    low: str
    expected: str
    high: str | None


class LineJson(Shape):
    kind: str
    tokens: float
    usd_per_million: str
    usd: str
    note: str = ""


class EstimateJson(Shape):
    model: str
    prompt_tokens: int | None
    prompt_basis: Basis
    output_tokens: Range
    cost: Usd | None
    lines: list[LineJson]
    fits_context: bool | None
    headroom: int | None
    price_date: str | None
    price_source: str | None
    likely: dict[str, str] = {}
    tier: str = ""
    price_notes: list[str] = []
    not_included: list[str] = []
    reason: str = ""


class Cost(Document, EstimateJson):
    """One request and one model."""


class CostMany(Document):
    """For several models."""

    estimates: list[EstimateJson]


class CostFile(Document):
    """For a file of rows. The fields of one request stand beside the totals where there is one model."""

    took: dict[str, int]
    requests: int
    refused: int
    totals: dict[str, Json]
    common_prefix_tokens: int | None = None
    groups: dict[str, Json] = {}
    errors: list[Json] = []
    training: dict[str, Json] = {}
    model: str = ""
    prompt_tokens: int | None = None
    output_tokens: Range | None = None
    cost: Usd | None = None
    reason: str = ""


class DryRun(Document):
    """With ``--dry-run``."""

    request: Json
    api: str
    api_reason: str
    losses: list[LossJson]


class ChoiceJson(Shape):
    index: int
    text: str
    finish_reason: str | None


class Run(Document):
    """The reply."""

    api: str
    api_reason: str | None
    text: str | None
    message: Json | None
    finish_reason: str | None
    choices: list[ChoiceJson]
    model: str | None
    requested_model: str | None
    id: str | None
    usage: Json | None
    cost: str | None
    cost_reason: str | None
    estimate: Json | None
    residual: Json | None
    system_fingerprint: str | None
    seed: int | None
    request_id: str | None
    request_hash: str | None
    prompt_hash: str | None
    template_hash: str | None
    template_version: str | None
    seconds: float | None
    first_token: float | None
    attempts: list[Json]
    replayed: bool
    original_cost: str | None
    notes: list[str]
    outcome: str = ""
    drift: str = ""
    repeats: int = 0


class BatchReason(Shape):
    reason: str
    count: int
    example: str


class Batch(Document):
    """Counts of the lines of a batch; with ``--dry-run`` the estimate of ``diptych cost``."""

    done: int
    failed: int
    skipped: int
    tokens: int
    unpriced: int
    cost: str | None
    reasons: list[BatchReason]
    out: str


class FormatJson(Shape):
    name: str
    kind: Literal["text", "api", "dataset"]
    direction: str
    mapping: str


class Formats(Document):
    formats: list[FormatJson]


class ModelJson(Shape):
    name: str
    provider: str | None
    encoding: str | None
    family: str | None
    context_window: int | None
    input_limit: int | None
    max_output: int | None
    reasoning: bool | None
    apis: list[str] | None
    refuses: list[str]
    prefill: str | None
    input: str | None
    cached: str | None
    output: str | None
    tiers: list[str]
    price_date: str | None
    price_notes: list[str]
    shutdown_date: str | None
    replacement: str | None
    source: str | None
    facts_date: str | None
    facts_source: str | None


class Models(Document):
    models: list[ModelJson]


class Place(Shape):
    file: str | None
    line: int | None
    column: int | None
    width: int


class CheckFinding(Shape):
    code: str
    message: str
    location: Place | None
    hint: str | None
    fix: Json | None


class Check(Document):
    findings: list[CheckFinding]


class Difference(Shape):
    sample: str
    same: bool
    before: Json
    after: Json
    prefix: Json


class Diff(Document):
    differences: list[Difference]


class Types(Document):
    output: str | None
    source: str


class Explain(Document):
    code: str
    explanation: str


class AuditFinding(Open):
    """``kind`` decides which other fields there are."""

    kind: str
    place: str


class Audit(Document):
    files: int
    today: str
    summary: dict[str, int]
    tokens: dict[str, int]
    findings: list[AuditFinding]
    unread: list[str]


class Report(Document, Open):
    """The data of the page; ``kind`` decides which other fields there are."""

    kind: str
    title: str


class SettingJson(Shape):
    name: str
    value: Any
    origin: str


class FolderJson(Shape):
    folder: str
    templates: int


class Doctor(Document):
    diptych: str
    python: str
    platform: str
    interpreter: str
    packages: dict[str, str | None]
    extras: dict[str, dict[str, str | None]]
    prices: str | None
    settings: list[SettingJson]
    templates: list[FolderJson]
    problems: list[str]


class DataCounts(Open):
    """Counts of rows; ``losses`` maps kinds of losses to numbers of rows."""

    rows: int
    converted: int
    rejected: int
    written: int
    losses: dict[str, Any]


class MigrateData(Document, DataCounts):
    counts: DataCounts
    tokens: Json
    cost: Json | None


class MigratePreview(Document):
    """With ``--preview``: rows before and after, or the error of a row."""

    preview: list[Json]


class FileChanges(Open):
    """What becomes of one file; ``error`` stands where it could not be read."""

    file: str


class MigrateCode(Document, Open):
    """Changes, refusals and notes with their places, by file and all together; ``work`` is the list for a person."""

    files: list[FileChanges]
    changes: list[Json]
    refusals: list[Json]
    work: list[Json]
    summary: Json


class TemplateFile(Open):
    """What one template became: ``verdict``, ``losses`` and ``source``, or ``error``."""

    file: str


class MigrateTemplates(Document):
    files: list[TemplateFile]


class Listed(Shape):
    name: str
    origin: str = Field(alias="from")
    description: str | None


class TemplatesList(Document):
    templates: list[Listed]


class TemplatesShow(Document):
    name: str
    description: str | None
    model: str | None
    params: Json
    input_schema: Json
    variables: list[str]
    hash: str
    source: str


class TemplatesPath(Document):
    paths: list[str]


#: The documents of every command that has ``--json``; which of several depends on its other options.
DOCUMENTS: Final[Mapping[str, tuple[type, ...]]] = {
    "render": (Render, RequestBody),
    "convert": (Convert, ConvertMany, ConvertStream, ConvertDiff),
    "count": (Count,),
    "tokens": (Tokens,),
    "cost": (Cost, CostMany, CostFile),
    "run": (Run, DryRun),
    "batch": (Batch, Cost, CostMany, CostFile),
    "formats": (Formats,),
    "models": (Models,),
    "check": (Check,),
    "diff": (Diff,),
    "types": (Types,),
    "explain": (Explain,),
    "audit": (Audit,),
    "report": (Report,),
    "doctor": (Doctor,),
    "migrate data": (MigrateData, MigratePreview),
    "migrate code": (MigrateCode,),
    "migrate templates": (MigrateTemplates,),
    "templates list": (TemplatesList,),
    "templates show": (TemplatesShow,),
    "templates path": (TemplatesPath,),
}


def schema_of(command: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what a command prints with ``--json``.

    Raises KeyError for a command that prints no document.

    >>> schema_of("templates path")["properties"]["paths"]["type"]
    'array'
    """
    shapes: Any = Union[DOCUMENTS[command]]
    found = TypeAdapter(shapes).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": f"diptych {command} --json"}
