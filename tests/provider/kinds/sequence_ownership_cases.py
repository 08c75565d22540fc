"""Lives of a sequence that belongs to a column."""

from pulumi_timescaledb.specs.sequence_ownership import SequenceOwnership
from pulumi_timescaledb.sqltext import ident

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE SEQUENCE life.numbers;
CREATE TABLE life.things (id bigint DEFAULT nextval('life.numbers'), other bigint);
CREATE TABLE life.others (id bigint)
"""
HOSTILE = 'Sel"ect; DROP -- ' + "é" * 20

LIVES = [
    LifeCycle(
        "serial",
        SequenceOwnership(schema_="life", sequence="numbers", table="things", column="id"),
        before=BEFORE,
        alters=(
            Alter("table", {"table": "others"}),
            Alter("column", {"column": "other"}),
        ),
        drifts=(
            Drift("table", "ALTER SEQUENCE life.numbers OWNED BY life.others.id", "table"),
            Drift("column", "ALTER SEQUENCE life.numbers OWNED BY life.things.other", "column"),
        ),
    ),
    LifeCycle(
        "hostile names",
        SequenceOwnership(schema_="life", sequence=HOSTILE, table="things", column=HOSTILE),
        before=f"{BEFORE}; CREATE SEQUENCE life.{ident(HOSTILE)}; "
        f"ALTER TABLE life.things ADD COLUMN {ident(HOSTILE)} bigint",
        alters=(Alter("column", {"column": "id"}),),
    ),
]
