"""Lives of columnstores."""

from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life; CREATE TABLE life.reading (at timestamptz NOT NULL, device int NOT NULL, place int, kwh float8);
SELECT create_hypertable('life.reading', by_range('at', INTERVAL '1 day'), create_default_indexes => false)
"""
ROWS = f"""{BEFORE};
INSERT INTO life.reading SELECT g, 1, 1, 1 FROM generate_series(now() - INTERVAL '9 days', now(), INTERVAL '6 hours') g
"""
AGGREGATE = f"""{BEFORE};
CREATE MATERIALIZED VIEW life."Hourly é" WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 hour', at) AS "Ho,ur", device, sum(kwh) FROM life.reading GROUP BY 1, 2 WITH NO DATA;
SELECT add_continuous_aggregate_policy('life."Hourly é"', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour')
"""
COMPRESSED = """
ALTER TABLE life.reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device',
  timescaledb.orderby = 'at DESC');
SELECT compress_chunk(c) FROM show_chunks('life.reading') c
"""
LATEST_FIRST = (OrderBy(column="at", descending=True),)
JOB = "FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' AND hypertable_schema = 'life'"

LIVES = [
    LifeCycle(
        "policy",
        Columnstore(
            schema="life",
            relation="reading",
            segment_by=("device",),
            order_by=LATEST_FIRST,
            after="7 days",
            schedule_interval="1 hour",
        ),
        before=BEFORE,
        alters=(
            Alter("segment", {"segment_by": ("place", "device")}),
            Alter("no segment", {"segment_by": ()}),
            Alter(
                "order",
                {"order_by": (OrderBy(column="at"), OrderBy(column="kwh", descending=True, nulls="last"))},
            ),
            Alter("no order", {"order_by": ()}, refused="names no order"),
            Alter("another order", {"order_by": (OrderBy(column="kwh", descending=True),)}),
            Alter("empty last", {"order_by": (OrderBy(column="at", descending=True, nulls="last"),)}),
            Alter("later", {"after": "1 month 02:00:00"}),
            Alter("schedule", {"schedule_interval": "2 hours"}),
            Alter("schedule by default", {"schedule_interval": None, "after": "8 days"}),
            Alter("paused", {"enabled": False}),
            Alter("no policy", {"after": None, "schedule_interval": None}),
        ),
        drifts=(
            Drift(
                "segment",
                "ALTER TABLE life.reading SET (timescaledb.segmentby = 'place', timescaledb.orderby = 'at DESC')",
                "segment_by",
            ),
            Drift(
                "guessed",
                "ALTER TABLE life.reading SET (timescaledb.orderby = 'kwh NULLS FIRST')",
                "order_by.column order_by.descending order_by.nulls",
            ),
            Drift(
                "after",
                f'SELECT alter_job(job_id, config => config || \'{{"compress_after": "1 day"}}\') {JOB}',
                "after",
            ),
            Drift(
                "schedule",
                f"SELECT alter_job(job_id, schedule_interval => INTERVAL '5 min') {JOB}",
                "schedule_interval",
            ),
            Drift("paused", f"SELECT alter_job(job_id, scheduled => false) {JOB}", "enabled"),
            Drift("policy", "CALL remove_columnstore_policy('life.reading')", "after"),
        ),
    ),
    LifeCycle(
        "settings only",
        Columnstore(schema="life", relation="reading", segment_by=(), order_by=LATEST_FIRST),
        before=BEFORE,
        alters=(
            Alter("policy", {"after": "7 days"}),
            Alter("paused policy", {"after": "7 days", "enabled": False, "segment_by": ("device",)}),
        ),
        drifts=(Drift("policy", "CALL add_columnstore_policy('life.reading', INTERVAL '1 day')", "after"),),
    ),
    LifeCycle(
        "compressed chunks",
        Columnstore(schema="life", relation="reading", segment_by=("device",), order_by=LATEST_FIRST, after="7 days"),
        before=ROWS,
        alters=(
            Alter(
                "segment",
                {"segment_by": ("place",)},
                before=COMPRESSED,
            ),
        ),
        drifts=(
            Drift(
                "turned off and on again",
                "CALL remove_columnstore_policy('life.reading'); "
                "ALTER TABLE life.reading SET (timescaledb.enable_columnstore = false); "
                "ALTER TABLE life.reading SET (timescaledb.enable_columnstore)",
                "order_by",
            ),
        ),
    ),
    LifeCycle(
        "aggregate",
        Columnstore(
            schema="life",
            relation="Hourly é",
            segment_by=("device",),
            order_by=(OrderBy(column="Ho,ur", nulls="last"),),
            after="30 days",
        ),
        before=AGGREGATE,
        alters=(
            Alter("after", {"after": "20 days"}),
            Alter("order", {"order_by": (OrderBy(column="Ho,ur", descending=True),)}),
            Alter("segment", {"segment_by": ()}),
        ),
        drifts=(
            Drift(
                "after",
                f'SELECT alter_job(job_id, config => config || \'{{"compress_after": "9 days"}}\') {JOB}',
                "after",
            ),
        ),
    ),
    LifeCycle(
        "hostile name",
        Columnstore(
            schema='Sel"ect; DROP --',
            relation="Tablé 'TABLE",
            segment_by=("select", "Dev'ice, é"),
            order_by=(OrderBy(column="at desc", nulls="first"), OrderBy(column="$body$")),
            after="7 days",
        ),
        before="""
CREATE SCHEMA "Sel""ect; DROP --"; CREATE TABLE "Sel""ect; DROP --"."Tablé 'TABLE"
  ("at desc" timestamptz NOT NULL, "select" text, "Dev'ice, é" text, "$body$" int);
SELECT create_hypertable('"Sel""ect; DROP --"."Tablé ''TABLE"', by_range('at desc'), create_default_indexes => false)
""",
        alters=(Alter("after", {"after": "30 minutes"}), Alter("segment", {"segment_by": ("Dev'ice, é",)})),
    ),
]
