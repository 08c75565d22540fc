from pulumi_timescaledb import specs as ts

declarations = [
    ts.Role(name="readers"),
    ts.Role(name="metrics_owner"),
    ts.Schema(name="metrics", owner="metrics_owner"),
    ts.Table(
        schema="metrics",
        name="machines",
        owner="metrics_owner",
        columns=[ts.Column(name="id", type="integer"), ts.Column(name="label", type="text")],
    ),
    ts.Grant(
        role="readers",
        schema="metrics",
        privileges=["usage"],
        objects=[
            ts.ObjectRights(name="machines", privileges=["select"]),
            ts.ObjectRights(name="machines", privileges=["update"], columns=["label"]),
        ],
        defaults=[ts.DefaultRights(creator="metrics_owner", type="tables", privileges=["select"])],
    ),
]
