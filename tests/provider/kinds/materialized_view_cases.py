"""Lives of ordinary materialized views."""

from pulumi_timescaledb.specs.materialized_view import MaterializedView

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE TABLE life.thing (id int, name text);
INSERT INTO life.thing VALUES (1, 'one');
CREATE ROLE one;
CREATE ROLE two;
GRANT ALL ON SCHEMA life TO one, two;
GRANT SELECT ON life.thing TO one, two;
"""

LIVES = [
    LifeCycle(
        "plain",
        MaterializedView(
            schema_="life",
            name="summary",
            query="SELECT id, name -- it's; a comment\nFROM life.thing;",
            owner="one",
            comment="first",
            column_comments={"id": "key", "name": "it's"},
        ),
        before=BEFORE,
        alters=(
            Alter("query", {"query": "SELECT id, upper(name) AS name FROM life.thing"}, rebuild=True),
            Alter("parameters", {"parameters": {"fillfactor": "70", "toast.autovacuum_enabled": "false"}}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
            Alter("column comments", {"column_comments": {"name": "the name"}}),
        ),
        drifts=(
            Drift(
                "query",
                "DROP MATERIALIZED VIEW life.summary; CREATE MATERIALIZED VIEW life.summary AS SELECT 1 AS id, name "
                "FROM life.thing",
                "query",
                rebuild=True,
            ),
            Drift("column renamed", "ALTER TABLE life.summary RENAME name TO label", "query", rebuild=True),
            Drift("parameters", "ALTER MATERIALIZED VIEW life.summary SET (autovacuum_enabled = off)", "parameters"),
            Drift("of TOAST", "ALTER MATERIALIZED VIEW life.summary SET (toast.vacuum_truncate = off)", "parameters"),
            Drift("owner", "ALTER MATERIALIZED VIEW life.summary OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON MATERIALIZED VIEW life.summary IS NULL", "comment"),
            Drift("column comment", "COMMENT ON COLUMN life.summary.id IS 'x'", "column_comments"),
        ),
    ),
    LifeCycle(
        "hostile, filled",
        MaterializedView(
            schema_='Li"fe',
            name='Sel"ect; DROP -- ' + "é" * 23,
            query='SELECT 1 AS "Or""der", \'a;--b\' AS "größe"',
            with_data=True,
            parameters={"autovacuum_enabled": "off", "toast.autovacuum_enabled": "off", "fillfactor": "80"},
            column_comments={'Or"der': "x", "größe": "y"},
        ),
        before='CREATE SCHEMA "Li""fe"',
        alters=(
            Alter("column comments", {"column_comments": {}}),
            Alter("other parameters", {"parameters": {"fillfactor": "70", "toast.autovacuum_enabled": "on"}}),
            Alter("no parameters", {"parameters": {}}),
        ),
    ),
]
