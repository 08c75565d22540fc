from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Enum(schema="metrics", name="severity", labels=("info", "warning", "alarm"), comment="From harmless to urgent"),
]
