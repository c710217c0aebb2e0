"""The migration: data sets from one format to another, and code from Completions to Chat.

Every row is either converted, with its losses counted, or stands in the rejects file with
its line and reason. A shard is whole or absent, and one that is done is not done again.
"""

from __future__ import annotations

from .audit import Audit, Finding, audit
from .code import Change, CodeMigration, Refusal, migrate_code
from .data import Plan, ShardCounts, ShardRef, Spec, convert_dataset, convert_shard, plan_dataset
from .templates import TemplateMigration, migrate_template, to_prompty

__all__ = [
    "Audit",
    "Change",
    "CodeMigration",
    "Finding",
    "Plan",
    "Refusal",
    "ShardCounts",
    "ShardRef",
    "Spec",
    "TemplateMigration",
    "audit",
    "convert_dataset",
    "convert_shard",
    "migrate_code",
    "migrate_template",
    "plan_dataset",
    "to_prompty",
]
