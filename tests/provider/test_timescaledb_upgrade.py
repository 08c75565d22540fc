"""TimescaleDB from one version to the next, as a step of an update, on a server that has the files of both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from flows import Settings, declarations
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.capabilities import version_tuple
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.plan import Plan
from pulumi_timescaledb.planner import plan_database
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.script import script
from pulumi_timescaledb.specs import Reference
from pulumi_timescaledb.specs.extension import Extension
from pulumi_timescaledb.specs.schema import Schema
from pulumi_timescaledb.whole import Whole
from tests.stack import two_escos

from . import native
from .engine import Engine, Failed
from .native import on, value

STACK = "flows/test"
EXTENSION = Reference("Extension", ("timescaledb",))
CHECKS = (
    "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM flows.register_interval_hh t",
    "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM flows.circuit_interval_hh t",
    "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM flows.circuit_interval_daily t",
    "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM flows.circuit_interval_monthly t",
    "SELECT chunk_schema, chunk_name, is_compressed FROM timescaledb_information.chunks ORDER BY 1, 2",
    "SELECT proc_name, hypertable_name, config FROM timescaledb_information.jobs WHERE job_id >= 1000 ORDER BY 1, 2, 3",
)


def versions() -> list[str]:
    """Versions whose library and script the server has, the oldest first."""
    found = native.programs()
    if found is None or not native.has_timescaledb():
        return []
    names = {path.stem.removeprefix("timescaledb-tsl-") for path in (found.parent / "lib").glob("timescaledb-tsl-*.so")}
    scripts = Path("/usr/share/postgresql") / found.parts[-2] / "extension"
    return sorted((n for n in names if (scripts / f"timescaledb--{n}.sql").exists()), key=version_tuple)


pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(
        len(versions()) < 2,
        reason="no PostgreSQL server with two versions of Community TimescaleDB is installed here",
    ),
]


@pytest.fixture
def dsn() -> Iterator[str]:
    with native.running(timescaledb=True, extension=False, timescaledb__max_background_workers="16") as dsn:
        yield dsn


def program(version: str) -> Whole:
    specs = declarations(Settings())
    return Whole(
        spec.model_copy(update={"version": version}) if spec.reference() == EXTENSION else spec for spec in specs
    )


def apply(dsn: str, old: Whole, new: Whole) -> None:
    async def every(applier: Applier) -> None:
        applier.know(old, new)
        for reference in new.creation_order:
            spec, before = new.specs[reference], old.specs.get(reference)
            if spec != before:
                urn = f"urn:pulumi:test::flows::timescaledb:index:{reference.kind}::{spec.import_id()}"
                await applier.apply(kind_of(reference.kind), before, spec, Caller(STACK, urn))

    on(dsn, every)


def plan(dsn: str, new: Whole) -> Plan:
    async def planned(applier: Applier) -> Plan:
        return (await plan_database(applier.database, new, STACK)).plan

    return on(dsn, planned)


def seen(dsn: str) -> list[list[tuple[object, ...]]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [connection.execute(check.encode()).fetchall() for check in CHECKS]


def test_everything_survives_an_upgrade_and_nothing_is_left_to_do(dsn: str) -> None:
    older, newer = versions()[0], versions()[-1]
    before, after = program(older), program(newer)
    apply(dsn, Whole(), before)
    with psycopg.connect(dsn, autocommit=True) as connection:
        two_escos.load(connection)
        for (chunk,) in connection.execute(b"SELECT show_chunks('flows.register_interval_hh')::text").fetchall():
            connection.execute(f"CALL convert_to_columnstore('{chunk}')".encode())
    stood = seen(dsn)
    assert any(row[2] for row in stood[4])
    assert all(check for check in stood)

    planned = plan(dsn, after)
    (step,) = planned.steps
    (statement,) = step.statements
    assert statement.sql.strip() == f'ALTER EXTENSION "timescaledb" UPDATE TO "{newer}"'
    assert (statement.first, statement.transactional) == (True, False)
    said = " ".join(str(hazard) for hazard in statement.hazards)
    assert f"goes from {older} to {newer} and has no downgrade" in said
    assert "connection pools and the REST API must connect again" in said
    assert "\\connect\n-- irreversible" in script(planned)

    other = psycopg.connect(dsn, autocommit=True)  # a client that stays connected
    other.execute(b"SELECT count(*) FROM flows.register_interval_hh")
    apply(dsn, before, after)
    assert value(dsn, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'") == newer
    with pytest.raises(psycopg.Error, match=r"(?i)version|library"):
        other.execute(b"SELECT count(*) FROM flows.register_interval_hh")
    other.close()
    assert seen(dsn) == stood
    again = plan(dsn, after)
    assert (again.steps, again.refusals) == ([], [])
    noted = "SELECT verb || ' ' || cardinality(statements) FROM pulumi_timescaledb.history WHERE kind = 'Extension'"
    assert value(dsn, f"{noted} ORDER BY number DESC LIMIT 1") == "update 1"
    (refusal,) = plan(dsn, before).refusals
    assert f"no update leads from version {newer}, which is installed, to {older}" in str(refusal)


def test_a_provider_that_has_used_the_old_library_upgrades_too(dsn: str) -> None:
    """Its own sessions are replaced: the plan before and whatever comes after run in the same process."""
    older, newer = versions()[0], versions()[-1]
    specs = [Extension(name="timescaledb", version=version) for version in (older, newer)]
    kind = kind_of("Extension")
    caller = Caller(STACK, "urn:pulumi:test::flows::timescaledb:index:Extension::timescaledb")

    async def work(applier: Applier) -> tuple[object, object]:
        await applier.apply(kind, None, specs[0], caller)
        first = (await applier.database.capabilities()).timescaledb
        await plan_database(applier.database, Whole(specs[:1]), STACK)
        await applier.apply(kind, specs[0], specs[1], caller)
        return first, (await applier.database.capabilities()).timescaledb

    assert on(dsn, work) == (version_tuple(older), version_tuple(newer))
    assert value(dsn, "SELECT step IS NULL FROM pulumi_timescaledb.ledger WHERE kind = 'Extension'") is True


def lose_the_library(dsn: str, has: str) -> None:
    """The database as it is once an image with a newer package stands in for the one it was made with: its extension
    has a version that the files have no library of."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            f"UPDATE _timescaledb_catalog.metadata SET value = '{has}' WHERE key = 'timescaledb_version'".encode()
        )
        connection.execute(f"UPDATE pg_extension SET extversion = '{has}' WHERE extname = 'timescaledb'".encode())
    with pytest.raises(psycopg.errors.UndefinedFile):
        value(dsn, "SELECT 1")


