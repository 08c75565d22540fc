"""A role that is declared to have no rights in a schema: what is granted by hand is drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs.grant import Grant, ObjectRights
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.schema import Schema

from .engine import Engine, engines, sql, wipe
from .things import a_table

pytestmark = pytest.mark.server
NOTHING = Grant(role="guest", schema="app")


@pytest.fixture
def make(server: EmbeddedServer) -> Iterator[Callable[[], Engine]]:
    wipe(server)
    with engines(server) as made:
        first = made()
        for spec in (Role(name="guest"), Schema(name="app"), a_table(), NOTHING):
            first.create(spec)
        yield made
        sql(server, "DROP OWNED BY guest")
        sql(server, "DROP ROLE guest")


def may_read(server: EmbeddedServer) -> bool:
    return bool(sql(server, "SELECT has_table_privilege('guest', 'app.things', 'select')")[0][0])


def refreshed(engine: Engine) -> Grant:
    return Grant.from_wire(engine.read("Grant", NOTHING.import_id(), NOTHING)[1])


def test_a_right_given_by_hand_is_seen_and_taken_back(make: Callable[[], Engine], server: EmbeddedServer) -> None:
    assert refreshed(make()) == NOTHING
    sql(server, "GRANT SELECT ON app.things TO guest")
    assert may_read(server)
    seen = refreshed(make())
    assert seen.objects == (ObjectRights(name="things", privileges=("select",)),)
    make().update(seen, NOTHING)
    assert not may_read(server)
    assert refreshed(make()) == NOTHING
