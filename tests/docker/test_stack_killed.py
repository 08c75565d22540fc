"""A stack with a hot standby, whose first runs are killed half-way: the next one converges, and nothing is left at the
end. In order."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from ..kills.cli import descendants
from ..stack import two_escos
from .stacks import DockerStack, docker_stack, edition_of, missing_plugins

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker killed"),
    pytest.mark.skipif(bool(missing_plugins()), reason=missing_plugins()),
]
PATIENCE = 300.0
STANDBY = "replica-1"
PSQL = ("psql", "-XqAt", "-h", "/var/lib/flows/run", "-U", "postgres", "-d")
LOCK = "BEGIN; LOCK pg_catalog.pg_database IN SHARE MODE; SELECT pg_sleep(300)"
LEDGER = "SELECT count(*) FROM pulumi_timescaledb.ledger"
ROWS = "SELECT count(*) FROM flows.register_interval_hh"
LAG = "SELECT application_name, state, replay_lag_bytes FROM monitoring.replication_lag"


@pytest.fixture(scope="module")
def stack(host: Host, image: str, api_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    config = {"engine": "docker", "edition": edition_of(host, image), "image": image, "apiImage": api_image}
    config |= {"disposable": "true", "replicas": "1"}
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        yield found


def ask(stack: DockerStack, database: str, sql: str, part: str = "database") -> str:
    """What a server says to its own superuser; "" where it does not answer. Needs nothing that only a finished run
    leaves."""
    try:
        done = stack.host.execute(stack.names.container(part), [*PSQL, database, "-c", sql])
    except FlowsError:  # no such container
        return ""
    return done.text if done.code == 0 else ""


def killed(stack: DockerStack, half_way: Callable[[], bool]) -> None:
    """An `up` of which every process is killed at once: flowsctl with the program in it, the engine, the plugins."""
    running, family = stack.start("up"), list[int]()
    deadline = time.monotonic() + PATIENCE
    try:
        while not half_way():
            assert running.poll() is None, f"it ended before:\n{running.communicate()}"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        family += descendants(running.pid)
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        running.communicate(timeout=PATIENCE)
    assert len(family) > 3, "neither engine nor plugin"
    assert running.returncode == -signal.SIGKILL


def made(stack: DockerStack) -> int:
    """How many objects the database has."""
    return int(ask(stack, "flows", LEDGER) or 0)


def test_killed_while_the_server_is_made(stack: DockerStack) -> None:
    """The container is there, and the state does not know it."""
    killed(stack, lambda: ("container", stack.names.container("database")) in stack.things())


def test_killed_while_the_database_is_made(stack: DockerStack) -> None:
    """PostgreSQL makes it nevertheless: only its table of databases is locked until the run is dead."""
    container = stack.names.container("database")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%' AND wait_event_type = 'Lock'"

    def hold() -> None:
        with contextlib.suppress(FlowsError):  # its session is ended below
            stack.host.execute(container, [*PSQL, "postgres", "-c", LOCK, "-c", "COMMIT"], timeout=PATIENCE)

    def locked_and_waiting() -> bool:
        if not holder.ident and stack.host.health(container)[0] == "healthy":
            holder.start()
        return ask(stack, "postgres", waits) == "1"

    holder = threading.Thread(target=hold)
    killed(stack, locked_and_waiting)
    ask(stack, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")
    holder.join()
    deadline = time.monotonic() + PATIENCE
    while ask(stack, "postgres", "SELECT count(*) FROM pg_database WHERE datname = 'flows'") != "1":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_killed_among_the_objects(stack: DockerStack) -> None:
    killed(stack, lambda: made(stack) > 100)
    assert made(stack) > 100


def test_the_next_run_converges(stack: DockerStack) -> None:
    stack.ctl("up")
    assert stack.counts("preview") == {}
    assert stack.ctl("plan").stdout.endswith("no change\n")  # after what the edition lacks
    networks = stack.host.client.networks.list(names=[f"^{stack.names.network}$"])
    assert len(networks) == 1


def test_the_standby_follows_and_its_lag_is_seen(stack: DockerStack) -> None:
    assert stack.host.health(stack.names.container(STANDBY))[0] == "healthy"
    with stack.connect() as connection:
        two_escos.load(connection)
    ((wanted,),) = stack.rows(ROWS)
    deadline = time.monotonic() + 60
    while (found := ask(stack, "flows", ROWS, STANDBY)) != str(wanted):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    ((name, state, lag),) = stack.rows(LAG)
    assert (name, state) == (STANDBY, "streaming")
    assert lag >= 0


def test_a_second_run_changes_nothing(stack: DockerStack) -> None:
    assert stack.counts("preview") == {}
    assert stack.counts("refresh") == {}


def test_without_a_daemon_the_error_says_so(stack: DockerStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{stack.root}/no-daemon.sock")
    for verb in ("preview", "refresh", "up", "plan"):
        done = stack.ctl(verb, check=False)
        assert done.returncode == 1
        assert f"no Docker daemon answers at unix://{stack.root}/no-daemon.sock: No such file" in done.stderr
        assert "install Docker and start it (systemctl start docker), or set DOCKER_HOST" in done.stderr


def test_it_leaves_nothing(stack: DockerStack) -> None:
    stack.ctl("destroy", "--yes", "--purge")
    assert stack.things() == []
