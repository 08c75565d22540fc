"""Whole stacks for the tests: a copy of the working tree in a temporary folder, brought up by its own flowsctl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from flowsctl.database import remove_local_processes
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import Workspace, repository

from . import two_escos
from .two_escos import Esco

HIDDEN = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
READY = "FLOWS_TEST_STACK"
"""Names a tree whose stack is up already and stays up: `FLOWS_TEST_STACK=. pytest tests/stack/test_api.py` is fast."""

Connection = psycopg.Connection[tuple[Any, ...]]


class Stack:
    """Stack `local` of the tree in `root`."""

    longest = 400.0
    """Seconds that one command may take."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Any] = {}
        self._runs = 0

    def ctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run flowsctl; with `check` it must exit with 0."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=self.longest)
        done = subprocess.CompletedProcess(arguments, process.returncode, out, err)
        assert not check or done.returncode == 0, f"flowsctl {' '.join(arguments)}: {done.returncode}\n{out}\n{err}"
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """flowsctl as a process, with this stack's files and nobody's terminal."""
        return subprocess.Popen(
            [self.root / "bin" / "flowsctl", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key not in HIDDEN},
        )

    def json(self, *arguments: str, check: bool = True) -> dict[str, Any]:
        """The --json report of a command."""
        return dict(json.loads(self.ctl(*arguments, "--json", check=check).stdout))

    def outputs(self) -> dict[str, Any]:
        """What `outputs --json --show-secrets` says; asked once."""
        if not self._known:
            self._known = self.json("outputs", "--show-secrets")
        return self._known

    @property
    def api(self) -> str:
        """URL of the API."""
        return str(self.outputs()["api"]["url"])

    def dsn(self, user: str = "tsdbadmin") -> str:
        """libpq connection string of a login role, password included where it has one."""
        database, passwords = self.outputs()["database"], self.outputs()["secrets"]["passwords"]
        text = f"host={database['host']} port={database['port']} dbname={database['name']} user={user}"
        return make_conninfo(text, password=passwords[user]) if user in passwords else text

    def connect(self, user: str = "tsdbadmin") -> Connection:
        """A connection in autocommit."""
        return psycopg.connect(self.dsn(user), autocommit=True, prepare_threshold=None)

    def rows(self, sql: str, *parameters: Any, user: str = "tsdbadmin") -> list[tuple[Any, ...]]:
        """The rows of one query."""
        with self.connect(user) as connection:
            return connection.execute(sql.encode(), parameters or None).fetchall()

    def token(self, *, key: str = "", algorithm: str = "HS256", **claims: Any) -> str:
        """A token with any claims; role, iat and exp have working defaults, None leaves a claim out."""
        now = int(time.time())
        everything = {"role": "public_backend", "iat": now, "exp": now + 900, **claims}
        stated = {name: value for name, value in everything.items() if value is not None}
        if algorithm == "none":
            return jwt.encode(stated, None, algorithm="none")
        return jwt.encode(stated, key or self.outputs()["secrets"]["jwt"], algorithm=algorithm)


@pytest.fixture(scope="session")
def new_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Stack]]:
    """Makes stacks of their own, not yet up; they are destroyed at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ and not any("@" in item.nodeid for item in request.session.items):
        pytest.fail("xdist_group is not obeyed, so tests in order would be torn apart: --dist loadgroup, pytest < 9.2")
    made: list[Stack] = []

    def make() -> Stack:
        made.append(Stack(copy_of_tree(repository(), tmp_path_factory.mktemp("tree"))))
        return made[-1]

    yield make
    for each in made:
        try:
            each.ctl("destroy", "--yes", "--purge")
        finally:  # no test, however it failed, leaves a process
            remove_local_processes(Workspace(each.root, "local"))
            shutil.rmtree(each.root)


@pytest.fixture(scope="session")
def stack(new_stack: Callable[[], Stack]) -> Stack:
    """A stack that is up and holds the rows of two escos. Tests share it and leave it as they found it."""
    if os.environ.get(READY):
        found = Stack(Path(os.environ[READY]).resolve())
    else:
        found = new_stack()
        found.ctl("up")
    with found.connect() as connection:
        two_escos.load(connection)
    return found


@pytest.fixture(scope="session")
def escos(stack: Stack) -> tuple[Esco, Esco]:
    """The two escos of the shared stack."""
    return two_escos.ALPHA, two_escos.BRAVO


@pytest.fixture
def admin(stack: Stack) -> Iterator[Connection]:
    """The administrator in a transaction that is rolled back. The embedded server serves nobody else until then."""
    with stack.connect() as connection, connection.transaction(force_rollback=True):
        yield connection
