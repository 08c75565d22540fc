"""The Seal: what it checks after an update, what it guards before a destroy; the ledger goes last."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.adapter import manifest as ledger_manifest
from pulumi_timescaledb.adapter.wire import to_struct
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.render import render

from .engine import Engine, Failed, settings_of, sql
from .things import ALL, INDEX, SCHEMA, TABLE, VIEW, bring_up, manifest

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
# Seal: after an update


def test_seal_finds_declarations_without_a_resource(make: Make) -> None:
    engine = make()
    engine.check("Manifest", manifest(*ALL))
    engine.create(("Manifest", manifest(*ALL)))
    engine.create(SCHEMA)
    engine.create(TABLE)
    with pytest.raises(Failed, match=r"2 declared objects have no resource in the program: Index app\.by_id, View app"):
        engine.create(("Seal", {"declarations": "x"}))
    engine.create(("Seal", {"declarations": "x", "elsewhere": ["Index", "View"]}))
    engine.create(("Seal", {"declarations": "x"}), preview=True)


def test_seal_finds_what_is_half_built(make: Make, server: EmbeddedServer) -> None:
    bring_up(make(), *ALL)
    sql(server, "UPDATE pulumi_timescaledb.ledger SET step = 'building' WHERE kind = 'Index'")
    engine = make()
    with pytest.raises(Failed, match=r"Index app\.by_id: left half-built by an earlier run. Run the update again"):
        engine.update(("Seal", {"declarations": "x"}), ("Seal", {"declarations": "y"}))
    make("other").update(("Seal", {"declarations": "x"}), ("Seal", {"declarations": "y"}))  # not its business


def test_seal_records_drift_that_the_program_was_edited_to(make: Make, server: EmbeddedServer) -> None:
    bring_up(make(), *ALL)
    sql(server, "COMMENT ON VIEW app.all_things IS 'theirs'; COMMENT ON TABLE app.things IS 'not ours'")
    new = VIEW.model_copy(update={"comment": "theirs"})
    engine = make()
    wanted = [SCHEMA, TABLE, INDEX, new]
    assert engine.check("Manifest", manifest(*wanted), manifest(*ALL))[1] == []
    seen = engine.read("View", "app.all_things", VIEW)[1]
    assert not engine.diff("View", seen, new.to_wire()).detailedDiff  # so the engine never comes to the view
    engine.update(("Manifest", manifest(*ALL)), ("Manifest", manifest(*wanted)))
    engine.update(("Seal", {"declarations": "x"}), ("Seal", {"declarations": "y"}))
    entries = sql(server, "SELECT kind, declared, canonical FROM pulumi_timescaledb.ledger ORDER BY kind")
    found = {kind: (declared.get("comment"), canonical.get("comment")) for kind, declared, canonical in entries}
    assert found["View"] == ("theirs", "theirs")
    assert found["Table"] == (None, None)  # still drift
    assert sql(server, "SELECT id FROM pulumi_timescaledb.history WHERE verb = 'accept'") == [("app.all_things",)]


def test_seal_sees_any_change(offline: Engine) -> None:
    diff = offline.diff("Seal", {"declarations": "x"}, {"declarations": "y", "elsewhere": ["Role"]})
    assert set(diff.detailedDiff) == {"declarations", "elsewhere"}
    assert not offline.diff("Seal", {"declarations": "x"}, {"declarations": "x"}).detailedDiff
    assert offline.read("Seal", "seal")[0] == "seal"


# Seal: before a destroy

SEAL = ("Seal", {"declarations": "x"})


def test_destroy_is_refused_while_there_is_data(make: Make, server: EmbeddedServer) -> None:
    summary = specs.MaterializedView(schema="app", name="summary", query="SELECT count(*) FROM app.things")
    bring_up(make(), *ALL, summary)
    make().delete(SEAL)  # empty, and a view that was never filled
    sql(server, "INSERT INTO app.things VALUES (1)")
    with pytest.raises(Failed, match=r"Destroy refused: 1 relations hold data \(app\.things\)\. Set `disposable`"):
        make().delete(SEAL)
    sql(server, "REFRESH MATERIALIZED VIEW app.summary")
    with pytest.raises(Failed, match=r"2 relations hold data \(app\.summary, app\.things\)"):
        make().delete(SEAL)
    make(disposable=True).delete(SEAL)
    assert sql(server, "SELECT count(*) FROM app.things") == [(1,)]
    make("other").delete(SEAL)  # which has nothing here
    sql(server, "DROP VIEW app.all_things; DROP TABLE app.things CASCADE")  # behind our back
    make().delete(SEAL)


def test_destroy_is_refused_when_nobody_can_tell(server_factory: Callable[..., EmbeddedServer]) -> None:
    stopped = server_factory()
    engine = Engine(**settings_of(stopped))
    with pytest.raises(Failed, match=r"cannot tell whether the database holds data: the server does not run\. Set"):
        engine.delete(SEAL)
    engine.close()
    engine = Engine(**settings_of(stopped, disposable=True))
    engine.delete(SEAL)
    assert not stopped.is_running()
    engine.close()
    engine = Engine(host="/nonexistent", port=1, user="nobody")
    with pytest.raises(Failed, match="cannot tell whether the database holds data: cannot connect to"):
        engine.delete(SEAL)
    engine.close()


# The ledger goes last


def test_destroy_leaves_nothing_but_the_history_file(make: Make, server: EmbeddedServer, tmp_path: Path) -> None:
    target = tmp_path / "kept" / "history.jsonl"
    engine = make(historyFile=str(target), disposable=True)
    bring_up(engine, *ALL)
    first = ("Manifest", manifest(*ALL))
    for gone in (SEAL, VIEW, INDEX, TABLE, SCHEMA, first, first):
        engine.delete(gone)
    assert sql(server, "SELECT count(*) FROM pg_namespace WHERE nspname IN ('app', 'pulumi_timescaledb')") == [(0,)]
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [(row["verb"], row["kind"]) for row in rows] == [
        *(("create", spec.KIND) for spec in ALL),
        *(("delete", spec.KIND) for spec in reversed(ALL)),
    ]
    assert rows[0]["stack"] == "flows/dev"
    assert rows[0]["statements"] == ['CREATE SCHEMA "app"']


def test_a_crash_after_the_export_exports_nothing_twice(
    make: Make, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "history.jsonl"
    target.write_text('{"number": 1, "stack": "an earlier life"}\n')
    engine = make(historyFile=str(target))
    bring_up(engine, SCHEMA)
    engine.delete(SCHEMA)
    with monkeypatch.context() as patch:
        patch.setattr(ledger_manifest, "render", lambda name: render(name) if "drop" not in name else "SELECT 1 / 0")
        with pytest.raises(Failed, match="division by zero"):
            engine.delete(("Manifest", manifest(SCHEMA)))
    exported = target.read_text()
    engine.delete(("Manifest", manifest(SCHEMA)))
    assert target.read_text() == exported
    assert [json.loads(line)["number"] for line in exported.splitlines()] == [1, 1, 2]
    assert sql(server, "SELECT to_regclass('pulumi_timescaledb.history')") == [(None,)]


def test_the_ledger_stays_while_another_stack_uses_it(make: Make, server: EmbeddedServer) -> None:
    bring_up(make("o'ther"), SCHEMA)
    engine = make()
    engine.create(("Manifest", manifest()))
    engine.delete(("Manifest", manifest()))
    assert sql(server, "SELECT stack, kind FROM pulumi_timescaledb.ledger") == [("flows/o'ther", "Schema")]


def test_a_repair_passes_the_seal_though_no_declaration_changed(make: Make, server: EmbeddedServer) -> None:
    seal = {"declarations": "digest"}
    bring_up(make(), *ALL, seal=seal)
    later = make()
    assert later.diff("Seal", seal, seal).changes == later.diff("Seal", seal, seal).DIFF_NONE
    sql(server, "DROP VIEW app.all_things")
    later.create(VIEW)
    assert list(later.diff("Seal", seal, seal).diffs) == ["declarations"]


def test_a_destroy_of_another_database_is_refused(make: Make, server: EmbeddedServer) -> None:
    """A refused update leaves the wrong place in the state, from where a destroy takes it: it would find everything
    gone, and leave the real objects behind."""
    bring_up(make(disposable=True), SCHEMA)
    state = make().update(SEAL, SEAL)
    assert set(state) == {"declarations", "ledger", "systemIdentifier"}
    request = {"urn": make().urn("Seal"), "type": "timescaledb:index:Seal", "id": "seal"}
    make().call("Delete", **request, old_inputs=to_struct(SEAL[1]), properties=to_struct(state))
    sql(server, "UPDATE pulumi_timescaledb.identity SET ledger = gen_random_uuid()")
    for told in ("leads to another database", "without the ledger of this stack"):
        engine = make(disposable=True)
        with pytest.raises(Failed, match=told):
            engine.call("Delete", **request, old_inputs=to_struct(SEAL[1]), properties=to_struct(state))
        sql(server, "DROP SCHEMA IF EXISTS pulumi_timescaledb CASCADE")
