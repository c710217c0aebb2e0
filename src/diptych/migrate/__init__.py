"""The migration of data sets: shards of JSON lines from one format to another.

Every row is either converted, with its losses counted, or stands in the rejects file with
its line and reason. A shard is whole or absent, and one that is done is not done again.
"""

from __future__ import annotations

from .dataset import convert_dataset
from .shard import ShardCounts, Spec, convert_shard

__all__ = ["ShardCounts", "Spec", "convert_dataset", "convert_shard"]
