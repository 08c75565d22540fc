"""The demo series: documented rates, the same for the same seed, plausible shapes, agreement with the shadows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from flows.tables import BY_NAME
from flowsctl.demo import series
from flowsctl.demo.ahead import ahead
from flowsctl.demo.bulk import array_text, copy_text
from flowsctl.demo.estate import Load, estate
from flowsctl.demo.series import VALUES, Batch, batches, expected, fresh

UNTIL = datetime(2025, 6, 30, 12, 30, tzinfo=UTC)
MEMORY_ROWS = 20_000
Rows = dict[str, dict[tuple[UUID, datetime], tuple[Any, ...]]]


def made(escos: int = 2, meters: int = 40, days: int = 5, seed: int = 1) -> Load:
    return Load(estate(escos, meters), UNTIL - timedelta(days=days), UNTIL, seed)


def rows_of(load: Load) -> Rows:
    found: Rows = {table: {} for table in VALUES}
    for batch in batches(load, fresh(load)):
        for key, stamp, values in batch.rows():
            assert (key, stamp) not in found[batch.table], "a row twice"
            found[batch.table][key, stamp] = values
    return found


def test_rows_per_day_are_the_documented_rates() -> None:
    days, load = 5, made(days=5)
    meters, registers = len(load.meters), sum(len(meter.registers) for meter in load.meters)
    counts = Counter({table: len(rows) for table, rows in rows_of(load).items()})
    assert registers == 1.5 * meters
    assert counts == expected(load)
    assert counts["register_interval_hh"] == 48 * registers * days
    assert counts["register_import"] == counts["register_export"] == 24 * registers * days
    assert counts["meter_csq"] == 24 * meters * days
    assert counts["meter_voltage"] + counts["meter_3p_voltage"] == 24 * meters * days
    assert counts["meter_health_history"] == 51 * meters * days
    assert counts["meter_prepay_balance"] == 24 * sum(meter.prepay for meter in load.meters) * days


def test_the_same_seed_makes_the_same_rows_and_another_others() -> None:
    assert rows_of(made()) == rows_of(made())
    assert rows_of(made()) != rows_of(made(seed=2))


def test_rows_do_not_depend_on_the_size_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_of(made())
    monkeypatch.setattr(series, "METERS_PER_BATCH", 7)
    monkeypatch.setattr(series, "WINDOW_DAYS", 3)
    assert rows_of(made()) == before


def test_batches_stay_small_whatever_the_size_of_the_load() -> None:
    load = made(escos=2, meters=300, days=9)
    assert max(batch.count for batch in batches(load, fresh(load))) <= MEMORY_ROWS


def test_keys_are_those_of_the_estate_and_columns_those_of_the_model() -> None:
    load = made()
    meters = {meter.id for meter in load.meters}
    registers = {register.id for meter in load.meters for register in meter.registers}
    for batch in batches(load, fresh(load)):
        assert set(batch.columns) == {column.name for column in BY_NAME[batch.table].columns}
        assert set(batch.keys) <= (registers if batch.key_column == "register_id" else meters)
        assert len(set(batch.keys)) == len(batch.keys)


def test_half_hours_fill_the_span_and_readings_end_with_it() -> None:
    load = made()
    found = rows_of(load)
    stamps = {stamp for _, stamp in found["register_interval_hh"]}
    assert min(stamps) == load.start
    assert max(stamps) == load.until - timedelta(minutes=30)
    for table in VALUES.keys() - {"register_interval_hh"}:
        stamps = {stamp for _, stamp in found[table]}
        assert load.start < min(stamps)
        assert max(stamps) == load.until, table


def test_counters_count_the_half_hours() -> None:
    load = made(escos=1, meters=10, days=3)
    found = rows_of(load)
    for meter in load.meters:
        for register in meter.registers:
            for table, column in (("register_import", 0), ("register_export", 1)):
                first = found[table][register.id, load.start + timedelta(hours=1)][0]
                last = found[table][register.id, load.until][0]
                energy = sum(
                    values[column]
                    for (key, stamp), values in found["register_interval_hh"].items()
                    if key == register.id and stamp >= load.start + timedelta(hours=1)
                )
                assert last - first == pytest.approx(energy, abs=1e-6)


def test_shapes_are_plausible() -> None:
    load = made(days=7)
    natures = {register.id: register.nature for meter in load.meters for register in meter.registers}
    by_hour: dict[str, Counter[int]] = defaultdict(Counter)
    for (key, stamp), (taken, given) in rows_of(load)["register_interval_hh"].items():
        assert taken >= 0
        assert given >= 0
        by_hour[natures[key]][stamp.hour] += given if natures[key] == "solar" else taken
    assert by_hour["solar"].most_common(1)[0][0] in (11, 12)
    assert by_hour["solar"][0] == by_hour["solar"][23] == 0
    assert by_hour["power"].most_common(1)[0][0] in (17, 18, 19)
    assert by_hour["power"][18] > 3 * by_hour["power"][11] > 0
    registers = sum(nature == "power" for nature in natures.values())
    assert 3 < sum(by_hour["power"].values()) / registers / 7 < 12, "kWh a day and register"


def test_states_end_as_the_newest_rows() -> None:
    load = made(meters=50)
    states, found = fresh(load), rows_of(load)
    for _ in batches(load, states):
        pass
    for meter in load.meters:
        state = states[meter]
        assert found["meter_csq"][meter.id, load.until] == (state.csq,)
        assert (state.csq is None) == (meter.silent_hours > 0)
        assert found["meter_health_history"][meter.id, load.until][0] == ("healthy" if state.csq else "unhealthy")
        if meter.prepay:
            assert found["meter_prepay_balance"][meter.id, load.until] == (round(state.balance, 2),)
        reads = [found[table][register.id, load.until][0] for register in meter.registers for table in READS]
        assert reads == state.counters
        table = "meter_3p_voltage" if meter.three_phase else "meter_voltage"
        assert found[table][meter.id, load.until] == state.voltage


READS = ("register_import", "register_export")


def test_arrays_and_copy_text_say_the_same() -> None:
    key = UUID(int=7)
    batch = Batch("meter_csq", (key,), UNTIL, timedelta(hours=1), (([11, None],),))
    assert array_text([11, None]) == "{11,NULL}"
    assert copy_text(batch) == (f"{key}\t2025-06-30T12:30:00+00:00\t11\n{key}\t2025-06-30T13:30:00+00:00\t\\N\n")
    assert (batch.count, batch.last) == (2, UNTIL + timedelta(hours=1))


def failing() -> Iterator[int]:
    yield 1
    raise ValueError("no more")


def test_items_made_ahead_are_the_same_and_errors_arrive() -> None:
    assert list(ahead(range(50))) == list(range(50))
    seen: list[int] = []
    with pytest.raises(ValueError, match="no more"):
        seen.extend(iter(ahead(failing())))
    source = iter(range(10_000))
    for item in ahead(source):
        if item == 3:
            break
    assert next(source) < 20, "nobody goes on making items"
