"""Every step of the migration guide, carried out as it is printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from flowsctl.pulumi_cli import find
from pulumi_timescaledb.local.server import EmbeddedServer

from .conftest import Stack
from .guide import PAGE, matches, run, section

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-guide")]


def on_path(stack: Stack) -> dict[str, str]:
    """flowsctl of the tree as a command."""
    return {"PATH": f"{stack.root / 'bin'}:{os.environ['PATH']}"}


def test_what_is_shown_is_compared() -> None:
    assert matches(["a", "...", "c..."], "a\nb\n\nb\nc and more\n")
    assert matches(["..."], "")
    assert not matches(["a"], "a\nb")
    assert not matches(["b", "..."], "a\nb")
    assert not matches([""], "words")


def test_the_page_has_its_sections() -> None:
    headings = ("Adopting an existing Flows database", "Moving to another server", "Changing a table safely")
    assert [len(section(heading)) > 8 for heading in headings] == [True, True, True]
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.M) == [*headings], "a section that no test runs"
    assert not re.search(r"^```(?!console|diff|$)", text, re.M), "a block that no test runs"


def test_changing_a_table_safely(new_stack: Callable[[], Stack]) -> None:
    stack = new_stack()
    stack.ctl("up")
    stack.ctl("demo", "load", "--escos", "1", "--meters", "10", "--days", "30")
    run(section("Changing a table safely"), stack.root, on_path(stack))


@pytest.fixture
def old(new_stack: Callable[[], Stack], tmp_path: Path) -> Iterator[tuple[Stack, EmbeddedServer]]:
    """A tree without a stack, and a Flows database that somebody made by hand, with a row in it."""
    stack = new_stack()
    script = stack.ctl("preview", "--sql").stdout
    server = EmbeddedServer(tmp_path / "old")
    server.ensure_running()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE keeper LOGIN SUPERUSER")
    file = tmp_path / "flows.sql"
    file.write_text(script, encoding="utf-8")
    psql = ["psql", server.dsn("keeper"), "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", str(file)]
    done = subprocess.run(psql, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(server.dsn("keeper"), autocommit=True) as connection:
        connection.execute("INSERT INTO flows.escos (code, name) VALUES ('OLDE', 'Older energy')")
    yield stack, server
    server.remove()


@pytest.mark.skipif(
    shutil.which("pulumi-language-python") is None or shutil.which("psql") is None,
    reason="no Python language host on PATH (it comes with the official Pulumi CLI), or no psql",
)
def test_adopting_an_existing_database(old: tuple[Stack, EmbeddedServer]) -> None:
    stack, server = old
    cli = find(stack.root)
    assert cli is not None
    path = on_path(stack)
    replaced = {"db.example.org": str(server.socket_dir), "dbname=flows": "dbname=postgres", "set database flows":
                "set database postgres"}  # fmt: skip
    environment = {"PATH": f"{cli.path.parent}:{path['PATH']}", "PULUMI_SKIP_UPDATE_CHECK": "true"}
    run(section("Adopting an existing Flows database"), stack.root, environment, replaced)
    with psycopg.connect(server.dsn("keeper"), autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM flows.escos").fetchone()
    assert row == (1,)
