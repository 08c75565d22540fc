from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="readings",
        columns=[
            ts.Column(name="at", type="timestamptz", not_null=True),
            ts.Column(name="machine", type="integer", not_null=True),
            ts.Column(name="celsius", type="real"),
        ],
    ),
    ts.Hypertable(schema="metrics", relation="readings", time_column="at", chunk_interval="1 day"),
    ts.ContinuousAggregate(
        schema="metrics",
        name="readings_hourly",
        query="""
            SELECT time_bucket('1 hour', at) AS hour, machine, avg(celsius) AS celsius, count(*) AS readings
            FROM metrics.readings GROUP BY 1, 2
        """,
    ),
    ts.RefreshPolicy(
        schema="metrics",
        relation="readings_hourly",
        start_offset="3 days",
        end_offset="1 hour",
        schedule_interval="1 hour",
    ),
]
