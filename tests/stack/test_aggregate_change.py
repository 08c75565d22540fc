"""The Flows stack when the query of its lowest aggregate changes: all three levels, and what stands on them, stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import two_escos
from .conftest import Stack
from .test_lifecycle import changed, unchanged

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-aggregates")]

LEVELS = ("hh", "daily", "monthly")
POLICIES = """
SELECT hypertable_name, proc_name, schedule_interval, config - 'hypertable_id' - 'mat_hypertable_id', scheduled
FROM timescaledb_information.jobs WHERE hypertable_name LIKE 'circuit_interval_%' ORDER BY 1, 2"""
RIGHTS = """
SELECT r.rolname, c.oid::regclass::text, p.privilege
FROM pg_roles r, pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p(privilege)
WHERE c.relnamespace IN ('flows'::regnamespace, 'api'::regnamespace) AND c.relname LIKE 'circuit_interval_%'
  AND NOT r.rolsuper AND has_table_privilege(r.rolname, c.oid, p.privilege) ORDER BY 1, 2, 3"""
STORES = """
SELECT hypertable::text, segmentby, orderby FROM timescaledb_information.hypertable_columnstore_settings
WHERE hypertable::text LIKE '%circuit_interval_%' ORDER BY 1"""
ROWS = """
SELECT circuit_id, "{column}", total_import_kwh, total_export_kwh FROM {schema}.circuit_interval_{level}
ORDER BY 1, 2"""
COLUMNS = {"hh": "timestamp", "daily": "day", "monthly": "month"}


@pytest.fixture(scope="module")
def filled(new_stack: Callable[[], Stack]) -> Stack:
    made = new_stack()
    made.ctl("up")
    with made.connect() as connection:
        two_escos.load(connection)
        for level in LEVELS:
            connection.execute(
                f"CALL refresh_continuous_aggregate('flows.circuit_interval_{level}', NULL, NULL)".encode()
            )
    return made


def facts(stack: Stack) -> dict[str, Any]:
    """Everything about the aggregates that must not change."""
    queries = {"policies": POLICIES, "rights": RIGHTS, "stores": STORES}
    queries |= {
        f"{schema} {level}": ROWS.format(schema=schema, level=level, column=COLUMNS[level])
        for schema in ("flows", "api")
        for level in LEVELS
    }
    return {name: stack.rows(query) for name, query in queries.items()}


def test_the_lowest_aggregate_gets_a_column(filled: Stack) -> None:
    before = facts(filled)
    assert len(before["policies"]) >= 8
    assert len(before["rights"]) > 6
    assert all(before[f"flows {level}"] for level in LEVELS)
    template = filled.root / "sql_templates" / "flows" / "aggregates" / "circuit_interval_hh.sql.j2"
    text = template.read_text()
    export = "    sum(rih.export_kwh) AS total_export_kwh\n"
    assert export in text
    template.write_text(text.replace(export, "    count(*) AS readings,\n" + export))

    preview = filled.ctl("preview").stdout
    for part in (
        'CREATE MATERIALIZED VIEW "flows"."circuit_interval_monthly_v2_',
        "CALL refresh_continuous_aggregate",
        'DROP VIEW "api"."circuit_interval_hh"',
        'DROP MATERIALIZED VIEW "flows"."circuit_interval_hh_old_',
    ):
        assert part in preview, part
    report = filled.json("up")
    assert changed(report).get("ContinuousAggregate flows.circuit_interval_hh") == "update"
    assert facts(filled) == before
    (wrong,) = filled.rows(
        'SELECT count(*) FROM flows.circuit_interval_hh h JOIN (SELECT circuit_id, "timestamp", readings FROM '
        f'({template.read_text()}) q) q USING (circuit_id, "timestamp") WHERE h.readings IS DISTINCT FROM q.readings'
    )
    assert wrong == (0,)
    assert unchanged(filled.json("preview"))
    assert unchanged(filled.json("refresh"))
