"""Container images of the docker engine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.callback()
def image() -> None:
    """Container images of the docker engine."""


@app.command()
def build(
    ctx: typer.Context,
    base: Annotated[str, typer.Option(help="Debian trixie image to build from.")] = "",
    network: Annotated[
        str, typer.Option(help="Network of the build: host, where the default one does not reach the mirror.")
    ] = "",
    bootstrap: Annotated[bool, typer.Option("--bootstrap", help="Make the base by debootstrap.")] = False,
) -> None:
    """Build the images, TimescaleDB with pgBackRest and PostgREST; without a registry too."""
    from components.containers import images
    from flowsctl.containers.building import built
    from flowsctl.containers.host import Host

    options = Options.of(ctx)
    host = Host()
    found = []
    try:
        for each in built(host, tell, base=base or images.BASE, network=network, bootstrap=bootstrap):
            found.append(each)
            if not options.json:
                versions = ", ".join(
                    f"{key.removeprefix('flows.version.')} {value}" for key, value in each.labels.items()
                )
                state = "was there" if each.cached else "built"
                print(f"{each.tag}  {each.size / 1e6:.0f} MB  {state}  {versions}")
    finally:
        host.close()
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))


def tell(text: str) -> None:
    """A line about what goes on."""
    print(text, file=sys.stderr, flush=True)
