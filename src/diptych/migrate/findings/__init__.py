"""The audit: what a migration would touch, found and changed nowhere."""

from __future__ import annotations

from .finding import Audit, Finding
from .survey import audit

__all__ = ["Audit", "Finding", "audit"]
