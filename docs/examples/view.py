from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="machines",
        columns=[ts.Column(name="id", type="integer"), ts.Column(name="retired", type="timestamptz")],
    ),
    ts.View(
        schema="metrics",
        name="machines_in_service",
        query="SELECT id FROM metrics.machines WHERE retired IS NULL",
        security_barrier=True,
        security_invoker=True,
        comment="Whoever asks needs the right to read the table",
    ),
]
