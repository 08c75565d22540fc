"""What the tests of applying declare: a small table and what stands on it."""

from __future__ import annotations

from typing import Any

from pulumi_timescaledb import specs
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import Engine, sql


def a_table(name: str = "things", **more: Any) -> specs.Table:
    columns = [{"name": "id", "type": "integer"}, {"name": "note", "type": "text"}]
    return specs.Table.from_wire({"schema": "app", "name": name, "columns": columns, **more})


def a_view(name: str, query: str, **more: Any) -> specs.View:
    return specs.View.from_wire({"schema": "app", "name": name, "query": query, **more})


def changed(spec: Spec, **change: Any) -> Any:
    return type(spec).from_wire({**spec.to_wire(), **change})


def picture(engine: Engine, old: list[Spec], new: list[Spec]) -> None:
    """The Manifest's check, from which the process knows both pictures."""
    before = {"declarations": Whole(old).pack()}
    assert engine.check("Manifest", {"declarations": Whole(new).pack()}, before)[1] == []


def ledger(server: EmbeddedServer) -> list[tuple[Any, ...]]:
    return sql(server, "SELECT kind, id FROM pulumi_timescaledb.ledger ORDER BY kind, id")


Inputs = dict[str, Any]
SCHEMA = specs.Schema(name="app")
TABLE = specs.Table.from_wire({"schema": "app", "name": "things", "columns": [{"name": "id", "type": "integer"}]})
INDEX = specs.Index.from_wire({"schema": "app", "relation": "things", "name": "by_id", "keys": [{"column": "id"}]})
VIEW = specs.View(schema="app", name="all_things", query="SELECT id FROM app.things")
MOOD = specs.Enum(schema="app", name="mood", labels=("good", "bad"))
ALL: list[Spec] = [SCHEMA, TABLE, INDEX, VIEW]


def manifest(*declared: Spec, **more: Any) -> Inputs:
    """Inputs of a Manifest."""
    return {"declarations": Whole(declared).pack(), **more}


def bring_up(engine: Engine, *declared: Spec, seal: Inputs | None = None) -> Inputs:
    """A first run; the Manifest's outputs."""
    inputs, faults = engine.check("Manifest", manifest(*declared))
    assert faults == []
    state = engine.create(("Manifest", inputs))
    for spec in declared:
        engine.create(spec)
    engine.create(("Seal", seal or {"declarations": "digest"}))
    return state
