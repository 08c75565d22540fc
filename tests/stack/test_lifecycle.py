"""The life of the Flows stack on the real engine, in order: up, nothing to do, drift, jobs, removals, destroy.

The stack is this file's own, and each test leaves it in step with the tree.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flows import declarations
from pulumi_timescaledb.local.server import socket_folder

from . import two_escos
from .conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-lifecycle")]

HOUSEKEEPING = {
    "pulumi:pulumi:Stack": 1,
    "pulumi:providers:timescaledb": 2,  # one for the database, one for processes of this machine
    "flows:components:DatabaseSchema": 1,
    "timescaledb:local:Server": 1,
    "timescaledb:local:RestApi": 1,
    "timescaledb:index:Manifest": 1,
    "timescaledb:index:Seal": 1,
}
KEEP = ("--config", "flows:disposable=false")
DRIFT: dict[str, str] = {
    "RetentionPolicy flows.register_import": """
        SELECT alter_job(job_id, config => jsonb_set(config, '{drop_after}', '"1 year"'))
        FROM timescaledb_information.jobs
        WHERE hypertable_name = 'register_import' AND proc_name = 'policy_retention'""",
    "RefreshPolicy flows.circuit_interval_daily": """
        SELECT alter_job(job_id, schedule_interval => interval '6 hours') FROM timescaledb_information.jobs
        WHERE hypertable_name = 'circuit_interval_daily' AND proc_name = 'policy_refresh_continuous_aggregate'""",
    "Job flows.prune_meter_event_log": """
        SELECT alter_job(job_id, schedule_interval => interval '6 hours') FROM timescaledb_information.jobs
        WHERE proc_name = 'prune_meter_event_log'""",
    "Grant flows_api_writer.flows": "GRANT SELECT ON flows.register_import TO flows_api_writer",
    "Grant public_backend.flows": "GRANT SELECT ON flows.register_import TO public_backend",
    "Grant public_backend.api": "REVOKE SELECT ON api.escos FROM public_backend",
    "Grant public.flows": "GRANT EXECUTE ON FUNCTION flows.updated_at_now() TO PUBLIC",
    "Function flows.meter_shadows_last_healthy()": """
        CREATE OR REPLACE FUNCTION flows.meter_shadows_last_healthy() RETURNS trigger LANGUAGE plpgsql
        SET search_path TO '' AS $$ BEGIN RETURN NEW; END $$""",
    "View flows.meters_low_balance": "ALTER VIEW flows.meters_low_balance RESET (security_invoker)",
    "Table flows.circuits": "COMMENT ON TABLE flows.circuits IS 'changed by hand'",
    "Table flows.sites_new": "COMMENT ON COLUMN flows.sites_new.name IS NULL",
    "Table flows.feeder_registry": "ALTER TABLE flows.feeder_registry DISABLE ROW LEVEL SECURITY",
    "Table flows.properties": "ALTER TABLE flows.properties ADD COLUMN by_hand text",
    "RlsPolicy flows.meter_registry.meter_esco_isolation": """
        ALTER POLICY meter_esco_isolation ON flows.meter_registry USING (true)""",
    "Index flows.idx_meter_registry_esco": "DROP INDEX flows.idx_meter_registry_esco",
    "Trigger flows.meter_registry.meter_registry_updated_at": """
        DROP TRIGGER meter_registry_updated_at ON flows.meter_registry""",
    "Hypertable flows.register_export": "SELECT set_chunk_time_interval('flows.register_export', INTERVAL '3 days')",
    "Columnstore flows.meter_csq": """
        SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
        WHERE hypertable_name = 'meter_csq' AND proc_name = 'policy_compression'""",
    "Columnstore flows.meter_voltage": """
        ALTER TABLE flows.meter_voltage
        SET (timescaledb.segmentby = 'meter_id', timescaledb.orderby = '"timestamp" ASC')""",
    "ContinuousAggregate flows.circuit_interval_hh": """
        ALTER MATERIALIZED VIEW flows.circuit_interval_hh SET (timescaledb.materialized_only = true)""",
    "Job monitoring.sample_table_sizes": """
        SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
        WHERE proc_name = 'sample_table_sizes'""",
    "Grant api_owner.flows": "GRANT SELECT (position) ON flows.ev_chargers TO api_owner",
    "Grant flows.flows": """
        ALTER DEFAULT PRIVILEGES FOR ROLE tsdbadmin IN SCHEMA flows GRANT DELETE ON TABLES TO flows""",
    "Trigger flows.meter_shadows.meter_shadows_updated_at": """
        ALTER TABLE flows.meter_shadows DISABLE TRIGGER meter_shadows_updated_at""",
    "ForeignKey flows.sites_new.sites_new_esco_fkey": """
        ALTER TABLE flows.sites_new ALTER CONSTRAINT sites_new_esco_fkey DEFERRABLE""",
    "Enum flows.health_check_status": "COMMENT ON TYPE flows.health_check_status IS 'by hand'",
    "Role grafanareader": "ALTER ROLE grafanareader CONNECTION LIMIT 99",
    "RoleMembership public_backend.authenticator": "GRANT public_backend TO authenticator WITH INHERIT TRUE",
    "MaterializedView flows.register_import_missing": """
        ALTER MATERIALIZED VIEW flows.register_import_missing OWNER TO api_owner""",
    "Schema monitoring": "COMMENT ON SCHEMA monitoring IS 'by hand'",
}
"""Object -> what somebody does to it by hand."""

REMOVAL = """

