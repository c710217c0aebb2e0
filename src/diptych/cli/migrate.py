"""``diptych migrate``: data sets, code and templates, one module each."""

from __future__ import annotations

from . import migrate_code, migrate_data, migrate_templates
from .commands import Application

migrate_app = Application(no_args_is_help=True, help="Move data sets, code and templates to Chat.")


@migrate_app.callback()
def root() -> None:
    """Move data sets, code and templates to Chat."""


migrate_app.command("data")(migrate_data.data_command)
migrate_app.command("code")(migrate_code.code_command)
migrate_app.command("templates")(migrate_templates.templates_command)
