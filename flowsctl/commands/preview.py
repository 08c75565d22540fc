"""Show what up would change, with the SQL of every change; touches nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def preview(
    ctx: typer.Context,
    sql: Annotated[
        bool,
        typer.Option("--sql", help="Print only the SQL, drops included, as a script for psql."),
    ] = False,
) -> None:
    """Show what up would change, with the SQL of every change; touches nothing.

    Exit code 0 done, 3 refused, 1 failed.
    """
    options = Options.of(ctx)
    if sql:
        from flowsctl import planning
        from flowsctl.errors import EXIT_REFUSED

        planned = planning.make(options, planning.read_program(options))
        print(planning.text(planned, options, sql=True), end="")
        raise typer.Exit(EXIT_REFUSED if planned.plan.refusals else 0)
    from flowsctl.runs import carry_out
    from flowsctl.session import open_engine

    carry_out(options, f"previewing stack {options.stack}", open_engine(options).preview, planned=True)
