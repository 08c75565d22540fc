from pulumi_timescaledb import specs as ts

declarations = [
    ts.ServerSetting(name="work_mem", value="32MB"),
]
