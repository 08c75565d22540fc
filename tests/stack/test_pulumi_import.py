"""`pulumi import --file` with the file that `flowsctl inspect` wrote, by the Pulumi command alone, as docs/adopting.md
says. Needs Pulumi's Python language host, which comes with the official CLI and is not part of a build from its Go
module."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from flowsctl.pulumi_cli import find
from pulumi_timescaledb.local.server import EmbeddedServer

from .test_adopting import ROOT, inspect, made_by_hand

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("adopting"),
    pytest.mark.skipif(
        shutil.which("pulumi-language-python") is None,
        reason="no Python language host on PATH (it comes with the official Pulumi CLI)",
    ),
]
STACK = "production"
Pulumi = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    yield from made_by_hand(tmp_path_factory.mktemp("server") / "server")


@pytest.fixture
def pulumi(server: EmbeddedServer, tmp_path: Path) -> Pulumi:
    """The Pulumi command in the folder of the written program, whose .venv has what this one has."""
    assert inspect(server, tmp_path, "--package", "metrics", "--stack", STACK).returncode == 0
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    (packages,) = (tmp_path / ".venv" / "lib").glob("python*/site-packages")
    (packages / "repository.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    plugin = ROOT / "pulumi_timescaledb" / "plugin" / "pulumi-resource-timescaledb"
    (tmp_path / ".venv" / "bin" / plugin.name).symlink_to(plugin)
    (tmp_path / "state").mkdir()
    cli = find(ROOT)
    assert cli is not None
    environment = {
        "PATH": os.pathsep.join([str(cli.path.parent), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "of this test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [cli.path, *arguments, "--non-interactive"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_file_imports_everything_and_nothing_is_left_to_do(
    pulumi: Pulumi, server: EmbeddedServer, tmp_path: Path
) -> None:
    pulumi("stack", "init", STACK)
    for key, value in {"host": str(server.socket_dir), "port": str(server.port), "user": "keeper"}.items():
        pulumi("config", "set", key, value)
    resources = json.loads((tmp_path / "import.json").read_text())["resources"]
    pulumi("up", "--yes", "--target", f"urn:pulumi:{STACK}::metrics::pulumi:providers:timescaledb::database")
    told = pulumi("import", "--file", "import.json", "--generate-code=false", "--protect=false", "--yes")
    assert f"= {len(resources)} imported" in told
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        assert connection.execute("SELECT to_regclass('pulumi_timescaledb.ledger')").fetchone() == (None,)
        told = pulumi("up", "--yes")
        assert "+ 2 created" in told  # Manifest and Seal
        assert "~ 1 updated" in told  # the extension, whose version the program leaves to the server
        counted = connection.execute("SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NULL").fetchone()
        assert counted == (len(resources),)
        history = connection.execute("SELECT count(*) FROM pulumi_timescaledb.history WHERE statements <> '{}'")
        assert history.fetchone() == (0,)  # and nothing was changed
    pulumi("preview", "--expect-no-changes")
    pulumi("refresh", "--yes", "--expect-no-changes")
