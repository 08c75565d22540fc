"""The last known state of each meter."""

from __future__ import annotations

from pulumi_timescaledb.specs.table import PrimaryKey, Table

from .common import STAMP, col, created_at, updated_at

METER_SHADOWS = Table(
    schema="flows",
    name="meter_shadows",
    comment="Last known state of each meter; triggers copy changes into the history tables.",
    columns=(
        col("id", "uuid", "Meter; the row is created together with the meter.", nn=True),
        col("balance", "numeric", "Prepayment balance in pounds."),
        created_at(),
        updated_at("When the row last changed; the time stamp of the history rows."),
        col("clock_time_diff_seconds", "integer", "How far the meter's clock is off, in seconds, either sign."),
        col("csq", "integer", "Cellular signal quality, 0 to 31; null after a failed contact."),
        col(
            "emnify_connectivity_status",
            "flows.emnify_device_connectivity_status_enum",
            "Connectivity of the SIM as emnify reports it.",
        ),
        col("health", "flows.health_check_status", "Outcome of the last contact."),
        col("health_details", "text", "Why the last contact failed."),
        col("last_healthy_at", STAMP, "When the meter last was healthy."),
        col("3p_voltage_l1", "real", "Voltage of phase 1 of a three-phase meter."),
        col("3p_voltage_l2", "real", "Voltage of phase 2 of a three-phase meter."),
        col("3p_voltage_l3", "real", "Voltage of phase 3 of a three-phase meter."),
        col("voltage", "numeric", "Voltage of a single-phase meter."),
        col("import_a", "double precision", "Cumulative import of element A, or of a single-rate meter."),
        col("export_a", "double precision", "Cumulative export of element A, or of a single-rate meter."),
        col("import_b", "double precision", "Cumulative import of element B."),
        col("export_b", "double precision", "Cumulative export of element B."),
        col("tariffs_active", "jsonb", "Tariff the meter uses now."),
        col("tariffs_future", "jsonb", "Tariff the meter will use from its activation_datetime on."),
        col("backlight", "text", "Backlight setting of the display."),
        col("load_switch", "text", "State of the load switch."),
    ),
    primary_key=PrimaryKey(name="meter_shadows_pkey", columns=("id",)),
    row_level_security=True,
)

TABLES = (METER_SHADOWS,)
