"""``diptych check``: rules over template files, each with a code, a place and the way out."""

from .finding import Finding, Fix
from .registry import Rule, all_rules, selected
from .run import check_file, check_paths, check_text, files_of, fixed
from .subject import Settings

__all__ = [
    "Finding",
    "Fix",
    "Rule",
    "Settings",
    "all_rules",
    "check_file",
    "check_paths",
    "check_text",
    "files_of",
    "fixed",
    "selected",
]
