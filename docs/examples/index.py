from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="alarms",
        columns=[
            ts.Column(name="machine", type="integer", not_null=True),
            ts.Column(name="raised", type="timestamptz", not_null=True),
            ts.Column(name="cleared", type="timestamptz"),
        ],
    ),
    ts.Index(
        schema="metrics",
        relation="alarms",
        name="alarms_open",
        keys=[ts.IndexKey(column="machine"), ts.IndexKey(column="raised", descending=True)],
        where="cleared IS NULL",
        parameters={"fillfactor": "80"},
    ),
]
