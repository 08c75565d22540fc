"""A database, its package, and a database made from that package: the same, by the server's own account."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from flows import declarations
from pulumi_timescaledb.inspection import package
from pulumi_timescaledb.local.server import EmbeddedServer

from .. import native
from ..engine import Engine, engines
from .deploy import Settings, deploy, dumped, information, inspected, pg_dump, run_file, settings, shapes
from .deploy import through_a_package as packaged

pytestmark = pytest.mark.server
OWN = ("shop", "reporting", "audit", "Odd Names")
FLOWS = ("flows", "api", "api_private", "monitoring")
WHY_NO_DUMP = "no pg_dump of PostgreSQL 17 or newer is installed here (Debian: apt-get install postgresql-client-17)"


def _same(one: Settings, other: Settings, schemas: tuple[str, ...]) -> None:
    """Snapshots, timescaledb_information and, where there is one, pg_dump tell no difference."""
    first, second = shapes(one, schemas), shapes(other, schemas)
    assert first.keys() == second.keys()
    for kind, found in first.items():
        assert found.keys() == second[kind].keys(), kind
        for key, spec in found.items():
            assert spec.comparable() == second[kind][key].comparable()
    assert information(one, schemas) == information(other, schemas)
    program = pg_dump()
    if program is None:
        print(WHY_NO_DUMP)
        return
    before, after = dumped(program, one, schemas), dumped(program, other, schemas)
    assert before.total() > 100
    assert before - after == after - before == {}


@pytest.fixture
def fresh(server_factory: Callable[..., EmbeddedServer]) -> Iterator[Callable[[], EmbeddedServer]]:
    """Makes empty embedded servers."""
    made: list[EmbeddedServer] = []

    def make() -> EmbeddedServer:
        made.append(server_factory())
        made[-1].ensure_running()
        return made[-1]

    yield make
    for each in made:
        each.remove()


def test_a_database_never_seen_before(fresh: Callable[[], EmbeddedServer], tmp_path: Path) -> None:
    source, target = fresh(), fresh()
    run_file(settings(source), "shop.sql", "meters.sql")
    view, selection = inspected(settings(source))
    assert sorted(view.schemas) == sorted(OWN)
    assert [each for each in selection.left if each.class_ != "password"] == []
    specs = packaged(selection.specs, tmp_path)
    assert {spec.reference(): spec for spec in specs} == {spec.reference(): spec for spec in selection.specs}
    with engines(target) as make:
        deploy(make(), specs)
    _same(settings(source), settings(target), OWN)


def test_the_flows_database(fresh: Callable[[], EmbeddedServer], tmp_path: Path) -> None:
    source, target = fresh(), fresh()
    with engines(source) as make:
        deploy(make(), declarations())
    _, selection = inspected(settings(source))
    assert [each for each in selection.left if each.class_ != "password"] == []
    declared = {spec.reference() for spec in declarations() if spec.KIND != "Grant"}
    assert declared <= {spec.reference() for spec in selection.specs}
    with engines(target) as make:
        deploy(make(), packaged(selection.specs, tmp_path))
    _same(settings(source), settings(target), FLOWS)


@pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB)
def test_on_a_server_of_many_processes(tmp_path: Path) -> None:
    with native.running(timescaledb=True) as source, native.running(timescaledb=True) as target:
        one, other = _settings_of(source), _settings_of(target)
        run_file(one, "shop.sql", "meters.sql")
        _, selection = inspected(one)
        assert [each for each in selection.left if each.class_ != "password"] == []
        engine = Engine(**other)
        try:
            deploy(engine, packaged(selection.specs, tmp_path))
        finally:
            engine.close()
        _same(one, other, OWN)


def _settings_of(dsn: str) -> Settings:
    parts = conninfo_to_dict(dsn)
    return {"host": str(parts["host"]), "port": int(str(parts["port"])), "user": str(parts["user"])}


def test_the_package_is_clean(fresh: Callable[[], EmbeddedServer], tmp_path: Path) -> None:
    """Formatted, linted, typed, by the tools themselves and the configuration that is written with it."""
    source = fresh()
    run_file(settings(source), "shop.sql", "meters.sql")
    _, selection = inspected(settings(source))
    package.write(package.files(selection.specs, "declared", "a test", "dev"), tmp_path)
    tools = Path(sys.executable).parent
    root = str(Path(__file__).parents[3])
    for command in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        arguments = [tools / command[0], *command[1:], *(["."] if command[0] == "ruff" else [])]
        done = subprocess.run(
            arguments,
            cwd=tmp_path,
            env={"MYPYPATH": root, "PATH": str(tools)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with pytest.raises(FileExistsError, match="__main__"):
        package.write({"__main__.py": "something else"}, tmp_path)
