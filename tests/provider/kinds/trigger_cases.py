"""Lives of triggers."""

from pulumi_timescaledb.specs.trigger import Trigger

from ..lifecycle import Alter, Drift, LifeCycle

FUNCTION = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
BEFORE = f"""
CREATE SCHEMA life;
CREATE TABLE life.thing (id int, name text, "when" text, execute int);
CREATE VIEW life.shown AS SELECT id FROM life.thing;
CREATE FUNCTION life.note() {FUNCTION};
CREATE FUNCTION life.other() {FUNCTION};
CREATE FUNCTION public.note() {FUNCTION};
"""
PLAIN = Trigger(
    schema_="life",
    relation="thing",
    name="thing_note",
    timing="before",
    events=("insert", "update"),
    function_schema="life",
    function="note",
    comment="first",
)
REPLACE = "CREATE OR REPLACE TRIGGER thing_note {} EXECUTE FUNCTION life.note()"

LIVES = [
    LifeCycle(
        "plain",
        PLAIN,
        before=BEFORE,
        alters=(
            Alter("timing", {"timing": "after"}),
            Alter("events", {"events": ("update", "delete")}),
            Alter("columns", {"events": ("update",), "update_of": ("name", "when")}),
            Alter("statement", {"for_each": "statement", "events": ("insert", "truncate")}),
            Alter("when", {"when": "NEW.id > 0 /* ) */ AND NEW.name <> ')''x; EXECUTE FUNCTION ' -- )\n AND true"}),
            Alter("function", {"function": "other"}),
            Alter("function schema", {"function_schema": "public"}),
            Alter("arguments", {"arguments": ("it's", "", "a,b", "back\\slash", "\\000", "größe")}),
            Alter("disabled", {"enabled": "disabled"}),
            Alter("replica", {"enabled": "replica"}),
            Alter("always", {"enabled": "always", "function": "other"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift("disabled", "ALTER TABLE life.thing DISABLE TRIGGER thing_note", "enabled"),
            Drift("always", "ALTER TABLE life.thing ENABLE ALWAYS TRIGGER thing_note", "enabled"),
            Drift("timing", REPLACE.format("AFTER INSERT OR UPDATE ON life.thing FOR EACH ROW"), "timing"),
            Drift("events", REPLACE.format("BEFORE INSERT ON life.thing FOR EACH ROW"), "events"),
            Drift("columns", REPLACE.format("BEFORE INSERT OR UPDATE OF id ON life.thing FOR EACH ROW"), "update_of"),
            Drift("level", REPLACE.format("BEFORE INSERT OR UPDATE ON life.thing FOR EACH STATEMENT"), "for_each"),
            Drift(
                "when", REPLACE.format("BEFORE INSERT OR UPDATE ON life.thing FOR EACH ROW WHEN (NEW.id > 0)"), "when"
            ),
            Drift(
                "function",
                "CREATE OR REPLACE TRIGGER thing_note BEFORE INSERT OR UPDATE ON life.thing FOR EACH ROW "
                "EXECUTE FUNCTION life.other('x')",
                "function arguments",
            ),
            Drift(
                "function's schema",
                "CREATE OR REPLACE TRIGGER thing_note BEFORE INSERT OR UPDATE ON life.thing FOR EACH ROW "
                "EXECUTE FUNCTION public.note()",
                "function_schema",
            ),
            Drift("replica", "ALTER TABLE life.thing ENABLE REPLICA TRIGGER thing_note", "enabled"),
            Drift("comment", "COMMENT ON TRIGGER thing_note ON life.thing IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "hostile, still disabled when replaced",
        Trigger(
            schema_='Li"fe',
            relation="T WHEN (",
            name='Sel"ect WHEN ( EXECUTE ' + "é" * 20,
            timing="after",
            events=("delete", "update"),
            update_of=("Execute FUNCTION", "WHEN"),
            when='OLD."WHEN" IS DISTINCT FROM NEW."WHEN"',
            function_schema='Li"fe',
            function="F(1)",
            arguments=("x", "y"),
            enabled="disabled",
        ).model_copy(update={"events": ("update",)}),
        before='CREATE SCHEMA "Li""fe"; CREATE TABLE "Li""fe"."T WHEN (" ("Execute FUNCTION" int, "WHEN" text);'
        f'CREATE FUNCTION "Li""fe"."F(1)"() {FUNCTION}',
        alters=(
            Alter("arguments", {"arguments": ("x",)}),
            Alter("no condition", {"when": None}),
            Alter("switched on", {"enabled": "origin"}),
        ),
    ),
    LifeCycle(
        "transition tables",
        PLAIN.model_copy(
            update={
                "timing": "after",
                "events": ("update",),
                "for_each": "statement",
                "old_table": "Old rows",
                "new_table": "new_rows",
            }
        ),
        before=BEFORE,
        alters=(
            Alter("old rows", {"old_table": None}),
            Alter("new rows", {"new_table": "Others"}),
        ),
        drifts=(
            Drift(
                "rows renamed",
                REPLACE.format(
                    "AFTER UPDATE ON life.thing REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT"
                ),
                "old_table new_table",
            ),
        ),
    ),
    LifeCycle(
        "instead of",
        PLAIN.model_copy(
            update={"relation": "shown", "timing": "instead of", "events": ("insert", "update", "delete")}
        ),
        before=BEFORE,
        alters=(Alter("events", {"events": ("insert",)}), Alter("comment", {"comment": "x"})),
    ),
    LifeCycle(
        "hypertable with chunks",
        PLAIN.model_copy(update={"relation": "series"}),
        before=BEFORE
        + """
        CREATE TABLE life.series (at timestamptz NOT NULL, id int);
        SELECT create_hypertable('life.series', by_range('at'));
        INSERT INTO life.series VALUES ('2024-01-01', 1), ('2025-01-01', 1);
        """,
        alters=(
            Alter("timing", {"timing": "after"}),
            Alter("when", {"when": "NEW.id > 0"}),
            Alter("comment", {"comment": "x"}),
        ),
    ),
]
