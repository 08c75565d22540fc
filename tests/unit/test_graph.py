"""Pictures of the declarations: nothing is lost, filters hold, all three formats say the same."""

from __future__ import annotations

import re

import pytest

from flows import declarations
from flowsctl.drawing import can_draw
from flowsctl.errors import UsageError
from flowsctl.graphs.selection import EVERYWHERE, Graph, find, select
from flowsctl.graphs.writing import as_dot, as_mermaid, text
from pulumi_timescaledb.whole import Whole

WHOLE = Whole(declarations())


def ids(graph: Graph) -> set[str]:
    return {f"{node.reference.kind} {node.id}" for node in graph.nodes}


def edges(graph: Graph) -> set[tuple[str, str]]:
    return {(graph.nodes[a].id, graph.nodes[b].id) for a, b in graph.edges}


def test_every_object_is_drawn_or_counted_once() -> None:
    graph = select(WHOLE)
    drawn = len(graph.nodes) + sum(sum(node.folded.values()) for node in graph.nodes)
    assert drawn == sum(1 for reference in WHOLE.specs if reference.kind not in EVERYWHERE)
    registers = next(node for node in graph.nodes if node.id == "flows.register_import")
    assert registers.kind == "Hypertable"
    assert registers.folded == {
        "Hypertable": 1, "Columnstore": 1, "RetentionPolicy": 1, "ForeignKey": 1, "Index": 2,
    }  # fmt: skip
    assert registers.details == "columnstore, foreign key, 2 indexes, retention policy"
    links = next(node for node in graph.nodes if node.id == "flows.properties_service_head")
    assert links.details == "2 foreign keys, index, 3 row policies, trigger"


def test_unfolded_shows_every_object() -> None:
    assert len(select(WHOLE, unfolded=True).nodes) == len(WHOLE.specs)


def test_edges_are_needs_and_the_fewest_that_say_the_same() -> None:
    graph = select(WHOLE)
    assert ("flows.register_interval_hh", "flows.circuit_interval_hh") in edges(graph)
    assert ("flows.circuit_interval_hh", "flows.circuit_interval_daily") in edges(graph)
    assert ("flows.meter_registry", "flows.meter_registers") in edges(graph)
    assert ("flows.escos", "flows.meter_registers") not in edges(graph), "the registry already says it"


def test_neighbourhood_by_depth() -> None:
    near, far = (select(WHOLE, around="flows.circuit_interval_daily", depth=depth) for depth in (1, 2))
    assert ids(near) == {
        "ContinuousAggregate flows.circuit_interval_hh",
        "ContinuousAggregate flows.circuit_interval_daily",
        "ContinuousAggregate flows.circuit_interval_monthly",
        "View api.circuit_interval_daily",
    }
    assert ids(far) > ids(near)
    assert "Table flows.register_interval_hh" in ids(far)
    assert "Table flows.meter_registry" not in ids(far)
    assert [node.id for node in near.nodes if node.centre] == ["flows.circuit_interval_daily"]
    assert ids(select(WHOLE, around="flows.circuit_interval_daily", depth=0)) == {
        "ContinuousAggregate flows.circuit_interval_daily"
    }


def test_a_small_object_leads_to_its_relation() -> None:
    graph = select(WHOLE, around="flows.idx_register_import_time")
    assert [node.id for node in graph.nodes if node.centre] == ["flows.register_import"]


def test_kinds_and_schemas() -> None:
    assert {node.reference.kind for node in select(WHOLE, kinds=["index", "TABLE"]).nodes} == {"Table", "Index"}
    assert {node.schema for node in select(WHOLE, schemas=["monitoring"]).nodes} == {"monitoring"}
    assert {node.reference.kind for node in select(WHOLE, kinds=["Role"]).nodes} == {"Role"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"around": "flows.meter_regstry"}, "did you mean flows.meter_registry"),
        ({"kinds": ["Tabel"]}, "take one of"),
        ({"schemas": ["public"]}, "take one of api"),
    ],
)
def test_unknown_names_are_told(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as told:
        select(WHOLE, **arguments)  # type: ignore[arg-type]
    assert words in told.value.hint


def test_a_name_of_several_objects_is_the_relation() -> None:
    assert find(WHOLE, "flows.meter_csq").kind == "Table"
    assert find(WHOLE, "Hypertable flows.meter_csq").kind == "Hypertable"
    assert find(WHOLE, "flows.get_meters_for_cli").kind == "Function"


def test_formats_say_the_same() -> None:
    graph = select(WHOLE)
    dot, mermaid = as_dot(graph), as_mermaid(graph)
    assert dot.count(" -> ") == mermaid.count(" --> ") == len(graph.edges)
    assert dot.count("subgraph ") == mermaid.count("subgraph ") == len({node.schema for node in graph.nodes})
    assert text(graph, "dot") == dot
    assert as_dot(select(WHOLE)) == dot, "the same declarations, the same bytes"


@pytest.mark.skipif(not can_draw(), reason="Node or tools/diagram is not installed: make setup")
def test_drawn_with_every_name() -> None:
    graph = select(WHOLE)
    svg = text(graph, "svg")
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    shown = set(re.findall(r"<text[^>]*>([^<]+)</text>", svg))
    assert {node.name for node in graph.nodes} <= shown
    assert svg.count('class="edge"') == len(graph.edges)
