"""Lives of continuous aggregates."""

from pulumi_timescaledb.specs.continuous_aggregate import ContinuousAggregate

from ..lifecycle import Alter, Drift, LifeCycle

TABLE = """
CREATE ROLE one; CREATE ROLE two; GRANT CREATE ON SCHEMA public TO one; CREATE SCHEMA life;
CREATE TABLE life.reading (at timestamptz NOT NULL, device int NOT NULL, kwh float8);
SELECT create_hypertable('life.reading', by_range('at', INTERVAL '1 day'), create_default_indexes => false)
"""
HOURLY = "SELECT device, time_bucket('1 hour', at) AS hour, sum(kwh) AS kwh FROM life.reading GROUP BY 1, 2"
BELOW = f"{TABLE}; CREATE MATERIALIZED VIEW life.hourly WITH (timescaledb.continuous) AS {HOURLY} WITH NO DATA"

LIVES = [
    LifeCycle(
        "plain",
        ContinuousAggregate(
            schema="life",
            name="hourly",
            query=f"{HOURLY};",
            owner="one",
            comment="it's hourly",
            column_comments={"hour": "start"},
        ),
        before=TABLE,
        alters=(
            Alter("real-time", {"materialized_only": False}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "second"}),
            Alter("no comment", {"comment": None}),
            Alter("column comments", {"column_comments": {"kwh": "sum", "device": "which"}}),
            Alter("query", {"query": HOURLY.replace("sum", "max")}, rebuild=True),
        ),
        drifts=(
            Drift(
                "real-time",
                "ALTER MATERIALIZED VIEW life.hourly SET (timescaledb.materialized_only = false)",
                "materialized_only",
            ),
            Drift(
                "column renamed",
                "ALTER MATERIALIZED VIEW life.hourly RENAME COLUMN kwh TO energy",
                "query",
                rebuild=True,
            ),
            Drift("owner", "ALTER MATERIALIZED VIEW life.hourly OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON VIEW life.hourly IS NULL", "comment"),
            Drift("column comment", "COMMENT ON COLUMN life.hourly.kwh IS 'drifted'", "column_comments"),
        ),
    ),
    LifeCycle(
        "real-time, with rows",
        ContinuousAggregate(
            schema="life", name="hourly", query=HOURLY, materialized_only=False, create_group_indexes=False
        ),
        before=f"{TABLE}; INSERT INTO life.reading SELECT now(), 1, 1",
        alters=(Alter("materialized", {"materialized_only": True}),),
        drifts=(
            Drift(
                "materialized",
                "ALTER MATERIALIZED VIEW life.hourly SET (timescaledb.materialized_only)",
                "materialized_only",
            ),
        ),
    ),
    LifeCycle(
        "on an aggregate",
        ContinuousAggregate(
            schema="life",
            name="daily",
            query="SELECT device, time_bucket('1 day', hour) AS day, sum(kwh) AS kwh FROM life.hourly GROUP BY 1, 2",
        ),
        before=BELOW,
        alters=(Alter("comment", {"comment": "daily"}), Alter("real-time", {"materialized_only": False})),
    ),
    LifeCycle(
        "hostile name",
        ContinuousAggregate(
            schema='Sel"ect; DROP --',
            name="Ñ\"a'me " + "x" * 55,
            query='SELECT time_bucket(\'1 hour\', at) AS "Ho""ur é", count(*) AS "select" FROM life.reading GROUP BY 1',
            comment="$body$ \\ 'quoted'",
            column_comments={'Ho"ur é': "it's; --"},
        ),
        before=f'{TABLE}; CREATE SCHEMA "Sel""ect; DROP --"',
        alters=(Alter("real-time", {"materialized_only": False}), Alter("owner", {"owner": "two"})),
    ),
]
