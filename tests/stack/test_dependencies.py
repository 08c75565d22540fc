"""Which declaration needs which, compared with what the server recorded in pg_depend."""

from __future__ import annotations

from collections import Counter

import pytest

from flows import declarations
from pulumi_timescaledb.specs import Reference
from pulumi_timescaledb.whole import Whole

from .conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

Edge = tuple[Reference, Reference]

RELATIONS = """
    SELECT c.oid, n.nspname, c.relname,
        CASE
            WHEN a.view_name IS NOT NULL THEN 'ContinuousAggregate'
            WHEN c.relkind IN ('r', 'p') THEN 'Table'
            WHEN c.relkind = 'v' THEN 'View'
            WHEN c.relkind = 'm' THEN 'MaterializedView'
            WHEN c.relkind IN ('i', 'I') THEN 'Index'
            WHEN c.relkind = 'S' THEN 'Sequence'
        END AS kind
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN timescaledb_information.continuous_aggregates a ON (a.view_schema, a.view_name) = (n.nspname, c.relname)
    UNION ALL
    -- What an aggregate is made of: its rows' hypertable, and the views that compute them
    SELECT format('%I.%I', part.schema, part.name)::regclass::oid, a.user_view_schema, a.user_view_name,
        'ContinuousAggregate'
    FROM _timescaledb_catalog.continuous_agg a
    JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
    CROSS JOIN LATERAL (VALUES
        (h.schema_name, h.table_name),
        (a.partial_view_schema, a.partial_view_name),
        (a.direct_view_schema, a.direct_view_name)
    ) AS part(schema, name)
"""
OBJECTS = f"""
WITH relations AS ({RELATIONS})
SELECT 'pg_class'::regclass::oid, oid, kind, ARRAY[nspname, relname]::text[] FROM relations
UNION ALL  -- the index of a key is part of its table
SELECT 'pg_class'::regclass, c.conindid, r.kind, ARRAY[r.nspname, r.relname]
FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid WHERE c.contype IN ('p', 'u', 'x')
UNION ALL
SELECT 'pg_constraint'::regclass, c.oid, CASE c.contype WHEN 'f' THEN 'ForeignKey' ELSE r.kind END,
    CASE c.contype WHEN 'f' THEN ARRAY[r.nspname, r.relname, c.conname] ELSE ARRAY[r.nspname, r.relname] END
FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid
UNION ALL
SELECT 'pg_type'::regclass, t.oid, r.kind, ARRAY[r.nspname, r.relname]
FROM pg_type t JOIN relations r ON r.oid = t.typrelid
UNION ALL
SELECT 'pg_type'::regclass, t.oid, 'Enum', ARRAY[n.nspname, t.typname]
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
UNION ALL
SELECT 'pg_proc'::regclass, p.oid, 'Function', ARRAY[n.nspname, p.proname,
    (SELECT coalesce(string_agg(format_type(type, NULL), ', ' ORDER BY place), '')
     FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS argument(type, place))]
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL
SELECT 'pg_attrdef'::regclass, d.oid, r.kind, ARRAY[r.nspname, r.relname]
FROM pg_attrdef d JOIN relations r ON r.oid = d.adrelid
UNION ALL
SELECT 'pg_rewrite'::regclass, w.oid, r.kind, ARRAY[r.nspname, r.relname]
FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class
UNION ALL
SELECT 'pg_trigger'::regclass, t.oid, 'Trigger', ARRAY[r.nspname, r.relname, t.tgname]
FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'pg_policy'::regclass, p.oid, 'RlsPolicy', ARRAY[r.nspname, r.relname, p.polname]
FROM pg_policy p JOIN relations r ON r.oid = p.polrelid
UNION ALL
SELECT 'pg_namespace'::regclass, oid, 'Schema', ARRAY[nspname] FROM pg_namespace
UNION ALL
SELECT 'pg_extension'::regclass, oid, 'Extension', ARRAY[extname] FROM pg_extension
UNION ALL
SELECT 'pg_authid'::regclass, oid, 'Role', ARRAY[rolname] FROM pg_roles
"""
EDGES = """
SELECT classid, objid, refclassid, refobjid FROM pg_depend
UNION  -- owners and the roles of policies; rights are the grants' own business
SELECT classid, objid, refclassid, refobjid FROM pg_shdepend
WHERE deptype IN ('o', 'r') AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture(scope="module")
def whole() -> Whole:
    return Whole(declarations())


@pytest.fixture(scope="module")
def objects(stack: Stack) -> dict[tuple[int, int], Reference]:
    """What the server calls by number, as declarations are called."""
    rows = stack.rows(OBJECTS)
    return {(catalog, number): Reference(kind, tuple(identity)) for catalog, number, kind, identity in rows if kind}


@pytest.fixture(scope="module")
def edges(stack: Stack, whole: Whole, objects: dict[tuple[int, int], Reference]) -> set[Edge]:
    """Dependencies the server knows between two declared objects."""
    found = set()
    for catalog, number, on_catalog, on_number in stack.rows(EDGES):
        edge = (objects.get((catalog, number)), objects.get((on_catalog, on_number)))
        if edge[0] in whole.specs and edge[1] in whole.specs and edge[0] != edge[1]:
            found.add(edge)
    return found  # type: ignore[return-value]


def closure(whole: Whole, reference: Reference) -> set[Reference]:
    """Everything a declaration needs, directly or not."""
    reached: set[Reference] = set()
    waiting = [reference]
    while waiting:
        for needed in whole.needs[waiting.pop()]:
            if needed not in reached:
                reached.add(needed)
                waiting.append(needed)
    return reached


def missing(whole: Whole, edges: set[Edge]) -> list[str]:
    reached = {dependent: closure(whole, dependent) for dependent, _ in edges}
    return sorted(f"{dependent} needs {needed}" for dependent, needed in edges if needed not in reached[dependent])


def test_every_dependency_of_the_server_is_declared(whole: Whole, edges: set[Edge]) -> None:
    assert missing(whole, edges) == []


def test_the_comparison_covers_every_kind_of_dependency(
    whole: Whole, edges: set[Edge], objects: dict[tuple[int, int], Reference]
) -> None:
    known = set(objects.values())
    kinds = {reference.kind for reference in known}
    assert [str(each) for each in whole.specs if each.kind in kinds and each not in known] == []
    counts = Counter((dependent.kind, needed.kind) for dependent, needed in edges)
    for pair in (
        ("Table", "Schema"),
        ("Table", "Enum"),
        ("ForeignKey", "Table"),
        ("Index", "Table"),
        ("Index", "MaterializedView"),
        ("Trigger", "Table"),
        ("Trigger", "Function"),
        ("RlsPolicy", "Table"),
        ("RlsPolicy", "Function"),
        ("RlsPolicy", "Role"),
        ("View", "Table"),
        ("View", "Function"),
        ("View", "Role"),
        ("View", "MaterializedView"),
        ("View", "ContinuousAggregate"),
        ("MaterializedView", "Table"),
        ("ContinuousAggregate", "Table"),
        ("ContinuousAggregate", "ContinuousAggregate"),
        ("Function", "Schema"),
    ):
        assert counts[pair], f"the server knows no {pair[0]} that needs a {pair[1]}: the comparison is blind there"
    assert edges >= {
        (aggregate("daily"), aggregate("hh")),
        (aggregate("monthly"), aggregate("daily")),
        (aggregate("hh"), Reference("Table", ("flows", "circuit_register"))),
        (aggregate("hh"), Reference("Table", ("flows", "register_interval_hh"))),
    }
    # The server reads no text: what SQL functions mention, declarations must add. 300 edges are what it knew in 2026.
    assert len(edges) > 300


def test_a_lost_need_is_noticed(whole: Whole, edges: set[Edge]) -> None:
    fewer = Whole(whole.specs.values())
    needs = {reference: list(needed) for reference, needed in fewer.needs.items()}
    needs[aggregate("monthly")].remove(aggregate("daily"))
    fewer.__dict__["needs"] = needs
    assert "ContinuousAggregate flows.circuit_interval_monthly needs ContinuousAggregate " in missing(fewer, edges)[0]


def aggregate(level: str) -> Reference:
    return Reference("ContinuousAggregate", ("flows", f"circuit_interval_{level}"))
