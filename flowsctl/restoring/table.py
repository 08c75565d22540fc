"""One table brought back: a scratch restore, its rows into the live table, and the scratch copy gone again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from flowsctl.backup.tool import Target
from flowsctl.containers.host import Host
from flowsctl.errors import UsageError
from flowsctl.restoring import copies
from flowsctl.restoring.making import Made, Tell, make
from flowsctl.restoring.origin import Origin
from flowsctl.restoring.rows import CONFLICTS, Brought, bring


@dataclass(frozen=True)
class TableRestored:
    """What came of it."""

    made: Made
    brought: Brought
    dry_run: bool

    def as_json(self) -> dict[str, Any]:
        """The documented form of `restore table --json`."""
        return {"table": self.brought.as_json(), "dry_run": self.dry_run, "restore": self.made.as_json()}


@dataclass(frozen=True)
class Wanted:
    """Which rows, and what about those that are there."""

    table: str
    where: str = ""
    on_conflict: str = "fail"
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a name without its schema and for an unknown --on-conflict."""
        if len(self.table.split(".")) != 2:
            raise UsageError(f"{self.table} is not SCHEMA.TABLE", "write it as flows.meter_csq")
        if self.on_conflict not in CONFLICTS:
            raise UsageError(f"--on-conflict {self.on_conflict} is not known", f"take one of {', '.join(CONFLICTS)}")


def restore_table(
    host: Host, origin: Origin, live: Mapping[str, Any], wanted: Wanted, target: Target, tell: Tell, *, image: str = ""
) -> TableRestored:
    """The rows of one table as they were at `target`, in the database that `live` (arguments for psycopg) leads to.

    Raises:
        FlowsError: what `make` and `bring` raise. The scratch copy is gone in any case.
    """
    schema, name = wanted.table.split(".")
    made = make(host, origin, target, f"{copies.SCRATCH}{secrets.token_hex(4)}", tell, image=image)
    try:
        tell(f"bringing {wanted.table} from {made.recovered_to or made.backup.finished:%Y-%m-%d %H:%M:%S %Z}")
        began = time.monotonic()
        with (
            psycopg.connect(**made.conninfo(), autocommit=True) as past,
            psycopg.connect(**live, autocommit=True, prepare_threshold=None) as now,
        ):
            brought = bring(
                past, now, schema, name,
                where=wanted.where, on_conflict=wanted.on_conflict, dry_run=wanted.dry_run,
            )  # fmt: skip
        made.seconds["rows"] = time.monotonic() - began
        return TableRestored(made, brought, wanted.dry_run)
    finally:
        copies.remove(host, made.names)
