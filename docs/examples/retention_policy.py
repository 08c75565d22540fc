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
    ts.RetentionPolicy(schema="metrics", relation="readings", drop_after="2 years", schedule_interval="1 day"),
]
