"""Prices: dated price books, the estimate before a call and the price after it.

Importing this reads no price; the first look-up reads the snapshot in the wheel.
"""

from __future__ import annotations

from .book import GenaiPriceBook, Overrides, PriceBook, SnapshotBook, default
from .bounds import worst_cost
from .bulk import Bulk
from .estimate import Estimate, estimate
from .lengths import Lengths
from .listing import ModelRow, list_models
from .price import Price
from .rates import Rate, Rates
from .totals import Totals
from .usage import price_usage, why_unpriced
from .values import Cost, Line, Residual, Tokens

__all__ = [
    "Bulk",
    "Cost",
    "Estimate",
    "GenaiPriceBook",
    "Lengths",
    "Line",
    "ModelRow",
    "Overrides",
    "Price",
    "PriceBook",
    "Rate",
    "Rates",
    "Residual",
    "SnapshotBook",
    "Tokens",
    "Totals",
    "default",
    "estimate",
    "list_models",
    "price_usage",
    "why_unpriced",
    "worst_cost",
]
