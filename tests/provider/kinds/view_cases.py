"""Lives of ordinary views."""

from pulumi_timescaledb.specs.view import View

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE TABLE life.thing (id int, name text, "Or""der" int);
CREATE TABLE life.sort (thing int, kind text);
CREATE ROLE one;
CREATE ROLE two;
GRANT ALL ON SCHEMA life TO one, two;
GRANT SELECT ON life.thing, life.sort TO one, two;
"""
PLAIN = View(
    schema_="life",
    name="shown",
    query="SELECT id, name -- it's; a comment\nFROM life.thing;",
    owner="one",
    comment="first",
    column_comments={"id": "key", "name": "it's"},
)

LIVES = [
    LifeCycle(
        "plain",
        PLAIN,
        before=BEFORE,
        alters=(
            Alter("query", {"query": "SELECT id, upper(name) AS name FROM life.thing"}, rebuild=True),
            Alter("column at the end", {"query": 'SELECT id, name, "Or""der" FROM life.thing'}),
            Alter("other rows", {"query": "SELECT id, name FROM life.thing WHERE id > 1", "security_barrier": True}),
            Alter(
                "column of a joined table",
                {"query": "SELECT id, name, kind FROM life.thing LEFT JOIN life.sort ON sort.thing = thing.id"},
            ),
            Alter("column before others", {"query": 'SELECT "Or""der", id, name FROM life.thing'}, rebuild=True),
            Alter("barrier", {"security_barrier": True}),
            Alter("invoker", {"security_invoker": True}),
            Alter("checked", {"check_option": "local", "security_barrier": True}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
            Alter("column comments", {"column_comments": {"name": "the name"}}),
        ),
        drifts=(
            Drift(
                "query",
                "CREATE OR REPLACE VIEW life.shown AS SELECT id, upper(name) AS name FROM life.thing",
                "query",
                rebuild=True,
            ),
            Drift("column renamed", "ALTER VIEW life.shown RENAME name TO label", "query", rebuild=True),
            Drift("barrier", "ALTER VIEW life.shown SET (security_barrier)", "security_barrier"),
            Drift("invoker", "ALTER VIEW life.shown SET (security_invoker = ON)", "security_invoker"),
            Drift("check option", "ALTER VIEW life.shown SET (check_option = cascaded)", "check_option"),
            Drift("rule", "CREATE RULE w AS ON INSERT TO life.shown DO INSTEAD NOTHING", "rewrite_rules"),
            Drift("owner", "ALTER VIEW life.shown OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON VIEW life.shown IS NULL", "comment"),
            Drift("column comment", "COMMENT ON COLUMN life.shown.id IS 'x'", "column_comments"),
        ),
    ),
    LifeCycle(
        "all options",
        PLAIN.model_copy(update={"security_barrier": True, "security_invoker": True, "check_option": "cascaded"}),
        before=BEFORE,
        alters=(
            Alter("no options", {"security_barrier": False, "security_invoker": False, "check_option": None}),
            Alter("another check", {"check_option": "local", "security_invoker": False}),
            Alter("fewer rows", {"query": "SELECT id, name FROM life.thing WHERE id > 1"}),
            Alter(
                "fewer rows, no check",
                {"query": "SELECT id, name FROM life.thing WHERE id > 1 LIMIT 1", "check_option": None},
            ),
        ),
    ),
    LifeCycle(
        "with a rule that somebody else keeps",
        PLAIN.model_copy(update={"rewrite_rules": ("w",)}),
        before=BEFORE,
        alters=(
            Alter(
                "rule not to stay",
                {"rewrite_rules": ()},
                before="CREATE RULE w AS ON INSERT TO life.shown DO INSTEAD NOTHING",
            ),
        ),
    ),
    LifeCycle(
        "hostile",
        View(
            schema_='Li"fe',
            name='Sel"ect; DROP -- ' + "é" * 23,
            query='SELECT "Or""der" AS "größe", \'a;--b\' AS "from" FROM life.thing /* a /* b */ c */ WHERE true',
            column_comments={"größe": "y", "from": "z"},
        ),
        before=BEFORE + 'CREATE SCHEMA "Li""fe"',
        alters=(
            Alter("column comments", {"column_comments": {"from": "w"}}),
            Alter(
                "column at the end",
                {"query": 'SELECT "Or""der" AS "größe", \'a;--b\' AS "from", id AS "ORDER" FROM life.thing WHERE true'},
            ),
        ),
    ),
]
