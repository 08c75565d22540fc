from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Function(
        schema="metrics",
        name="fahrenheit",
        arguments=[ts.Argument(name="celsius", type="real")],
        returns="real",
        language="sql",
        body="SELECT celsius * 9 / 5 + 32",
        volatility="immutable",
        strict=True,
        parallel="safe",
    ),
]
