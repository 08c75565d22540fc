"""Vacuum, analyze or reindex the database, piece by piece, while it is in use."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from flowsctl.maintenance.work import Done

app = typer.Typer()
Object = Annotated[
    str, typer.Argument(metavar="[OBJECT]", help="Only this one, for example flows.register_import (default: all).")
]


@app.callback()
def maintain() -> None:
    """Vacuum, analyze or reindex the database, piece by piece, while it is in use."""


@app.command()
def vacuum(ctx: typer.Context, name: Object = "") -> None:
    """Give space of deleted rows free for new ones, and collect statistics."""
    carry_out(Options.of(ctx), "vacuum", name)


@app.command()
def analyze(ctx: typer.Context, name: Object = "") -> None:
    """Collect the statistics that queries are planned with."""
    carry_out(Options.of(ctx), "analyze", name)


@app.command()
def reindex(ctx: typer.Context, name: Object = "") -> None:
    """Build indexes anew, beside their use where the server can; hypertables chunk by chunk."""
    carry_out(Options.of(ctx), "reindex", name)


def carry_out(options: Options, action: str, name: str) -> None:
    """One kind of maintenance, and its report.

    Raises FlowsError where a piece could not be done; the others are.
    """
    from flowsctl.errors import FlowsError
    from flowsctl.live import connect
    from flowsctl.maintenance.objects import chosen, things
    from flowsctl.maintenance.work import maintain as work

    def tell(text: str) -> None:
        if not options.json:
            print(text, file=sys.stderr, flush=True)

    connection, capabilities = connect(options)
    concurrently = capabilities.concurrent_index
    with connection:
        results = work(connection, action, chosen(things(connection), name), tell, concurrently=concurrently)
    faults = [fault for done in results for fault in done.faults]
    if options.json:
        report = {"action": action, "objects": [done.as_json() for done in results], "faults": len(faults)}
        print(json.dumps(report | ({"concurrently": concurrently} if action == "reindex" else {}), indent=2))
    else:
        _tell(action, results, concurrently)
    if faults:
        raise FlowsError(f"{len(faults)} faults in {action}", "see them above; run it again for what was left out")


def _tell(action: str, results: list[Done], concurrently: bool) -> None:
    for done in results:
        size = f", {_mb(done.bytes_before)} -> {_mb(done.bytes_after)} MB" if action != "analyze" else ""
        print(f"{done.thing.name} ({done.thing.kind}): {done.pieces} statements in {done.seconds:.1f} s{size}")
        for fault in done.faults:
            print(f"  ! {fault}")
    total = sum(done.seconds for done in results)
    held = "" if action != "reindex" or concurrently else ", with writers held off (no CONCURRENTLY on this server)"
    print(f"{action}: {len(results)} objects in {total:.1f} s{held}")


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
