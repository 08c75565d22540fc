"""Lives of retention policies."""

from pulumi_timescaledb.specs.retention_policy import RetentionPolicy

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life; CREATE TABLE life.reading (at timestamptz NOT NULL, device int NOT NULL, kwh float8);
SELECT create_hypertable('life.reading', by_range('at', INTERVAL '1 day'), create_default_indexes => false)
"""
JOB = "FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_schema = 'life'"

LIVES = [
    LifeCycle(
        "plain",
        RetentionPolicy(schema="life", relation="reading", drop_after="2 years", schedule_interval="12 hours"),
        before=BEFORE,
        alters=(
            Alter("shorter", {"drop_after": "90 days"}),
            Alter("longer", {"drop_after": "2 years 10 days"}),
            Alter("schedule", {"schedule_interval": "1 hour"}),
            Alter("schedule by default", {"schedule_interval": None}),
            Alter(
                "schedule by default, paused",
                {"schedule_interval": None, "enabled": False, "drop_after": "1 day"},
            ),
            Alter("paused", {"enabled": False}),
        ),
        drifts=(
            Drift(
                "age",
                f'SELECT alter_job(job_id, config => config || \'{{"drop_after": "1 day"}}\') {JOB}',
                "drop_after",
            ),
            Drift(
                "schedule",
                f"SELECT alter_job(job_id, schedule_interval => INTERVAL '5 min') {JOB}",
                "schedule_interval",
            ),
            Drift("paused", f"SELECT alter_job(job_id, scheduled => false) {JOB}", "enabled"),
        ),
    ),
    LifeCycle(
        "aggregate",
        RetentionPolicy(schema="life", relation="Hourly", drop_after="5 years", enabled=False),
        before=f"""{BEFORE}; CREATE MATERIALIZED VIEW life."Hourly" WITH (timescaledb.continuous) AS
          SELECT time_bucket('1 hour', at) AS hour, sum(kwh) FROM life.reading GROUP BY 1 WITH NO DATA""",
        alters=(Alter("on", {"enabled": True}), Alter("age", {"drop_after": "4 years"})),
        drifts=(
            Drift(
                "age",
                f'SELECT alter_job(job_id, config => config || \'{{"drop_after": "1 day"}}\') {JOB}',
                "drop_after",
            ),
        ),
    ),
    LifeCycle(
        "hostile name",
        RetentionPolicy(schema='Sel"ect; DROP --', relation="Tablé 'TABLE", drop_after="1 month"),
        before="""
CREATE SCHEMA "Sel""ect; DROP --"; CREATE TABLE "Sel""ect; DROP --"."Tablé 'TABLE" (at timestamptz NOT NULL);
SELECT create_hypertable('"Sel""ect; DROP --"."Tablé ''TABLE"', by_range('at'), create_default_indexes => false)
""",
        alters=(Alter("age", {"drop_after": "2 months"}),),
    ),
]
