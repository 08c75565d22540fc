"""Lives of hypertables."""

from pulumi_timescaledb.specs.hypertable import HashDimension, Hypertable

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life; CREATE TABLE life.reading (at timestamptz NOT NULL, device int NOT NULL, place int, kwh float8)
"""
DEVICES = HashDimension(column="device", partitions=3)

LIVES = [
    LifeCycle(
        "plain",
        Hypertable(schema="life", relation="reading", time_column="at", chunk_interval="36 hours"),
        before=BEFORE,
        droppable=False,
        alters=(
            Alter("chunk interval", {"chunk_interval": "1 day"}),
            Alter("month", {"chunk_interval": "1 month"}),
            Alter("dimension", {"hash_dimensions": (DEVICES,)}),
            Alter("time column", {"time_column": "then"}, refused="cannot change"),
        ),
        drifts=(
            Drift(
                "chunk interval",
                "SELECT set_chunk_time_interval('life.reading', INTERVAL '2 days')",
                "chunk_interval",
            ),
            Drift(
                "time column renamed",
                "ALTER TABLE life.reading RENAME at TO moment",
                "time_column",
                refused="cannot change",
            ),
            Drift(
                "dimension more",
                "SELECT add_dimension('life.reading', by_hash('device', 4))",
                "hash_dimensions.column",
                refused="cannot be taken away",
            ),
        ),
    ),
    LifeCycle(
        "dimensions",
        Hypertable(
            schema="life",
            relation="reading",
            time_column="at",
            hash_dimensions=(HashDimension(column="place", partitions=2), DEVICES),
        ),
        before=BEFORE,
        droppable=False,
        alters=(
            Alter("partitions", {"hash_dimensions": (HashDimension(column="place", partitions=5), DEVICES)}),
            Alter("removal", {"hash_dimensions": (DEVICES,)}, refused="cannot be taken away"),
            Alter(
                "another column",
                {"hash_dimensions": (HashDimension(column="kwh", partitions=2), DEVICES)},
                refused="cannot be taken away",
            ),
        ),
        drifts=(
            Drift(
                "partitions", "SELECT set_number_partitions('life.reading', 9, 'place')", "hash_dimensions.partitions"
            ),
        ),
    ),
    LifeCycle(
        "with rows",
        Hypertable(schema="life", relation="reading", time_column="at", chunk_interval="1 day", hash_dimensions=()),
        before=f"{BEFORE}; INSERT INTO life.reading VALUES ('2026-01-01', 1, 1, 1), ('2026-01-05', 1, 1, 1)",
        droppable=False,
        alters=(Alter("chunk interval", {"chunk_interval": "2 days"}),),
    ),
    LifeCycle(
        "hostile name",
        Hypertable(
            schema='Sel"ect; DROP --',
            relation="Tablé 'TABLE",
            time_column='"at" é\'',
            hash_dimensions=(HashDimension(column="select", partitions=2),),
        ),
        before='CREATE SCHEMA "Sel""ect; DROP --"; CREATE TABLE "Sel""ect; DROP --"."Tablé \'TABLE" '
        '("""at"" é\'" timestamptz NOT NULL, "select" text NOT NULL)',
        droppable=False,
        alters=(Alter("chunk interval", {"chunk_interval": "30 minutes"}),),
    ),
]
