"""The external engine: a server that was there before, reached by TLS that is verified; the API is a container."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from components.containers.api import CERTIFICATE, TRUSTED
from flowsctl.containers.host import Host
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE

from ..provider import native
from ..stack import two_escos
from . import tls_server
from .plain import PATIENCE
from .stacks import DockerStack, docker_stack, missing_plugins
from .tls_server import TlsServer


def why_not() -> str:
    if not native.has_timescaledb():
        return native.WHY_NO_TIMESCALEDB
    return (
        missing_plugins("external")
        or missing_plugins()
        or ("" if shutil.which("openssl") else "openssl is not installed")
    )


pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("external stack"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture(scope="module")
def stack(
    server: TlsServer, host: Host, api_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DockerStack]:
    patch = pytest.MonkeyPatch()
    patch.setenv(ADMIN_PASSWORD_VARIABLE, tls_server.PASSWORD)
    with docker_stack(host, tmp_path_factory.mktemp("tree"), server.config() | {"apiImage": api_image}) as found:
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


def test_up_makes_database_roles_and_api_and_changes_nothing_twice(stack: DockerStack) -> None:
    assert "API ready after" in stack.ctl("up").stdout
    assert stack.things() == [("container", stack.names.container("api")), ("network", stack.names.network)]
    for verb in ("preview", "refresh", "preview"):
        assert stack.counts(verb) == {}
    assert stack.ctl("drift", check=False).returncode == 0


def test_roles_log_in_over_verified_tls(stack: DockerStack) -> None:
    outputs = stack.outputs()
    assert outputs["database"]["sslmode"] == "verify-full"
    database, passwords = outputs["database"], outputs["secrets"]["passwords"]
    with psycopg.connect(database["dsn"].replace(tls_server.ADMIN, "flows"), password=passwords["flows"]) as session:
        row = session.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert row == (True, "TLSv1.3")


def test_the_api_answers_a_token_with_its_own_rows_over_verified_tls(stack: DockerStack, server: TlsServer) -> None:
    with stack.connect(tls_server.ADMIN) as connection:
        two_escos.load(connection)
    bearer = {"Authorization": f"Bearer {stack.ctl('token', '--esco', 'ALPHA').stdout.strip()}"}
    answer = httpx.get(f"{stack.api}/escos", headers=bearer)
    assert [row["code"] for row in answer.json()] == [two_escos.ALPHA.code]
    assert httpx.get(f"{stack.api}/meter_registry", headers=bearer).json()
    assert httpx.get(f"{stack.api}/escos").status_code == 401
    sessions = """
        SELECT DISTINCT s.version FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
        WHERE a.usename = 'authenticator'
    """
    assert native.value(server.local, sessions) == "TLSv1.3"
    written = stack.host.execute(stack.names.container("api"), ["cat", "/etc/flows/api.conf"], user="root").text
    assert "sslmode=verify-full sslrootcert=/etc/flows/ca.pem" in written


def test_the_api_trusts_no_other_ca(stack: DockerStack, tmp_path: Path) -> None:
    container, wrong = stack.names.container("api"), tls_server.made_authority(tmp_path / "wrong")
    given = stack.host.execute(container, ["cat", "/etc/flows/ca.pem"], user="root").text
    write = ["sh", "-c", "cat > /etc/flows/ca.pem"]
    stack.host.execute(container, write, user="root", input=wrong.read_bytes())
    stack.host.restart(container)
    told(stack, "certificate verify failed")
    stack.host.execute(container, write, user="root", input=given.encode())
    stack.host.restart(container)
    stack.host.healthy(container, PATIENCE)


def test_without_a_ca_of_its_own_the_api_trusts_those_of_its_image(stack: DockerStack, server: TlsServer) -> None:
    """They verify, and do not know this server's."""
    container = stack.names.container("api")
    stack.host.execute(container, ["sed", "-i", f"s#{CERTIFICATE}#{TRUSTED}#", "/etc/flows/api.conf"], user="root")
    stack.host.restart(container)
    told(stack, "certificate verify failed")
    trusted = stack.host.execute(container, ["cat", TRUSTED], user="root").text
    assert trusted.count("BEGIN CERTIFICATE") > 100
    stack.host.execute(container, ["sed", "-i", f"s#{TRUSTED}#{CERTIFICATE}#", "/etc/flows/api.conf"], user="root")
    stack.host.restart(container)
    stack.host.healthy(container, PATIENCE)


def told(stack: DockerStack, text: str) -> None:
    """Waits until the API has said it since its last start."""
    running = stack.host.client.containers.get(stack.names.container("api"))
    since = datetime.fromisoformat(running.attrs["State"]["StartedAt"][:19] + "+00:00")
    deadline = time.monotonic() + PATIENCE
    while text not in running.logs(since=since).decode():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_an_api_that_was_stopped_is_started(stack: DockerStack) -> None:
    container = stack.names.container("api")
    stack.host.stop(container)
    assert f"started container {container}" in stack.ctl("up").stderr
    stack.host.healthy(container, PATIENCE)
    assert httpx.get(stack.api).status_code == 401


def test_an_api_that_was_removed_is_made_again(stack: DockerStack) -> None:
    stack.host.remove_one("container", stack.names.container("api"))
    assert "made again: container" in stack.ctl("up").stderr
    assert httpx.get(stack.api).status_code == 401


def test_the_password_is_nowhere_in_clear(stack: DockerStack) -> None:
    for path in (stack.root / ".flows").rglob("*"):
        if path.is_file():
            assert tls_server.PASSWORD not in path.read_text(encoding="utf-8", errors="replace"), path


def test_an_api_that_is_not_wanted_goes(stack: DockerStack, server: TlsServer, api_image: str) -> None:
    stack.configure(server.config() | {"apiEnabled": "false"})
    assert "database ready after" in stack.ctl("up").stdout
    assert stack.things() == []
    assert stack.json("outputs")["api"] is None
    stack.configure(server.config() | {"apiImage": api_image})
    stack.ctl("up")
    assert httpx.get(stack.api).status_code == 401


def test_the_end_leaves_the_server_as_it_was(stack: DockerStack, server: TlsServer) -> None:
    stack.ctl("destroy", "--yes")
    assert stack.things() == []
    names = "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database"
    assert native.value(server.local, names) == "postgres,template0,template1"
    roles = "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'"
    assert native.value(server.local, roles) == f"{tls_server.ADMIN},postgres"
