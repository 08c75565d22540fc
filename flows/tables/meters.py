"""Meters, their registers and modems, and the global tables about metering."""

from __future__ import annotations

from pulumi_timescaledb.specs.table import Check, PrimaryKey, Table, Unique

from .common import STAMP, col, created_at, updated_at, uuid_id

METER_REGISTRY = Table(
    schema="flows",
    name="meter_registry",
    comment="Meters and how to reach them.",
    columns=(
        uuid_id("Identifier of the meter."),
        col("serial", "text", "Serial number, for example EML2137580826."),
        col("emnify_id", "integer", "Device number at emnify, the SIM provider."),
        col("ip_address", "inet", "Address of the meter in the SIM network."),
        col("iccid", "text", "Number of the SIM card."),
        col("name", "text", "Name for people."),
        col("hardware", "text", "Hardware type the meter reports."),
        col("firmware_version", "text", "Firmware version the meter reports."),
        col("commissioned_iso_week_date", "text", "ISO week date of commissioning."),
        col(
            "installation_status",
            "flows.emnify_device_installation_status_enum",
            "State of the device entry at emnify.",
        ),
        col(
            "mode",
            "flows.meter_mode_enum",
            "active: polled hardware; passive: a twin copied from another database.",
            default="'active'::flows.meter_mode_enum",
        ),
        col("prepay_enabled", "boolean", "Whether the meter runs in prepayment mode."),
        col(
            "daylight_savings_correction_enabled",
            "boolean",
            "Whether British summer time is used for the activation of future tariffs.",
        ),
        col(
            "single_meter_app",
            "boolean",
            "Whether a publicly exposed app with mutual TLS serves this meter alone.",
            nn=True,
            default="false",
        ),
        col("site", "uuid", "Site of the meter; not enforced by a key."),
        col("esco", "uuid", "Esco of the meter; without one only administrators see it."),
        created_at(),
        updated_at(),
    ),
    primary_key=PrimaryKey(name="meters_registry_pkey", columns=("id",)),
    unique=(
        Unique(name="meters_registry_serial_unique", columns=("serial",)),
        Unique(name="meters_registry_emnify_id_unique", columns=("emnify_id",)),
        Unique(name="meters_registry_ip_address_unique", columns=("ip_address",)),
        Unique(name="meter_registry_iccid_unique", columns=("iccid",)),
    ),
    row_level_security=True,
)

METER_TOPHAT_REGISTRY = Table(
    schema="flows",
    name="meter_tophat_registry",
    comment="Tophats: separate SIM and modem units attached to meters.",
    columns=(
        uuid_id("Identifier of the tophat."),
        col("meter", "uuid", "Meter it is attached to.", nn=True),
        col("emnify_id", "integer", "Device number at emnify."),
        col("ip_address", "inet", "Address in the SIM network."),
        col("iccid", "text", "Number of the SIM card."),
        updated_at("When the row last changed; writers maintain it."),
        created_at(),
    ),
    primary_key=PrimaryKey(name="meter_tophat_registry_pkey", columns=("id",)),
    unique=(
        Unique(name="meter_tophat_registry_emnify_id_unique", columns=("emnify_id",)),
        Unique(name="meter_tophat_registry_ip_address_unique", columns=("ip_address",)),
        Unique(name="meter_tophat_registry_iccid_unique", columns=("iccid",)),
    ),
    row_level_security=True,
)

METER_REGISTERS = Table(
    schema="flows",
    name="meter_registers",
    comment="Registers: the quantities a meter measures. Time series hang off registers, not meters.",
    columns=(
        col("register_id", "uuid", "Identifier of the register; given by the writer.", nn=True),
        col("meter_id", "uuid", "Meter of the register.", nn=True),
        col("nature", "flows.register_nature_enum", "What the register measures."),
        created_at(),
        col(
            "status",
            "flows.meter_register_status_enum",
            "Only enabled registers receive reads from the meter's shadow.",
            default="'enabled'::flows.meter_register_status_enum",
        ),
        col("element", "flows.meter_register_element", "Measuring element: A (day), B (night) or SINGLE."),
        col("start_time", STAMP, "When the register came into use."),
        col("end_time", STAMP, "When it went out of use; open while it is in use."),
        col("notes", "text", "Free text."),
    ),
    primary_key=PrimaryKey(name="meter_registers_pkey", columns=("register_id",)),
    unique=(Unique(name="meter_registers_register_id_meter_id_unique", columns=("register_id", "meter_id")),),
    checks=(
        Check(
            name="meter_registers_time_check",
            expression="start_time IS NULL OR end_time IS NULL OR end_time > start_time",
        ),
    ),
    row_level_security=True,
)

METER_METRICS = Table(
    schema="flows",
    name="meter_metrics",
    comment="Syncers: which readings are collected from meters, and how often. The same for every esco.",
    columns=(
        uuid_id("Identifier of the syncer entry."),
        col("name", "text", "Class name of the syncer.", nn=True),
        col("notes", "text", "Free text."),
        col("enabled", "boolean", "Whether the syncer runs.", nn=True),
        col("run_frequency", "flows.meter_metric_run_frequency_enum", "How often the syncer runs.", nn=True),
    ),
    primary_key=PrimaryKey(name="meter_metrics_pkey", columns=("id",)),
)

METER_EVENT_LOG_TYPE = Table(
    schema="flows",
    name="meter_event_log_type",
    comment="Names of the event codes meters log. The same for every esco; unknown codes exist.",
    columns=(
        col("id", "integer", "Event code.", nn=True),
        col("name", "text", "What the code means.", nn=True),
    ),
    primary_key=PrimaryKey(name="meter_event_log_type_pkey", columns=("id",)),
    unique=(Unique(name="meter_event_log_type_name_unique", columns=("name",)),),
)

METER_EVENT_LOG = Table(
    schema="flows",
    name="meter_event_log",
    comment="Events that meters logged; a daily job deletes old ones.",
    columns=(
        col("meter_id", "uuid", "Meter that logged the event.", nn=True),
        col("timestamp", STAMP, "When it happened.", nn=True),
        col("event_type", "integer", "Event code; not enforced, because unknown codes exist.", nn=True),
        col("event_set", "integer", "Running count of events of this type.", nn=True),
    ),
    primary_key=PrimaryKey(name="meter_event_type_pkey", columns=("meter_id", "timestamp", "event_type")),
    row_level_security=True,
)

TABLES = (
    METER_REGISTRY,
    METER_TOPHAT_REGISTRY,
    METER_REGISTERS,
    METER_METRICS,
    METER_EVENT_LOG_TYPE,
    METER_EVENT_LOG,
)
