"""Rows of the plain tables of an estate, as text the server casts to each column's type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowsctl.demo.estate import CHARGERS, METERS_PER_FEEDER, METERS_PER_SITE, Esco, Load, Meter
from flowsctl.demo.ids import uid
from flowsctl.demo.state import MeterState

NAMES = {"WLCE": "Willow Lane Community Energy", "HMCE": "Highmead Community Energy"}
EVENT_TYPES = {
    1: "Power fail",
    2: "Power restore",
    3: "Terminal cover opened",
    4: "Magnetic interference",
    5: "Credit added",
    6: "Load switch opened",
    7: "Load switch closed",
    8: "Clock adjusted",
}
SYNCERS = {
    "SyncerReads": "hourly",
    "SyncerPrepayBalance": "hourly",
    "SyncerCSQ": "hourly",
    "SyncerVoltage": "hourly",
    "SyncerEventLog": "daily",
    "SyncerTariffsActive": "daily",
    "SyncerTariffsFuture": "daily",
    "SyncerClockDiff": "daily",
}
EVENT_DAYS = 90
"""The daily job prunes older events."""
EVENTS_PER_DAY = 0.3
DRIFTING = (20, 11)
TOPHATS = (10, 8)


@dataclass(frozen=True)
class Rows:
    """Some rows of one table; a value is text, or None for null."""

    table: str
    columns: tuple[str, ...]
    values: list[tuple[str | None, ...]]


def _rows(table: str, columns: str, values: Iterator[tuple[Any, ...]]) -> Rows:
    return Rows(table, tuple(columns.split()), [tuple(map(_text, row)) for row in values])


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)


def shared() -> list[Rows]:
    """Rows that belong to no esco."""
    metrics = ((uid("metric", name), name, "demo", True, often) for name, often in SYNCERS.items())
    return [
        _rows("meter_event_log_type", "id name", iter(EVENT_TYPES.items())),
        _rows("meter_metrics", "id name notes enabled run_frequency", metrics),
    ]


def of_esco(esco: Esco, load: Load) -> list[Rows]:
    """One esco's rows in an order that keeps every key; all but the links that triggers guard."""
    made = load.start
    code, homes = esco.code, _homes(esco)
    sites = range(_count(esco, METERS_PER_SITE))
    feeders = range(_count(esco, METERS_PER_FEEDER))
    name = NAMES.get(code, f"Demo Community Energy {code}")
    address = f"https://{code.lower()}.example.org"
    heads = (
        (_head(m), f"{code} head {m.number + 1}", _feeder(m), m.number % 3 + 1, 80 if m.three_phase else 60, made)
        + (("customer_owned",) if m.number % 4 == 0 else ("network_owned",))
        for m in homes
    )
    return [
        _rows("escos", "id name code app_url created_at", iter([(esco.id, name, code, address, made)])),
        _rows(
            "sites_new",
            "id name code esco created_at",
            ((uid("site", code, n), f"{code} site {n + 1}", f"{code}-{n + 1}", esco.id, made) for n in sites),
        ),
        _rows(
            "feeder_registry",
            "id name esco created_at",
            ((uid("feeder", code, n), f"{code} feeder {n + 1}", esco.id, made) for n in feeders),
        ),
        _rows("service_head_registry", "id name feeder phase fuse_rating created_at type", heads),
        _rows(
            "properties",
            "id plot created_at site",
            ((_property(m), f"Plot {m.number + 1}", made, _site(m)) for m in homes),
        ),
        _rows(
            "ev_chargers",
            "id esco serial pin position updated_at created_at",
            (_charger(esco, n, load) for n in range(CHARGERS)),
        ),
        _rows(
            "meter_registry",
            "id serial emnify_id ip_address iccid name hardware firmware_version commissioned_iso_week_date "
            "installation_status mode prepay_enabled "
            "daylight_savings_correction_enabled site esco created_at updated_at",
            (_meter(esco, meter, load) for meter in esco.meters),
        ),
        _rows(
            "meter_tophat_registry",
            "id meter emnify_id ip_address iccid updated_at created_at",
            (_tophat(esco, m, made) for m in esco.meters if m.number % TOPHATS[0] == TOPHATS[1]),
        ),
        _rows(
            "meter_registers",
            "register_id meter_id nature created_at status element start_time",
            ((r.id, m.id, r.nature, made, "enabled", r.element, made) for m in esco.meters for r in m.registers),
        ),
        _rows(
            "circuits",
            "id type name created_at",
            ((_circuit(m), m.nature, f"{code} plot {m.home + 1} {m.nature}", made) for m in esco.meters),
        ),
        _rows(
            "service_head_meter",
            "service_head meter created_at",
            ((uid("head", code, m.home), m.id, made) for m in esco.meters),
        ),
        _rows("meter_event_log", "meter_id timestamp event_type event_set", _events(esco, load)),
    ]


def links(esco: Esco, load: Load) -> list[Rows]:
    """The links whose triggers take a lock per row: to be loaded some at a time."""
    made = load.start
    return [
        _rows(
            "properties_service_head",
            "property service_head created_at",
            ((_property(m), _head(m), made) for m in _homes(esco)),
        ),
        _rows(
            "circuit_register",
            "circuit register start_time created_at",
            ((_circuit(m), r.id, made, made) for m in esco.meters for r in m.registers),
        ),
    ]


