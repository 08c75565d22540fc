from pulumi_timescaledb import specs as ts

declarations = [
    ts.Role(name="tenant"),
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="machines",
        columns=[ts.Column(name="id", type="integer"), ts.Column(name="customer", type="text", not_null=True)],
        row_level_security=True,
    ),
    ts.RlsPolicy(
        schema="metrics",
        relation="machines",
        name="own_machines",
        roles=["tenant"],
        using="customer = current_setting('app.customer', true)",
    ),
]
