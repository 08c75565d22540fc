"""The time series of an estate, in batches: some meters, two days, one table. Pure, deterministic, memory-bounded.

Rates are those of DOMAIN 4: half-hours 48 a day and register; reads, balance (prepay meters), voltage and signal
hourly; health once per contact, 51 a day. Half-hours are stamped with their start, everything else with the moment of
the contact, so that the newest reading is from the end of the span and counts every half hour before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from uuid import UUID

from flowsctl.demo import profiles
from flowsctl.demo.estate import Load, Meter, Register
from flowsctl.demo.state import MeterState

HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
WINDOW_DAYS = 2
METERS_PER_BATCH = 100
"""About 14,000 rows at most, over few chunks: the fastest of the sizes tried. Rows do not depend on them."""

VALUES: dict[str, tuple[str, ...]] = {
    "register_interval_hh": ("import_kwh", "export_kwh"),
    "register_import": ("read",),
    "register_export": ("read",),
    "meter_prepay_balance": ("balance",),
    "meter_csq": ("csq",),
    "meter_voltage": ("voltage",),
    "meter_3p_voltage": ("voltage_l1", "voltage_l2", "voltage_l3"),
    "meter_health_history": ("health",),
}
"""Series table -> its value columns."""

CONTACTS = (
    (timedelta(minutes=10), HOUR),
    (timedelta(minutes=20), timedelta(hours=12)),
    (timedelta(minutes=40), timedelta(days=1)),
)
"""Contacts besides the hourly reads: balance, signal, event log; first after the start of a day, then every."""

FAILED = 0.01
"""Share of contacts that fail."""
RATE_A, RATE_B, STANDING = 0.2467, 0.1499, 0.45
TOPUPS = (10, 20, 30, 50)
TOPUP_CHANCE = 0.12

Value = float | int | str | None


@dataclass(frozen=True)
class Batch:
    """Rows of one table: for each key, values at `start`, `start + step` and so on.

    `values` has, per value column, per key, one list of values.
    """

    table: str
    keys: tuple[UUID, ...]
    start: datetime
    step: timedelta
    values: tuple[tuple[list[Value], ...], ...]

    @property
    def key_column(self) -> str:
        """register_id or meter_id."""
        return "register_id" if self.table.startswith("register_") else "meter_id"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of its rows."""
        return (self.key_column, "timestamp", *VALUES[self.table])

    @property
    def count(self) -> int:
        """How many rows."""
        return len(self.keys) * len(self.values[0][0])

    @property
    def last(self) -> datetime:
        """The newest time stamp."""
        return self.start + self.step * (len(self.values[0][0]) - 1)

    def rows(self) -> Iterator[tuple[UUID, datetime, tuple[Value, ...]]]:
        """Its rows one by one: key, time stamp, values."""
        stamps = [self.start + self.step * n for n in range(len(self.values[0][0]))]
        for number, key in enumerate(self.keys):
            columns = zip(*(column[number] for column in self.values), strict=True)
            for stamp, values in zip(stamps, columns, strict=True):
                yield key, stamp, values


def expected(load: Load) -> dict[str, int]:
    """Rows of each series table, from the rates alone."""
    days = load.days
    found: Counter[str] = Counter(dict.fromkeys(VALUES, 0))
    for meter in load.meters:
        registers = len(meter.registers)
        found["register_interval_hh"] += 48 * registers * days
        found["register_import"] += 24 * registers * days
        found["register_export"] += 24 * registers * days
        found["meter_prepay_balance"] += 24 * days * meter.prepay
        found["meter_csq"] += 24 * days
        found["meter_3p_voltage" if meter.three_phase else "meter_voltage"] += 24 * days
        found["meter_health_history"] += 51 * days
    return dict(found)


def batches(load: Load, states: dict[Meter, MeterState]) -> Iterator[Batch]:
    """Every batch, in order of time; advances `states`, which the first call of a load finds fresh."""
    meters, start = load.meters, load.start
    while start < load.until:
        end = min(start + timedelta(days=WINDOW_DAYS), load.until)
        for first in range(0, len(meters), METERS_PER_BATCH):
            group = _Group(load, start, end)
            for meter in meters[first : first + METERS_PER_BATCH]:
                group.add(meter, states[meter])
            yield from group.batches()
        start = end


def fresh(load: Load) -> dict[Meter, MeterState]:
    """The states that `batches` starts from."""
    return {meter: MeterState(meter, load) for meter in load.meters}


