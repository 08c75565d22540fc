"""A change of a stack on a shared server, proved on a copy made there: the server is as before, however it ended."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from flowsctl.containers.host import Host
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE

from ..provider import native
from ..stack import test_review
from . import tls_server
from .stacks import DockerStack, docker_stack
from .test_environments_external import databases, roles
from .test_prove import EDITS, OVERDUE, RETENTION, copies, edit, rows, until_engine
from .test_stack_external import why_not
from .tls_server import TlsServer

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("external prove"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
METERS = 100_000
DROPPED = {"flows/views.py": test_review.EDITS["flows/views.py"]}
"""A view less, which the original must keep."""


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
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(ADMIN_PASSWORD_VARIABLE, tls_server.PASSWORD)
            found.ctl("up")  # from now on only the stack's file has the password, encrypted
        with origin(server) as session:
            session.execute(rows(METERS) + OVERDUE.encode())
        edit(found.root, EDITS | RETENTION | DROPPED)
        edit(found.root, {"flows/views.py": (test_review.VIEW_QUERY, "")})
        yield found


def origin(server: TlsServer) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(server.local.replace("dbname=postgres", "dbname=flows"), autocommit=True)


def nothing_left(stack: DockerStack, server: TlsServer) -> None:
    assert copies(stack) == []
    assert databases(server) == {"flows", "postgres", "template0", "template1"}
    assert roles(server, "env_") == set()


def test_clients_are_named_and_left_alone(stack: DockerStack, server: TlsServer) -> None:
    with origin(server) as busy:
        busy.execute("SET application_name TO 'dashboards'")
        refused = stack.ctl("preview", "--prove", check=False)
        assert refused.returncode == 1
        assert "is in use by 1 sessions (dashboards)" in refused.stderr
        assert "add --against COMMIT" in refused.stderr
        assert "--disconnect" not in refused.stderr
        assert busy.execute("SELECT 1").fetchone() == (1,)
    nothing_left(stack, server)


def test_proved_beside_the_original(stack: DockerStack, server: TlsServer) -> None:
    began = time.monotonic()
    done = stack.ctl("preview", "--prove", "--json", check=False)
    print(f"proved in {time.monotonic() - began:.0f} s\n{done.stdout}{done.stderr}")
    assert done.returncode == 2, done.stdout + done.stderr
    proof = json.loads(done.stdout)["proof"]
    assert proof["holds"]
    assert proof["secondPreview"] == proof["changedTables"] == proof["strongerThanPlanned"] == []
    assert proof["untouchedTables"] > 20
    assert proof["locks"]["Table flows.meter_registry"]["flows.meter_registry"] == "ACCESS EXCLUSIVE"
    assert proof["locks"]["Index flows.meter_registry_firmware"]["flows.meter_registry"] == "SHARE UPDATE EXCLUSIVE"
    wait = proof["waits"]["tables"]["flows.meter_registry"]
    assert 0.1 < wait["seconds"] < 120
    assert wait["waitedFor"].startswith("Table flows.meter_registry: ALTER TABLE")
    nothing_left(stack, server)
    column = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'flows.meter_registry'::regclass AND attname = 'imsi'"
    with origin(server) as session:
        assert session.execute(column.encode()).fetchone() == (0,)
        views = session.execute("SELECT count(*) FROM pg_views WHERE viewname = 'meters_clock_drift'")
        assert views.fetchone() == (2,), "a view was dropped from the original"


def test_gc_finds_what_a_killed_proof_left(stack: DockerStack, server: TlsServer) -> None:
    process = stack.start("preview", "--prove")
    deadline = time.monotonic() + 300
    while not (names := copies(stack)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    until_engine(stack, names[0])
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert any("trial" in name for name in databases(server))
    assert names[0] in {each["stack"] for each in stack.json("env", "gc")["due"]}
    nothing_left(stack, server)


def test_the_stack_goes_on(stack: DockerStack, server: TlsServer) -> None:
    stack.ctl("destroy", "--yes", "--purge")
    assert native.value(server.local, "SELECT count(*) FROM pg_database WHERE datname = 'flows'") == 0
