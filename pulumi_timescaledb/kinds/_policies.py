"""What the policies share: they are jobs of TimescaleDB, found by relation and procedure, never by a job id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..catalog import Catalog, Row
from ..specs.base import OnRelation
from ..sqltext import literal, qualified
from ..statement import Statement
from .base import Context, statement

COLUMNSTORE, REFRESH, RETENTION = (
    "policy_compression",
    "policy_refresh_continuous_aggregate",
    "policy_retention",
)


def interval(text: str | None) -> str:
    """An interval as SQL."""
    return "NULL" if text is None else f"INTERVAL {literal(text)}"


def regclass(spec: OnRelation) -> str:
    """The relation of a policy as SQL."""
    return f"{literal(qualified(*spec.identity()))}::regclass"


def jobs_table(context: Context) -> str:
    """The table behind timescaledb_information.jobs, which alone shows a job's time zone; it moved in TimescaleDB
    2.25.0 (sql/updates/2.24.0--2.25.0.sql)."""
    schema = "_timescaledb_catalog" if (context.capabilities.timescaledb or ()) >= (2, 25) else "_timescaledb_config"
    return f"{schema}.bgw_job"


def alter_policy(
    context: Context,
    spec: OnRelation,
    procedure: str,
    config: Mapping[str, str | None] | None = None,
    schedule_interval: str | None = None,
    enabled: bool | None = None,
) -> Iterator[Statement]:
    """alter_job() with what is given."""
    changes = []
    if schedule_interval is not None:
        changes.append(f"schedule_interval => {interval(schedule_interval)}")
    if enabled is not None:
        changes.append(f"scheduled => {literal(enabled)}")
    if config:
        changes.append(f"config => j.config || {literal(json.dumps(config, sort_keys=True))}::jsonb")
    if changes:
        yield statement("job/alter_policy", jobs=jobs_table(context), changes=changes, policy=spec, procedure=procedure)


def policy_rows(catalog: Catalog, procedure: str) -> Iterator[Row]:
    """Jobs of a procedure that belong to a relation; of several on one relation only the oldest, since TimescaleDB
    allows more than one for a refresh (2.21, CHANGELOG no. 8274)."""
    seen: set[tuple[str, str]] = set()
    for row in catalog.rows("job"):
        key = (row["schema"], row["relation"])
        if row["proc_name"] == procedure and row["relation"] is not None and key not in seen:
            seen.add(key)
            yield row


def interval_of(config: Mapping[str, Any] | None, name: str) -> str | None:
    """An interval in a policy's configuration; None where it has none, or a number (a table with integer time)."""
    value = (config or {}).get(name)
    return value if isinstance(value, str) else None
