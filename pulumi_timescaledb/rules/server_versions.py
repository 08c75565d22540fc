"""Servers too old for what is declared: what came with which release says so (release notes)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

POSTGRES = (15, 0)
"""security_invoker views and NULLS NOT DISTINCT, which the catalog queries read."""
MEMBERSHIP_OPTIONS = (16, 0)
TIMESCALEDB = (2, 18, 0)
"""Columnstore under its present name: add_columnstore_policy(), hypertable_columnstore_stats()."""


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """A fault for each floor that the server does not reach."""
    postgres, timescaledb = capabilities.postgres, capabilities.timescaledb
    if postgres < POSTGRES:
        yield f"The server is PostgreSQL {_text(postgres)}; this provider needs {_text(POSTGRES)} or newer. Upgrade it."
    elif postgres < MEMBERSHIP_OPTIONS:
        for membership in whole.of_kind("RoleMembership"):
            if not (membership.inherit and membership.set_role):
                yield (
                    f"RoleMembership {membership.import_id()}: INHERIT and SET per membership came with PostgreSQL 16, "
                    f"and the server is {_text(postgres)}. Upgrade it, or make the member NOINHERIT."
                )
    if timescaledb is not None and timescaledb < TIMESCALEDB:
        hypertables = [spec.import_id() for spec in whole.of_kind("Hypertable")]
        names = f"Hypertable {hypertables[0]} and what is on it: " if hypertables else ""
        yield (
            f"{names}the server has TimescaleDB {_text(timescaledb)}, and this provider needs {_text(TIMESCALEDB)} or "
            "newer. Install a newer package, then upgrade the extension (ALTER EXTENSION timescaledb UPDATE)."
        )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
