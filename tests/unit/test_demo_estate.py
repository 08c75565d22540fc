"""The demo estate and its plain rows: deterministic, and every reference inside it has its row."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from flows.keys import _FOREIGN_KEYS
from flows.tables import BY_NAME
from flowsctl.commands import demo as command
from flowsctl.demo import ids, plain
from flowsctl.demo.estate import Load, estate
from flowsctl.demo.existing import BY_ID
from flowsctl.demo.load import plan
from flowsctl.demo.series import VALUES, batches, fresh
from flowsctl.errors import UsageError

UNTIL = datetime(2025, 6, 30, 12, 30, tzinfo=UTC)


def small(escos: int = 3, meters: int = 23, days: int = 4, seed: int = 1) -> Load:
    return Load(estate(escos, meters), UNTIL - timedelta(days=days), UNTIL, seed)


def plain_rows(load: Load) -> dict[str, list[dict[str, str | None]]]:
    states = fresh(load)
    for _ in batches(load, states):
        pass
    parts = plain.shared()
    for esco in load.escos:
        parts += [*plain.of_esco(esco, load), *plain.links(esco, load), plain.shadows(esco, load, states)]
    found: dict[str, list[dict[str, str | None]]] = {}
    for part in parts:
        found.setdefault(part.table, []).extend(dict(zip(part.columns, row, strict=True)) for row in part.values)
    return found


def test_the_same_seed_makes_the_same_rows_and_another_others() -> None:
    assert plain_rows(small()) == plain_rows(small())
    assert plain_rows(small()) != plain_rows(small(seed=2))


def test_ids_depend_on_neither_seed_nor_size() -> None:
    few, many = plain_rows(small(escos=1, meters=5)), plain_rows(small(seed=9))
    for table, key in (("meter_registry", "id"), ("meter_registers", "register_id"), ("circuits", "id")):
        assert {row[key] for row in few[table]} < {row[key] for row in many[table]}


def test_every_plain_table_is_filled_with_columns_that_exist() -> None:
    found = plain_rows(small())
    assert set(found) == set(BY_NAME) - set(VALUES)
    for table, rows in found.items():
        assert set(rows[0]) <= {column.name for column in BY_NAME[table].columns}
        needed = {column.name for column in BY_NAME[table].columns if column.not_null and column.default is None}
        assert needed <= set(rows[0])
        assert all(row[column] is not None for row in rows for column in needed)


def test_every_reference_has_its_row_and_every_key_is_unique() -> None:
    found = plain_rows(small())
    for table, column, target, target_column, _ in _FOREIGN_KEYS:
        if table in found:
            there = {row[target_column] for row in found[target]}
            assert {row.get(column) for row in found[table]} <= there, (table, column)
    for table, rows in found.items():
        keys = [BY_NAME[table].primary_key, *BY_NAME[table].unique]
        for key in filter(None, keys):
            values = [tuple(row.get(column) for column in key.columns) for row in rows]
            assert len(set(values)) == len(values), (table, key.name)


def test_checks_of_the_model_hold() -> None:
    found = plain_rows(small(escos=50, meters=3, days=1))
    assert {len(row["serial"] or "") for row in found["ev_chargers"]} == {8}
    assert {len(row["pin"] or "") for row in found["ev_chargers"]} == {4}
    assert {row["phase"] for row in found["service_head_registry"]} <= {"1", "2", "3"}
    assert len({row["code"] for row in found["escos"]}) == 50


def test_ten_meters_have_fifteen_registers_of_three_natures() -> None:
    (esco,) = estate(1, 10)
    registers = [register for meter in esco.meters for register in meter.registers]
    assert Counter(register.nature for register in registers) == {"power": 13, "heat": 1, "solar": 1}
    assert Counter(register.element for register in registers) == {"A": 5, "B": 5, "SINGLE": 5}


def test_all_ids_hold_every_id_that_a_load_gives() -> None:
    found = plain_rows(small())
    for table, column, kind in BY_ID:
        possible = {str(ident) for code in ids.esco_codes(3) for ident in ids.all_ids(code, kind)}
        assert {row[column] for row in found[table]} <= possible, table


def test_demo_escos_are_known_by_id_and_code() -> None:
    assert ids.is_demo_esco(ids.uid("esco", "WLCE"), "WLCE")
    assert not ids.is_demo_esco(ids.uid("esco", "WLCE"), "HMCE")
    assert ids.esco_codes(4) == ["WLCE", "HMCE", "DAAE", "DABE"]
    assert len(set(ids.esco_codes(ids.MAX_ESCOS))) == ids.MAX_ESCOS


def test_the_command_states_the_limits_of_the_ids() -> None:
    stated = (command.MAX_ESCOS, command.MAX_METERS, command.MAX_DAYS)
    assert stated == (ids.MAX_ESCOS, ids.MAX_METERS, ids.MAX_DAYS)


def test_the_end_is_rounded_down_to_the_half_hour_and_never_in_the_future() -> None:
    assert plan(1, 1, 2, 1, command.moment("2025-06-30T12:59:59+01:00")).until == UNTIL - timedelta(hours=1)
    assert plan(1, 1, 2, 1, command.moment("2025-06-30T12:30")).start == UNTIL - timedelta(days=2)
    now = plan(1, 1, 1, 1, None).until
    assert timedelta(0) <= datetime.now(UTC) - now < timedelta(minutes=31)
    with pytest.raises(UsageError):
        plan(1, 1, 1, 1, datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(UsageError):
        command.moment("yesterday")
