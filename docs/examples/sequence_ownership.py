from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="shop"),
    ts.Sequence(schema="shop", name="orders_id_seq"),
    ts.Table(
        schema="shop",
        name="orders",
        columns=[
            ts.Column(name="id", type="bigint", not_null=True, default="nextval('shop.orders_id_seq'::regclass)"),
        ],
    ),
    ts.SequenceOwnership(schema="shop", sequence="orders_id_seq", table="orders", column="id"),
]
