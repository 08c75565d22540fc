"""Lives of tables."""

from pulumi_timescaledb.specs.table import Check, Column, PrimaryKey, Table, Unique

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE ROLE one;
CREATE ROLE two;
CREATE TYPE life.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN life."Counter" AS int CHECK (VALUE >= 0);
"""
ID = Column(name="id", type="uuid", not_null=True, default="gen_random_uuid()", comment="key")
NAME = Column(name="name", type="text", default="'it''s'")
COUNT = Column(name="count", type="int", not_null=True)
MOOD = Column(name="mood", type="life.mood[]", default="'{ok}'::life.mood[]")
LIMIT = Column(name="limit", type='life."Counter"', comment="domain")
CODE = Column(name="code", type="varchar(10)", collation='"C"')
PRIMARY = PrimaryKey(name="thing_pkey", columns=("id",))
UNIQUE = Unique(name="thing_name_key", columns=("name", "count"))
POSITIVE = Check(name="positive", expression="count > 0 -- it's; so)\n AND count < 1000")
PLAIN = Table(
    schema_="life",
    name="thing",
    columns=(ID, NAME, COUNT, MOOD, LIMIT, CODE),
    primary_key=PRIMARY,
    unique=(UNIQUE,),
    checks=(POSITIVE,),
    owner="one",
    comment="first",
)
ROWS = "INSERT INTO life.thing (name, count, \"limit\", code) VALUES ('one', 1, 1, 'a'), ('two', 2, NULL, NULL);"


def but(*changed: Column, table: Table = PLAIN, without: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """The columns of `table` with some of them changed, and others left out."""
    by_name = {column.previously or column.name: column for column in changed}
    kept = [by_name.pop(column.name, column) for column in table.columns if column.name not in without]
    return (*kept, *by_name.values())


def column(old: Column, **changes: object) -> Column:
    """`old` with some properties changed."""
    return old.model_copy(update=changes)


LIVES = [
    LifeCycle(
        "plain",
        PLAIN,
        before=BEFORE,
        alters=(
            Alter("name", {"name": "Order", "previously": "thing"}),
            Alter(
                "name and column",
                {
                    "name": "Order",
                    "previously": "thing",
                    "columns": but(column(COUNT, name="Größe", previously="count"), table=PLAIN),
                    "unique": (Unique(name="thing_name_key", columns=("name", "Größe")),),
                    "checks": (Check(name="positive", expression='"Größe" > 0'),),
                },
            ),
            Alter(
                "column more",
                {"columns": but(Column(name="new one", type="jsonb", default="'{}'", comment="x"))},
                before=ROWS,
            ),
            Alter(
                "identity more",
                {"columns": but(Column(name="number", type="int", not_null=True, identity="always"))},
                before=ROWS,
            ),
            Alter(
                "generated more",
                {"columns": but(Column(name="double", type="int", generated="count * 2"))},
                before=ROWS,
            ),
            Alter("columns gone", {"columns": but(without=("mood", "limit"))}, before=ROWS),
            Alter("column in a key gone", {"columns": but(without=("name",)), "unique": ()}),
            Alter(
                "wider", {"columns": but(column(COUNT, type="bigint"), column(CODE, type="varchar(20)"))}, before=ROWS
            ),
            Alter(
                "narrower",
                {"columns": but(column(CODE, type="varchar(3)"), column(NAME, type="character(5)"))},
                before=ROWS,
            ),
            Alter("retyped with its default", {"columns": but(column(NAME, type="life.mood", default="'ok'"))}),
            Alter("retyped with the same default", {"columns": but(column(MOOD, type="text[]", default="'{ok}'"))}),
            Alter("collation", {"columns": but(column(CODE, collation=None))}),
            Alter("nullable", {"columns": but(column(COUNT, not_null=False))}, before=ROWS),
            Alter("not null", {"columns": but(column(NAME, not_null=True), column(CODE, not_null=True))}),
            Alter("defaults", {"columns": but(column(ID, default=None), column(COUNT, default="1 + 1"))}, before=ROWS),
            Alter("column comments", {"columns": but(column(ID, comment=None), column(NAME, comment="it's"))}),
            Alter("no primary key", {"primary_key": None}, before=ROWS),
            Alter("another primary key", {"primary_key": PrimaryKey(name="Key", columns=("count", "code"))}),
            Alter("no unique", {"unique": ()}),
            Alter(
                "unique deferrable",
                {"unique": (UNIQUE.model_copy(update={"deferrable": True, "initially_deferred": True}),)},
                before=ROWS,
            ),
            Alter("unique renamed", {"unique": (UNIQUE.model_copy(update={"name": "thing_name_key2"}),)}),
            Alter("unique collides", {"unique": (UNIQUE.model_copy(update={"nulls_not_distinct": True}),)}),
            Alter("nulls collide", {"unique": (UNIQUE, Unique(name="u", columns=("code",), nulls_not_distinct=True))}),
            Alter("checks", {"checks": (POSITIVE, Check(name='Sm"all', expression="char_length(name) < 5"))}),
            Alter("check not validated", {"checks": (POSITIVE.model_copy(update={"validated": False}),)}, before=ROWS),
            Alter(
                "primary key deferrable",
                {"primary_key": PRIMARY.model_copy(update={"deferrable": True, "initially_deferred": True})},
            ),
            Alter("check rewritten", {"checks": (Check(name="positive", expression="count > 5"),)}),
            Alter("row security", {"row_level_security": True}),
            Alter("forced row security", {"row_level_security": True, "force_row_level_security": True}),
            Alter("unlogged", {"unlogged": True}, before=ROWS),
            Alter("parameters", {"parameters": {"fillfactor": "70", "toast.autovacuum_enabled": "false"}}),
            Alter("parameter that nobody may use meanwhile", {"parameters": {"user_catalog_table": "false"}}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift("column more", "ALTER TABLE life.thing ADD extra int", "columns.name"),
            Drift("type", "ALTER TABLE life.thing ALTER count TYPE bigint", "columns.type"),
            Drift("collation", "ALTER TABLE life.thing ALTER code TYPE varchar(10)", "columns.collation"),
            Drift("default", "ALTER TABLE life.thing ALTER name SET DEFAULT 'x'", "columns.default"),
            Drift("nullable", "ALTER TABLE life.thing ALTER count DROP NOT NULL", "columns.not_null"),
            Drift(
                "identity", "ALTER TABLE life.thing ALTER count ADD GENERATED ALWAYS AS IDENTITY", "columns.identity"
            ),
            Drift("column comment", "COMMENT ON COLUMN life.thing.id IS 'x'", "columns.comment"),
            Drift(
                "primary key again",
                "ALTER TABLE life.thing DROP CONSTRAINT thing_pkey, "
                "ADD CONSTRAINT other PRIMARY KEY (id, name) DEFERRABLE INITIALLY DEFERRED",
                "primary_key.name primary_key.columns primary_key.deferrable primary_key.initially_deferred",
            ),
            Drift(
                "unique again",
                "ALTER TABLE life.thing DROP CONSTRAINT thing_name_key, "
                "ADD CONSTRAINT other UNIQUE NULLS NOT DISTINCT (name) DEFERRABLE INITIALLY DEFERRED",
                "unique.name unique.columns unique.nulls_not_distinct unique.deferrable unique.initially_deferred",
            ),
            Drift(
                "check again",
                "ALTER TABLE life.thing DROP CONSTRAINT positive, ADD CONSTRAINT other CHECK (count > 1) NOT VALID",
                "checks.name checks.expression checks.validated",
            ),
            Drift(
                "check not validated",
                "ALTER TABLE life.thing DROP CONSTRAINT positive, "
                "ADD CONSTRAINT positive CHECK (count > 0 AND count < 1000) NOT VALID",
                "checks.validated",
            ),
            Drift("primary key", "ALTER TABLE life.thing DROP CONSTRAINT thing_pkey", "primary_key"),
            Drift("unique", "ALTER TABLE life.thing DROP CONSTRAINT thing_name_key", "unique"),
            Drift("unique more", "ALTER TABLE life.thing ADD UNIQUE (code)", "unique"),
            Drift("check", "ALTER TABLE life.thing DROP CONSTRAINT positive", "checks"),
            Drift("row security", "ALTER TABLE life.thing ENABLE ROW LEVEL SECURITY", "row_level_security"),
            Drift("forced", "ALTER TABLE life.thing FORCE ROW LEVEL SECURITY", "force_row_level_security"),
            Drift("rule", "CREATE RULE quiet AS ON DELETE TO life.thing DO INSTEAD NOTHING", "rewrite_rules"),
            Drift("unlogged", "ALTER TABLE life.thing SET UNLOGGED", "unlogged"),
            Drift("parameters", "ALTER TABLE life.thing SET (fillfactor = 50, autovacuum_enabled = off)", "parameters"),
            Drift("parameters of TOAST", "ALTER TABLE life.thing SET (toast.vacuum_truncate = false)", "parameters"),
            Drift("owner", "ALTER TABLE life.thing OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON TABLE life.thing IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "special columns",
        Table(
            schema_="life",
            name="special",
            columns=(
                Column(name="number", type="bigint", identity="always"),
                Column(name="other", type="int", identity="by default"),
                Column(name="base", type="int", default="1"),
                Column(name="double", type="int", generated="base * 2"),
                Column(name="words", type="text", generated="'it''s' || base::text"),
                Column(name="required", type="int", not_null=True),
            ),
            primary_key=PrimaryKey(name="special_pkey", columns=("base",)),
        ),
        before=BEFORE,
        drifts=(
            Drift(
                "computed otherwise", "ALTER TABLE life.special ALTER double SET EXPRESSION AS (7)", "columns.generated"
            ),
            Drift("no identity", "ALTER TABLE life.special ALTER number DROP IDENTITY", "columns.identity"),
            Drift(
                "computed no more",
                "ALTER TABLE life.special ALTER double DROP EXPRESSION",
                "columns.generated",
                refused="cannot be changed in place",
            ),
        ),
        alters=(
            Alter(
                "identities",
                {
                    "columns": (
                        Column(name="number", type="bigint", identity="by default"),
                        Column(name="other", type="int", default="5"),
                        Column(name="base", type="int", default="1"),
                        Column(name="double", type="int", generated="base * 3"),
                        Column(name="words", type="text"),
                        Column(name="required", type="int", identity="always"),
                    ),
                },
            ),
            Alter(
                "base gone",
                {
                    "columns": (
                        Column(name="number", type="bigint", identity="always"),
                        Column(name="other", type="int", identity="by default"),
                        Column(name="required", type="int", not_null=True),
                    ),
                    "primary_key": None,
                },
            ),
            Alter(
                "computed from now on",
                {
                    "columns": (
                        Column(name="number", type="bigint", identity="always"),
                        Column(name="other", type="int", identity="by default"),
                        Column(name="base", type="int", default="1"),
                        Column(name="double", type="int", generated="base * 2"),
                        Column(name="words", type="text", generated="'it''s' || base::text"),
                        Column(name="required", type="int", generated="base", not_null=True),
                    ),
                },
                refused="generated expression",
            ),
        ),
    ),
    LifeCycle(
        "hostile",
        Table(
            schema_='Li"fe',
            name='Sel"ect; DROP -- ' + "é" * 23,
            columns=(
                Column(name="select", type="int", comment="it's"),
                Column(name='Or"der', type="text", default="E'back\\\\slash; -- '"),
                Column(name="ü" * 31, type="timestamptz"),
            ),
            primary_key=PrimaryKey(name='Key "of" ' + "ü" * 27, columns=("select", 'Or"der')),
            checks=(Check(name="Check", expression='"Or""der" <> \';--\' /* ) */'),),
        ),
        before='CREATE SCHEMA "Li""fe"',
        alters=(
            Alter(
                "not null",
                {
                    "columns": (
                        Column(name="select", type="int", comment="it's"),
                        Column(name='Or"der', type="text", default="E'back\\\\slash; -- '"),
                        Column(name="ü" * 31, type="timestamptz", not_null=True),
                    ),
                },
            ),
        ),
    ),
    LifeCycle(
        "unlogged with parameters",
        PLAIN.model_copy(
            update={
                "unlogged": True,
                "parameters": {"toast.autovacuum_enabled": "off", "fillfactor": "70", "autovacuum_enabled": "false"},
            }
        ),
        before=BEFORE,
        alters=(
            Alter("logged", {"unlogged": False}, before=ROWS),
            Alter("other parameters", {"parameters": {"fillfactor": "80", "toast.autovacuum_enabled": "on"}}),
            Alter("no parameters", {"parameters": {}}),
        ),
        drifts=(
            Drift("logged", "ALTER TABLE life.thing SET LOGGED", "unlogged"),
            Drift("parameter gone", "ALTER TABLE life.thing RESET (autovacuum_enabled)", "parameters"),
            Drift("parameter of TOAST gone", "ALTER TABLE life.thing RESET (toast.autovacuum_enabled)", "parameters"),
        ),
    ),
    LifeCycle(
        "with a rule that somebody else keeps",
        PLAIN.model_copy(update={"rewrite_rules": ('Sel"ect',)}),
        before=BEFORE,
        alters=(
            Alter(
                "rule not to stay",
                {"rewrite_rules": ()},
                before='CREATE RULE "Sel""ect" AS ON UPDATE TO life.thing DO INSTEAD NOTHING',
            ),
            Alter(
                "rule not to stay, name and column gone",
                {
                    "rewrite_rules": (),
                    "name": "other",
                    "previously": "thing",
                    "columns": but(without=("mood",)),
                },
                before='CREATE RULE "Sel""ect" AS ON DELETE TO life.thing WHERE OLD.mood IS NULL DO INSTEAD NOTHING',
            ),
        ),
    ),
    LifeCycle(
        "two keys on the same columns",
        PLAIN.model_copy(
            update={
                "columns": but(Column(name="free", type="boolean", default="NOT false")),
                "unique": (UNIQUE, Unique(name="again", columns=("id",)), Unique(name="more", columns=UNIQUE.columns)),
            }
        ),
        before=BEFORE,
        alters=(Alter("fewer", {"unique": (UNIQUE,)}),),
        drifts=(Drift("fewer", "ALTER TABLE life.thing DROP CONSTRAINT again", "unique.name"),),
    ),
    LifeCycle(
        "check not validated",
        PLAIN.model_copy(update={"checks": (POSITIVE.model_copy(update={"validated": False}),)}),
        before=BEFORE,
        alters=(Alter("validated", {"checks": (POSITIVE,)}, before=ROWS),),
        drifts=(Drift("validated", "ALTER TABLE life.thing VALIDATE CONSTRAINT positive", "checks.validated"),),
    ),
]
