"""How restores are told to people, and how a command that makes containers ends when it is told to end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from flowsctl.restoring.judging import Judgement
from flowsctl.restoring.making import Made
from flowsctl.restoring.rows import Brought

SHOWN = 20
"""Differences told at most; --json has all."""


def end_like_ctrl_c() -> None:
    """SIGTERM takes away what is half made, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def teller(quiet: bool) -> Callable[[str], None]:
    """Progress on standard error, a line each."""

    def tell(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr, flush=True)

    return tell


def restored(made: Made, judgement: Judgement) -> Iterator[str]:
    """The result of a restore."""
    report: dict[str, Any] = made.as_json()
    to = report["recovered_to"] or "the end of the backup"
    yield f"{made.names.stack}: stack {report['origin']} as of {to}, from backup {report['backup']}"
    yield f"RPO at most {report['rpo_seconds']:.1f} s, RTO {report['rto_seconds']:.1f} s: {phases(made)}"
    yield f"{made.bytes / 1e6:.1f} MB restored at {made.megabytes_per_second:.1f} MB/s ({tool(made)})"
    for name, (was, now) in sorted(judgement.tables.items()):
        yield f"  {name}: {now} rows, {was} in the ledger"
    for row in judgement.rows[:SHOWN]:
        why = row.explained or ("LOST" if row.is_loss else "written since")
        yield f"  {row.name}: {row.ledger} -> {row.restored} ({why})"
    if len(judgement.rows) > SHOWN:
        yield f"  and {len(judgement.rows) - SHOWN} more (--json)"
    yield from (f"fault: {fault}" for fault in judgement.faults)
    server = made.server
    where = f"host={server.reachable_host} port={server.database_port} dbname={server.database_name}"
    yield f"look at it: {where} user=tsdbadmin (the stack's password); no job runs, nothing is archived"


def brought(found: Brought, dry_run: bool) -> Iterator[str]:
    """The result of a table's restore."""
    would = "would be " if dry_run else ""
    yield f"{found.table}: {found.rows} rows in the copy, checksum {found.checksum}"
    yield f"  {found.new} new, {found.same} the same, {found.differing} with other content"
    yield f"  {found.written} {would}written; those rows now: checksum {found.live_checksum}"
    yield f"  {found.live_rows} rows in the table, in {found.seconds:.1f} s"
    yield from (f"note: {note}" for note in found.notes)


def phases(made: Made) -> str:
    """Seconds by phase."""
    return ", ".join(f"{name} {took:.1f} s" for name, took in made.seconds.items())


def tool(made: Made) -> str:
    """The backup tool's own figure."""
    if not made.tool_seconds:
        return "the tool told no figure"
    return f"the tool says {made.bytes / 1e6 / made.tool_seconds:.1f} MB/s in {made.tool_seconds:.1f} s"
