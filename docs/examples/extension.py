from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="extensions"),
    ts.Extension(name="hstore", schema="extensions", version="1.8"),
]