_everything = declarations


def declarations(settings=None):
    gone = {"ev_chargers", "meters_clock_drift"}
    for spec in _everything(settings):
        if spec.KIND == "Grant":
            kept = tuple(item for item in spec.objects if item.name not in gone)
            spec = spec.model_copy(update={"objects": kept})
        if not {getattr(spec, "name", ""), getattr(spec, "relation", "")} & gone:
            yield spec
"""
"""Put at the end of flows/__init__.py, it takes a table and a view, with all that is on them, out of the model."""


@pytest.fixture(scope="module")
def first_up(new_stack: Callable[[], Stack]) -> tuple[Stack, dict[str, Any]]:
    """A stack of its own and the report of its first `up`."""
    made = new_stack()
    return made, made.json("up")


@pytest.fixture(scope="module")
def life(first_up: tuple[Stack, dict[str, Any]]) -> Stack:
    return first_up[0]


@contextmanager
def declaring_less(stack: Stack) -> Iterator[None]:
    """The stack's tree without a table and a view."""
    model = stack.root / "flows" / "__init__.py"
    text = model.read_text()
    model.write_text(text + REMOVAL)
    try:
        yield
    finally:
        model.write_text(text)


def unchanged(report: dict[str, Any]) -> bool:
    """Whether a run found nothing to do and said nothing."""
    counts = Counter(report["counts"])
    assert counts["same"] > 0
    return counts.total() == counts["same"] and report["changes"] == [] and report["diagnostics"] == []


def changed(report: dict[str, Any]) -> dict[str, str]:
    """`Kind name` -> what happens to it."""
    return {f"{change['type'].split(':')[-1]} {change['name']}": change["op"] for change in report["changes"]}


