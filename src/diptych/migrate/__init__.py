"""The migration: data sets from one layout to another, code and templates to Chat, and an audit before.

Every row is either converted, with its losses counted, or stands in the rejects file with
its line and reason; a call is changed with every use of its answer, or refused with its
reason. Each name is loaded when it is used: a worker that converts rows needs no templates.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code import Change as Change
    from .code import CodeMigration as CodeMigration
    from .code import Refusal as Refusal
    from .code import migrate_code as migrate_code
    from .data import Plan as Plan
    from .data import ShardCounts as ShardCounts
    from .data import ShardRef as ShardRef
    from .data import Spec as Spec
    from .data import convert_dataset as convert_dataset
    from .data import convert_rows as convert_rows
    from .data import convert_shard as convert_shard
    from .data import plan_dataset as plan_dataset
    from .findings import Audit as Audit
    from .findings import Finding as Finding
    from .findings import audit as audit
    from .templates import TemplateMigration as TemplateMigration
    from .templates import migrate_template as migrate_template
    from .templates import migrate_templates as migrate_templates
    from .templates import to_dotprompt as to_dotprompt
    from .templates import to_prompty as to_prompty

#: Where each public name lives. One table: ``__all__`` and loading come from it.
_HOMES = {
    "code": ["Change", "CodeMigration", "Refusal", "migrate_code"],
    "data": ["Plan", "ShardCounts", "ShardRef", "Spec", "convert_dataset", "convert_rows", "convert_shard",
             "plan_dataset"],
    "findings": ["Audit", "Finding", "audit"],
    "templates": ["TemplateMigration", "migrate_template", "migrate_templates", "to_dotprompt", "to_prompty"],
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
