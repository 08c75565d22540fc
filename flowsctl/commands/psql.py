"""Open psql on the stack's database; arguments after -- go to psql."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.errors import FlowsError
from flowsctl.options import Options

if TYPE_CHECKING:
    from flowsctl.stack_outputs import StackOutputs

app = typer.Typer()


@app.command()
def psql(
    ctx: typer.Context,
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed to psql.", show_default=False)] = None,
) -> None:
    """Open psql on the stack's database; arguments after -- go to psql."""
    from flowsctl.database import ensure_running
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs

    command = shutil.which("psql")
    if command is None:
        raise FlowsError("psql is not installed", "install the package postgresql-client (macOS: brew install libpq)")
    engine = open_engine(Options.of(ctx))
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    ensure_running(engine.workspace, outputs)
    os.execve(command, ["psql", *(arguments or [])], os.environ | connection_variables(outputs))


def connection_variables(outputs: StackOutputs) -> dict[str, str]:
    """libpq's variables: arguments could be read by every user of the machine, the environment cannot."""
    from flowsctl.database import tls

    database = outputs.database
    found = {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGDATABASE": database.name,
        "PGUSER": database.user,
        "PGAPPNAME": "flowsctl psql",
    }
    password = outputs.passwords.get(database.user)
    found |= {f"PG{name.upper()}": value for name, value in tls(database).items()}
    return found | ({"PGPASSWORD": password} if password else {})
