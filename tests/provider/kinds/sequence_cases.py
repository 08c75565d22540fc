"""Lives of sequences."""

from pulumi_timescaledb.specs.sequence import Sequence

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = "CREATE SCHEMA life; CREATE ROLE one; CREATE ROLE two"

LIVES = [
    LifeCycle(
        "defaults",
        Sequence(schema_="life", name="numbers", owner="one", comment="first"),
        before=BEFORE,
        alters=(
            Alter("type", {"type": "smallint"}),
            Alter("start", {"start": 100}),
            Alter("increment", {"increment": 10}),
            Alter("minimum", {"minimum": -5}),
            Alter("maximum", {"maximum": 1000}),
            Alter("cache", {"cache": 20}),
            Alter("cycle", {"cycle": True}),
            Alter(
                "all at once", {"type": "integer", "minimum": 1, "maximum": 9, "start": 3, "cycle": True, "cache": 2}
            ),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift("type", "ALTER SEQUENCE life.numbers AS integer", "type"),
            Drift("start", "ALTER SEQUENCE life.numbers START WITH 7", "start"),
            Drift("increment", "ALTER SEQUENCE life.numbers INCREMENT BY 3", "increment"),
            Drift("minimum", "ALTER SEQUENCE life.numbers MINVALUE -7", "minimum"),
            Drift("maximum", "ALTER SEQUENCE life.numbers MAXVALUE 7", "maximum"),
            Drift("cache", "ALTER SEQUENCE life.numbers CACHE 7", "cache"),
            Drift("cycle", "ALTER SEQUENCE life.numbers CYCLE", "cycle"),
            Drift("owner", "ALTER SEQUENCE life.numbers OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON SEQUENCE life.numbers IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "everything said",
        Sequence(
            schema_="life",
            name='Sel"ect; DROP -- ' + "é" * 20,
            type="integer",
            start=-10,
            increment=-5,
            minimum=-1000,
            maximum=-10,
            cache=5,
            cycle=True,
        ),
        before=BEFORE,
        alters=(
            Alter("back to the server's bounds", {"minimum": None, "cycle": False}),
            Alter("wider type", {"type": "bigint", "minimum": None}),
        ),
    ),
    LifeCycle("descending", Sequence(schema_="life", name="down", type="smallint", increment=-1), before=BEFORE),
]
