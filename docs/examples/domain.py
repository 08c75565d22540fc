from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Domain(
        schema="metrics",
        name="percentage",
        type="double precision",
        checks=[ts.DomainCheck(name="percentage_range", expression="VALUE BETWEEN 0 AND 100")],
    ),
]
