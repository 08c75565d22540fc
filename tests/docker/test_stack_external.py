"""The external engine: a server that was there before, reached by TLS that is verified, without an API."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psycopg
import pytest

from flowsctl.containers.host import Host
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE

from ..provider import native
from . import tls_server
from .stacks import DockerStack, docker_stack, missing_plugins
from .tls_server import TlsServer


def why_not() -> str:
    if not native.has_timescaledb():
        return native.WHY_NO_TIMESCALEDB
    return missing_plugins("external") or ("" if shutil.which("openssl") else "openssl is not installed")


pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("external stack"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    with tls_server.running(tmp_path_factory.mktemp("tls")) as found:
        yield found


@pytest.fixture(scope="module")
def stack(server: TlsServer, host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    config = {
        "engine": "external",
        "disposable": "true",
        "host": server.host,
        "port": server.port,
        "adminUser": tls_server.ADMIN,
        "sslmode": "verify-full",
        "sslrootcert": server.authority.read_text(),
        "apiEnabled": "false",
    }
    patch = pytest.MonkeyPatch()
    patch.setenv(ADMIN_PASSWORD_VARIABLE, tls_server.PASSWORD)
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        yield found
        found.ctl("destroy", "--yes", "--purge", check=False)
    patch.undo()


def test_another_ca_is_refused(stack: DockerStack, server: TlsServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    wrong = tls_server.made_authority(tmp_path_factory.mktemp("tls") / "wrong")
    done = stack.ctl("up", "--config", f"sslrootcert={wrong}", check=False)
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert native.value(server.local, "SELECT count(*) FROM pg_roles WHERE rolname = 'api_owner'") == 0
    planned = stack.ctl("plan", "--config", f"sslrootcert={wrong}", check=False)
    assert "certificate verify failed" in planned.stderr


def test_a_database_to_come_is_planned(stack: DockerStack) -> None:
    assert stack.ctl("plan", "--sql", check=False).stdout.count("CREATE TABLE") > 20


def test_up_makes_database_and_roles_and_changes_nothing_twice(stack: DockerStack) -> None:
    stack.ctl("up")
    for verb in ("preview", "refresh", "preview"):
        assert stack.counts(verb) == {}
    assert stack.ctl("drift", check=False).returncode == 0


def test_roles_log_in_over_verified_tls(stack: DockerStack) -> None:
    outputs = stack.outputs()
    assert outputs["database"]["sslmode"] == "verify-full"
    assert outputs["api"] is None
    database, passwords = outputs["database"], outputs["secrets"]["passwords"]
    with psycopg.connect(database["dsn"].replace(tls_server.ADMIN, "flows"), password=passwords["flows"]) as session:
        row = session.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert row == (True, "TLSv1.3")


def test_the_password_is_nowhere_in_clear(stack: DockerStack) -> None:
    for path in (stack.root / ".flows").rglob("*"):
        if path.is_file():
            assert tls_server.PASSWORD not in path.read_text(encoding="utf-8", errors="replace"), path


def test_the_end_leaves_the_server_as_it_was(stack: DockerStack, server: TlsServer) -> None:
    stack.ctl("destroy", "--yes")
    names = "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database"
    assert native.value(server.local, names) == "postgres,template0,template1"
    roles = "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'"
    assert native.value(server.local, roles) == f"{tls_server.ADMIN},postgres"
