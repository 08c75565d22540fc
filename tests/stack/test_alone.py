"""The provider without the rest of this repository: its wheel in an empty environment, the program of docs/provider.md,
the real Pulumi CLI, no Node, a server it is only told the address of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flowsctl.pulumi_cli import find
from pulumi_timescaledb.local.ports import free_port
from pulumi_timescaledb.local.server import EmbeddedServer

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("alone")]

RUNNER = """
import json, runpy, sys
from pulumi import automation

verb, settings = sys.argv[1], json.loads(sys.argv[2])
stack = automation.create_or_select_stack(
    "dev", "metrics", lambda: runpy.run_path("__main__.py"),
    opts=automation.LocalWorkspaceOptions(work_dir=sys.path[0]),
)
stack.set_all_config({key: automation.ConfigValue(value) for key, value in settings.items()})
lines = []
result = getattr(stack, verb)(on_output=lines.append, color="never")
changes = result.change_summary if verb == "preview" else result.summary.resource_changes
print(json.dumps({"changes": changes, "text": "\\n".join(lines)}))
"""
"""Runs the program beside it; the Automation API stands in for the language host, which a built CLI has not."""


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of one language under a heading of docs/provider.md."""
    text = (ROOT / "docs" / "provider.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel and what pip brings with it."""
    folder = tmp_path_factory.mktemp("alone")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    # The versions this repository pins; extras are not allowed in constraints.
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    (folder / "pins.txt").write_text(re.sub(r"\[\w+\]", "", pins))
    subprocess.run([sys.executable, "-m", "venv", folder / ".venv"], check=True)
    pip = [folder / ".venv" / "bin" / "pip", "install", "--quiet", "--constraint", folder / "pins.txt"]
    subprocess.run([*pip, wheel], check=True, env={**os.environ, "PYTHONPATH": ""})
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server that runs already, with a user of the provider's own."""
    made = EmbeddedServer(tmp_path_factory.mktemp("server") / "server", tcp_port=free_port())
    made.ensure_running()
    with psycopg.connect(made.dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE builder LOGIN SUPERUSER; CREATE EXTENSION timescaledb")
    yield made
    made.remove()


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Any:
    """`run(verb, **config)`: one operation of the documented program; its report, or its words when it fails."""
    cli = find(ROOT)
    assert cli is not None
    (tmp_path / "__main__.py").write_text(blocks("Using it alone", "python")[0])
    (tmp_path / "Pulumi.yaml").write_text(blocks("Using it alone", "yaml")[0])
    (tmp_path / "runner.py").write_text(RUNNER)
    (tmp_path / ".venv").symlink_to(environment / ".venv")
    (tmp_path / "state").mkdir()
    path = os.pathsep.join([str(environment / ".venv" / "bin"), str(cli.path.parent)])
    assert shutil.which("node", path=path) is None

    def operate(verb: str, **config: str) -> Any:
        done = subprocess.run(
            [environment / ".venv" / "bin" / "python", "runner.py", verb, json.dumps(config)],
            cwd=tmp_path,
            env={
                "PATH": path,
                "HOME": str(tmp_path),
                "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
                "PULUMI_CONFIG_PASSPHRASE": "of this test",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else done.stdout + done.stderr

    return operate


def test_the_program_is_ten_lines() -> None:
    program, *_ = blocks("Using it alone", "python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    assert "flows" not in program


@pytest.mark.parametrize("address", ["socket", "tcp"])
def test_up_nothing_to_do_destroy(run: Any, server: EmbeddedServer, address: str) -> None:
    settings = {"user": "builder", "host": str(server.socket_dir)}
    if address == "tcp":
        settings |= {"host": "127.0.0.1", "port": str(server.tcp_port), "password": "secret"}
    assert run("up", **settings)["changes"] == {"create": 8}
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        row = connection.execute("SELECT hypertable_name, num_dimensions FROM timescaledb_information.hypertables")
        assert row.fetchall() == [("cpu", 1)]
        connection.execute("INSERT INTO metrics.cpu VALUES (now(), 0.5)")
        assert run("preview", **settings)["changes"] == {"same": 8}
        refused = run("destroy", **settings)
        assert "1 relations hold data (metrics.cpu)" in refused, refused
        connection.execute("TRUNCATE metrics.cpu")
        assert run("destroy", **settings)["changes"]["delete"] == 8
        left = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname IN ('metrics', 'pulumi_timescaledb')")
        assert left.fetchall() == []


def test_the_wheel_has_what_the_plugin_needs(environment: Path) -> None:
    """Schema and templates are inside; the embedded server is not, and says so."""
    code = (
        "import json, pathlib; from pulumi_timescaledb.adapter.service import SCHEMA;"
        "from pulumi_timescaledb.local.server import EmbeddedServer;"
        "print(json.loads(SCHEMA.read_text())['name'], pathlib.Path(SCHEMA).is_relative_to(__import__('sys').prefix));"
        "EmbeddedServer(pathlib.Path('server')).ensure_running()"
    )
    python = environment / ".venv" / "bin" / "python"
    done = subprocess.run([python, "-c", code], cwd=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["timescaledb", "True"]
    assert done.stderr.strip().endswith(
        "The embedded server is not part of the installed package: give host, port and user of a server, "
        "or work in a clone of the repository."
    )
