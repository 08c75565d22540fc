"""Who sees and changes which rows over SQL: row-level security, scopes of readers, barriers of views."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from .conftest import Connection, Stack
from .two_escos import ALPHA, BRAVO, NOBODY, Esco

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

ISOLATED = (
    *("escos", "sites_new", "properties", "circuits", "feeder_registry", "service_head_registry", "ev_chargers"),
    *("meter_registry", "meter_tophat_registry", "meter_registers", "meter_shadows", "meter_event_log"),
    *("circuit_register", "service_head_meter", "properties_service_head"),
)
GLOBAL = ("meter_metrics", "meter_event_log_type")
"""Plain tables without row-level security: the same for every esco."""
SERIES = (
    *("register_import", "register_export", "register_interval_hh", "meter_prepay_balance", "meter_csq"),
    *("meter_voltage", "meter_3p_voltage", "meter_health_history"),
)
AGGREGATES = ("circuit_interval_hh", "circuit_interval_daily", "circuit_interval_monthly")
VIEWS = (
    "meter_shadows_tariffs",
    "meters_low_balance",
    "meters_offline_recently",
    "meters_offline_all",
    "meters_clock_drift",
)
API = (*ISOLATED, *SERIES, *AGGREGATES, *VIEWS)
NEW_ROWS = {
    "meter_registry": "(serial, esco) VALUES ('EML99999', '{esco}')",
    "sites_new": "(name, esco) VALUES ('x', '{esco}')",
    "properties": "(plot, site) VALUES ('x', '{site}')",
    "feeder_registry": "(name, esco) VALUES ('x', '{esco}')",
    "service_head_registry": "(name, feeder) VALUES ('x', '{feeder}')",
    "ev_chargers": "(esco, serial, pin) VALUES ('{esco}', '12345678', '1234')",
    "meter_tophat_registry": "(meter) VALUES ('{silent}')",
    "meter_registers": "(register_id, meter_id) VALUES (gen_random_uuid(), '{silent}')",
    "meter_event_log": "(meter_id, timestamp, event_type, event_set) VALUES ('{silent}', now(), 1, 1)",
    "circuit_register": "(circuit, register, start_time) VALUES ('{circuit}', '{silent-SINGLE}', now())",
    "service_head_meter": "(service_head, meter) VALUES ('{head}', '{silent}')",
    "escos": "(id, code) VALUES (gen_random_uuid(), 'CHARLIE')",
}
"""Rows that the application may add for the esco it has named, and for no other."""


@contextmanager
def acting(stack: Stack, user: str, esco: str | None = None, role: str = "") -> Iterator[Connection]:
    """A login's transaction, rolled back; `role` is what it becomes, `esco` what it says its esco is."""
    with stack.connect(user) as connection, connection.transaction(force_rollback=True):
        if role:
            connection.execute(f"SET LOCAL ROLE {role}".encode())
        if esco is not None:
            connection.execute("SELECT set_config('app.current_esco', %s, true)", [esco])
        yield connection


def rows(connection: Connection, relation: str, columns: str = "t.*") -> list[dict[str, Any]]:
    return [
        row[0] for row in connection.execute(f"SELECT to_jsonb(x) FROM (SELECT {columns} FROM {relation} t) x".encode())
    ]


def whose(found: list[dict[str, Any]]) -> set[str]:
    """Codes of the escos whose marks the rows carry."""
    texts = [json.dumps(row) for row in found]
    return {esco.code for esco in (ALPHA, BRAVO, NOBODY) for text in texts if any(mark in text for mark in esco.marks)}


def columns_of(relation: str) -> str:
    return "id, esco, serial, position" if relation == "ev_chargers" else "t.*"


