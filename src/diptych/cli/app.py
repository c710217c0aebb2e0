"""The commands and where they live; nothing here imports what a command needs."""

from __future__ import annotations

from typing import Annotated

import typer

from . import (
    audit,
    batch,
    check,
    convert,
    cost,
    count,
    diff,
    doctor,
    lookup,
    migrate,
    play,
    render,
    report,
    run,
    serve,
    tokens,
    types,
)
from .folding import Application
from .unknown import Commands


def _version(value: bool) -> None:
    if value:
        from .. import __version__

        print(f"diptych {__version__}")
        raise typer.Exit


def make_app() -> typer.Typer:
    """Return the application."""
    app = Application(
        name="diptych",
        cls=Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=(
            "Prompt templates as Completions prompts and Chat messages, with token counts, prices and a client.\n\n"
            "Try: diptych render translate -p text=Hello"
        ),
        epilog=(
            "Use --debug to show tracebacks, --quiet to leave out warnings and notes. "
            "Exit codes: 0 ok, 1 findings, 2 usage, 3 network."
        ),
    )

    @app.callback()
    def root(
        version: Annotated[
            bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        """Render, convert, count, price and send prompts."""

    app.command("render")(render.render_command)
    app.command("convert")(convert.convert_command)
    app.command("count")(count.count_command)
    app.command("tokens")(tokens.tokens_command)
    app.command("cost")(cost.cost_command)
    app.command("run")(run.run_command)
    app.command("batch")(batch.batch_command)
    app.command("serve")(serve.serve_command)
    app.command("formats")(lookup.formats_command)
    app.command("models")(lookup.models_command)
    app.command("check")(check.check_command)
    app.command("diff")(diff.diff_command)
    app.command("types")(types.types_command)
    app.command("schema")(types.schema_command)
    app.command("explain")(lookup.explain_command)
    app.command("audit")(audit.audit_command)
    app.command("play")(play.play_command)
    app.command("report")(report.report_command)
    app.command("doctor")(doctor.doctor_command)
    app.add_typer(migrate.migrate_app, name="migrate")
    app.add_typer(lookup.templates_app, name="templates")
    return app
