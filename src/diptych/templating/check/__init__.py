"""``diptych check``: rules over template files, each with a code, a place and the way out."""

from .chat import ChatSubject, is_chat_template
from .finding import Finding, Fix
from .registry import Rule, all_rules, selected
from .run import check_chat, check_file, check_files, check_paths, check_text, files_of, fixed
from .subject import Settings

__all__ = [
    "ChatSubject",
    "Finding",
    "Fix",
    "Rule",
    "Settings",
    "all_rules",
    "check_chat",
    "check_file",
    "check_files",
    "check_paths",
    "check_text",
    "files_of",
    "fixed",
    "is_chat_template",
    "selected",
]
