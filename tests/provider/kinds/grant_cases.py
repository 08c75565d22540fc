"""Lives of grants."""

from pulumi_timescaledb.specs.grant import DefaultRights, Grant, ObjectRights

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE ROLE reader; CREATE ROLE maker; CREATE ROLE "Sel""ect; é"; CREATE SCHEMA life;
CREATE TABLE life.a (x int, y int, z int); CREATE TABLE life.b (x int, y int); CREATE VIEW life.v AS SELECT 1 AS x;
CREATE SEQUENCE life.s; CREATE TYPE life.mood AS ENUM ('good'); CREATE DOMAIN life.positive AS int CHECK (VALUE > 0);
CREATE FUNCTION life.f(integer, life.mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION life.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE life.p(INOUT x integer) LANGUAGE sql AS 'SELECT 1'
"""
HYPERTABLE = f"""{BEFORE}; CREATE TABLE life.reading (at timestamptz NOT NULL, kwh float8);
SELECT create_hypertable('life.reading', by_range('at', INTERVAL '1 day'));
INSERT INTO life.reading VALUES ('2026-01-01', 1), ('2026-01-05', 1);
CREATE MATERIALIZED VIEW life.hourly WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 hour', at) AS hour, sum(kwh) FROM life.reading GROUP BY 1 WITH NO DATA
"""
WEIRD = """
CREATE SCHEMA "Sel""ect; DROP --"; CREATE TABLE "Sel""ect; DROP --"."Tablé 'TABLE" ("sel,ect" int, "é""x" int);
CREATE TYPE "Sel""ect; DROP --"."T, (é""x)" AS ENUM ();
CREATE FUNCTION "Sel""ect; DROP --"."f(x" (text, "Sel""ect; DROP --"."T, (é""x)", int[]) RETURNS int LANGUAGE sql
  AS 'SELECT 1';
CREATE FUNCTION "Sel""ect; DROP --"."f(x" (text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE ROLE maker; CREATE ROLE "Rôle ""x"" y"
"""


def rights(name: str, *privileges: str, type: str = "relation", columns: tuple[str, ...] = ()) -> ObjectRights:
    """Rights on one object."""
    return ObjectRights.model_validate({"type": type, "name": name, "privileges": privileges, "columns": columns})


def later(type: str, *privileges: str, creator: str = "maker") -> DefaultRights:
    """Rights on objects to come."""
    return DefaultRights.model_validate({"creator": creator, "type": type, "privileges": privileges})


A, B, V = rights("a", "select", "insert"), rights("b", "insert", "select"), rights("v", "select")
F = rights("f(int, life.mood)", "execute", type="function")

LIVES = [
    LifeCycle(
        "everything",
        Grant(
            role="reader",
            schema="life",
            privileges=("usage",),
            objects=(
                V,
                B,
                A,
                rights("a", "update", columns=("y", "x")),
                rights("s", "usage", type="sequence"),
                F,
                rights("p(integer)", "execute", type="function"),
                rights("mood", "usage", type="type"),
            ),
            defaults=(later("tables", "select"), later("sequences", "usage"), later("functions", "execute")),
        ),
        before=BEFORE,
        alters=(
            Alter("schema", {"privileges": ("usage", "create")}),
            Alter("no schema", {"privileges": ()}),
            Alter(
                "passed on",
                {
                    "privileges": ("usage*", "create"),
                    "objects": (rights("a", "select*", "insert"), rights("a", "update*", columns=("x",)), F),
                    "defaults": (later("tables", "select*"),),
                },
            ),
            Alter(
                "objects",
                {"objects": (A, rights("v", "select", "delete"), rights("positive", "usage", type="type"))},
            ),
            Alter(
                "columns",
                {
                    "objects": (
                        rights("a", "update", "select", columns=("x", "z")),
                        rights("b", "insert", columns=("y",)),
                    )
                },
            ),
            Alter("no objects", {"objects": ()}),
            Alter("defaults", {"defaults": (later("tables", "select", "insert"), later("types", "usage"))}),
            Alter("other creator", {"defaults": (later("tables", "select", creator="postgres"),)}),
            Alter("no defaults", {"defaults": ()}),
        ),
        drifts=(
            Drift("right more", "GRANT DELETE ON life.a TO reader", "objects.privileges"),
            Drift("to pass on", "GRANT SELECT ON life.a TO reader WITH GRANT OPTION", "objects.privileges"),
            Drift(
                "passed on",
                "GRANT SELECT ON life.a, life.b TO reader WITH GRANT OPTION; SET LOCAL ROLE reader; "
                "GRANT SELECT ON life.a, life.b TO maker; RESET ROLE; REVOKE GRANT OPTION FOR SELECT ON life.b FROM "
                "reader CASCADE",
                "objects.privileges",
            ),
            Drift("schema to pass on", "GRANT USAGE ON SCHEMA life TO reader WITH GRANT OPTION", "privileges"),
            Drift(
                "default to pass on",
                "ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA life GRANT SELECT ON TABLES TO reader "
                "WITH GRANT OPTION",
                "defaults.privileges",
            ),
            Drift("another object", "GRANT USAGE ON TYPE life.positive TO reader", "objects.name objects.type"),
            Drift("right less", "REVOKE SELECT ON life.a, life.b FROM reader", "objects"),
            Drift("column more", "GRANT SELECT (y) ON life.b TO reader", "objects.columns"),
            Drift("column less", "REVOKE UPDATE (x) ON life.a FROM reader", "objects"),
            Drift("swept columns", "GRANT UPDATE ON life.a TO reader", "objects"),
            Drift("function", "REVOKE EXECUTE ON FUNCTION life.f(integer, life.mood) FROM reader", "objects"),
            Drift("schema", "GRANT CREATE ON SCHEMA life TO reader", "privileges"),
            Drift(
                "default",
                "ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA life GRANT DELETE ON TABLES TO reader",
                "defaults.privileges",
            ),
            Drift(
                "another creator",
                "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA life GRANT USAGE ON TYPES TO reader",
                "defaults.creator defaults.type",
            ),
            Drift(
                "default gone",
                "ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA life REVOKE ALL ON TABLES FROM reader",
                "defaults",
            ),
        ),
    ),
    LifeCycle(
        "with the right to pass it on",
        Grant(
            role="reader",
            schema="life",
            privileges=("usage*",),
            objects=(rights("a", "select*", "insert"), rights("a", "update*", columns=("y",))),
            defaults=(later("tables", "select*"),),
        ),
        before=BEFORE,
        alters=(
            Alter(
                "not any more", {"objects": (rights("a", "select", "insert"), rights("a", "update", columns=("y",)))}
            ),
            Alter("gone", {"objects": (rights("a", "insert"),), "defaults": (), "privileges": ()}),
            Alter("more", {"objects": (rights("a", "select*", "insert*", "delete"),)}),
            Alter("defaults", {"defaults": (later("tables", "select", "insert*"),)}),
        ),
        drifts=(
            Drift(
                "taken back",
                "REVOKE GRANT OPTION FOR SELECT ON life.a FROM reader; REVOKE GRANT OPTION FOR USAGE ON SCHEMA life "
                "FROM reader",
                "objects.privileges privileges",
            ),
        ),
    ),
    LifeCycle(
        "hypertable and aggregate",
        Grant(
            role="reader",
            schema="life",
            privileges=("usage",),
            objects=(rights("reading", "select"), rights("hourly", "select")),
        ),
        before=HYPERTABLE,
        alters=(
            Alter("more", {"objects": (rights("reading", "select", "insert"), rights("hourly", "select"))}),
            Alter("columns", {"objects": (rights("reading", "select", columns=("kwh",)),)}),
        ),
        drifts=(Drift("aggregate", "REVOKE SELECT ON life.hourly FROM reader", "objects"),),
    ),
    LifeCycle(
        "public has nothing",
        Grant(role="public", schema="life"),
        before=BEFORE,
        droppable=False,
        alters=(
            Alter("one function", {"objects": (F,)}),
            Alter("schema", {"privileges": ("usage",)}),
            Alter("defaults", {"defaults": (later("tables", "select"),)}),
        ),
        drifts=(
            Drift("new function", "CREATE FUNCTION life.g() RETURNS int LANGUAGE sql AS 'SELECT 1'", "objects"),
            Drift("new type", "CREATE TYPE life.e AS ENUM ()", "objects"),
            Drift("table", "GRANT SELECT ON life.a TO PUBLIC", "objects"),
            Drift("schema", "GRANT USAGE ON SCHEMA life TO PUBLIC", "privileges"),
        ),
    ),
    LifeCycle(
        "public in public",
        Grant(role="public", schema="public", privileges=("usage",), objects=(rights("mine", "select"),)),
        before="CREATE TABLE public.mine (x int); CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        droppable=False,
        alters=(Alter("function", {"objects": (rights("mine()", "execute", type="function"),)}),),
        drifts=(Drift("schema", "GRANT CREATE ON SCHEMA public TO PUBLIC", "privileges"),),
    ),
    LifeCycle(
        "hostile names",
        Grant(
            role='Rôle "x" y',
            schema='Sel"ect; DROP --',
            privileges=("usage",),
            objects=(
                rights("Tablé 'TABLE", "select", columns=('é"x', "sel,ect")),
                rights("Tablé 'TABLE", "insert"),
                rights("f(x(text)", "execute", type="function"),
                rights('f(x(text, "Sel""ect; DROP --"."T, (é""x)", int[])', "execute", type="function"),
            ),
            defaults=(later("tables", "select", creator='Rôle "x" y'), later("tables", "select")),
        ),
        before=WEIRD,
        alters=(Alter("less", {"objects": (rights("Tablé 'TABLE", "select", columns=('é"x',)),)}),),
        drifts=(Drift("rights", 'GRANT DELETE ON "Sel""ect; DROP --"."Tablé \'TABLE" TO "Rôle ""x"" y"', "objects"),),
    ),
]
