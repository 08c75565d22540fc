"""The external engine with an administrator who is no superuser, as on managed servers: what it lacks is said first,
and with that everything works, environments and copies of a database in use too.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from flowsctl.containers.host import Host
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE
from flowsctl.environments.names import stack_of
from flowsctl.environments.server_claim import Label

from ..provider import native
from ..stack import two_escos
from ..stack.conftest import Stack
from . import tls_server
from .stacks import DockerStack, docker_stack
from .test_stack_external import why_not
from .tls_server import ADMIN, TlsServer

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("external administrator"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
NEEDED = (f"ALTER ROLE \"{ADMIN}\" SET createrole_self_grant TO 'set, inherit'",)
BY_SUPERUSER = (f'GRANT pg_monitor TO "{ADMIN}" WITH ADMIN OPTION',)
OURS = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^env_' OR rolname = 'api_owner'"


@pytest.fixture(scope="module")
def server(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    folder = tmp_path_factory.mktemp("tls")
    with tls_server.running(folder, tls_server.gateway(host), "CREATEROLE CREATEDB") as found:
        yield found


@pytest.fixture(scope="module")
def stack(server: TlsServer, host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    config = server.config() | {"apiEnabled": "false"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ADMIN_PASSWORD_VARIABLE, tls_server.PASSWORD)
        with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
            yield found


def escos(stack: DockerStack, server: TlsServer, database: str) -> int:
    with psycopg.connect(server.local.replace("dbname=postgres", f"dbname={database}")) as session:
        row = session.execute("SELECT count(*) FROM flows.escos").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_what_it_lacks_is_said_before_anything_is_made(stack: DockerStack, server: TlsServer, verb: str) -> None:
    refused = stack.ctl(verb, check=False)
    assert refused.returncode == 3
    assert [line for line in (*NEEDED, *BY_SUPERUSER) if line not in refused.stderr] == []
    assert 'ALTER ROLE "owner" CREATE' not in refused.stderr  # what it has is not asked for
    assert native.value(server.local, OURS) == 0


def test_with_what_was_said_the_whole_stack_is_made(stack: DockerStack, server: TlsServer) -> None:
    with psycopg.connect(server.local, autocommit=True) as session:
        for statement in (*NEEDED, *BY_SUPERUSER):
            session.execute(statement.encode())
    stack.ctl("up")
    for verb in ("preview", "refresh"):
        assert stack.counts(verb) == {}
    assert "no drift" in stack.ctl("drift").stdout
    with stack.connect(ADMIN) as session:
        assert session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
        two_escos.load(session)


def test_an_environment_with_demo_data(stack: DockerStack, server: TlsServer) -> None:
    stack.ctl("env", "create", "demo", "--from", stack.name, "--data", "demo")
    label = Label("flows", stack_of("demo"), "", 0)
    assert escos(stack, server, label.database) == 2
    stack.ctl("env", "destroy", "demo", "--yes")
    assert native.value(server.local, f"SELECT count(*) FROM pg_database WHERE datname = '{label.database}'") == 0


def test_a_copy_of_a_database_in_use(stack: DockerStack, server: TlsServer) -> None:
    label = Label("flows", stack_of("copy"), "", 0)
    with stack.connect("flows") as busy:
        refused = stack.ctl("env", "create", "copy", "--from", stack.name, "--data", "clone", check=False)
        assert "is in use by 1 sessions" in refused.stderr
        stack.ctl("env", "create", "copy", "--from", stack.name, "--data", "clone", "--disconnect")
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
    assert escos(stack, server, label.database) == 2
    assert Stack(stack.root).json("preview", "--stack", stack_of("copy"))["changes"] == []
    stack.ctl("env", "destroy", "copy", "--yes")
    assert native.value(server.local, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^env_'") == 0


def test_the_end_leaves_the_server_as_it_was(stack: DockerStack, server: TlsServer) -> None:
    stack.ctl("destroy", "--yes", "--purge")
    assert native.value(server.local, OURS) == 0
    assert native.value(server.local, "SELECT count(*) FROM pg_database WHERE datname !~ '^(postgres|template)'") == 0