def refused(connection: Connection, sql: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(sql.encode())
    except (InsufficientPrivilege, ReadOnlySqlTransaction):
        return True
    return False


def test_every_plain_table_is_isolated_or_global(stack: Stack) -> None:
    found = stack.rows("""
        SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
        WHERE relnamespace = 'flows'::regnamespace AND relkind = 'r'
    """)
    assert {name for name, on, _ in found if on} == set(ISOLATED)
    assert {name for name, on, _ in found if not on} == {*GLOBAL, *SERIES}
    assert not any(forced for _, _, forced in found)


@pytest.mark.parametrize("esco", [ALPHA, BRAVO], ids=lambda esco: esco.code)
def test_the_application_sees_the_esco_it_names(stack: Stack, esco: Esco) -> None:
    with acting(stack, "flows", str(esco.id("esco"))) as flows:
        for table in ISOLATED:
            # The list of escos is open to the application, so that it can choose one.
            expected = {ALPHA.code, BRAVO.code} if table == "escos" else {esco.code}
            assert whose(rows(flows, f"flows.{table}")) == expected, table
        for view in VIEWS:
            assert whose(rows(flows, f"flows.{view}")) == {esco.code}, view
        for relation in API:
            if relation != "escos":
                assert whose(rows(flows, f"api.{relation}", columns_of(relation))) == {esco.code}, relation


@pytest.mark.parametrize("unset", [None, ""], ids=["unset", "empty"])
def test_without_an_esco_there_are_no_rows(stack: Stack, unset: str | None) -> None:
    with acting(stack, "flows", unset) as flows:
        for table in (*ISOLATED, *VIEWS):
            assert bool(rows(flows, f"flows.{table}")) == (table == "escos"), table
    for role in ("public_backend", "flows_api_writer"):
        with acting(stack, "tsdbadmin", unset, role) as api:
            for relation in API:
                assert rows(api, f"api.{relation}", columns_of(relation)) == [], f"{relation} as {role}"


def test_an_esco_that_is_none_is_an_error_or_nothing(stack: Stack) -> None:
    with acting(stack, "flows", str(NOBODY.id("esco"))) as flows:
        assert rows(flows, "flows.meter_registry") == []
    with acting(stack, "flows", "ALPHA") as flows, pytest.raises(psycopg.errors.InvalidTextRepresentation):
        rows(flows, "flows.meter_registry")


def test_the_application_changes_rows_of_its_esco_only(stack: Stack) -> None:
    with acting(stack, "flows", str(ALPHA.id("esco"))) as flows:
        for table, values in NEW_ROWS.items():
            foreign = f"INSERT INTO flows.{table} {values.format(**BRAVO.ids)}"
            assert refused(flows, foreign), table
            if table not in ("escos", "service_head_meter"):
                assert not refused(flows, f"INSERT INTO flows.{table} {values.format(**ALPHA.ids)}"), table
        for table in ISOLATED:
            column = flows.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [f"flows.{table}"]
            ).fetchone()
            ids = ", ".join(f"'{found}'" for found in BRAVO.ids.values())
            where = f"WHERE {column[0]} IN ({ids})"  # type: ignore[index]
            updated = flows.execute(f"UPDATE flows.{table} SET {column[0]} = {column[0]} {where}".encode())  # type: ignore[index]
            assert updated.rowcount == 0, table
            assert flows.execute(f"DELETE FROM flows.{table} {where}".encode()).rowcount == 0, table
        assert refused(flows, f"UPDATE flows.meter_registry SET esco = '{BRAVO.id('esco')}'")


def test_the_application_adds_to_series_and_reads_them_through_the_api(stack: Stack) -> None:
    with acting(stack, "flows", str(ALPHA.id("esco"))) as flows:
        register, meter = ALPHA.id("prepay-A"), ALPHA.id("prepay")
        for table, values in {
            "register_import": f"('{register}', now(), 5)",
            "register_export": f"('{register}', now(), 5)",
            "register_interval_hh": f"('{register}', now(), 1, 2)",
            "meter_csq": f"('{meter}', now(), 3)",
        }.items():
            flows.execute(f"INSERT INTO flows.{table} VALUES {values}".encode())
            assert flows.execute(f"SELECT count(*) FROM api.{table} WHERE timestamp = now()".encode()).fetchone() == (
                1,
            )
        for relation in (*SERIES, *AGGREGATES):
            assert refused(flows, f"SELECT FROM flows.{relation} LIMIT 1"), relation


