"""Show what up would do, statement by statement, without starting the engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def plan(
    ctx: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Also write the plan to this file, for review and `up --plan`."),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the plan as a script for psql.")] = False,
) -> None:
    """Show what up would do, statement by statement, without starting the engine.

    Exit code 0 no change, 2 changes, 3 refused, 1 failed.
    """
    from flowsctl import planning
    from flowsctl.errors import EXIT_CHANGES, EXIT_REFUSED

    options = Options.of(ctx)
    program = planning.read_program(options, exact=out is not None)
    planned = planning.make(options, program)
    print(planning.text(planned, program, options, sql=sql), end="")
    if planned.plan.refusals:
        raise typer.Exit(EXIT_REFUSED)
    if out is not None:
        planning.save(planned, options, program, out)
        print(f"plan written to {out}; next: flowsctl up --plan {out}", file=sys.stderr)
    raise typer.Exit(EXIT_CHANGES if planned.plan.steps else 0)
