"""A server that does not fit is found out before anything is changed, on real servers that do not."""

from __future__ import annotations

import json

import pytest

from pulumi_timescaledb import preflight, specs
from pulumi_timescaledb.capabilities import ServerCapabilities, libraries
from pulumi_timescaledb.planner import plan_database
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from . import native
from .native import on, value

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("native")]
needs_timescaledb = pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB)
COLUMNS = ({"name": "at", "type": "timestamptz", "notNull": True},)
TIMESCALEDB = specs.Extension(name="timescaledb")
SERIES: tuple[Spec, ...] = (
    specs.Schema(name="app"),
    specs.Table.from_wire({"schema": "app", "name": "cpu", "columns": COLUMNS}),
    specs.Hypertable.from_wire({"schema": "app", "relation": "cpu", "timeColumn": "at"}),
    specs.RetentionPolicy(schema="app", relation="cpu", drop_after="1 year"),
)


def faults(dsn: str, *declared: Spec) -> list[str]:
    """What is said before anything is done, which must have done nothing."""
    extensions = "SELECT count(*) FROM pg_extension"
    before = value(dsn, extensions)
    planned = on(dsn, lambda applier: plan_database(applier.database, Whole(declared), "app/test"))
    assert planned.plan.steps == []
    assert value(dsn, extensions) == before
    return [str(refusal) for refusal in planned.plan.refusals]


@needs_timescaledb
def test_too_few_workers_a_missing_library_package_or_version_and_the_other_edition() -> None:
    settings = {"timescaledb__max_background_workers": "1", "max_worker_processes": "3"}
    with native.running(timescaledb=True, extension=False, **settings) as dsn:
        few, slots = faults(dsn, TIMESCALEDB, *SERIES)
        assert "RetentionPolicy app.cpu would never run: timescaledb.max_background_workers leaves 1" in few
        assert "max_worker_processes leaves 2" in slots
        (library,) = faults(dsn, specs.Extension(name="pg_stat_statements"))
        assert 'shared_preload_libraries is "timescaledb". Add pg_stat_statements to it and restart' in library
        (package,) = faults(dsn, specs.Extension(name="no_such_thing"))
        assert "Extension no_such_thing: the server does not have it. Install its package" in package
        (version,) = faults(dsn, specs.Extension(name="timescaledb", version="99.0.1"))
        assert "version 99.0.1 is declared, and the server's files have 2." in version
        (edition,) = faults(dsn, specs.Extension(name="timescaledb", edition="apache"))
        assert "edition apache, but the server runs the Community edition" in edition


@needs_timescaledb
def test_timescaledb_that_is_not_preloaded() -> None:
    with native.running() as dsn:
        (library,) = faults(dsn, TIMESCALEDB, *SERIES)
        assert "Extension timescaledb works only where its library is loaded when the server starts, and" in library


@needs_timescaledb
def test_a_server_that_another_one_takes_the_place_of() -> None:
    """What its files lack is not held against it; what no other files mend either is."""

    def said(*declared: Spec) -> list[str]:
        planned = on(
            dsn, lambda applier: plan_database(applier.database, Whole(declared), "app/test", server_changes=True)
        )
        return [str(refusal) for refusal in planned.plan.refusals]

    with native.running(timescaledb=True) as dsn:
        coming = specs.Extension(name="timescaledb", version="99.0.1", edition="community")
        assert said(coming, specs.Extension(name="no_such_thing")) == []
        assert "version 99.0.1 is declared" in faults(dsn, coming)[0]
        (downgrade,) = said(specs.Extension(name="timescaledb", version="2.18.0"))
        assert "Extensions have no downgrade" in downgrade


def test_what_comes_is_taken_for_what_is_declared() -> None:
    found = ServerCapabilities(postgres=(17, 5), timescaledb=(2, 19, 3), community=False, job_workers=5)
    assert preflight.coming(found, Whole()) == found
    assert preflight.coming(found, Whole([TIMESCALEDB])) == found
    declared = specs.Extension(name="timescaledb", version="2.29.2", edition="community")
    assert preflight.coming(found, Whole([declared])) == ServerCapabilities((17, 5), (2, 29, 2), True, job_workers=5)


def test_nobody_asked_the_server_yet() -> None:
    assert preflight.assumed(Whole()) == ServerCapabilities()
    assert preflight.assumed(None).community
    assert preflight.assumed(Whole([TIMESCALEDB])).community
    assert not preflight.assumed(Whole([specs.Extension(name="timescaledb", edition="apache")])).community


def test_what_a_server_can_do_survives_the_state() -> None:
    known = ServerCapabilities(preloaded=("timescaledb",), job_workers=16, worker_slots=7)
    assert ServerCapabilities.from_wire(json.loads(json.dumps(known.to_wire()))) == known
    older = {name: field for name, field in known.to_wire().items() if name in ("postgres", "timescaledb", "community")}
    older |= {"background_workers": True, "concurrent_index": True}
    assert ServerCapabilities.from_wire(older) == ServerCapabilities()
    assert libraries("timescaledb, '$libdir/pg_stat_statements.so'") == ("timescaledb", "pg_stat_statements")
    assert libraries("") == ()
