"""Zero diff for every kind under hostile input: generated specs on a real server, each undone.

`make fuzz` runs thousands with a new seed, which it prints; the suite runs the same few every time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from pulumi_timescaledb.kinds._view_query import columns_added
from pulumi_timescaledb.specs import Spec, kind_names
from pulumi_timescaledb.specs.view import View

from .fuzz import others, relations, tables, words, world
from .fuzz.zero_diff import made, same_as_fresh, zero_diff
from .lifecycle import Server

pytestmark = pytest.mark.server
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""How many of each kind; 0: the suite's few, the same every time."""
GENERATED = settings(
    derandomize=not EXAMPLES,
    database=None,
    max_examples=EXAMPLES or 10,
    deadline=None,
    print_blob=bool(EXAMPLES),
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if EXAMPLES else (Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SPECS: dict[str, st.SearchStrategy[Spec]] = {
    "Columnstore": relations.columnstores(),
    "ContinuousAggregate": relations.aggregates(),
    "Domain": others.domains(),
    "Enum": others.enums,
    "Extension": others.extensions,
    "ForeignKey": relations.foreign_keys(),
    "Function": others.functions(),
    "Grant": others.grants,
    "Hypertable": relations.hypertables(),
    "Index": relations.indexes(),
    "Job": others.jobs(),
    "MaterializedView": relations.materialized_views(),
    "RefreshPolicy": others.refresh_policies(),
    "RetentionPolicy": others.retention_policies,
    "RlsPolicy": relations.rls_policies(),
    "Role": others.roles,
    "RoleMembership": others.memberships,
    "RoleSettings": others.role_settings,
    "Schema": others.schemas,
    "Sequence": others.sequences(),
    "SequenceOwnership": relations.ownerships,
    "ServerSetting": others.server_settings(),
    "Table": tables.tables(),
    "Trigger": relations.triggers(),
    "View": relations.views(),
}
_IDENTITY = ("schema_", "relation", "name", "role", "member", "scope", "sequence")
NEVER_DROPPED = {"Hypertable"}


@pytest.fixture(scope="module")
def server(shared_dsn: str) -> Iterator[Server]:
    with psycopg.connect(shared_dsn, prepare_threshold=None) as connection:
        connection.execute(world.MADE.encode())
        yield Server(connection)
        connection.rollback()


def test_every_kind_is_generated() -> None:
    assert set(SPECS) == set(kind_names())


@pytest.mark.parametrize("kind", kind_names())
def test_zero_diff(kind: str, server: Server) -> None:
    @GENERATED
    @given(SPECS[kind])
    def holds(spec: Spec) -> None:
        with server.aside():
            zero_diff(server, spec, droppable=kind not in NEVER_DROPPED)

    holds()


@pytest.mark.parametrize("kind", kind_names())
def test_any_change_ends_where_a_fresh_create_does(kind: str, server: Server) -> None:
    @GENERATED
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        old = data.draw(SPECS[kind])
        drawn = data.draw(tables.tables(old) if kind == "Table" else SPECS[kind])  # type: ignore[arg-type]
        new = _same_identity(old, drawn)
        assume(kind not in ("ServerSetting", "Extension") or old.name == drawn.name)
        assume(kind != "Grant" or (old.role == "public") == (drawn.role == "public"))
        with server.aside():
            fresh = zero_diff(server, new, droppable=False)
        with server.aside():
            made(server, old)
            same_as_fresh(server, old, new, fresh)

    holds()


def test_a_view_that_keeps_its_columns_is_replaced(server: Server) -> None:
    @GENERATED
    @given(relations.views(), words.growing_queries())
    def holds(view: View, queries: tuple[str, str]) -> None:
        old, new = (view.model_copy(update={"query": query, "column_comments": {}}) for query in queries)
        old, new = View.from_wire(old.to_wire()), View.from_wire(new.to_wire())
        assert columns_added(old.query, new.query) is not None
        with server.aside():
            fresh = zero_diff(server, new)
        with server.aside():
            made(server, old)
            same_as_fresh(server, old, new, fresh)

    holds()


def _same_identity(old: Spec, new: Spec) -> Spec:
    """`new` as a later declaration of the same object."""
    fields = [
        *_IDENTITY,
        *(["arguments"] if old.KIND == "Function" else []),
        *(["procedure"] if old.KIND == "Job" else []),
    ]
    kept = {name: getattr(old, name) for name in fields if name in type(old).model_fields}
    return new.model_copy(update=kept)
