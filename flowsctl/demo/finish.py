"""After a load: aggregates, materialized views, columnstore and statistics, as the stack's policies would have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from psycopg import sql

from flows.functions import MISSING
from flows.settings import LEVELS
from flows.tables import BY_NAME
from flowsctl.demo.bulk import Connection
from flowsctl.errors import FlowsError
from flowsctl.jobs import Job, run_job

SLICE = timedelta(days=28)
"""How much one refresh call works on, so that its memory stays bounded."""

# Whole buckets around the span, but no nearer to now than the policy goes: what a refresh leaves to real-time
# aggregation would be frozen half full otherwise.
WINDOW = """
select time_bucket(%(bucket)s::interval, %(start)s::timestamptz),
    least(
        time_bucket(%(bucket)s::interval, %(until)s::timestamptz) + %(bucket)s::interval,
        time_bucket(%(bucket)s::interval, now() - coalesce(min((j.config ->> 'end_offset')::interval), '0'))
    )
from timescaledb_information.continuous_aggregates a
left join timescaledb_information.jobs j on j.proc_name = 'policy_refresh_continuous_aggregate'
    and (j.hypertable_schema, j.hypertable_name) in (
        (a.view_schema, a.view_name), (a.materialization_hypertable_schema, a.materialization_hypertable_name)
    )
where a.view_schema = 'flows' and a.view_name = %(name)s
having count(*) > 0
"""

# Both names of the policy: TimescaleDB renamed compression to columnstore.
COLUMNSTORE_JOBS = """
select j.job_id, coalesce(a.view_name, j.hypertable_name)
from timescaledb_information.jobs j
left join timescaledb_information.continuous_aggregates a
    on (a.materialization_hypertable_schema, a.materialization_hypertable_name)
        = (j.hypertable_schema, j.hypertable_name)
where j.proc_name in ('policy_compression', 'policy_columnstore') and j.scheduled
    and coalesce(a.view_schema, j.hypertable_schema) = 'flows'
order by j.job_id
"""


def finish(
    connection: Connection, start: datetime, until: datetime, *, force: bool, tell: Callable[[str], None]
) -> None:
    """All of it, telling each step. `force` also rebuilds what no change of series shows: new mappings of registers."""
    for level, bucket in LEVELS:
        tell(f"refreshing circuit_interval_{level}")
        refresh(connection, f"circuit_interval_{level}", bucket, start, until, force=force)
    for view in MISSING:
        tell(f"refreshing {view}")
        query = sql.SQL("select flows.{}(0, '{{}}'::jsonb)").format(sql.Identifier(f"refresh_{view}"))
        connection.execute(query)
    for ident, name in connection.execute(COLUMNSTORE_JOBS).fetchall():
        tell(f"moving old chunks of {name} to the columnstore")
        result = run_job(connection, Job(int(ident), str(name)))
        if result.error:
            raise FlowsError(
                f"the columnstore policy of {name} failed: {result.error}",
                "the demo data is there; run flowsctl jobs run --all when that is mended",
            )
    tell("collecting statistics")
    tables = sql.SQL(", ").join(sql.Identifier("flows", name) for name in BY_NAME)
    connection.execute(sql.SQL("analyze {}").format(tables))


def refresh(
    connection: Connection, name: str, bucket: str, start: datetime, until: datetime, *, force: bool = False
) -> None:
    """Refresh one aggregate over a span; nothing where no whole bucket of it may be refreshed yet, or where it is a
    plain view (edition apache)."""
    window = {"bucket": bucket, "start": start, "until": until, "name": name}
    row = connection.execute(WINDOW, window).fetchone()
    if row is None or row[1] is None or row[1] <= row[0]:
        return
    call = sql.SQL("call public.refresh_continuous_aggregate({}, {}, {}{})")
    for first, last in [(row[0], row[1])] if bucket == "1 month" else slices(row[0], row[1]):
        # A CALL cannot have parameters where the procedure commits.
        arguments = (sql.Literal(f"flows.{name}"), sql.Literal(first), sql.Literal(last))
        connection.execute(call.format(*arguments, sql.SQL(", force => true" if force else "")))


def slices(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A span in pieces of whole buckets of a day or less."""
    while start < end:
        yield start, min(start + SLICE, end)
        start += SLICE
