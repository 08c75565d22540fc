"""Lives of foreign keys."""

from pulumi_timescaledb.specs.foreign_key import ForeignKey

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE TABLE life.parent (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
CREATE TABLE life.other (id int PRIMARY KEY);
CREATE TABLE life.child (id int, parent int DEFAULT 0, x int, y int);
INSERT INTO life.parent VALUES (1, 1, 1);
INSERT INTO life.other VALUES (1);
INSERT INTO life.child VALUES (1, 1, 1, 1);
"""
KEY = ForeignKey(
    schema_="life",
    relation="child",
    name="child_parent_fkey",
    columns=("parent",),
    target_schema="life",
    target="parent",
    target_columns=("id",),
    comment="first",
)
AGAIN = """
ALTER TABLE life.child DROP CONSTRAINT child_parent_fkey;
ALTER TABLE life.child ADD CONSTRAINT child_parent_fkey FOREIGN KEY {};
COMMENT ON CONSTRAINT child_parent_fkey ON life.child IS 'first'
"""

LIVES = [
    LifeCycle(
        "plain",
        KEY,
        before=BEFORE,
        alters=(
            Alter("column", {"columns": ("x",)}, rebuild=True),
            Alter("target", {"target": "other"}, rebuild=True),
            Alter(
                "target schema",
                {"target_schema": "far"},
                rebuild=True,
                before=(
                    "CREATE SCHEMA far; CREATE TABLE far.parent (id int PRIMARY KEY); INSERT INTO far.parent VALUES (1)"
                ),
            ),
            Alter("two columns", {"columns": ("x", "y"), "target_columns": ("a", "b")}, rebuild=True),
            Alter("on update", {"on_update": "cascade"}, rebuild=True),
            Alter("on delete", {"on_delete": "set null"}, rebuild=True),
            Alter("restrict", {"on_delete": "restrict", "on_update": "set default"}, rebuild=True),
            Alter("deferrable", {"deferrable": True}),
            Alter("deferred", {"deferrable": True, "initially_deferred": True}),
            Alter("not validated", {"validated": False}, rebuild=True),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift(
                "deferred",
                "ALTER TABLE life.child ALTER CONSTRAINT child_parent_fkey DEFERRABLE INITIALLY DEFERRED",
                "deferrable initially_deferred",
            ),
            Drift("columns", AGAIN.format("(x, y) REFERENCES life.parent (a, b)"), "columns target_columns", True),
            Drift("target", AGAIN.format("(parent) REFERENCES life.other (id)"), "target", True),
            Drift(
                "target schema",
                "CREATE SCHEMA far; CREATE TABLE far.parent (id int PRIMARY KEY); INSERT INTO far.parent VALUES (1);"
                + AGAIN.format("(parent) REFERENCES far.parent (id)"),
                "target_schema",
                True,
            ),
            Drift(
                "actions",
                AGAIN.format("(parent) REFERENCES life.parent (id) ON UPDATE CASCADE ON DELETE SET NULL"),
                "on_update on_delete",
                True,
            ),
            Drift("not validated", AGAIN.format("(parent) REFERENCES life.parent (id) NOT VALID"), "validated"),
            Drift("comment", "COMMENT ON CONSTRAINT child_parent_fkey ON life.child IS 'x'", "comment"),
        ),
    ),
    LifeCycle(
        "deferred, hostile",
        ForeignKey(
            schema_='Li"fe',
            relation='Sel"ect; DROP -- ' + "é" * 23,
            name='Key "of" ' + "ü" * 27,
            columns=("Order", "user"),
            target_schema='Li"fe',
            target="Table",
            target_columns=("B", "A"),
            on_update="restrict",
            on_delete="cascade",
            deferrable=True,
            initially_deferred=True,
        ),
        before='CREATE SCHEMA "Li""fe"; CREATE TABLE "Li""fe"."Table" ("A" int, "B" text, UNIQUE ("A", "B"));'
        f'CREATE TABLE "Li""fe"."Sel""ect; DROP -- {"é" * 23}" ("user" int, "Order" text);',
        alters=(
            Alter("at once", {"deferrable": False, "initially_deferred": False}),
            Alter("immediate", {"initially_deferred": False}),
        ),
    ),
    LifeCycle(
        "from a hypertable with chunks",
        ForeignKey(
            schema_="life",
            relation="series",
            name="series_parent",
            columns=("parent",),
            target_schema="life",
            target="parent",
            target_columns=("id",),
        ),
        before=BEFORE
        + """
        CREATE TABLE life.series (at timestamptz NOT NULL, parent int);
        SELECT create_hypertable('life.series', by_range('at'));
        INSERT INTO life.series VALUES ('2024-01-01', 1), ('2025-01-01', 1);
        """,
        alters=(
            Alter("deferred", {"deferrable": True, "initially_deferred": True}),
            Alter("cascade", {"on_delete": "cascade"}, rebuild=True),
            Alter("comment", {"comment": "x"}),
        ),
    ),
    LifeCycle(
        "to a hypertable with chunks",
        ForeignKey(
            schema_="life",
            relation="note",
            name="note_series",
            columns=("at", "id"),
            target_schema="life",
            target="series",
            target_columns=("at", "id"),
        ),
        before="""
        CREATE SCHEMA life;
        CREATE TABLE life.series (at timestamptz NOT NULL, id int, UNIQUE (at, id));
        SELECT create_hypertable('life.series', by_range('at'));
        INSERT INTO life.series VALUES ('2024-01-01', 1), ('2025-01-01', 1);
        CREATE TABLE life.note (at timestamptz, id int);
        INSERT INTO life.note VALUES ('2024-01-01', 1);
        """,
        alters=(Alter("cascade", {"on_delete": "cascade"}, rebuild=True),),
    ),
    LifeCycle(
        "not validated, with a row that breaks it",
        KEY.model_copy(update={"validated": False}),
        before=BEFORE + "INSERT INTO life.child VALUES (2, 77, 1, 1)",
        alters=(
            Alter("validated", {"validated": True}, before="DELETE FROM life.child WHERE id = 2"),
            Alter("comment", {"comment": "x"}),
        ),
        drifts=(
            Drift(
                "validated",
                "DELETE FROM life.child WHERE id = 2; ALTER TABLE life.child VALIDATE CONSTRAINT child_parent_fkey",
                "validated",
                rebuild=True,
            ),
        ),
    ),
    LifeCycle(
        "to itself",
        KEY.model_copy(update={"relation": "parent", "columns": ("a",)}),
        before=BEFORE,
        alters=(Alter("deferrable", {"deferrable": True}),),
    ),
]
