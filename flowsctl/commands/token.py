"""Sign a token for the API, bound to one esco."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def token(
    ctx: typer.Context,
    esco: Annotated[str, typer.Option(help="Code of the esco whose data the token opens.", show_default=False)],
    role: Annotated[str, typer.Option(help="Role the API takes on.")] = "public_backend",
    ttl: Annotated[str, typer.Option(help="How long it is valid: a number with s, m, h or d.")] = "1h",
) -> None:
    """Sign a token for the API, bound to one esco."""
    from flowsctl.database import api_role, esco_id, listens
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs
    from flowsctl.tokens import seconds, sign

    options = Options.of(ctx)
    lifetime = seconds(ttl)
    engine = open_engine(options)
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    role = api_role(engine.workspace, outputs, role)
    claims, text = sign(outputs, role, esco_id(engine.workspace, outputs, esco), lifetime)
    if outputs.api is not None and not listens(outputs.api):
        print(f"warning: nothing listens at {outputs.api.url}: run flowsctl up", file=sys.stderr)
    print(json.dumps({"token": text, "claims": claims}, indent=2) if options.json else text)
