"""Branch environments on a shared server: a database and roles each, found by label, gone without touching the others.

They share an origin stack on a server that speaks TLS only, in order: side by side, a clone, refusals, gc, destroy.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL
from flowsctl.containers.host import Host
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE
from flowsctl.environments.names import stack_of
from flowsctl.environments.server_claim import Label

from ..provider import native
from ..stack.conftest import Stack
from ..stack.test_environments import escos_by_api, listed
from . import tls_server
from .stacks import docker_stack
from .test_stack_external import why_not
from .tls_server import TlsServer

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("external environments"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
NAMES = ("feature/Add csq", "feature-add-csq")
COPY = "a copy"
Tree = tuple[Stack, str]
"""The tree, and the name of its stack on the server."""


@pytest.fixture(scope="module")
def tree(server: TlsServer, host: Host, api_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    config = server.config() | {"apiImage": api_image}
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(ADMIN_PASSWORD_VARIABLE, tls_server.PASSWORD)
            found.ctl("up")
        made = Stack(found.root)  # from now on only the stack's file has the password, encrypted
        made.longest = 900
        enter_esco(made, found.name, "ORIGIN")
        try:
            yield made, found.name
        finally:
            for name in (*NAMES, COPY, "foreign", "killed"):
                host.remove({PROJECT_LABEL: "flows", STACK_LABEL: stack_of(name)})


def session(tree: Stack, stack: str, user: str = "") -> psycopg.Connection[tuple[Any, ...]]:
    """As the administrator, or as a login role of the stack, whose name lacks the prefix."""
    outputs = tree.json("outputs", "--show-secrets", "--stack", stack)
    dsn, passwords = outputs["database"]["dsn"], outputs["secrets"]["passwords"]
    role = next(name for name in passwords if name == (f"{prefix(stack)}{user}" if user else tls_server.ADMIN))
    return psycopg.connect(
        dsn.replace(f"user={tls_server.ADMIN}", f"user={role}"), password=passwords[role], autocommit=True
    )


def prefix(stack: str) -> str:
    return Label("flows", stack, "", 0).prefix if stack.startswith("env-") else ""


def enter_esco(tree: Stack, stack: str, code: str) -> None:
    with session(tree, stack) as connection:
        connection.execute("INSERT INTO flows.escos (name, code) VALUES (%s, %s)", [code, code])


def escos(tree: Stack, stack: str) -> list[str]:
    """As the dashboards' login sees them."""
    with session(tree, stack, "grafanareader") as connection:
        return [str(row[0]) for row in connection.execute("SELECT code FROM flows.escos ORDER BY 1").fetchall()]


class Door(threading.Thread):
    """A login role of the origin at the door of a database, again and again: what it is told there."""

    ANSWERS = ("does not exist", "is not currently accepting connections", "permission denied for database")

    def __init__(self, tree: Stack, origin: str, database: str) -> None:
        super().__init__()
        with session(tree, origin, "grafanareader") as own:
            self.there = {**own.info.get_parameters(), "password": own.info.password, "dbname": database}
        self.said, self.came_in = dict.fromkeys(self.ANSWERS, 0), 0
        self.ended = threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            try:
                psycopg.connect(**self.there).close()
                self.came_in += 1
            except psycopg.OperationalError as error:
                self.said[next(answer for answer in self.ANSWERS if answer in str(error))] += 1


def databases(server: TlsServer) -> set[str]:
    with psycopg.connect(server.local, autocommit=True) as connection:
        return {str(row[0]) for row in connection.execute("SELECT datname FROM pg_database").fetchall()}


def roles(server: TlsServer, start: str) -> set[str]:
    with psycopg.connect(server.local, autocommit=True) as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [start]).fetchall()
    return {str(row[0]) for row in rows}


