"""Real embedded servers for the tests: one template per run, one copy of it per test module."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pulumi_timescaledb.local.server import EmbeddedServer

from .engine import Engine, engines, wipe

Connection = psycopg.Connection[tuple[object, ...]]


def connect(server: EmbeddedServer, user: str = "postgres", **options: object) -> Connection:
    """Open an autocommit connection; `options` are those of psycopg.connect."""
    return psycopg.connect(server.dsn(user), autocommit=True, **options)  # type: ignore[arg-type]


def one(connection: Connection, sql: str) -> object:
    """Return the first column of the first row of `sql`."""
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(scope="session")
def template_server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A booted and stopped server folder with the timescaledb extension created; copy it, never start it."""
    server = EmbeddedServer(tmp_path_factory.mktemp("template") / "server")
    server.ensure_running()
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    finally:
        server.stop()
    return server.folder


@pytest.fixture(scope="session")
def server_factory(
    template_server_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., EmbeddedServer]]:
    """Make servers from the template: `server_factory(**options of EmbeddedServer)`; not started, removed at last."""
    made: list[EmbeddedServer] = []

    def make(**options: float) -> EmbeddedServer:
        folder = tmp_path_factory.mktemp("server") / "server"
        folder.mkdir(mode=0o700)
        shutil.copytree(template_server_folder / "data", folder / "data")
        server = EmbeddedServer(folder, **options)  # type: ignore[arg-type]
        made.append(server)
        return server

    yield make
    for server in made:
        server.remove()


@pytest.fixture(scope="module")
def server(server_factory: Callable[..., EmbeddedServer]) -> Iterator[EmbeddedServer]:
    """A running server of this test module, with the timescaledb extension and nothing else in it."""
    server = server_factory()
    server.ensure_running()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def dsn(server: EmbeddedServer) -> str:
    """Connection string of the superuser on this module's server."""
    return server.dsn()


@pytest.fixture(scope="session")
def shared_dsn(server_factory: Callable[..., EmbeddedServer]) -> str:
    """Superuser on a server that tests share: whoever uses it rolls back what it does."""
    server = server_factory()
    server.ensure_running()
    return server.dsn()


@pytest.fixture(scope="module")
def roles_and_table(server: EmbeddedServer) -> None:
    """Login roles alice and bob (who has settings of his own), nobody who may not log in, and an open table t."""
    with connect(server) as admin:
        admin.execute("CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE nobody NOLOGIN")
        admin.execute("ALTER ROLE bob SET search_path TO pg_catalog; ALTER ROLE bob SET app.team TO 'b \\ ''x'")
        admin.execute("CREATE TABLE t (a int); GRANT ALL ON t TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC")


@pytest.fixture
def make(server: EmbeddedServer) -> Iterator[Callable[..., Engine]]:
    """Makes engines, each a plugin process of its own, on this module's server, emptied first."""
    wipe(server)
    with engines(server) as made:
        yield made


@pytest.fixture
def offline() -> Iterator[Engine]:
    """An engine without a server; nothing may connect."""
    engine = Engine(host="/nonexistent", port=1, user="nobody")
    yield engine
    assert not engine.connected()
    engine.close()
