"""Time series: the tables that become hypertables."""

from __future__ import annotations

from pulumi_timescaledb.specs.table import Column, Table, Unique

from .common import STAMP, col


def _series(name: str, comment: str, key: Column, *values: Column, unique: str | None = None) -> Table:
    stamp = col("timestamp", STAMP, "Time of the reading.", nn=True)
    return Table(
        schema="flows",
        name=name,
        comment=comment,
        columns=(key, stamp, *values),
        unique=(Unique(name=unique, columns=(key.name, "timestamp")),) if unique else (),
    )


def _of_register(comment: str = "Register.") -> Column:
    return col("register_id", "uuid", comment, nn=True)


def _of_meter() -> Column:
    return col("meter_id", "uuid", "Meter.", nn=True)


REGISTER_IMPORT = _series(
    "register_import",
    "Cumulative import readings of registers, written when a meter's shadow changes.",
    _of_register(),
    col("read", "double precision", "Cumulative counter value."),
    unique="register_import_unique",
)
REGISTER_EXPORT = _series(
    "register_export",
    "Cumulative export readings of registers, written when a meter's shadow changes.",
    _of_register(),
    col("read", "double precision", "Cumulative counter value."),
    unique="register_export_unique",
)
REGISTER_INTERVAL_HH = _series(
    "register_interval_hh",
    "Energy per half hour from the meters' profile logs, stamped with the start of the half hour.",
    _of_register(),
    col("import_kwh", "numeric", "Imported energy in kWh.", nn=True),
    col("export_kwh", "numeric", "Exported energy in kWh.", nn=True, default="0"),
    unique="register_interval_hh_unique",
)
METER_PREPAY_BALANCE = _series(
    "meter_prepay_balance",
    "History of prepayment balances.",
    _of_meter(),
    col("balance", "numeric", "Balance in pounds."),
)
METER_CSQ = _series(
    "meter_csq",
    "History of cellular signal quality; a null value is a failed contact.",
    _of_meter(),
    col("csq", "integer", "Signal quality: 0-9 poor, 10-14 fair, 15-19 good, 20-31 excellent."),
)
METER_VOLTAGE = _series(
    "meter_voltage", "History of single-phase voltages.", _of_meter(), col("voltage", "real", "Voltage.")
)
METER_3P_VOLTAGE = _series(
    "meter_3p_voltage",
    "History of three-phase voltages.",
    _of_meter(),
    col("voltage_l1", "real", "Voltage of phase 1."),
    col("voltage_l2", "real", "Voltage of phase 2."),
    col("voltage_l3", "real", "Voltage of phase 3."),
)
METER_HEALTH_HISTORY = _series(
    "meter_health_history",
    "History of health checks.",
    _of_meter(),
    col("health", "flows.health_check_status", "Outcome of a contact.", nn=True),
)

TABLES = (
    REGISTER_IMPORT,
    REGISTER_EXPORT,
    REGISTER_INTERVAL_HH,
    METER_PREPAY_BALANCE,
    METER_CSQ,
    METER_VOLTAGE,
    METER_3P_VOLTAGE,
    METER_HEALTH_HISTORY,
)
