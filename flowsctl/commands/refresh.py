"""Read the live database into the state and show what had drifted."""

from __future__ import annotations

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def refresh(ctx: typer.Context) -> None:
    """Read the live database into the state and show what had drifted."""
    from flowsctl.runs import carry_out
    from flowsctl.session import demand_daemon, open_engine

    options = Options.of(ctx)
    demand_daemon(options)
    carry_out(options, f"refreshing stack {options.stack}", open_engine(options).refresh, planned=False)
