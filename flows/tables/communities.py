"""Escos and what belongs to them: sites, properties, circuits, feeders, service heads, chargers."""

from __future__ import annotations

from pulumi_timescaledb.specs.table import Check, PrimaryKey, Table, Unique

from .common import col, created_at, updated_at, uuid_id

ESCOS = Table(
    schema="flows",
    name="escos",
    comment="Energy service companies: each runs one community and sees only its own rows.",
    columns=(
        uuid_id("Identifier of the esco; tokens and app.current_esco name it."),
        created_at(),
        col("name", "text", "Full name."),
        col("code", "text", "Short unique code, for example WLCE."),
        col("app_url", "text", "Address of the esco's customer application."),
    ),
    primary_key=PrimaryKey(name="escos_pkey", columns=("id",)),
    unique=(Unique(name="escos_unique_code", columns=("code",)),),
    row_level_security=True,
)

SITES_NEW = Table(
    schema="flows",
    name="sites_new",
    comment="Sites: groups of meters behind one boundary meter.",
    columns=(
        uuid_id("Identifier of the site."),
        col("name", "text", "Name of the site.", nn=True),
        col("code", "text", "Short unique code of the site."),
        col("esco", "uuid", "Esco that runs the site.", nn=True),
        created_at(),
    ),
    primary_key=PrimaryKey(name="sites_new_pkey", columns=("id",)),
    unique=(Unique(name="sites_new_unique_code", columns=("code",)),),
    row_level_security=True,
)

PROPERTIES = Table(
    schema="flows",
    name="properties",
    comment="Dwellings and other units, known by their plot.",
    columns=(
        uuid_id("Identifier of the property."),
        col("plot", "text", "Plot number or name."),
        created_at(nn=False),
        col("site", "uuid", "Site of the property; without one its service heads tell the esco."),
    ),
    primary_key=PrimaryKey(name="properties_pkey", columns=("id",)),
    row_level_security=True,
)

CIRCUITS = Table(
    schema="flows",
    name="circuits",
    comment="Logical groups of load or generation; circuit_register says which registers they sum up.",
    columns=(
        uuid_id("Identifier of the circuit."),
        col("type", "flows.circuit_type_enum", "What the circuit supplies.", nn=True),
        col("name", "text", "Name of the circuit."),
        created_at(nn=False),
    ),
    primary_key=PrimaryKey(name="circuit_pkey", columns=("id",)),
    row_level_security=True,
)

FEEDER_REGISTRY = Table(
    schema="flows",
    name="feeder_registry",
    comment="Feeders: supply cables of an esco.",
    columns=(
        uuid_id("Identifier of the feeder."),
        col("name", "text", "Unique name of the feeder.", nn=True),
        col("esco", "uuid", "Esco that owns the feeder.", nn=True),
        created_at(),
    ),
    primary_key=PrimaryKey(name="feeder_registry_pkey", columns=("id",)),
    unique=(Unique(name="feeder_registry_name_unique", columns=("name",)),),
    row_level_security=True,
)

SERVICE_HEAD_REGISTRY = Table(
    schema="flows",
    name="service_head_registry",
    comment="Service heads: cut-outs where a supply enters a building.",
    columns=(
        uuid_id("Identifier of the service head."),
        col("name", "text", "Unique name of the service head.", nn=True),
        col("feeder", "uuid", "Feeder that supplies it; it also tells the esco."),
        created_at(),
        col("phase", "integer", "Phase of the feeder, 1 to 3."),
        col("fuse_rating", "smallint", "Rating of the cut-out fuse in ampere."),
        col("type", "text", "customer_owned or network_owned."),
    ),
    primary_key=PrimaryKey(name="service_head_registry_pkey", columns=("id",)),
    unique=(Unique(name="service_head_registry_name_unique", columns=("name",)),),
    checks=(
        Check(name="service_head_registry_phase_check", expression="phase IN (1, 2, 3)"),
        Check(
            name="service_head_registry_type_check",
            expression="type IS NULL OR type IN ('customer_owned', 'network_owned')",
        ),
    ),
    row_level_security=True,
)

EV_CHARGERS = Table(
    schema="flows",
    name="ev_chargers",
    comment="Chargers for electric vehicles.",
    columns=(
        uuid_id("Identifier of the charger."),
        col("esco", "uuid", "Esco that runs the charger.", nn=True),
        col("serial", "text", "Serial number, 8 characters.", nn=True),
        col("pin", "text", "Secret PIN, 4 characters; no read role may see it.", nn=True),
        col("position", "text", "Where the charger stands."),
        updated_at(),
        created_at(),
    ),
    primary_key=PrimaryKey(name="chargers_pkey", columns=("id",)),
    checks=(
        Check(name="chargers_serial_check", expression="length(serial) = 8"),
        Check(name="chargers_pin_check", expression="length(pin) = 4"),
    ),
    row_level_security=True,
)

TABLES = (ESCOS, SITES_NEW, PROPERTIES, CIRCUITS, FEEDER_REGISTRY, SERVICE_HEAD_REGISTRY, EV_CHARGERS)
