"""Adopting a database in place: imports that change nothing, and how they enter the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.drift import drifted
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.snapshot import Snapshot, take
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from ..engine import Engine, Failed, engines, sql, wipe
from ..things import changed
from .deploy import asked, inspected, run_file, settings

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
COUNT = "SELECT count(*) FROM pulumi_timescaledb.ledger"
SEAL = ("Seal", {"declarations": "digest"})
SCHEMA = specs.Schema(name="old", owner="postgres")
TABLE = specs.Table.from_wire(
    {"schema": "old", "name": "things", "columns": [{"name": "id", "type": "integer", "default": "7"}]}
)
EXISTING = "CREATE SCHEMA old; CREATE TABLE old.things (id integer DEFAULT 7); COMMENT ON TABLE old.things IS NULL"


def imported(engine: Engine, declared: Sequence[Spec], *, preview: bool = False) -> list[str]:
    """What the engine does for `import_`: read by the id alone, check, diff. The differences it would show."""
    inputs, faults = engine.check("Manifest", {"declarations": Whole(declared).pack()})
    assert faults == [], faults
    engine.create(("Manifest", inputs), preview=preview)
    found = []
    for spec in declared:
        key, there = engine.read(spec.KIND, spec.import_id())
        assert key == spec.import_id()
        checked, faults = engine.check(spec.KIND, spec.to_wire(), there)
        assert faults == []
        difference = engine.diff(spec.KIND, there, checked).detailedDiff
        found += [f"{spec.KIND} {key}: {path}" for path in difference]
    return found


def snapshot_of(server: EmbeddedServer) -> Snapshot:
    taken: Snapshot = asked(settings(server), take)
    return taken


def test_a_whole_database_is_adopted_without_a_change(server_factory: Callable[..., EmbeddedServer]) -> None:
    server = server_factory()
    run_file(settings(server), "shop.sql", "meters.sql")
    with engines(server) as make:
        _adopt_all(make, server)


def _adopt_all(make: Make, server: EmbeddedServer) -> None:
    _, selection = inspected(settings(server))
    before = snapshot_of(server).live
    engine = make()
    assert imported(engine, selection.specs) == []
    engine.create(SEAL)
    snapshot = snapshot_of(server)
    assert len(snapshot.entries) == len(selection.specs) > 190
    assert {kind: found for kind, found in snapshot.live.items() if kind != "Extension"} == {
        kind: found for kind, found in before.items() if kind != "Extension"
    }
    assert list(drifted(snapshot, "flows/dev")) == []
    # The next run: nothing to do, in the engine's words and in the provider's.
    packed = {"declarations": Whole(selection.specs).pack()}
    engine = make()
    assert engine.check("Manifest", packed, packed)[1] == []
    for spec in selection.specs:
        assert engine.read(spec.KIND, spec.import_id(), spec) == (spec.import_id(), spec.to_wire())
    # An adopted object is changed and dropped like any other.
    table = next(spec for spec in selection.specs if spec.import_id() == "shop.vouchers" and spec.KIND == "Table")
    engine.update(table, changed(table, comment="ours now"))
    sql(server, "ALTER TABLE shop.taxes ADD COLUMN by_hand integer")
    assert [each.id for each in drifted(snapshot_of(server), "flows/dev")] == ["shop.taxes"]


def test_fields_left_to_the_server_are_no_difference(make: Make, server: EmbeddedServer) -> None:
    """The owner, the version of an extension: a program that does not say them imports what is there."""
    sql(server, EXISTING)
    engine = make()
    assert TABLE.owner is None
    assert imported(engine, [SCHEMA, TABLE, specs.Extension(name="timescaledb")]) == []
    engine.create(SEAL)
    owners = "SELECT declared ->> 'owner', canonical ->> 'owner' FROM pulumi_timescaledb.ledger WHERE kind = 'Table'"
    assert sql(server, owners) == [(None, "postgres")]


def test_a_preview_records_nothing(make: Make, server: EmbeddedServer) -> None:
    sql(server, EXISTING)
    engine = make()
    assert imported(engine, [SCHEMA, TABLE], preview=True) == []
    engine.create(SEAL, preview=True)
    assert sql(server, "SELECT to_regclass('pulumi_timescaledb.ledger') IS NULL") == [(True,)]


def test_an_update_that_died_before_the_seal_is_mended_by_the_next(make: Make, server: EmbeddedServer) -> None:
    sql(server, EXISTING)
    assert imported(make(), [SCHEMA, TABLE]) == []
    assert sql(server, COUNT) == [(0,)]
    engine = make()  # the state has the imports now: the engine asks for checks only
    packed = {"declarations": Whole([SCHEMA, TABLE]).pack()}
    engine.check("Manifest", packed, packed)
    for spec in (SCHEMA, TABLE):
        engine.check(spec.KIND, spec.to_wire(), spec.to_wire())
    engine.create(SEAL)
    assert sql(server, COUNT) == [(2,)]
    assert sql(server, "SELECT DISTINCT verb FROM pulumi_timescaledb.history") == [("import",)]


def test_a_declaration_without_a_resource_is_no_import(make: Make, server: EmbeddedServer) -> None:
    sql(server, EXISTING)
    engine = make()
    engine.check("Manifest", {"declarations": Whole([SCHEMA, TABLE]).pack()})
    engine.create(("Manifest", {"declarations": Whole([SCHEMA, TABLE]).pack()}))
    engine.check("Schema", SCHEMA.to_wire())
    with pytest.raises(Failed, match=r"1 declared objects have no resource in the program: Table old\.things"):
        engine.create(SEAL)
    assert sql(server, COUNT) == [(0,)]


def test_what_differs_is_shown_and_not_recorded_as_it_is(make: Make, server: EmbeddedServer) -> None:
    sql(server, EXISTING)
    wanted = changed(TABLE, comment="declared")
    engine = make()
    assert imported(engine, [SCHEMA, wanted]) == ["Table old.things: comment"]
    with pytest.raises(Failed, match=r"Table old\.things was imported and is not what the program declares"):
        engine.create(SEAL)
    assert sql(server, COUNT) == [(0,)]
    engine.update(changed(TABLE, owner="postgres"), wanted)  # what the engine does with the difference
    engine.create(SEAL)
    assert sql(server, "SELECT obj_description('old.things'::regclass)") == [("declared",)]
    assert sql(server, COUNT) == [(2,)]


def test_what_another_stack_has_is_not_imported(make: Make, server: EmbeddedServer) -> None:
    sql(server, EXISTING)
    first = make("first")
    assert imported(first, [SCHEMA, TABLE]) == []
    first.create(SEAL)
    with pytest.raises(
        Failed, match=r'Schema old belongs to stack "flows/first" and cannot be imported into "flows/second"'
    ):
        make("second").read("Schema", "old")
    wipe(server)
