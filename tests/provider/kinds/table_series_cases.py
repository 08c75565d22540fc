"""Lives of tables that become hypertables, with and without columnstore, behind which they stay tables."""

from typing import Any

from pulumi_timescaledb.specs.table import Check, Column, Exclusion, ExclusionElement, Table, Unique

from ..lifecycle import Alter, LifeCycle
from .table_cases import BEFORE, but, column

VALUE = Column(name="value", type="real")
SERIES = Table(
    schema_="life",
    name="series",
    columns=(
        Column(name="at", type="timestamptz", not_null=True),
        Column(name="id", type="int", not_null=True),
        VALUE,
    ),
    unique=(Unique(name="series_key", columns=("id", "at")),),
    checks=(Check(name="positive", expression="value > 0"),),
)
HYPERTABLE = """
SELECT create_hypertable('life.series', by_range('at'), create_default_indexes => false);
INSERT INTO life.series VALUES ('2024-01-01', 1, 1), ('2025-01-01', 1, 2);
"""

SERIES_CHANGES: dict[str, dict[str, Any]] = {
    "column more": {"columns": but(Column(name="note", type="text", default="'x'"), table=SERIES)},
    "column gone": {"columns": but(table=SERIES, without=("value",)), "checks": ()},
    "wider": {"columns": but(column(VALUE, type="double precision"), table=SERIES)},
    "renamed": {"columns": but(column(VALUE, name="Read", previously="value"), table=SERIES), "checks": ()},
    "not null": {"columns": but(column(VALUE, not_null=True), table=SERIES)},
    "check": {"checks": (Check(name="finite", expression="value < 1000"),)},
    "no unique": {"unique": ()},
    "unique": {"unique": (*SERIES.unique, Unique(name="another", columns=("at", "value")))},
    "comment": {"comment": "x"},
    "name": {"name": "Values", "previously": "series"},
    "parameters": {"parameters": {"fillfactor": "70", "toast.autovacuum_enabled": "false"}},
}

COLUMNSTORE = (
    HYPERTABLE
    + """
ALTER TABLE life.series SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'id', timescaledb.orderby = 'at');
SELECT compress_chunk(c) FROM show_chunks('life.series') c LIMIT 1;
"""
)
BESIDE_COLUMNSTORE: dict[str, dict[str, Any]] = {
    "column more": {"columns": but(Column(name="note", type="text", default="'x'", not_null=True), table=SERIES)},
    "column gone": {"columns": but(table=SERIES, without=("value",)), "checks": ()},
    "renamed": {
        "columns": but(column(VALUE, name="Read", previously="value"), table=SERIES),
        "checks": (Check(name="positive", expression='"Read" > 0'),),
    },
    "not null": {"columns": but(column(VALUE, not_null=True), table=SERIES)},
    "default": {"columns": but(column(VALUE, default="1.5"), table=SERIES)},
    "check": {"checks": (*SERIES.checks, Check(name="finite", expression="value < 1000"))},
    "unique": {"unique": (*SERIES.unique, Unique(name="another", columns=("at", "value")))},
    "owner": {"owner": "one"},
    "parameters": {"parameters": {"autovacuum_vacuum_scale_factor": "0.05"}},
}
REFUSED_BESIDE_COLUMNSTORE: dict[str, tuple[dict[str, Any], str]] = {
    "NOT NULL without a default": (
        {"columns": but(Column(name="note", type="text", not_null=True), table=SERIES)},
        "a NOT NULL column without a default is refused",
    ),
    "changing default": (
        {"columns": but(Column(name="note", type="timestamptz", default="clock_timestamp()"), table=SERIES)},
        "default is no constant is refused",
    ),
    "identity": (
        {"columns": but(Column(name="note", type="int", identity="always"), table=SERIES)},
        "an identity or generated column is refused",
    ),
    "generated": (
        {"columns": but(Column(name="note", type="real", generated="value * 2"), table=SERIES)},
        "an identity or generated column is refused",
    ),
    "another type, before TimescaleDB 2.24": (
        {"columns": but(column(VALUE, type="double precision"), table=SERIES)},
        "its type cannot change while columnstore is on",
    ),
    "exclusion": (
        {
            "exclusions": (
                Exclusion(name="apart", method="btree", elements=(ExclusionElement(column="at", operator="="),)),
            )
        },
        "would not look at converted chunks",
    ),
    "segment-by gone": (
        {"columns": but(table=SERIES, without=("id",)), "unique": ()},
        "its columnstore is segmented or ordered",
    ),
}

LIVES = [
    LifeCycle(
        "turned into a hypertable with chunks",
        SERIES,
        before="CREATE SCHEMA life",
        alters=tuple(Alter(name, change, before=HYPERTABLE) for name, change in SERIES_CHANGES.items()),
    ),
    LifeCycle(
        "turned into a hypertable with compressed chunks",
        SERIES,
        before=BEFORE,
        alters=(
            *(Alter(name, change, before=COLUMNSTORE) for name, change in BESIDE_COLUMNSTORE.items()),
            *(
                Alter(name, change, before=COLUMNSTORE, refused=refused)
                for name, (change, refused) in REFUSED_BESIDE_COLUMNSTORE.items()
            ),
        ),
    ),
    LifeCycle(
        "keys and checks with other names",
        SERIES,
        before=BEFORE,
        alters=(
            Alter("check", {"checks": (Check(name="above zero", expression="value > 0"),)}),
            Alter("unique", {"unique": (Unique(name="Key", columns=("id", "at")),)}),
            Alter(
                "both, and a renamed column",
                {
                    "columns": but(column(VALUE, name="read", previously="value"), table=SERIES),
                    "checks": (Check(name="above zero", expression="read > 0"),),
                    "unique": (Unique(name="Key", columns=("id", "at")),),
                },
            ),
        ),
    ),
]
