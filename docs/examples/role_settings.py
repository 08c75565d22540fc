from pulumi_timescaledb import specs as ts

# Roles of the whole server may be made by another provider, such as pulumi-postgresql: then leave out the Role.
declarations = [
    ts.Role(name="dashboard", login=True),
    ts.RoleSettings(
        role="dashboard",
        settings={"default_transaction_read_only": "on", "statement_timeout": "30s"},
    ),
]
