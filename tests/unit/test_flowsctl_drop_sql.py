"""The SQL of a destroy comes from the Manifest in the state, by the resource it belongs to."""

from __future__ import annotations

from flowsctl.drop_sql import MANIFEST, from_state
from pulumi_timescaledb import specs
from pulumi_timescaledb.whole import Whole


def test_drops_by_urn() -> None:
    table = specs.Table.from_wire({"schema": "app", "name": "t", "columns": [{"name": "id", "type": "integer"}]})
    index = specs.Index.from_wire({"schema": "app", "relation": "t", "name": "i", "keys": [{"column": "id"}]})
    declared = [specs.Schema(name="app"), table, index]
    resources = [
        {"type": f"timescaledb:index:{spec.KIND}", "id": spec.import_id(), "urn": f"urn:{spec.KIND}"}
        for spec in declared
    ]
    manifest = {"type": MANIFEST, "id": "manifest", "urn": "m", "inputs": {"declarations": Whole(declared).pack()}}
    assert from_state({"deployment": {"resources": [manifest, *resources]}}) == {
        "urn:Table": ['DROP TABLE "app"."t";'],
        "urn:Schema": ['DROP SCHEMA "app";'],
    }
    assert from_state({"deployment": {"resources": resources}}) == {}
    assert from_state({}) == {}
