"""Show what up would change, with the SQL of every change; touches nothing."""

from __future__ import annotations

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def preview(ctx: typer.Context) -> None:
    """Show what up would change, with the SQL of every change; touches nothing."""
    from flowsctl.runs import carry_out
    from flowsctl.session import open_engine

    options = Options.of(ctx)
    carry_out(options, f"previewing stack {options.stack}", open_engine(options).preview, planned=True)
