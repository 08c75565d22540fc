from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(schema="metrics", name="events", columns=[ts.Column(name="at", type="timestamptz", not_null=True)]),
    ts.Function(
        schema="metrics",
        name="prune_events",
        procedure=True,
        arguments=[ts.Argument(name="job_id", type="integer"), ts.Argument(name="config", type="jsonb")],
        body="BEGIN DELETE FROM metrics.events WHERE at < now() - (config ->> 'older_than')::interval; END",
    ),
    ts.Job(
        schema="metrics",
        procedure="prune_events",
        schedule_interval="1 day",
        config={"older_than": "90 days"},
        initial_start="2026-01-01T03:00:00+00:00",
        timezone="Europe/London",
        max_runtime="10 minutes",
    ),
]
