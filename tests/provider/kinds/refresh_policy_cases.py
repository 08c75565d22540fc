"""Lives of refresh policies."""

from pulumi_timescaledb.specs.refresh_policy import RefreshPolicy

from ..lifecycle import Alter, Drift, LifeCycle

TABLE = """
CREATE SCHEMA life; CREATE TABLE life.reading (at timestamptz NOT NULL, device int NOT NULL, kwh float8);
SELECT create_hypertable('life.reading', by_range('at', INTERVAL '1 day'), create_default_indexes => false)
"""
BEFORE = f"""{TABLE}; CREATE MATERIALIZED VIEW life."Hourly é'" WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 hour', at) AS hour, sum(kwh) FROM life.reading GROUP BY 1 WITH NO DATA"""
MONTHLY = f"""{TABLE}; CREATE MATERIALIZED VIEW life.monthly WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 month', at) AS month, sum(kwh) FROM life.reading GROUP BY 1 WITH NO DATA"""
COLUMNSTORE = """
ALTER MATERIALIZED VIEW life."Hourly é'" SET (timescaledb.enable_columnstore, timescaledb.orderby = 'hour');
CALL add_columnstore_policy('life."Hourly é''"', INTERVAL '30 days')
"""
JOB = (
    "FROM timescaledb_information.jobs "
    "WHERE proc_name = 'policy_refresh_continuous_aggregate' AND hypertable_schema = 'life'"
)


def _config(text: str) -> str:
    return f"SELECT alter_job(job_id, config => config || '{text}') {JOB}"


LIVES = [
    LifeCycle(
        "plain",
        RefreshPolicy(
            schema="life",
            relation="Hourly é'",
            start_offset="7 days",
            end_offset="30 minutes",
            schedule_interval="30 minutes",
        ),
        before=BEFORE,
        alters=(
            Alter("start", {"start_offset": "8 days 12:00:00"}),
            Alter("open start", {"start_offset": None}),
            Alter("end", {"end_offset": "1 hour"}),
            Alter("open end", {"end_offset": None}),
            Alter("schedule", {"schedule_interval": "1 hour"}),
            Alter("paused", {"enabled": False}),
            Alter(
                "all",
                {
                    "start_offset": "3 days",
                    "end_offset": None,
                    "enabled": False,
                    "schedule_interval": "1 day",
                },
            ),
        ),
        drifts=(
            Drift("start", _config('{"start_offset": "1 day"}'), "start_offset"),
            Drift("open start", _config('{"start_offset": null}'), "start_offset"),
            Drift("end", _config('{"end_offset": "01:00:00"}'), "end_offset"),
            Drift("too narrow a window", _config('{"start_offset": "40 minutes"}'), "start_offset"),
            Drift(
                "schedule",
                f"SELECT alter_job(job_id, schedule_interval => INTERVAL '5 min') {JOB}",
                "schedule_interval",
            ),
            Drift("paused", f"SELECT alter_job(job_id, scheduled => false) {JOB}", "enabled"),
        ),
    ),
    LifeCycle(
        "open, months",
        RefreshPolicy(
            schema="life",
            relation="monthly",
            start_offset="3 months",
            end_offset=None,
            schedule_interval="1 day",
        ),
        before=MONTHLY,
        alters=(
            Alter("start", {"start_offset": "1 year 2 months"}),
            Alter("end", {"end_offset": "1 day"}),
            Alter("schedule", {"schedule_interval": "1 month"}),
        ),
    ),
    LifeCycle(
        "under a columnstore policy",
        RefreshPolicy(
            schema="life",
            relation="Hourly é'",
            start_offset="7 days",
            end_offset="-1 hours",
            schedule_interval="30 minutes",
            enabled=False,
        ),
        before=BEFORE,
        alters=(Alter("on", {"enabled": True}), Alter("start", {"start_offset": "6 days"}, before=COLUMNSTORE)),
        drifts=(Drift("on", f"{COLUMNSTORE}; SELECT alter_job(job_id, scheduled => true) {JOB}", "enabled"),),
    ),
]
