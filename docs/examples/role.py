from pulumi_timescaledb import specs as ts

declarations = [
    ts.Role(
        name="dashboard",
        login=True,
        connection_limit=20,
        settings={"statement_timeout": "30s", "default_transaction_read_only": "on"},
        comment="Reads, and nothing else",
    ),
]
