"""Show what up would do, statement by statement, without starting the engine."""

from __future__ import annotations

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def plan(ctx: typer.Context) -> None:
    """Show what up would do, statement by statement, without starting the engine.

    Exit code 0 no change, 2 changes, 3 refused, 1 failed.
    """
    from flowsctl import planning
    from flowsctl.errors import EXIT_CHANGES, EXIT_REFUSED
    from flowsctl.plan_text import as_json, as_text

    options = Options.of(ctx)
    planned = planning.make(options, planning.read_program(options))
    print(as_json(planned) if options.json else as_text(planned))
    if planned.plan.refusals:
        raise typer.Exit(EXIT_REFUSED)
    raise typer.Exit(EXIT_CHANGES if planned.plan.steps else 0)
