"""Lives of functions and procedures."""

from pulumi_timescaledb.specs.function import Argument, Function

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE ROLE one;
CREATE ROLE two;
CREATE TABLE life.thing (id int, name text);
CREATE TYPE life."Mood, (ok)" AS ENUM ('a');
"""
BODY = """
BEGIN
    -- it's a comment; with $body$ and \\ in it
    /* another */
    RETURN a || 'x';
END
"""
AGAIN = "DROP FUNCTION life.note(text, int); CREATE FUNCTION life.note"
A = Argument(name="a", type="text")
B = Argument(name="B", type="int", default="1 + 1")
PLAIN = Function(schema_="life", name="note", arguments=(A, B), returns="text", body=BODY, owner="one", comment="first")

LIVES = [
    LifeCycle(
        "plain",
        PLAIN,
        before=BEFORE,
        alters=(
            Alter("body", {"body": "BEGIN RETURN $body1$ $body$ $body1$; END"}),
            Alter("language", {"language": "sql", "body": "SELECT a"}),
            Alter("returns", {"returns": "SETOF text", "language": "sql", "body": "SELECT a"}, rebuild=True),
            Alter("procedure", {"procedure": True, "returns": None, "body": "BEGIN END"}, rebuild=True),
            Alter("parameter renamed", {"arguments": (Argument(name="b", type="text"), B)}, rebuild=True),
            Alter(
                "mode",
                {"arguments": (A.model_copy(update={"mode": "inout"}), B), "body": "BEGIN a := 1; END"},
                rebuild=True,
            ),
            Alter("default more", {"arguments": (A.model_copy(update={"default": "'it''s'"}), B)}),
            Alter("default changed", {"arguments": (A, B.model_copy(update={"default": "3"}))}),
            Alter("default gone", {"arguments": (A, B.model_copy(update={"default": None}))}, rebuild=True),
            Alter("volatility", {"volatility": "stable"}),
            Alter("strict", {"strict": True}),
            Alter("security definer", {"security_definer": True, "settings": {"search_path": ""}}),
            Alter("leakproof", {"leakproof": True}),
            Alter("parallel", {"parallel": "safe"}),
            Alter("cost", {"cost": 1000}),
            Alter("settings", {"settings": {"search_path": 'pg_catalog, "Li""fe", pg_temp', "work_mem": "64MB"}}),
            Alter("other settings", {"settings": {"app.esco": 'it\'s, \\ "x"', "TimeZone": "UTC"}}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift(
                "body",
                'CREATE OR REPLACE FUNCTION life.note(a text, "B" int DEFAULT 2) RETURNS text LANGUAGE plpgsql '
                "AS 'BEGIN RETURN 1; END'",
                "body",
            ),
            Drift(
                "language",
                'CREATE OR REPLACE FUNCTION life.note(a text, "B" int DEFAULT 2) RETURNS text LANGUAGE sql '
                "AS 'SELECT a'",
                "language",
            ),
            Drift(
                "default and name",
                AGAIN + "(a text, b int) RETURNS text LANGUAGE sql AS 'SELECT a'",
                "arguments.default arguments.name",
                rebuild=True,
            ),
            Drift(
                "another result",
                AGAIN + "(a text, \"B\" int) RETURNS SETOF int LANGUAGE sql AS 'SELECT 1'",
                "returns",
                rebuild=True,
            ),
            Drift(
                "another mode",
                AGAIN + "(INOUT a text, \"B\" int) LANGUAGE sql AS 'SELECT a'",
                "arguments.mode",
                rebuild=True,
            ),
            Drift(
                "procedure",
                "DROP FUNCTION life.note(text, int); "
                "CREATE PROCEDURE life.note(a text, \"B\" int) LANGUAGE sql AS 'SELECT 1'",
                "procedure",
                rebuild=True,
            ),
            Drift("volatility", "ALTER FUNCTION life.note(text, int) IMMUTABLE", "volatility"),
            Drift("strict", "ALTER FUNCTION life.note(text, int) STRICT", "strict"),
            Drift("security", "ALTER FUNCTION life.note(text, int) SECURITY DEFINER", "security_definer"),
            Drift("leakproof", "ALTER FUNCTION life.note(text, int) LEAKPROOF", "leakproof"),
            Drift("parallel", "ALTER FUNCTION life.note(text, int) PARALLEL RESTRICTED", "parallel"),
            Drift("cost", "ALTER FUNCTION life.note(text, int) COST 7", "cost"),
            Drift("settings", "ALTER FUNCTION life.note(text, int) SET search_path TO ''", "settings"),
            Drift("owner", "ALTER FUNCTION life.note(text, int) OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON FUNCTION life.note(text, int) IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "empty search path",
        PLAIN.model_copy(update={"settings": {"search_path": ""}, "security_definer": True}),
        before=BEFORE,
        alters=(Alter("no settings", {"settings": {}, "security_definer": False}),),
        drifts=(Drift("reset", "ALTER FUNCTION life.note(text, int) RESET search_path", "settings"),),
    ),
    LifeCycle(
        "overload, hostile",
        Function(
            schema_='Li"fe',
            name='Sel"ect(1, x) DROP -- ' + "é" * 20,
            arguments=(
                Argument(type="integer[]"),
                Argument(name='Or"der', type='life."Mood, (ok)"', default="'a'"),
                Argument(name="größe", type="timestamptz", default="now()"),
            ),
            returns="SETOF life.thing",
            language="sql",
            body="SELECT 1, 'x;' -- end",
            rows=5,
        ),
        before=BEFORE
        + f"""
        CREATE SCHEMA "Li""fe";
        CREATE FUNCTION "Li""fe"."Sel""ect(1, x) DROP -- {"é" * 20}"(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
        """,
        drifts=(
            Drift(
                "rows",
                "DO $$ DECLARE f text; BEGIN SELECT oid::regprocedure INTO f FROM pg_proc WHERE prorows = 5; "
                "EXECUTE 'ALTER FUNCTION ' || f || ' ROWS 9'; END $$",
                "rows",
            ),
        ),
        alters=(
            Alter("rows", {"rows": None}),
            Alter("body", {"body": "SELECT 2, NULL;"}),
            Alter(
                "first parameter named",
                {
                    "arguments": (
                        Argument(name="first", type="integer[]"),
                        Argument(name='Or"der', type='life."Mood, (ok)"', default="'a'"),
                        Argument(name="größe", type="timestamptz", default="now()"),
                    ),
                },
            ),
        ),
    ),
    LifeCycle(
        "table",
        Function(
            schema_="life",
            name="listed",
            arguments=(Argument(name="many", type="int[]", mode="variadic", default="'{}'"),),
            returns='TABLE(id int, "A b" text)',
            language="sql",
            body="SELECT id, name FROM life.thing",
            volatility="stable",
        ),
        before=BEFORE,
        alters=(
            Alter(
                "one column more",
                {"returns": 'TABLE(id int, "A b" text, c int)', "body": "SELECT 1, 'x', 3"},
                rebuild=True,
            ),
        ),
    ),
    LifeCycle(
        "out parameters",
        Function(
            schema_="life",
            name="both",
            arguments=(
                Argument(name="a", type="int"),
                Argument(name="b", type="int", mode="out"),
                Argument(name="c", type="text", mode="inout", default="'x'"),
            ),
            returns="record",
            language="sql",
            body="SELECT 1, c",
        ),
        before=BEFORE,
        drifts=(
            Drift(
                "type of an out parameter",
                "DROP FUNCTION life.both(int, text); CREATE FUNCTION life.both(a int, OUT b bigint, INOUT c text "
                "DEFAULT 'x') LANGUAGE sql AS 'SELECT 1::bigint, c'",
                "arguments.type",
                rebuild=True,
            ),
        ),
        alters=(
            Alter(
                "another result",
                {
                    "arguments": (
                        Argument(name="a", type="int"),
                        Argument(name="b", type="text", mode="out"),
                        Argument(name="c", type="text", mode="inout", default="'x'"),
                    ),
                    "body": "SELECT 'y', c",
                },
                rebuild=True,
            ),
        ),
    ),
    LifeCycle(
        "procedure",
        Function(
            schema_="life",
            name="run",
            procedure=True,
            arguments=(Argument(name="job_id", type="int"), Argument(name="config", type="jsonb", default="NULL")),
            body="BEGIN PERFORM 1; END",
            settings={"search_path": "pg_catalog, pg_temp"},
            owner="one",
            comment="first",
        ),
        before=BEFORE,
        alters=(
            Alter("body", {"body": "BEGIN COMMIT; END"}),
            Alter("security definer", {"security_definer": True}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "second"}),
            Alter("function", {"procedure": False, "returns": "void"}, rebuild=True),
        ),
    ),
    LifeCycle(
        "standard body",
        Function(
            schema_="life",
            name="counted",
            returns="bigint",
            language="sql",
            body="BEGIN ATOMIC\n SELECT count(*) FROM life.thing; -- counted\nEND",
        ),
        before=BEFORE,
        alters=(
            Alter("return", {"body": "return 1 + 1"}),
            Alter("text", {"body": "SELECT 1::bigint"}),
            Alter("volatility", {"volatility": "immutable"}),
        ),
    ),
    LifeCycle(
        "trigger",
        Function(schema_="life", name="touched", returns="trigger", body="BEGIN RETURN NEW; END"),
        before=BEFORE,
        alters=(Alter("body", {"body": "BEGIN NEW.id := 1; RETURN NEW; END"}),),
    ),
    LifeCycle(
        "empty", Function(schema_="life", name="nothing", returns="void", language="sql", body=""), before=BEFORE
    ),
]
