from pulumi_timescaledb import specs as ts

declarations = [
    ts.Role(name="metrics_owner"),
    ts.Schema(name="metrics", owner="metrics_owner", comment="What the machines of our customers report"),
]