def test_side_by_side_each_login_and_api_has_its_own(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    running = [stack.start("env", "create", name, "--from", origin, "--ttl", "1h", "--json") for name in NAMES]
    made = []
    for process in running:
        out, err = process.communicate(timeout=900)
        assert process.returncode == 0, out + err
        made.append(json.loads(out))
    print(json.dumps([each["phases"] for each in made]))
    assert len({each["database"] for each in made} | {each["api"] for each in made}) == 4
    for each in made:  # no moment later: it waited until its API had answered
        assert each["phases"]["up: API process"] > 0
        assert httpx.get(each["api"]).status_code == 401
    for number, each in enumerate(made):
        enter_esco(stack, each["stack"], f"ESCO{number}")
    for number, each in enumerate(made):
        assert escos(stack, each["stack"]) == [f"ESCO{number}"]
        assert len(roles(server, prefix(each["stack"]))) == 7  # six roles and the claim
        assert escos_by_api(stack, each, f"ESCO{number}") == [f"ESCO{number}"]
        assert stack.json("preview", "--stack", each["stack"])["changes"] == []
    assert escos(stack, origin) == ["ORIGIN"]


def test_a_login_of_one_is_nobody_in_the_other(tree: Tree) -> None:
    stack = tree[0]
    one, other = (stack_of(name) for name in NAMES)
    own = session(stack, one, "flows")
    with own:
        there = {**own.info.get_parameters(), "password": own.info.password}
        there["dbname"] = Label("flows", other, "", 0).database
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(**there)


def test_the_names_on_the_server_are_taken_once(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    label = Label("flows", stack_of("foreign"), "foreign", time.time() + 3600, "another tree's")
    with psycopg.connect(server.local, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {label.prefix}environment".encode())
        refused = stack.ctl("env", "create", "foreign", "--from", origin, check=False)
        assert refused.returncode == 1
        assert "which this one has not made" in refused.stderr
        assert "foreign" not in listed(stack)
        assert roles(server, label.prefix) == {f"{label.prefix}environment"}
        connection.execute(f"DROP ROLE {label.prefix}environment".encode())


def test_a_clone_waits_for_nobody_unless_told(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    with session(stack, origin) as busy:
        refused = stack.ctl("env", "create", COPY, "--from", origin, "--data", "clone", check=False)
        assert refused.returncode == 1
        assert "is in use by " in refused.stderr
        assert busy.execute("SELECT 1").fetchone() == (1,)
        assert COPY not in listed(stack)
        assert roles(server, prefix(stack_of(COPY))) == set()
        door = Door(stack, origin, Label("flows", stack_of(COPY), "", 0).database)
        with door:
            made = stack.json("env", "create", COPY, "--from", origin, "--data", "clone", "--disconnect")
        print(json.dumps(made["phases"]), door.said)
        assert door.came_in == 0
        assert door.said["permission denied for database"] > 10
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
    origins_api = {"stack": origin, "api": stack.json("outputs", "--stack", origin)["api"]["url"]}
    assert escos_by_api(stack, origins_api, "ORIGIN") == ["ORIGIN"]  # it was ended too, and connected again


def test_the_clone_has_the_rows_and_none_of_the_origins_roles(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    clone = stack_of(COPY)
    assert escos(stack, clone) == ["ORIGIN"]
    enter_esco(stack, clone, "ONLYCOPY")
    assert escos_by_api(stack, listed(stack)[COPY], "ONLYCOPY") == ["ONLYCOPY"]
    for each in (origin, clone):
        assert stack.json("preview", "--stack", each)["changes"] == []
        assert "no drift" in stack.ctl("drift", "--stack", each).stdout
        # pulumi-postgresql's part is compared with the server here
        assert {k: n for k, n in stack.json("refresh", "--stack", each)["counts"].items() if n and k != "same"} == {}
    assert escos(stack, origin) == ["ORIGIN"]
    left = """
        SELECT DISTINCT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
        JOIN pg_database b ON b.oid = d.dbid WHERE b.datname = %s AND r.rolname NOT IN (%s, 'postgres')
    """
    with psycopg.connect(server.local, autocommit=True) as connection:
        named = connection.execute(left, [Label("flows", clone, "", 0).database, tls_server.ADMIN]).fetchall()
        assert {role for (role,) in named if not role.startswith(prefix(clone))} == set()
        comment = "SELECT shobj_description('grafanareader'::regrole, 'pg_authid')"
        assert connection.execute(comment).fetchone() == ("Dashboards and monitoring, read only.",)
    with session(stack, origin) as connection:
        limit = connection.execute(
            "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'grafanareader'::regrole AND setdatabase <> 0"
        ).fetchone()
    assert limit == (["default_transaction_read_only=on"],)


def test_the_origins_jobs_go_on(tree: Tree, server: TlsServer) -> None:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = 'flows' AND backend_type LIKE 'TimescaleDB%Scheduler'"
    deadline = time.monotonic() + 90
    while native.value(server.local, query) != 1:
        assert time.monotonic() < deadline
        time.sleep(1)


def test_gc_takes_exactly_what_is_due(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    process = stack.start("env", "create", "killed", "--from", origin)
    database = Label("flows", stack_of("killed"), "", 0).database
    deadline = time.monotonic() + 120
    while database not in databases(server):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    stack.ctl("env", "extend", NAMES[1], "--ttl", "1s")
    time.sleep(1.1)
    before, told = databases(server), stack.json("env", "gc", "--dry-run", "--on", origin)
    assert {each["name"] for each in told["due"]} == {"killed", NAMES[1]}
    assert databases(server) == before
    report = stack.json("env", "gc", "--on", origin)
    assert report["failed"] == []
    gone = {Label("flows", stack_of(name), "", 0) for name in ("killed", NAMES[1])}
    assert databases(server) == before - {label.database for label in gone}
    assert [roles(server, label.prefix) for label in gone] == [set(), set()]
    assert escos(stack, stack_of(NAMES[0])) == ["ESCO0"]


def test_what_another_tree_left_is_taken_by_its_label_once_it_is_due(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    record = stack.root / ".flows" / "stacks" / stack_of(NAMES[0]) / "environment.json"
    kept = record.read_text()
    record.write_text(json.dumps({**json.loads(kept), "claim": "unknown here"}))
    assert stack.json("env", "gc", "--on", origin)["due"] == []
    names = {each["name"] for each in json.loads(stack.ctl("env", "list", "--on", origin, "--json").stdout)}
    assert names == {NAMES[0], COPY}
    stack.ctl("env", "destroy", NAMES[0], "--yes")  # its record is not the one that made them: the server keeps all
    label = Label("flows", stack_of(NAMES[0]), "", 0)
    assert label.database in databases(server)
    text = json.loads(kept)
    soon = Label("flows", text["stack"], text["name"], time.time() - 1, text["claim"])
    with psycopg.connect(server.local, autocommit=True) as connection:
        connection.execute(f"COMMENT ON ROLE {label.prefix}environment IS '{json.dumps(vars(soon))}'".encode())
    assert [each["name"] for each in stack.json("env", "gc", "--on", origin)["due"]] == [NAMES[0]]
    assert label.database not in databases(server)
    assert roles(server, label.prefix) == set()


def test_destroy_leaves_the_origin_as_it_was(tree: Tree, server: TlsServer) -> None:
    stack, origin = tree
    stack.ctl("env", "destroy", COPY, "--yes")
    assert databases(server) == {"flows", "postgres", "template0", "template1"}
    assert roles(server, "env_") == set()
    assert escos(stack, origin) == ["ORIGIN"]
    assert "no environments" in stack.ctl("env", "list", "--on", origin).stdout
    stack.ctl("destroy", "--yes", "--purge", "--stack", origin)
    assert databases(server) == {"postgres", "template0", "template1"}
