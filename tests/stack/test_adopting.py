"""Adopting a database that people made by hand: flowsctl inspect, the program it writes, the real Pulumi engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flowsctl.pulumi_cli import find
from pulumi_timescaledb.local.server import EmbeddedServer

from .test_alone import RUNNER

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("adopting")]
SQL = ROOT / "tests" / "provider" / "inspection"


def made_by_hand(folder: Path) -> Iterator[EmbeddedServer]:
    """A database with tables, aggregates, roles and rights of somebody else's making."""
    made = EmbeddedServer(folder)
    made.ensure_running()
    with psycopg.connect(made.dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE keeper LOGIN SUPERUSER; CREATE EXTENSION timescaledb")
    with psycopg.connect(made.dsn("keeper"), autocommit=True, prepare_threshold=None) as connection:
        for name in ("shop.sql", "meters.sql"):
            connection.execute((SQL / name).read_bytes())
    yield made
    made.remove()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    yield from made_by_hand(tmp_path_factory.mktemp("server") / "server")


def inspect(server: EmbeddedServer, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "bin" / "flowsctl", "inspect", server.dsn("keeper"), "--out", out, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def operate(folder: Path, verb: str, server: EmbeddedServer, *, adopt: bool = False) -> Any:
    """One operation of the written program; its report, or its words when it fails."""
    cli = find(ROOT)
    assert cli is not None
    settings = {"host": str(server.socket_dir), "port": str(server.port), "user": "keeper"}
    environment = {
        "PATH": os.pathsep.join([str(cli.path.parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "of this test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **({"ADOPT": "1"} if adopt else {}),
    }
    done = subprocess.run(
        [sys.executable, "runner.py", verb, json.dumps(settings)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stdout + done.stderr


def test_inspect_adopt_nothing_to_do(server: EmbeddedServer, tmp_path: Path) -> None:
    report = inspect(server, tmp_path, "--package", "metrics", "--json")
    assert report.returncode == 0, report.stderr
    declared = len(json.loads((tmp_path / "import.json").read_text())["resources"])
    assert declared > 190
    (tmp_path / "runner.py").write_text(RUNNER)
    (tmp_path / "state").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    plugin = ROOT / "pulumi_timescaledb" / "plugin" / "pulumi-resource-timescaledb"
    (tmp_path / ".venv" / "bin" / plugin.name).symlink_to(plugin)

    refused = operate(tmp_path, "preview", server)  # without ADOPT they would be made, and they are there
    assert "adopt it" in refused or refused["changes"]["create"] > declared, refused
    planned = operate(tmp_path, "preview", server, adopt=True)
    # The stack, the provider, the Manifest and the Seal are new; nothing else is made.
    assert planned["changes"] == {"import": declared, "create": 4}, planned
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        made = connection.execute("SELECT to_regclass('pulumi_timescaledb.ledger')").fetchone()
        assert made == (None,)  # a preview writes nothing
        done = operate(tmp_path, "up", server, adopt=True)
        assert done["changes"] == {"import": declared, "create": 4}, done
        counted = connection.execute("SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NULL").fetchone()
        assert counted == (declared,)
    for adopt in (True, False):  # the switch may stay on, and may go
        again = operate(tmp_path, "preview", server, adopt=adopt)
        assert again["changes"] == {"same": declared + 4}, again
    refreshed = operate(tmp_path, "refresh", server)
    assert refreshed["changes"] == {"same": declared + 4}, refreshed


def test_what_is_there_is_not_written_over(server: EmbeddedServer, tmp_path: Path) -> None:
    assert inspect(server, tmp_path).returncode == 0
    assert inspect(server, tmp_path).returncode == 0  # the same again
    (tmp_path / "declared" / "__init__.py").write_text("# mine\n")
    refused = inspect(server, tmp_path)
    assert refused.returncode == 1
    assert "__init__.py is there already" in refused.stderr
    assert (tmp_path / "declared" / "__init__.py").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("dsn", "arguments", "words"),
    [
        ("postgresql://nobody@127.0.0.1:1/x", [], "cannot connect"),
        ("this is no dsn", [], "not understood"),
        ("postgresql://a@b/c", ["--package", "class"], "cannot be the name of a package"),
    ],
)
def test_errors_are_sentences(tmp_path: Path, dsn: str, arguments: list[str], words: str) -> None:
    command = [ROOT / "bin" / "flowsctl", "inspect", dsn, "--out", tmp_path / "out", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
