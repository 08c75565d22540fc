"""Show what up would change, with the SQL of every change; touches nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flowsctl.errors import UsageError
from flowsctl.options import Options

app = typer.Typer()
REPORTS = "Reports for a review (exit code 0 no change, 2 changes, 3 refused)"


@app.command()
def preview(
    ctx: typer.Context,
    sql: Annotated[
        bool,
        typer.Option("--sql", help="Print only the SQL, drops included, as a script for psql."),
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write a comment in Markdown.", rich_help_panel=REPORTS)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write one self-contained page.", rich_help_panel=REPORTS)
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the report as JSON.", rich_help_panel=REPORTS)
    ] = None,
    against: Annotated[
        str,
        typer.Option(
            metavar="COMMIT",
            help="Compare with that commit's program, brought up on a throw-away embedded server.",
            rich_help_panel=REPORTS,
        ),
    ] = "",
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Also apply it to a throw-away copy and look.", rich_help_panel=REPORTS),
    ] = False,
) -> None:
    """Show what up would change, with the SQL of every change; touches nothing.

    Exit code 0 done, 3 refused, 1 failed; with a report, --against or --prove also 2: there are changes.
    """
    options = Options.of(ctx)
    reported = any((markdown, html, json_file, against, prove))
    if sql and reported:
        raise UsageError("--sql prints a script and nothing else", "leave it out, or leave the reports out")
    if sql:
        _print_script(options)
    elif reported:
        _report(options, (markdown, html, json_file), against, prove)
    else:
        from flowsctl.reach import demand_administrator
        from flowsctl.runs import carry_out
        from flowsctl.session import demand_daemon, open_engine

        demand_daemon(options)
        demand_administrator(options, must_answer=False)
        carry_out(options, f"previewing stack {options.stack}", open_engine(options).preview, planned=True)


def _print_script(options: Options) -> None:
    from flowsctl import planning
    from flowsctl.errors import EXIT_REFUSED

    program = planning.read_program(options)
    planned = planning.make(options, program)
    print(planning.text(planned, program, options, sql=True), end="")
    raise typer.Exit(EXIT_REFUSED if planned.plan.refusals else 0)


def _report(options: Options, files: tuple[Path | None, Path | None, Path | None], against: str, prove: bool) -> None:
    import json

    from flowsctl.errors import EXIT_CHANGES, EXIT_FAILED, EXIT_REFUSED
    from flowsctl.reports.review_run import LIVE_DSN, review
    from flowsctl.reports.writing import write

    def say(text: str) -> None:
        if not options.json:
            print(text, file=sys.stderr, flush=True)

    found = review(options, against, prove, os.environ.get(LIVE_DSN, ""), say)
    write(found, *files)
    if options.json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        print(found.story.headline)
        for warning in found.story.advice:
            print(f"warning: {warning}")
        for refusal in found.story.refusals:
            print(f"refused: {refusal}")
        if found.proof is not None:
            print(found.proof.headline)
    if found.story.refusals:
        raise typer.Exit(EXIT_REFUSED)
    if found.proof is not None and not found.proof.holds:
        raise typer.Exit(EXIT_FAILED)
    raise typer.Exit(EXIT_CHANGES if found.story.changes else 0)
