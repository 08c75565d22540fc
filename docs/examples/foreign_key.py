from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="sites",
        columns=[ts.Column(name="id", type="integer", not_null=True)],
        primary_key=ts.PrimaryKey(name="sites_pkey", columns=["id"]),
    ),
    ts.Table(schema="metrics", name="machines", columns=[ts.Column(name="site", type="integer")]),
    ts.ForeignKey(
        schema="metrics",
        relation="machines",
        name="machines_site_fkey",
        columns=["site"],
        target_schema="metrics",
        target="sites",
        target_columns=["id"],
        on_delete="set null",
        deferrable=True,
        initially_deferred=True,
    ),
]
