"""Show where the database and the API are."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def outputs(
    ctx: typer.Context,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Also show the JWT secret and the roles' passwords.")
    ] = False,
) -> None:
    """Show where the database and the API are."""
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs

    options = Options.of(ctx)
    found = StackOutputs.parse(open_engine(options).outputs(show_secrets), show_secrets)
    if options.json:
        print(json.dumps(found.as_json(), indent=2))
        return
    rows = [("engine", found.engine), ("database", found.database.dsn)]
    rows += [("API", found.api.url if found.api else "none"), ("roles", ", ".join(found.roles))]
    if show_secrets:
        rows += [("JWT secret", found.jwt_secret)]
        rows += [(f"password of {role}", password) for role, password in sorted(found.passwords.items())]
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows))