def shape(stack: Stack) -> list[tuple[Any, ...]]:
    """Every object of our schemas and how many rows there are: what must not be touched."""
    relations = stack.rows("""
        SELECT c.oid, c.relfilenode, c.relnamespace::regnamespace::text, c.relname, c.relkind FROM pg_class c
        WHERE c.relnamespace::regnamespace::text IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb')
        ORDER BY c.oid
    """)
    tables = [name for _, _, schema, name, kind in relations if schema == "flows" and kind == "r"]
    counts = stack.rows(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM flows.{name}" for name in tables))
    others = stack.rows("""
        SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace::regnamespace::text IN ('flows', 'api_private')
        UNION ALL SELECT tgname::text FROM pg_trigger UNION ALL SELECT polname::text FROM pg_policy
        UNION ALL SELECT conname::text FROM pg_constraint UNION ALL SELECT rolname::text FROM pg_roles
        UNION ALL SELECT proc_name::text FROM timescaledb_information.jobs ORDER BY 1
    """)
    return [*relations, *sorted(counts), *others]


def test_the_first_up_makes_every_declaration(first_up: tuple[Stack, dict[str, Any]]) -> None:
    _, report = first_up
    expected = Counter(HOUSEKEEPING) + Counter(f"timescaledb:index:{spec.KIND}" for spec in declarations())
    assert {op: count for op, count in report["counts"].items() if count} == {"create": expected.total()}
    assert Counter(change["type"] for change in report["changes"]) == expected
    names = {change["name"] for change in report["changes"]}
    assert names >= {spec.import_id() for spec in declarations()}
    assert report["diagnostics"] == []
    assert set(report["outputs"]) == {"engine", "database", "api", "roles"}


def test_then_there_is_nothing_to_do(life: Stack) -> None:
    assert unchanged(life.json("preview"))
    assert unchanged(life.json("refresh"))
    assert unchanged(life.json("preview"))


def test_drift_is_seen_and_put_right(life: Stack) -> None:
    before = shape(life)
    with life.connect() as connection:
        for sql in DRIFT.values():
            connection.execute(sql.encode())
    seen = changed(life.json("refresh"))
    assert seen == {name: "delete" if sql.lstrip().startswith("DROP") else "update" for name, sql in DRIFT.items()}
    report = life.json("up")
    repaired = {name: "create" if op == "delete" else op for name, op in seen.items()}
    assert changed(report) == repaired | {"Seal seal": "update"}  # it makes the API read the schema again
    assert unchanged(life.json("refresh"))
    # The index is another one now; all else is what it was.
    assert {row[2:] for row in shape(life) if len(row) == 5} == {row[2:] for row in before if len(row) == 5}
    assert [row for row in shape(life) if len(row) != 5] == [row for row in before if len(row) != 5]
    assert life.rows("""
        SELECT (SELECT relrowsecurity FROM pg_class WHERE oid = 'flows.feeder_registry'::regclass),
            (SELECT config ->> 'drop_after' FROM timescaledb_information.jobs
             WHERE hypertable_name = 'register_import' AND proc_name = 'policy_retention'),
            has_table_privilege('flows_api_writer', 'flows.register_import', 'SELECT'),
            has_table_privilege('public_backend', 'api.escos', 'SELECT'),
            (SELECT prosrc LIKE '%last_healthy_at%' FROM pg_proc WHERE proname = 'meter_shadows_last_healthy'),
            (SELECT reloptions FROM pg_class WHERE oid = 'flows.meters_low_balance'::regclass),
            obj_description('flows.circuits'::regclass) LIKE 'Logical groups%'
    """) == [(True, "2 years", False, True, True, ["security_invoker=true"], True)]


def test_an_update_puts_drift_right_in_one_go(life: Stack) -> None:
    assert json.loads(life.ctl("drift", "--json").stdout) == {"drift": [], "unmanaged": [], "unseen": []}
    with life.connect() as connection:
        for sql in DRIFT.values():
            connection.execute(sql.encode())
    found = life.ctl("drift", "--json", check=False)
    assert found.returncode == 2
    assert {f"{each['kind']} {each['id']}" for each in json.loads(found.stdout)["drift"]} == DRIFT.keys()

    # What plain `pulumi up` does: what the program does not change it does not look at, and nothing drifted is overrun.
    assert unchanged(life.json("up", "--no-refresh"))
    changing = ("--config", "flows:circuitIntervalDailyRefreshEvery=2 hours")
    stopped = life.ctl("up", "--no-refresh", *changing, check=False)
    assert stopped.returncode == 3
    assert (
        "RefreshPolicy flows.circuit_interval_daily was changed outside of Pulumi (scheduleInterval)" in stopped.stderr
    )
    assert life.ctl("drift", check=False).returncode == 2

    report = life.json("up")
    # The Manifest still holds the declarations of the run that was stopped.
    assert changed(report).keys() == DRIFT.keys() | {"Seal seal", "Manifest manifest"}
    assert life.ctl("drift").stdout.startswith("no drift")
    assert unchanged(life.json("preview"))
    assert life.rows(
        "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'flows.register_import_missing'::regclass"
    ) == [("tsdbadmin",)]


def test_jobs_change_nothing_that_is_declared(life: Stack) -> None:
    with life.connect() as connection:
        two_escos.load(connection)
    ran = life.json("jobs", "run", "--all")["jobs"]
    assert len(ran) > 25
    assert all(job["ok"] for job in ran), ran
    assert unchanged(life.json("preview"))


def test_what_is_no_longer_declared_is_dropped_in_sight(life: Stack) -> None:
    before = shape(life)
    with declaring_less(life):
        report = life.json("preview")
        (manifest,) = [change for change in report["changes"] if change["type"] == "timescaledb:index:Manifest"]
        shown = "\n".join(manifest["sql"])
        for drop in ('TABLE "flows"."ev_chargers"', 'VIEW "api"."ev_chargers"', 'VIEW "flows"."meters_clock_drift"'):
            assert f"DROP {drop}" in shown, shown
        assert "data loss" in shown
        ops = changed(report)
        assert ops["Table flows.ev_chargers"] == ops["View flows.meters_clock_drift"] == "delete"

        refused = life.ctl("preview", *KEEP, check=False)  # two chargers are in it
        assert refused.returncode != 0
        assert "Table flows.ev_chargers" in refused.stderr
        assert 'add "drop:flows.ev_chargers" to `allow`' in refused.stderr
        assert "meters_clock_drift" not in refused.stderr, "a view holds no data"
        assert shape(life) == before

        refused = life.ctl("up", *KEEP, check=False)
        assert 'add "drop:flows.ev_chargers" to `allow`' in refused.stderr
        assert shape(life) == before

        dropped = changed(life.json("up"))
        assert {name for name, op in dropped.items() if op == "delete"} >= {
            "Table flows.ev_chargers",
            "View api.ev_chargers",
            "View flows.meters_clock_drift",
            "View api.meters_clock_drift",
        }
        assert life.rows("SELECT to_regclass('flows.ev_chargers'), to_regclass('api.meters_clock_drift')") == [
            (None, None)
        ]
        assert unchanged(life.json("preview"))
    made = changed(life.json("up"))
    assert {name for name, op in made.items() if op == "create"} == {
        name for name, op in dropped.items() if op == "delete"
    }


def test_a_destroy_that_would_lose_data_touches_nothing(life: Stack) -> None:
    before = shape(life)
    refused = life.ctl("destroy", "--yes", *KEEP, check=False)
    assert refused.returncode != 0
    assert "hold data" in refused.stderr
    assert shape(life) == before
    assert unchanged(life.json("preview"))


def test_destroy_leaves_nothing(life: Stack) -> None:
    data = life.root / ".flows" / "data" / "local"
    sockets = socket_folder(data)
    assert data.is_dir()
    assert sockets.is_dir()
    assert processes_in(str(data)), "the test must be able to see them"
    report = life.json("destroy", "--yes")
    assert Counter(report["counts"])["delete"] == len(declarations()) + sum(HOUSEKEEPING.values())
    assert processes_in(str(data)) == []
    assert not sockets.exists()
    assert not data.exists()
    life.ctl("destroy", "--yes", "--purge")
    assert not (life.root / ".flows").exists(), "state, stack files and secrets"
    assert "nothing to destroy" in life.ctl("destroy", "--yes", "--purge").stderr
    assert not (life.root / ".flows").exists()


def processes_in(folder: str) -> list[str]:
    """Command lines of processes that name a path in the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in line:
            found.append(line)
    return found
