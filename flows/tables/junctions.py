"""Tables that connect others."""

from __future__ import annotations

from pulumi_timescaledb.specs.table import Check, PrimaryKey, Table

from .common import STAMP, col, created_at

CIRCUIT_REGISTER = Table(
    schema="flows",
    name="circuit_register",
    comment="Which registers a circuit sums up, and from when to when. All registers of a circuit have one esco.",
    columns=(
        col("circuit", "uuid", "Circuit.", nn=True),
        col("register", "uuid", "Register that counts towards the circuit.", nn=True),
        col("start_time", STAMP, "From when on the register counts.", nn=True),
        col("end_time", STAMP, "Until when it counts, exclusive; open while it still does."),
        created_at(nn=False),
        col("notes", "text", "Free text."),
    ),
    primary_key=PrimaryKey(name="circuit_registers_pkey", columns=("circuit", "register", "start_time")),
    checks=(Check(name="circuit_register_time_check", expression="end_time IS NULL OR end_time > start_time"),),
    row_level_security=True,
)

SERVICE_HEAD_METER = Table(
    schema="flows",
    name="service_head_meter",
    comment="Which meters hang on which service heads.",
    columns=(
        col("service_head", "uuid", "Service head.", nn=True),
        col("meter", "uuid", "Meter behind it.", nn=True),
        created_at(),
    ),
    primary_key=PrimaryKey(name="service_head_pkey", columns=("service_head", "meter")),
    row_level_security=True,
)

PROPERTIES_SERVICE_HEAD = Table(
    schema="flows",
    name="properties_service_head",
    comment="Which service heads supply which properties.",
    columns=(
        col("property", "uuid", "Property.", nn=True),
        col("service_head", "uuid", "Service head that supplies it.", nn=True),
        created_at(),
    ),
    primary_key=PrimaryKey(name="properties_service_head_pkey", columns=("property", "service_head")),
    row_level_security=True,
)

TABLES = (CIRCUIT_REGISTER, SERVICE_HEAD_METER, PROPERTIES_SERVICE_HEAD)
