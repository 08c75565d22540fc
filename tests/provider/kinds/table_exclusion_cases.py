"""Lives of tables with exclusion constraints."""

from pulumi_timescaledb.specs.table import Column, Exclusion, ExclusionElement, Table

from ..lifecycle import Alter, Drift, LifeCycle
from .table_cases import but, column

ROOM = Column(name="room", type="int")
DURING = Column(name="during", type="tstzrange")
OVERLAP = ExclusionElement(column="during", operator="&&")
APART = Exclusion(
    name="apart",
    elements=(ExclusionElement(expression="int4range(room, room, '[]') -- it's )", operator="&&"), OVERLAP),
    where="room > 0 AND name <> 'it''s'",
)
ONE_NAME = Exclusion(
    name='One "name"; --',
    elements=(
        ExclusionElement(column="name", operator="=", collation='"C"', operator_class="text_pattern_ops"),
        ExclusionElement(column="name", operator="=", collation='"C"', descending=True, nulls="last"),
        ExclusionElement(expression="room + 1", operator="="),
    ),
    method="btree",
    deferrable=True,
    initially_deferred=True,
)
TABLE = Table(
    schema_="life",
    name="booked",
    columns=(ROOM, DURING, Column(name="name", type="text"), Column(name="desk", type="inet")),
    exclusions=(APART,),
)
ROWS = "INSERT INTO life.booked VALUES (1, '[2026-01-01,2026-01-02)', 'a', '10.0.0.1')"


def but_apart(**changes: object) -> dict[str, tuple[Exclusion, ...]]:
    """Another value of `exclusions`."""
    return {"exclusions": (APART.model_copy(update=changes),)}


def but_second(**changes: object) -> tuple[Exclusion, ...]:
    """ONE_NAME with another second element."""
    first, second, *rest = ONE_NAME.elements
    return (ONE_NAME.model_copy(update={"elements": (first, second.model_copy(update=changes), *rest)}),)


LIVES = [
    LifeCycle(
        "exclusions",
        TABLE,
        before="CREATE SCHEMA life",
        alters=(
            Alter("exclusion more", {"exclusions": (APART, ONE_NAME)}, before=ROWS),
            Alter("the same once more", {"exclusions": (APART, APART.model_copy(update={"name": "again"}))}),
            Alter("no exclusion", {"exclusions": ()}, before=ROWS),
            Alter("exclusion renamed", but_apart(name="far apart"), before=ROWS),
            Alter("operator", but_apart(elements=(ExclusionElement(column="during", operator="-|-"),)), before=ROWS),
            Alter("whole table", but_apart(where=None), before=ROWS),
            Alter("include", but_apart(include=("desk", "name")), before=ROWS),
            Alter("deferrable", but_apart(deferrable=True, initially_deferred=True), before=ROWS),
            Alter(
                "operator class",
                but_apart(elements=(ExclusionElement(column="desk", operator="&&", operator_class="inet_ops"),)),
            ),
            Alter(
                "method",
                but_apart(method="hash", elements=(ExclusionElement(column="room", operator="="),)),
                before=ROWS,
            ),
            Alter(
                "columns renamed",
                {
                    "columns": but(
                        column(ROOM, name="Room", previously="room"),
                        column(DURING, name="When", previously="during"),
                        table=TABLE,
                    ),
                    **but_apart(
                        elements=(
                            ExclusionElement(expression='int4range("Room", "Room", \'[]\')', operator="&&"),
                            ExclusionElement(column="When", operator="&&"),
                        ),
                        where="\"Room\" > 0 AND name <> 'it''s'",
                    ),
                },
                before=ROWS,
            ),
            Alter(
                "column of an expression gone",
                {"columns": but(table=TABLE, without=("room",)), **but_apart(elements=(OVERLAP,), where=None)},
                before=ROWS,
            ),
        ),
        drifts=(
            Drift("exclusion gone", "ALTER TABLE life.booked DROP CONSTRAINT apart", "exclusions"),
            Drift("exclusion more", "ALTER TABLE life.booked ADD EXCLUDE (room WITH =)", "exclusions"),
            Drift(
                "exclusion again",
                "ALTER TABLE life.booked DROP CONSTRAINT apart, ADD CONSTRAINT other EXCLUDE USING btree (name COLLATE "
                '"C" text_pattern_ops DESC NULLS LAST WITH =) INCLUDE (room) DEFERRABLE INITIALLY DEFERRED',
                "exclusions.name exclusions.method exclusions.elements.column exclusions.elements.expression "
                "exclusions.elements.operator exclusions.elements.collation exclusions.elements.operator_class "
                "exclusions.elements.descending exclusions.elements.nulls exclusions.include exclusions.where "
                "exclusions.deferrable exclusions.initially_deferred",
            ),
        ),
    ),
    LifeCycle(
        "exclusions in order",
        TABLE.model_copy(update={"exclusions": (ONE_NAME,)}),
        before="CREATE SCHEMA life",
        alters=(
            Alter("collation", {"exclusions": but_second(collation=None)}, before=ROWS),
            Alter("order", {"exclusions": but_second(descending=False, nulls="first")}, before=ROWS),
            Alter("at once", {"exclusions": (ONE_NAME.model_copy(update={"initially_deferred": False}),)}),
        ),
    ),
    LifeCycle(
        "exclusions, hostile",
        Table(
            schema_='Li"fe',
            name='Sel"ect; DROP -- ' + "é" * 23,
            columns=(Column(name='Or"der', type="text"), Column(name="table", type="int4range")),
            exclusions=(
                Exclusion(
                    name='Key "of" ' + "ü" * 27,
                    elements=(
                        ExclusionElement(
                            column='Or"der',
                            operator='OPERATOR("Ext".%)',
                            operator_class='"Ext".gist_trgm_ops (siglen=32)',
                        ),
                        ExclusionElement(column="table", operator="&&"),
                    ),
                    where='"Or""der" <> \';--\' /* ) */',
                ),
            ),
        ),
        before='CREATE SCHEMA "Li""fe"; CREATE SCHEMA "Ext"; CREATE EXTENSION pg_trgm SCHEMA "Ext"',
    ),
]
