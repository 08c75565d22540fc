"""Everything that the seed document names, under the seed's name, on the provisioned server."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from .conftest import Connection, Stack
from .two_escos import ALPHA, BRAVO

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

CONFIGURATION = ("meter_registry", "circuits", "properties", "escos", "sites_new")
STATE = ("meter_shadows",)
SERIES = (
    "meter_prepay_balance",
    "register_import",
    "register_export",
    "register_interval_hh",
    "meter_voltage",
    "meter_csq",
)
JUNCTIONS = ("circuit_register", "service_head_meter", "properties_service_head")
LOGS = ("meter_event_log",)
TABLES = (*CONFIGURATION, *STATE, *SERIES, *JUNCTIONS, *LOGS)
COLUMNS = {
    "meter_registry": ("id", "esco"),
    "meter_shadows": ("id",),
    "register_import": ("register_id", "timestamp"),
    "register_interval_hh": ("register_id", "timestamp", "import_kwh", "export_kwh"),
    "circuit_register": ("circuit", "register"),
    "meter_event_log": ("timestamp",),
}
INDEXES = {
    "idx_register_import_time": ("register_import", '("timestamp" DESC)'),
    "idx_meter_shadows_id": ("meter_shadows", "(id)"),
    "idx_register_import_composite": ("register_import", '(register_id, "timestamp" DESC)'),
}
VIEWS = ("meter_shadows_tariffs", "meters_low_balance", "meters_offline_recently")
ROLES = {"tsdbadmin": True, "flows": True, "grafanareader": True, "public_backend": False}
"""Role -> whether it logs in; public_backend is what a token becomes."""


@pytest.mark.parametrize("table", TABLES)
def test_table(stack: Stack, table: str) -> None:
    assert stack.rows("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", f"flows.{table}") == [("r",)]
    hypertable = stack.rows(
        "SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_schema = 'flows' AND hypertable_name = %s",
        table,
    )
    assert bool(hypertable) == (table in SERIES)
    present = {
        name
        for (name,) in stack.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            f"flows.{table}",
        )
    }
    assert present >= set(COLUMNS.get(table, ()))


@pytest.mark.parametrize("family", ["meter_", "register_", "circuit_", "service_head_"])
def test_family_of_tables(stack: Stack, family: str) -> None:
    found = stack.rows(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'flows' AND starts_with(tablename, %s)", family
    )
    assert found[0][0] >= 1


def test_continuous_aggregate(stack: Stack) -> None:
    ((materialized_only,),) = stack.rows("""
        SELECT materialized_only FROM timescaledb_information.continuous_aggregates
        WHERE view_schema = 'flows' AND view_name = 'circuit_interval_daily'
    """)
    assert not materialized_only, "the seed calls its aggregates real-time"
    columns = stack.rows("""
        SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = 'flows.circuit_interval_daily'::regclass AND attnum > 0
    """)
    assert columns == [(["circuit_id", "day", "total_import_kwh", "total_export_kwh"],)]
    # Part of the rows is materialised and part is not: both count.
    ((aggregated, raw),) = stack.rows(
        """
        SELECT (SELECT sum(total_import_kwh) FROM flows.circuit_interval_daily WHERE circuit_id = ANY (%s)),
            (SELECT sum(import_kwh) FROM flows.register_interval_hh rih
             JOIN flows.circuit_register cr ON rih.register_id = cr.register WHERE cr.circuit = ANY (%s))
        """,
        *[[ALPHA.id("circuit"), BRAVO.id("circuit")]] * 2,
    )
    assert aggregated == raw > 0


@pytest.mark.parametrize("index", INDEXES)
def test_index(stack: Stack, index: str) -> None:
    table, keys = INDEXES[index]
    ((definition, valid),) = stack.rows(
        "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
        f"flows.{index}",
    )
    assert valid
    assert definition == f"CREATE INDEX {index} ON flows.{table} USING btree {keys}"


@pytest.mark.parametrize("view", VIEWS)
def test_view(stack: Stack, view: str) -> None:
    assert stack.rows("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", f"flows.{view}") == [("v",)]
    assert stack.rows(f"SELECT count(*) > 0 FROM flows.{view}") == [(True,)]


@pytest.mark.parametrize("role", ROLES)
def test_role(stack: Stack, role: str) -> None:
    assert stack.rows("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", role) == [(ROLES[role],)]


def test_row_level_security(stack: Stack) -> None:
    assert stack.rows("SELECT relrowsecurity FROM pg_class WHERE oid = 'flows.meter_registry'::regclass") == [(True,)]
    ((command, roles, using),) = stack.rows("""
        SELECT cmd, roles::text[], qual FROM pg_policies
        WHERE schemaname = 'flows' AND tablename = 'meter_registry' AND policyname = 'meter_esco_isolation'
    """)
    assert (command, roles) == ("ALL", ["flows"])
    assert "esco = " in using
    assert "app.current_esco" in using


def test_chunks_of_one_day(stack: Stack) -> None:
    assert stack.rows("""
        SELECT column_name, time_interval FROM timescaledb_information.dimensions
        WHERE hypertable_schema = 'flows' AND hypertable_name = 'register_import'
    """) == [("timestamp", timedelta(days=1))]
    widths = stack.rows("""
        SELECT DISTINCT range_end - range_start FROM timescaledb_information.chunks
        WHERE hypertable_schema = 'flows' AND hypertable_name = 'register_import'
    """)
    assert widths == [(timedelta(days=1),)]


@pytest.mark.parametrize(
    ("table", "procedure", "setting", "age"),
    [
        ("register_import", "policy_compression", "compress_after", "7 days"),
        ("register_import", "policy_retention", "drop_after", "2 years"),
    ],
)
def test_policy(stack: Stack, table: str, procedure: str, setting: str, age: str) -> None:
    found = stack.rows(
        """
        SELECT (config ->> %s)::interval = %s::interval, scheduled FROM timescaledb_information.jobs
        WHERE hypertable_schema = 'flows' AND hypertable_name = %s AND proc_name = %s
        """,
        *(setting, age, table, procedure),
    )
    assert found == [(True, True)]


def test_event_log_keeps_90_days(admin: Connection) -> None:
    ((job, config, every),) = admin.execute("""
        SELECT job_id, config, schedule_interval FROM timescaledb_information.jobs
        WHERE proc_schema = 'flows' AND proc_name = 'prune_meter_event_log'
    """).fetchall()
    assert (config, every) == ({"older_than": "90 days"}, timedelta(days=1))
    admin.execute("""
        INSERT INTO flows.meter_event_log (meter_id, timestamp, event_type, event_set)
        SELECT id, now() - age, 99, 1 FROM flows.meter_registry, (VALUES (interval '89 days'), ('91 days')) AS x(age)
    """)
    admin.execute("SELECT flows.prune_meter_event_log(%s, %s)", [job, json.dumps(config)])
    ages = admin.execute(
        "SELECT DISTINCT now() - timestamp FROM flows.meter_event_log WHERE event_type = 99"
    ).fetchall()
    assert ages == [(timedelta(days=89),)]


def test_health_check_chunk_sizes(stack: Stack) -> None:
    """The seed's question, which its own statement cannot answer: the ten largest chunks of register_import."""
    rows = stack.rows("""
        SELECT hypertable_name, chunk_name, pg_size_pretty(total_bytes) AS size, total_bytes
        FROM monitoring.chunk_sizes WHERE hypertable_name = 'register_import' ORDER BY total_bytes DESC LIMIT 10
    """)
    known = stack.rows("""
        SELECT chunk_name FROM timescaledb_information.chunks WHERE hypertable_name = 'register_import'
    """)
    assert 0 < len(rows) <= 10
    assert {row[1] for row in rows} <= {name for (name,) in known}
    assert all(size.endswith((" kB", " bytes", " MB")) and total > 0 for _, _, size, total in rows)


def test_health_check_compression_status(admin: Connection) -> None:
    """The seed's question: per hypertable the bytes before and after, and their ratio."""
    admin.execute("SELECT compress_chunk(show_chunks('flows.register_interval_hh'))")
    rows = {
        name: figures
        for name, *figures in admin.execute("""
            SELECT hypertable_name, uncompressed_total_bytes, compressed_total_bytes, compression_ratio
            FROM monitoring.compression_status
        """).fetchall()
    }
    assert set(rows) >= set(SERIES)
    before, after, ratio = rows["register_interval_hh"]
    assert before > after > 0
    assert float(ratio) == pytest.approx(before / after, abs=0.01)


def test_key_metrics_are_answered(stack: Stack) -> None:
    """The seed's key metrics; without replicas there are no rows about them, and without a pooler no pool."""
    sizes = dict(stack.rows("SELECT table_name, total_bytes FROM monitoring.table_sizes WHERE schema_name = 'flows'"))
    assert set(sizes) >= {*TABLES, "circuit_interval_daily"}
    for view in ("table_growth", "connections_by_role", "replication_lag", "archive_status", "job_status"):
        stack.rows(f"SELECT * FROM monitoring.{view}", user="grafanareader")
