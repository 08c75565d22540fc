"""The steps of a demo load: refuse or replace, plain rows, series, shadows, then what the policies would do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from flowsctl.demo import bulk, existing, plain
from flowsctl.demo.ahead import ahead
from flowsctl.demo.bulk import Connection, SeriesWriter
from flowsctl.demo.estate import Esco, Load, Meter, estate
from flowsctl.demo.finish import finish
from flowsctl.demo.keys import Keys
from flowsctl.demo.measure import Bare, Measured, scratch
from flowsctl.demo.plain import Rows
from flowsctl.demo.series import batches, expected, fresh
from flowsctl.demo.show import Show
from flowsctl.demo.state import MeterState
from flowsctl.errors import EXIT_INTERRUPTED, EXIT_REFUSED, FlowsError, UsageError

LINKS_AT_ONCE = 500
"""Rows of links per transaction: their triggers take an advisory lock each."""

RETENTION = """
select now() - (config ->> 'drop_after')::interval from timescaledb_information.jobs
where proc_name = 'policy_retention' and hypertable_schema = 'flows' and hypertable_name = 'register_interval_hh'
"""


@dataclass
class Loaded:
    """What a load has done."""

    load: Load
    copy: bool
    rows: dict[str, int] = field(default_factory=dict)
    load_seconds: float = 0.0
    finish_seconds: float = 0.0
    replaced: list[str] = field(default_factory=list)
    measured: Measured | None = None

    def as_json(self) -> dict[str, Any]:
        """The documented form, without what the API shows."""
        return {
            "seed": self.load.seed,
            "start": self.load.start.isoformat(),
            "until": self.load.until.isoformat(),
            "path": path_name(self.copy),
            "rows": self.rows,
            "load_seconds": round(self.load_seconds, 3),
            "finish_seconds": round(self.finish_seconds, 3),
            "replaced": self.replaced,
            "measure": self.measured.as_json() if self.measured else None,
        }


def path_name(copy: bool) -> str:
    """How rows reached the server."""
    return "copy" if copy else "arrays"


def plan(escos: int, meters: int, days: int, seed: int, until: datetime | None) -> Load:
    """The load of these sizes. Raises UsageError for an end in the future."""
    now = datetime.now(UTC)
    end = until or now
    if end > now:
        raise UsageError(
            f"--until {end.isoformat()} is in the future", "give a moment that has passed, or leave it out"
        )
    end = end.astimezone(UTC)
    end = end.replace(minute=end.minute // 30 * 30, second=0, microsecond=0)
    return Load(estate(escos, meters), end - timedelta(days=days), end, seed)


def carry_out(connection: Connection, load: Load, show: Show, *, replace: bool, measure: bool) -> Loaded:
    """Load everything. Raises FlowsError, nothing changed, where demo escos exist and `replace` is not given."""
    _within_retention(connection, load)
    found = existing.find(connection, [esco.code for esco in load.escos])
    _refuse(found, replace=replace)
    loaded = Loaded(load, bulk.has_copy(connection), replaced=sorted(found.demo))
    start, until = load.start, load.until
    if found.demo:
        show.step(f"deleting demo escos {', '.join(found.demo)}")
        if span := existing.delete(connection, found.demo):
            start, until = min(start, span[0]), max(until, span[1])
    try:
        with scratch(connection, copy=loaded.copy) if measure else nullcontext() as bare:
            started = time.monotonic()
            _rows(connection, loaded, show, bare)
            loaded.load_seconds = time.monotonic() - started - (bare.seconds if bare else 0.0)
    except KeyboardInterrupt:
        raise FlowsError(
            "cancelled, with a part of the demo data loaded",
            "run flowsctl demo load --replace to load it whole, or flowsctl demo remove",
            EXIT_INTERRUPTED,
        ) from None
    except psycopg.errors.UniqueViolation as error:
        raise FlowsError(
            f"rows of somebody else have what demo rows need: {error.diag.message_detail or error}",
            "change those rows, then run flowsctl demo load --replace",
        ) from error
    started = time.monotonic()
    finish(connection, start, until, force=bool(found.demo), tell=show.step)
    loaded.finish_seconds = time.monotonic() - started
    if bare is not None:
        loaded.measured = Measured(loaded.load_seconds, bare.seconds, path_name(loaded.copy))
    return loaded


def remove(connection: Connection, show: Show) -> list[str]:
    """Delete every demo esco; returns their codes."""
    found = existing.find(connection, [])
    if found.demo:
        show.step(f"deleting demo escos {', '.join(found.demo)}")
        if span := existing.delete(connection, found.demo):
            finish(connection, *span, force=True, tell=show.step)
    return sorted(found.demo)


def _refuse(found: existing.Found, *, replace: bool) -> None:
    if found.taken:
        raise FlowsError(
            f"esco {', '.join(found.taken)} exists and is not demo data",
            "load the demo into another stack, or change that esco's code",
            EXIT_REFUSED,
        )
    if found.demo and not replace:
        raise FlowsError(
            f"demo data is there already, or what an interrupted load left of it: esco {', '.join(found.demo)}",
            "add --replace to delete what demo load made, and nothing else, and load anew",
            EXIT_REFUSED,
        )


def _within_retention(connection: Connection, load: Load) -> None:
    """Aggregates are refreshed over the whole span: where raw rows of others are dropped that would lose theirs."""
    row = connection.execute(RETENTION).fetchone()
    if row is not None and load.start < row[0]:
        raise UsageError(
            f"half-hours before {row[0]:%Y-%m-%d} are past the retention of register_interval_hh",
            "take fewer --days or a later --until",
        )


def _rows(connection: Connection, loaded: Loaded, show: Show, bare: Bare | None) -> None:
    load = loaded.load
    show.step("loading escos, meters and what connects them")
    with connection.transaction():
        for rows in plain.shared():
            bulk.insert_rows(connection, rows, or_nothing=True)
    for esco in load.escos:
        _esco(connection, esco, loaded)
    show.begin("loading series", sum(expected(load).values()))
    states = fresh(load)
    writer, keys = SeriesWriter(connection, "flows", copy=loaded.copy), Keys(connection)
    prepared_batches = ((batch, writer.prepare(batch)) for batch in batches(load, states))
    for batch, prepared in prepared_batches if bare else ahead(prepared_batches):
        with keys.checked(batch):
            writer.send(batch, prepared)
        if bare is not None:
            bare.send(batch, prepared)
        loaded.rows[batch.table] = loaded.rows.get(batch.table, 0) + batch.count
        show.advance(batch.count)
    for esco in load.escos:
        _shadows(connection, esco, loaded, states)


def _esco(connection: Connection, esco: Esco, loaded: Loaded) -> None:
    with connection.transaction():
        for rows in plain.of_esco(esco, loaded.load):
            _insert(connection, rows, loaded)
    for rows in plain.links(esco, loaded.load):
        for part in _parts(rows):
            with connection.transaction():
                _insert(connection, part, loaded)


def _shadows(connection: Connection, esco: Esco, loaded: Loaded, states: dict[Meter, MeterState]) -> None:
    """The trigger on meter_registry made empty shadows. An update of them would fire the triggers that write history,
    which the series hold already, so each is deleted and inserted as the series left it, in one transaction."""
    with connection.transaction():
        ids = [meter.id for meter in esco.meters]
        connection.execute("delete from flows.meter_shadows where id = any(%s)", [ids])
        _insert(connection, plain.shadows(esco, loaded.load, states), loaded)


def _insert(connection: Connection, rows: Rows, loaded: Loaded) -> None:
    bulk.insert_rows(connection, rows)
    loaded.rows[rows.table] = loaded.rows.get(rows.table, 0) + len(rows.values)


def _parts(rows: Rows) -> Iterator[Rows]:
    for first in range(0, len(rows.values), LINKS_AT_ONCE):
        yield Rows(rows.table, rows.columns, rows.values[first : first + LINKS_AT_ONCE])
