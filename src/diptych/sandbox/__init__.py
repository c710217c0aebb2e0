"""The sandbox in which every template runs: one environment factory, one set of caps."""

from .environment import make_environment
from .limits import DEFAULT_LIMITS, Limits, close_account, open_account

__all__ = [
    "DEFAULT_LIMITS",
    "Limits",
    "close_account",
    "make_environment",
    "open_account",
]
