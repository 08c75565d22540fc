"""Lives of jobs."""

from pulumi_timescaledb.specs.job import Job

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE PROCEDURE life.tidy(job_id integer, config jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION life."Sel""ect'; é"(job_id integer, config jsonb) RETURNS void LANGUAGE sql AS 'SELECT 1'
"""
JOB = "FROM timescaledb_information.jobs WHERE proc_schema = 'life'"
ZONE = "timezone => 'Europe/London'"

LIVES = [
    LifeCycle(
        "plain",
        Job(
            schema="life",
            procedure="tidy",
            schedule_interval="1 day",
            config={"older": "90 days", "it's": [1, None, True]},
            initial_start="2026-01-02T03:00:00+01:00",
            timezone="Europe/London",
            max_runtime="5 minutes",
        ),
        before=BEFORE,
        alters=(
            Alter("schedule", {"schedule_interval": "1 month"}),
            Alter("config", {"config": {"older": "10 days"}}),
            Alter("empty config", {"config": {}}),
            Alter("no config", {"config": None}, rebuild=True),
            Alter("first start", {"initial_start": "2026-03-01T00:00:00+00:00"}),
            Alter("zone", {"timezone": "Asia/Tokyo"}),
            Alter("no zone", {"timezone": None}),
            Alter("sliding", {"fixed_schedule": False}),
            Alter("runtime", {"max_runtime": "1 hour"}),
            Alter("no runtime", {"max_runtime": None}),
            Alter("paused", {"enabled": False}),
        ),
        drifts=(
            Drift("paused", f"SELECT alter_job(job_id, scheduled => false, {ZONE}) {JOB}", "enabled"),
            Drift(
                "schedule",
                f"SELECT alter_job(job_id, schedule_interval => '1 hour', {ZONE}) {JOB}",
                "schedule_interval",
            ),
            Drift("config", f"SELECT alter_job(job_id, config => '{{\"a\": 1}}', {ZONE}) {JOB}", "config"),
            Drift("runtime", f"SELECT alter_job(job_id, max_runtime => '1 hour', {ZONE}) {JOB}", "max_runtime"),
            Drift("zone", f"SELECT alter_job(job_id) {JOB}", "timezone"),
            Drift(
                "first start",
                f"SELECT alter_job(job_id, initial_start => '2026-05-05', {ZONE}) {JOB}",
                "initial_start",
            ),
            Drift(
                "sliding",
                f"SELECT alter_job(job_id, fixed_schedule => false, {ZONE}) {JOB}",
                "fixed_schedule",
            ),
        ),
    ),
    LifeCycle(
        "sliding, hostile name",
        Job(
            schema="life",
            procedure="Sel\"ect'; é",
            schedule_interval="90 seconds",
            fixed_schedule=False,
            enabled=False,
        ),
        before=BEFORE,
        alters=(
            Alter("on", {"enabled": True}),
            Alter("config", {"config": {"é\\": "'"}}),
            Alter("fixed", {"fixed_schedule": True, "initial_start": "2026-01-01T00:00:00+00:00"}),
        ),
        drifts=(Drift("on", f"SELECT alter_job(job_id, scheduled => true) {JOB}", "enabled"),),
    ),
]
