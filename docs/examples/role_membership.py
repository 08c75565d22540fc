from pulumi_timescaledb import specs as ts

declarations = [
    ts.Role(name="readers"),
    ts.Role(name="dashboard", login=True),
    ts.RoleMembership(role="readers", member="dashboard"),
]
