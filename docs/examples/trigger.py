from pulumi_timescaledb import specs as ts

declarations = [
    ts.Schema(name="metrics"),
    ts.Table(
        schema="metrics",
        name="machines",
        columns=[ts.Column(name="label", type="text"), ts.Column(name="changed", type="timestamptz")],
    ),
    ts.Function(
        schema="metrics",
        name="note_change",
        returns="trigger",
        body="BEGIN NEW.changed := now(); RETURN NEW; END",
        settings={"search_path": ""},
    ),
    ts.Trigger(
        schema="metrics",
        relation="machines",
        name="machines_changed",
        timing="before",
        events=["insert", "update"],
        function_schema="metrics",
        function="note_change",
    ),
]