def shadows(esco: Esco, load: Load, states: dict[Meter, MeterState]) -> Rows:
    """The last known state of an esco's meters: what the series ended with."""
    columns = (
        "id balance created_at updated_at clock_time_diff_seconds csq emnify_connectivity_status health health_details "
        "last_healthy_at 3p_voltage_l1 3p_voltage_l2 3p_voltage_l3 voltage import_a export_a import_b export_b "
        "tariffs_active tariffs_future backlight load_switch"
    )
    return _rows("meter_shadows", columns, (_shadow(meter, load, states[meter]) for meter in esco.meters))


def _shadow(meter: Meter, load: Load, state: MeterState) -> tuple[Any, ...]:
    random = load.random("shadow", meter.id)
    drifts = meter.number % DRIFTING[0] == DRIFTING[1]
    drift = random.choice((-1, 1)) * random.randint(75, 300) if drifts else random.randint(-9, 9)
    silent = meter.silent_hours > 0
    phases: tuple[float | None, ...] = (None, None, None, state.voltage[0])
    if meter.three_phase:
        phases = (*state.voltage, None)
    reads = (*state.counters, None, None)[:4]
    tariff = {
        "standing_charge": 0.45,
        "unit_rate_element_a": 0.2467,
        "unit_rate_element_b": 0.1499,
        "prepayment_ecredit_availability": 10.0,
        "prepayment_debt_recovery_rate": 0.0,
        "prepayment_emergency_credit": 15.0,
    }
    activation = (load.until + timedelta(days=14)).replace(hour=0, minute=0, tzinfo=None)
    future = tariff | {"unit_rate_element_a": 0.2589, "activation_datetime": activation.isoformat()}
    return (
        meter.id,
        f"{state.balance:.2f}" if meter.prepay else None,
        load.start,
        load.until,
        drift,
        state.csq,
        "offline" if silent else "online",
        "unhealthy" if silent else "healthy",
        "no answer from the meter" if silent else None,
        load.until - timedelta(hours=meter.silent_hours),
        *phases,
        *reads,
        json.dumps(tariff),
        json.dumps(future),
        "normal",
        "closed",
    )


def _meter(esco: Esco, meter: Meter, load: Load) -> tuple[Any, ...]:
    commissioned = load.start.date().isocalendar()
    hardware = {"heat": "H1.hm", "solar": "C1.sp"}.get(meter.nature, "P1.cx" if meter.three_phase else "C1.w")
    return (
        meter.id,
        f"EML21{esco.ordinal:03d}{meter.number:05d}",
        900_000_000 + esco.ordinal * 10_000 + meter.number,
        _address(100, esco, meter),
        f"8988303000{esco.ordinal:03d}{meter.number:06d}",
        f"{esco.code} plot {meter.home + 1} {meter.nature}",
        hardware,
        "1.5.2",
        f"{commissioned.year}-W{commissioned.week:02d}-{commissioned.weekday}",
        "enabled",
        "active",
        meter.prepay,
        True,
        _site(meter),
        esco.id,
        load.start,
        load.start,
    )


def _tophat(esco: Esco, meter: Meter, made: datetime) -> tuple[Any, ...]:
    number = 910_000_000 + esco.ordinal * 10_000 + meter.number
    iccid = f"8988303001{esco.ordinal:03d}{meter.number:06d}"
    return (uid("tophat", esco.code, meter.number), meter.id, number, _address(180, esco, meter), iccid, made, made)


def _charger(esco: Esco, number: int, load: Load) -> tuple[Any, ...]:
    pin = f"{load.random('charger', esco.code, number).randint(0, 9999):04d}"
    serial = f"EV{esco.ordinal:03d}{number:03d}"
    ident = uid("charger", esco.code, number)
    return (ident, esco.id, serial, pin, f"Car park, bay {number + 1}", load.start, load.start)


def _events(esco: Esco, load: Load) -> Iterator[tuple[Any, ...]]:
    first = max(load.start, load.until - timedelta(days=EVENT_DAYS))
    seconds = int((load.until - first).total_seconds())
    for meter in esco.meters:
        random = load.random("events", meter.id)
        moments = sorted(random.sample(range(seconds), round(seconds / 86_400 * EVENTS_PER_DAY)))
        counts = dict.fromkeys(EVENT_TYPES, 0)
        for moment in moments:
            kind = random.choice(tuple(EVENT_TYPES))
            counts[kind] += 1
            yield meter.id, first + timedelta(seconds=moment), kind, counts[kind]


def _homes(esco: Esco) -> list[Meter]:
    """The meters that have a property and a service head of their own."""
    return [meter for meter in esco.meters if meter.home == meter.number]


def _count(esco: Esco, per: int) -> int:
    return -(-len(esco.meters) // per)


def _head(meter: Meter) -> Any:
    return uid("head", meter.esco, meter.home)


def _property(meter: Meter) -> Any:
    return uid("property", meter.esco, meter.home)


def _circuit(meter: Meter) -> Any:
    return uid("circuit", meter.esco, meter.number)


def _site(meter: Meter) -> Any:
    return uid("site", meter.esco, meter.home // METERS_PER_SITE)


def _feeder(meter: Meter) -> Any:
    return uid("feeder", meter.esco, meter.home // METERS_PER_FEEDER)


def _address(net: int, esco: Esco, meter: Meter) -> str:
    return f"10.{net + esco.ordinal}.{meter.number // 250}.{meter.number % 250 + 1}"
