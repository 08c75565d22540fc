"""`demo load` on a real stack: rows at the documented rates, no history twice, refusal, replacement, clean removal."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from flows.tables import BY_NAME
from flowsctl.demo.ids import uid
from flowsctl.demo.load import plan
from flowsctl.demo.series import VALUES, expected

if TYPE_CHECKING:
    from .conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

SIZES = ("--escos", "1", "--meters", "40", "--days", "20")
METERS, DAYS = 40, 20
REGISTERS = METERS * 3 // 2
COUNTS = " union all ".join(f"select '{name}', count(*) from flows.{name}" for name in BY_NAME)


def counts(stack: Stack) -> dict[str, int]:
    return dict(stack.rows(COUNTS))


@pytest.fixture(scope="module")
def before(stack: Stack) -> dict[str, int]:
    stack.ctl("demo", "remove")
    return counts(stack)


@pytest.fixture(scope="module")
def loaded(stack: Stack, before: dict[str, int]) -> Iterator[dict[str, Any]]:
    yield stack.json("demo", "load", *SIZES, "--measure")
    stack.ctl("demo", "remove")
    left = {table: number for table, number in counts(stack).items() if table != "meter_event_log_type"}
    assert left == {table: before[table] for table in left}, "removal leaves what was there before"


def test_tables_hold_the_rows_it_reports(stack: Stack, before: dict[str, int], loaded: dict[str, Any]) -> None:
    now = counts(stack)
    rates = expected(plan(1, METERS, DAYS, 1, None))
    assert {table: loaded["rows"][table] for table in VALUES if rates[table]} == {k: n for k, n in rates.items() if n}
    for table, number in loaded["rows"].items():
        assert now[table] - before[table] == number, table
    assert all(now[table] > 0 for table in now)


def test_history_and_shadows_agree(stack: Stack, loaded: dict[str, Any]) -> None:
    (row,) = stack.rows(
        """select count(*), count(*) filter (where s.updated_at = %s and s.tariffs_active is not null
               and s.import_a = (select i.read from flows.register_import i
                    join flows.meter_registers r using (register_id)
                    where r.meter_id = s.id and r.element in ('A', 'SINGLE') order by i.timestamp desc limit 1))
           from flows.meter_shadows s join flows.meter_registry m using (id) where m.esco = %s""",
        loaded["until"],
        uid("esco", "WLCE"),
    )
    assert row == (METERS, METERS)


def test_aggregates_and_missing_data_are_fresh(stack: Stack, loaded: dict[str, Any]) -> None:
    mine = (
        "join flows.meter_registers using (register_id) join flows.meter_registry m on m.id = meter_id and m.esco = %s"
    )
    esco = uid("esco", "WLCE")
    energy = stack.rows(f"select sum(import_kwh), sum(export_kwh) from flows.register_interval_hh {mine}", esco)
    circuits = (
        "(select c.circuit from flows.circuit_register c join flows.meter_registers r on r.register_id = c.register "
        "join flows.meter_registry m on m.id = r.meter_id where m.esco = %s)"
    )
    for level in ("hh", "daily", "monthly"):
        sums = "select sum(total_import_kwh), sum(total_export_kwh)"
        assert stack.rows(f"{sums} from flows.circuit_interval_{level} where circuit_id in {circuits}", esco) == energy
    for view in ("register_interval_hh_missing", "register_import_missing", "register_export_missing"):
        assert stack.rows(f"select sum(missing_count) from flows.{view} {mine}", esco) == [(0,)]


def test_old_chunks_are_in_the_columnstore(stack: Stack, loaded: dict[str, Any]) -> None:
    (found,) = stack.rows(
        """select count(*) filter (where is_compressed), count(*) filter (where not is_compressed
               and range_end < now() - interval '7 days')
           from timescaledb_information.chunks where hypertable_schema = 'flows'"""
    )
    assert found[0] > 0
    assert found[1] == 0


def test_the_api_shows_it(loaded: dict[str, Any]) -> None:
    (shown,) = loaded["escos"]
    assert (shown["code"], shown["meters"], shown["registers"]) == ("WLCE", METERS, REGISTERS)
    assert shown["half_hours"] == 48 * REGISTERS * DAYS
    assert shown["import_kwh"] > 0


def test_measuring_leaves_nothing_behind(stack: Stack, loaded: dict[str, Any]) -> None:
    """How much more a load costs than the bare path is measured by `make bench`."""
    measure = loaded["measure"]
    assert measure["load_seconds"] > 0 < measure["bare_seconds"]
    assert stack.rows("select count(*) from pg_namespace where nspname = 'flows_demo_measure'") == [(0,)]


def test_nothing_of_it_is_drift(stack: Stack, loaded: dict[str, Any]) -> None:
    stack.ctl("jobs", "run", "--all")
    assert stack.json("preview")["changes"] == []


def test_a_second_load_is_refused_and_replace_makes_the_same_rows(stack: Stack, loaded: dict[str, Any]) -> None:
    refused = stack.ctl("demo", "load", *SIZES, check=False)
    assert refused.returncode == 3
    assert "--replace" in refused.stderr
    digest = "select md5(string_agg(t::text, '' order by t::text)) from flows.register_interval_hh t"
    first, filled = stack.rows(digest), counts(stack)
    again = stack.json("demo", "load", *SIZES, "--until", loaded["until"], "--replace")
    assert again["replaced"] == ["WLCE"]
    assert (stack.rows(digest), counts(stack)) == (first, filled)


def test_rows_of_others_stop_a_replacement(stack: Stack, loaded: dict[str, Any]) -> None:
    esco, filled = uid("esco", "WLCE"), counts(stack)
    with stack.connect() as connection:
        connection.execute("insert into flows.sites_new (name, code, esco) values ('mine', 'mine', %s)", [esco])
        try:
            refused = stack.ctl("demo", "load", *SIZES, "--replace", check=False)
        finally:
            connection.execute("delete from flows.sites_new where code = 'mine'")
    assert refused.returncode == 3
    assert "nothing was deleted" in refused.stderr
    assert counts(stack) == filled


def test_an_interrupted_load_is_replaced(stack: Stack, loaded: dict[str, Any]) -> None:
    process = stack.start("demo", "load", *SIZES, "--replace")
    esco = uid("esco", "WLCE")
    started = (
        "select count(*) from flows.meter_csq c join flows.meter_registry m on m.id = c.meter_id where m.esco = %s"
    )
    deadline = time.monotonic() + 120
    assert process.stderr is not None
    for line in process.stderr:
        assert time.monotonic() < deadline
        if "loading series" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    if process.returncode != 0:  # a fast machine may have finished
        assert process.returncode == 130, err
        assert "--replace" in err
        assert stack.rows(started, esco)[0][0] < 24 * METERS * DAYS
    report = json.loads(stack.ctl("demo", "load", *SIZES, "--replace", "--json").stdout)
    assert stack.rows(started, esco) == [(report["rows"]["meter_csq"],)]
