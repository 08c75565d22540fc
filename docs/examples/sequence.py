from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="billing"),
    ts.Sequence(schema="billing", name="invoice_number", start=100_000, cache=1, comment="Numbers may have gaps"),
]
