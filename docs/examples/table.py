from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="machines",
        columns=[
            ts.Column(name="id", type="uuid", not_null=True, default="gen_random_uuid()"),
            ts.Column(name="number", type="bigint", not_null=True, identity="always"),
            ts.Column(name="label", type="text", not_null=True, comment="What stands on the machine"),
            ts.Column(name="power", type="numeric(10, 2)", comment="Rated power in kW"),
            ts.Column(name="searched", type="text", generated="lower(label)"),
        ],
        primary_key=ts.PrimaryKey(name="machines_pkey", columns=["id"]),
        unique=[ts.Unique(name="machines_label_key", columns=["label"])],
        checks=[ts.Check(name="machines_power_positive", expression="power > 0")],
        comment="One row per machine",
    ),
]
