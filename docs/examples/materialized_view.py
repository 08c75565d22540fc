from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(schema="metrics", name="machines", columns=[ts.Column(name="site", type="integer")]),
    ts.MaterializedView(
        schema="metrics",
        name="machines_per_site",
        query="SELECT site, count(*) AS machines FROM metrics.machines GROUP BY site",
        with_data=True,
        column_comments={"machines": "Counted when the view was last refreshed"},
    ),
    ts.Index(
        schema="metrics",
        relation="machines_per_site",
        name="machines_per_site_key",
        keys=[ts.IndexKey(column="site")],
        unique=True,
    ),
]