class _Group:
    """Series of some meters from `start` to `end`."""

    def __init__(self, load: Load, start: datetime, end: datetime) -> None:
        self.load = load
        self.start = start
        self.end = end
        self.hours = (end - start) // HOUR
        self.made: dict[tuple[str, datetime, timedelta], list[tuple[UUID, tuple[list[Value], ...]]]] = {}

    def batches(self) -> Iterator[Batch]:
        for (table, start, step), rows in self.made.items():
            keys = tuple(key for key, _ in rows)
            yield Batch(table, keys, start, step, tuple(zip(*(values for _, values in rows), strict=True)))

    def add(self, meter: Meter, state: MeterState) -> None:
        used = [self._register(meter, number, register, state) for number, register in enumerate(meter.registers)]
        if meter.prepay:
            self._hourly("meter_prepay_balance", meter.id, self._balances(used, state))
        self._signal(meter, state)
        random, phases = state.grid.random, 3 if meter.three_phase else 1
        by_hour = [[round(234 + 12 * random(), 1) for _ in range(phases)] for _ in range(self.hours)]
        voltages: list[list[Value]] = [list(values) for values in zip(*by_hour, strict=True)]
        state.voltage = tuple(by_hour[-1])
        self._hourly("meter_3p_voltage" if meter.three_phase else "meter_voltage", meter.id, *voltages)

    def _put(self, table: str, start: datetime, step: timedelta, key: UUID, *values: list[Value]) -> None:
        self.made.setdefault((table, start, step), []).append((key, values))

    def _hourly(self, table: str, key: UUID, *values: list[Value]) -> None:
        self._put(table, self.start + HOUR, HOUR, key, *values)

    def _register(self, meter: Meter, number: int, register: Register, state: MeterState) -> list[int]:
        """Half-hours and reads of one register; returns what it used in Wh, per half hour."""
        energy = self._energy(meter, register, state, number)
        nothing = [0] * len(energy)
        taken, given = (nothing, energy) if register.nature == "solar" else (energy, nothing)
        self._put(
            "register_interval_hh",
            self.start,
            HALF_HOUR,
            register.id,
            [value / 1000 for value in taken],
            [value / 1000 for value in given],
        )
        for table, counters, values in (
            ("register_import", state.import_wh, taken),
            ("register_export", state.export_wh, given),
        ):
            reads = list(accumulate(values, initial=counters[number]))[2::2]
            counters[number] = reads[-1]
            self._hourly(table, register.id, [value / 1000 for value in reads])
        return taken

    def _energy(self, meter: Meter, register: Register, state: MeterState, number: int) -> list[int]:
        random, found, at = state.energy[number].random, list[int](), self.start
        while at < self.end:
            until = min(profiles.next_midnight(at), self.end)
            shape = _shape(register.nature, register.element, profiles.midnight(at))
            sky = _sky(self.load.seed, meter.esco, at.date().toordinal()) if register.nature == "solar" else 1.0
            scale = state.size * sky * 1000
            first = profiles.slot_of(at)
            part = shape[first : first + (until - at) // HALF_HOUR]
            found += [int(mean * scale * (0.55 + 0.9 * random())) for mean in part]
            at = until
        return found

    def _balances(self, used: list[list[int]], state: MeterState) -> list[Value]:
        rates = (RATE_A,) if len(used) == 1 else (RATE_A, RATE_B)
        found: list[Value] = []
        for hour in range(self.hours):
            for wh, rate in zip(used, rates, strict=True):
                state.balance -= (wh[2 * hour] + wh[2 * hour + 1]) / 1000 * rate
            state.balance -= STANDING / 24
            if state.balance < state.topup_below and state.money.random() < TOPUP_CHANCE:
                state.balance += state.money.choice(TOPUPS)
            found.append(round(state.balance, 2))
        return found

    def _signal(self, meter: Meter, state: MeterState) -> None:
        """Signal and health: a failed contact has no signal and is unhealthy."""
        random, signal = state.contact.random, state.signal
        silence = self.load.until - timedelta(hours=meter.silent_hours)
        # Contacts at the start of the silence and later fail, and a few by chance.
        heard = min(self.hours, max(0, (silence - self.start) // HOUR)) if meter.silent_hours else self.hours
        csq: list[Value] = [None if random() < FAILED else signal + int(3 * random()) for _ in range(heard)]
        if heard == self.hours and self.end == self.load.until:
            csq[-1] = signal
        csq += [None] * (self.hours - heard)
        state.csq = None if csq[-1] is None else int(csq[-1])
        self._hourly("meter_csq", meter.id, csq)
        self._hourly("meter_health_history", meter.id, ["unhealthy" if value is None else "healthy" for value in csq])
        for offset, step in CONTACTS:
            first = self.start + offset
            health: list[Value] = [
                "unhealthy" if meter.silent_hours and first + step * n > silence else "healthy"
                for n in range((self.end - self.start) // step)
            ]
            self._put("meter_health_history", first, step, meter.id, health)


@lru_cache(maxsize=256)
def _shape(nature: str, element: str, day: datetime) -> tuple[float, ...]:
    return profiles.of_day(nature, element, day)


@lru_cache(maxsize=1024)
def _sky(seed: int, esco: str, day: int) -> float:
    """How clear a day is: the same for every roof of an esco."""
    return 0.25 + 0.75 * Random(f"{seed}/sky/{esco}/{day}").random()
