"""Write the database as declared as a site: reference, query patterns, migration guide."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def docs(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder to write; an earlier site is replaced.")],
) -> None:
    """Write the database as declared as a site: reference, query patterns, migration guide.

    Works without a database and without a network; open index.html in it, no server is needed.
    """
    from flowsctl.planning import read_program
    from flowsctl.site.build import build

    options = Options.of(ctx)
    program = read_program(options)
    if not options.json:
        print("drawing pictures and building pages", file=sys.stderr, flush=True)
    count = build(program.whole, options.stack, out)
    index = out / "index.html"
    print(json.dumps({"pages": count, "index": str(index)}) if options.json else f"{count} pages: {index}")