def test_a_reader_sees_the_escos_of_its_scope(stack: Stack) -> None:
    with acting(stack, "grafanareader") as reader:
        for relation in (*(f"flows.{table}" for table in (*ISOLATED, *VIEWS)), *(f"api.{name}" for name in API)):
            found = rows(reader, relation, columns_of(relation.split(".")[1]))
            assert whose(found) == {ALPHA.code, BRAVO.code}, relation  # by default all


def test_the_scope_of_a_reader_is_bound_to_its_role(stack: Stack) -> None:
    """Nothing that the reader can say widens it."""
    with acting(stack, "tsdbadmin") as connection:
        connection.execute("""
            CREATE OR REPLACE VIEW api_private.role_scope AS
            SELECT 'grafanareader'::text AS role_name, 'ALPHA'::text AS esco_code
        """)
        connection.execute("SET LOCAL SESSION AUTHORIZATION grafanareader")
        for esco in ("", str(BRAVO.id("esco")), str(ALPHA.id("esco"))):
            connection.execute("SELECT set_config('app.current_esco', %s, true)", [esco])
            claims = json.dumps({"role": "public_backend", "esco": BRAVO.code, "exp": 4102444800})
            connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
            for relation in (*(f"flows.{table}" for table in (*ISOLATED, *VIEWS)), *(f"api.{name}" for name in API)):
                columns = columns_of(relation.split(".")[1])
                assert whose(rows(connection, relation, columns)) == {ALPHA.code}, f"{relation} saying {esco!r}"
    with acting(stack, "grafanareader") as reader:
        for role in ("public_backend", "flows_api_writer", "flows", "api_owner", "tsdbadmin"):
            assert refused(reader, f"SET LOCAL ROLE {role}"), role
        assert refused(reader, "SET LOCAL row_security = off; SELECT FROM flows.meter_registry")


def test_a_reader_changes_nothing(stack: Stack) -> None:
    with acting(stack, "grafanareader") as reader:
        reader.execute("SET TRANSACTION READ WRITE")
        for table in (*ISOLATED, *GLOBAL, *SERIES):
            for sql in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"):
                assert refused(reader, sql.format(f"flows.{table}")), f"{sql} {table}"
        assert refused(reader, "SELECT pin FROM flows.ev_chargers")
        assert refused(reader, "SELECT * FROM flows.ev_chargers")
        assert refused(reader, "CREATE TABLE flows.mine (x int)")
        assert refused(reader, "CREATE OR REPLACE VIEW api_private.role_scope AS SELECT 'a'::text, '*'::text")


@pytest.mark.parametrize("relation", [f"api.{name}" for name in API] + [f"flows.{name}" for name in VIEWS])
def test_a_condition_of_the_caller_never_meets_foreign_rows(stack: Stack, relation: str) -> None:
    """A condition that fails on any row of the other esco: the views' own test must come first."""
    other = "|".join(BRAVO.marks)
    role = "" if relation.startswith("flows.") else "public_backend"
    with acting(stack, "flows" if not role else "tsdbadmin", str(ALPHA.id("esco")), role) as connection:
        text = "concat_ws(' ', id, esco, serial)" if relation.endswith(".ev_chargers") else "to_jsonb(t)::text"
        trap = f"1 / (CASE WHEN {text} ~ '{other}' THEN 0 ELSE 1 END) = 1"
        found = connection.execute(f"SELECT count(*) FROM {relation} t WHERE {trap}".encode()).fetchone()
        assert found is not None
        assert found[0] > 0
