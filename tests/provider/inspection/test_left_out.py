"""What cannot be declared is named, every piece of it; what the catalog makes by itself is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pulumi_timescaledb.errors import ProviderError
from pulumi_timescaledb.inspection import census
from pulumi_timescaledb.local.server import EmbeddedServer

from ..engine import sql, wipe
from .deploy import inspected, run_file, settings

pytestmark = pytest.mark.server
PARTLY = {
    ("column", "beyond.defaulted.note"),
    ("column", "beyond.plain.n"),
    ("column", "beyond.plain.note"),
    ("column", "beyond.scratch.id"),
    ("constraint", "beyond.plain.odd"),
    ("publication", "beyond.plain"),
    ("relation", "beyond.scratch"),
}
NOT = {
    ("Index", "beyond.numbers_n_idx"),
    ("Index", "beyond.parts_id"),
    ("collation", "beyond.plainly"),
    ("constraint", "beyond.plain.later"),
    ("default privileges", "tsdbadmin"),
    ("event trigger", "watch"),
    ("foreign data wrapper", "nowhere"),
    ("foreign server", "elsewhere"),
    ("function", "beyond.total(integer)"),
    ("operator", "beyond.###"),
    ("policy", "beyond.series"),
    ("publication", "everything"),
    ("relation", "beyond.child"),
    ("relation", "beyond.far"),
    ("relation", "beyond.numbers"),
    ("relation", "beyond.parent"),
    ("relation", "beyond.parts"),
    ("relation", "beyond.parts_2026"),
    ("relation", "beyond.point"),
    ("relation", "beyond.typed"),
    ("rule", "beyond.plain.quiet"),
    ("rule of the provider", "declarations"),
    ("statistics", "beyond.dependent"),
    ("text search configuration", "beyond.words"),
    ("type", "beyond.span"),
}


@pytest.fixture
def filled(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    wipe(server)
    run_file(settings(server), "beyond.sql", "beyond_timescaledb.sql")
    yield server
    sql(server, "DROP EVENT TRIGGER watch; DROP FOREIGN DATA WRAPPER nowhere CASCADE; DROP PUBLICATION everything")
    sql(server, "ALTER DEFAULT PRIVILEGES FOR ROLE tsdbadmin REVOKE SELECT ON TABLES FROM beyond_one")


def test_everything_that_cannot_be_declared_is_named(filled: EmbeddedServer) -> None:
    view, selection = inspected(settings(filled))
    assert {(each.class_, each.name) for each in selection.left if each.partly} == PARTLY
    assert {(each.class_, each.name) for each in selection.left if not each.partly} == NOT
    written = {spec.import_id() for spec in selection.specs}
    assert {"beyond.booked", "beyond.plain", "beyond.scratch", "beyond.series", "beyond.daily"} <= written
    assert not {"beyond.parts", "beyond.parts_2026", "beyond.child", "beyond.numbers", "beyond.far"} & written
    for each in census.counts(view.objects, selection.specs):
        assert each.found == each.declared + each.automatic + each.left
    # What no kind sees would be reported too.
    blind = [each for each in selection.specs if each.KIND != "Function"]
    overlooked = census.overlooked(view.objects, blind, ())
    assert ("function", "beyond.always()") in {(each.class_, each.name) for each in overlooked}


def test_what_belongs_to_the_server_is_no_finding(server: EmbeddedServer) -> None:
    """Chunks (in a user's schema too), members of extensions, indexes of constraints and aggregates, triggers."""
    wipe(server)
    sql(
        server,
        "CREATE SCHEMA app; CREATE SCHEMA pieces; CREATE TABLE app.t (at timestamptz PRIMARY KEY, v real);"
        "SELECT create_hypertable('app.t', 'at', associated_schema_name => 'pieces', create_default_indexes => false);"
        "INSERT INTO app.t VALUES (now(), 1), (now() - INTERVAL '30 days', 2);"
        "CREATE MATERIALIZED VIEW app.d WITH (timescaledb.continuous) AS "
        "SELECT time_bucket('1 day', at) AS day, v, count(*) FROM app.t GROUP BY 1, 2 WITH NO DATA",
    )
    view, selection = inspected(settings(server))
    assert view.schemas == ("app", "pieces")
    assert [(each.class_, each.name, each.why) for each in selection.left] == [
        ("hypertable", "app.t", "the schema of its chunks is not declared")
    ]
    kinds = sorted(f"{spec.KIND} {spec.import_id()}" for spec in selection.specs)
    assert kinds == [
        "ContinuousAggregate app.d",
        "Extension timescaledb",
        "Hypertable app.t",
        "Schema app",
        "Schema pieces",
        "Table app.t",
    ]


def test_schemas_that_are_not_the_users(server: EmbeddedServer) -> None:
    for name in ("nowhere", "pg_catalog", "_timescaledb_internal", "timescaledb_information"):
        with pytest.raises(ProviderError, match=f"Schemas that are not there or not the users': {name}"):
            inspected(settings(server), [name])
