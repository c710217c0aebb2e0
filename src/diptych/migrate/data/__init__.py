"""Data sets from one layout to another, by shards: whole or not at all, and continued after a kill.

Rule: every row is converted with its losses counted, or stands among the rejects with its
number and reason. The bytes depend on the data and the spec alone: not on workers, engines
or kills.
"""

from __future__ import annotations

from .counts import ShardCounts
from .dataset import convert_dataset
from .plan import Plan, plan_dataset
from .ref import ShardRef
from .shard import convert_shard
from .spec import Spec
from .stream import convert_rows

__all__ = [
    "Plan",
    "ShardCounts",
    "ShardRef",
    "Spec",
    "convert_dataset",
    "convert_rows",
    "convert_shard",
    "plan_dataset",
]