def test_a_server_whose_files_lost_the_old_library_is_upgraded_before_anything_else(dsn: str) -> None:
    older, newer = versions()[0], versions()[-1]
    major, minor, patch = version_tuple(older)
    lost = f"{major}.{minor}.{patch - 1}"  # its files are gone, its update script to the newest is there
    parts = conninfo_to_dict(dsn)
    settings = {"host": str(parts["host"]), "port": int(str(parts["port"])), "user": "postgres"}
    schema = Schema(name="app")

    def whole(version: str | None, image: str = "old") -> dict[str, str]:
        declared = Whole([Extension(name="timescaledb", version=version), schema])
        return {"declarations": declared.pack(), "server": image}

    first = Engine(**settings)
    state = first.create(("Manifest", first.check("Manifest", whole(older))[0]))
    first.create(Extension(name="timescaledb", version=older))
    first.create(schema)
    first.close()
    lose_the_library(dsn, lost)

    blind = Engine(**settings)
    inputs, _ = blind.check("Manifest", whole(None), whole(older))
    with pytest.raises(Failed, match=f"has TimescaleDB {lost}.*but of {newer}.*Declare version {newer}"):
        blind.diff("Manifest", whole(older), inputs, state)
    blind.close()

    wrong = Engine(**settings)
    inputs, faults = wrong.check("Manifest", whole("99.0.1"), whole(older))
    with pytest.raises(Failed, match=rf"declared with version 99\.0\.1.*Declare {newer}, or use files \(an image\)"):
        wrong.diff("Manifest", whole(older), inputs, state)
    wrong.close()

    replaced = Engine(**settings)  # the preview sees the wrong server, the update too
    inputs, faults = replaced.check("Manifest", whole("99.0.1", "new"), whole(older))
    assert faults == []
    assert "server" in replaced.diff("Manifest", whole(older), inputs, state).diffs
    with pytest.raises(Failed, match=rf"declared with version 99\.0\.1.*Declare {newer}"):
        replaced.update(("Manifest", whole(older)), ("Manifest", inputs), state)
    assert "ALTER EXTENSION" not in replaced.said()
    replaced.close()

    engine = Engine(**settings)
    inputs, faults = engine.check("Manifest", whole(newer), whole(older))
    assert faults == []
    engine.diff("Manifest", whole(older), inputs, state)
    assert f'ALTER EXTENSION "timescaledb" UPDATE TO "{newer}"' in engine.said()
    assert "make sure of a fresh backup first" in engine.said()
    engine.update(("Manifest", whole(older)), ("Manifest", inputs), state)
    assert value(dsn, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'") == newer
    engine.update(Extension(name="timescaledb", version=older), Extension(name="timescaledb", version=newer))
    engine.close()
    noted = "SELECT count(*) FROM pulumi_timescaledb.history WHERE kind = 'Extension' AND verb = 'update'"
    assert value(dsn, noted) == 1
