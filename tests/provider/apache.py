"""What the Flows database must be on TimescaleDB's Apache edition, whatever server runs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from flows import Settings
from flows.monitoring import view_names
from flows.scheduled import jobs
from flowsctl.demo.finish import finish
from tests.stack import two_escos

from . import whole_flows
from .native import value

SETTINGS = Settings(edition="apache")
LEVELS = (("hh", "timestamp", "minute"), ("daily", "day", "day"), ("monthly", "month", "month"))
RECOMPUTED = """
SELECT c.circuit, date_trunc('{unit}', r.timestamp, 'UTC') AS at, sum(r.import_kwh), sum(r.export_kwh)
FROM flows.register_interval_hh r JOIN flows.circuit_register c ON c.register = r.register_id
WHERE r.timestamp >= c.start_time AND (c.end_time IS NULL OR r.timestamp < c.end_time)
GROUP BY 1, 2 ORDER BY 1, 2
"""


def refuses_community(dsn: str) -> None:
    """A program for the other edition is refused while nothing is there yet."""
    (refusal,) = whole_flows.plan(dsn, Settings()).refusals
    assert "declared with edition community, but the server runs the Apache edition" in str(refusal)
    assert "Columnstore flows.register_import and 10 more" in str(refusal)
    assert "set the edition to apache" in str(refusal)
    assert value(dsn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'flows'") == 0
    assert value(dsn, "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") == 0


def comes_up(dsn: str) -> None:
    """Everything that the edition has is made, and then nothing is left to do."""
    assert whole_flows.plan(dsn, SETTINGS).refusals == []
    whole_flows.apply(dsn, SETTINGS)
    after = whole_flows.plan(dsn, SETTINGS)
    assert (after.steps, after.refusals) == ([], [])
    assert value(dsn, "SELECT count(*) FROM timescaledb_information.hypertables") == 8
    assert value(dsn, "SELECT count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000") == 0


def computes(dsn: str) -> None:
    """The views that stand in for aggregates give what a recomputation from the readings gives, at once."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        two_escos.load(connection)
        connection.execute(
            "INSERT INTO flows.register_interval_hh (register_id, timestamp, import_kwh) "
            "SELECT register, now() - interval '29 days', 5 FROM flows.circuit_register"  # before it was mapped
        )
        for level, column, unit in (
            ("hh", "timestamp", "minute"),
            ("daily", "day", "day"),
            ("monthly", "month", "month"),
        ):
            view = (
                f'SELECT circuit_id, "{column}", total_import_kwh, total_export_kwh FROM flows.circuit_interval_{level}'
            )
            found = connection.execute(f"{view} ORDER BY 1, 2".encode()).fetchall()
            wanted = connection.execute(RECOMPUTED.format(unit=unit).encode()).fetchall()
            assert found == wanted
            assert sum(row[2] for row in found) > Decimal(100)
        connection.execute(b"CALL flows.refresh_circuit_aggregates(now() - interval '1 day')")
        steps: list[str] = []
        now = datetime.now(UTC)
        finish(connection, now - timedelta(days=30), now, force=False, tell=steps.append)  # as `demo load` ends
        assert steps[-1] == "collecting statistics"


def is_monitored(dsn: str) -> None:
    """Every view of the schema monitoring answers the role it is for."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(b"SET ROLE grafanareader")
        rows = {}
        for view in view_names(SETTINGS):
            rows[view] = connection.execute(f"SELECT * FROM monitoring.{view}".encode()).fetchall()
        assert len(rows["compression_status"]) == 8
        assert len(rows["chunk_sizes"]) >= 8
        assert rows["table_sizes"]
        assert rows["archive_status"]


def runs_its_jobs(dsn: str) -> None:
    """The scheduler's SQL does what the jobs and retention policies do in the other edition."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        old = "SELECT meter_id, now() - interval '200 days', 1 FROM flows.meter_csq LIMIT 1"
        connection.execute(f"INSERT INTO flows.meter_csq (meter_id, timestamp, csq) {old}".encode())
        ancient = "SELECT register_id, now() - interval '9 years', 1 FROM flows.register_interval_hh LIMIT 1"
        connection.execute(
            f"INSERT INTO flows.register_interval_hh (register_id, timestamp, import_kwh) {ancient}".encode()
        )
        connection.execute(
            b"INSERT INTO flows.meter_event_log (meter_id, timestamp, event_type, event_set) "
            b"SELECT meter_id, now() - interval '200 days', event_type, event_set FROM flows.meter_event_log LIMIT 1"
        )
        before = connection.execute(b"SELECT count(*) FROM flows.meter_event_log").fetchone()
        for job in jobs(SETTINGS):
            connection.execute(job.sql.encode())
        after = connection.execute(b"SELECT count(*) FROM flows.meter_event_log").fetchone()
        assert before is not None
        assert after is not None
        assert after[0] == before[0] - 1
    assert value(dsn, "SELECT count(*) FROM flows.meter_csq WHERE timestamp < now() - interval '100 days'") == 0
    assert value(dsn, "SELECT count(*) FROM flows.meter_csq") != 0
    # Its views have no rows of their own, and the monthly one shall be kept for ever.
    kept = "SELECT count(*) FROM flows.register_interval_hh WHERE timestamp < now() - interval '8 years'"
    assert value(dsn, kept) == 1
    assert value(dsn, "SELECT count(*) FROM monitoring.table_size_samples") != 0


def all_of_it(dsn: str) -> None:
    """The whole story on one server."""
    refuses_community(dsn)
    comes_up(dsn)
    computes(dsn)
    is_monitored(dsn)
    runs_its_jobs(dsn)
    with pytest.raises(psycopg.errors.FeatureNotSupported), psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(b"SELECT add_job('flows.prune_meter_event_log', INTERVAL '1 day')")
