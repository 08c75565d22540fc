"""`flowsctl plan` and `flowsctl drift` are quick because they load little: on the program that `benchmarks.plain`
measures, so that this program keeps running too."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import plain
from benchmarks.plain_schema import declarations

from . import native

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
OBJECTS = 10
HEAVY = (
    "pulumi",
    "grpc",
    "google",
    "rich",
    "multiprocessing",
    "http",
    "requests",
    "unittest",
    "sphinx",
    "flowsctl.engine",
)
"""The engine's side, what draws tables, and what such packages bring; each takes a tenth of the command or more."""
ELSEWHERE = ("adapter", "inspection", "review", "script", "succession.run")
"""Modules of the provider that neither command has a use for."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain.program(tmp_path_factory.mktemp("plain") / "tree")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with native.running(timescaledb=native.has_timescaledb()) as dsn, plain.database(dsn, "plain_quick") as made:
        yield made


def flowsctl(program: Path, database: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PLAIN_DSN": database, "PLAIN_OBJECTS": str(OBJECTS), **environment}
    command = [program / "bin" / "flowsctl", *arguments]
    return subprocess.run(command, cwd=program, env=variables, capture_output=True, text=True, check=False)


def loaded(report: str) -> set[str]:
    """Modules by the report of PYTHONPROFILEIMPORTTIME."""
    rows = [line.split("|") for line in report.splitlines() if line.startswith("import time:")]
    return {row[2].strip() for row in rows[1:]}


def test_the_benchmarks_program_is_planned(program: Path, database: str) -> None:
    done = flowsctl(program, database, "plan", "--json")
    assert done.returncode == 2, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["refusals"] == []
    assert report["counts"] == {"create": len(declarations(OBJECTS)), "update": 0, "delete": 0}


@pytest.mark.parametrize(("command", "code"), [("plan", 2), ("drift", 0)])
def test_little_is_loaded(command: str, code: int, program: Path, database: str) -> None:
    done = flowsctl(program, database, command, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == code, done.stdout + done.stderr
    modules = loaded(done.stderr)
    assert {"psycopg", "pydantic", "pulumi_timescaledb.snapshot"} <= modules
    heavy = (*HEAVY, *(f"pulumi_timescaledb.{name}" for name in ELSEWHERE))
    found = [name for name in sorted(modules) if any(name == one or name.startswith(f"{one}.") for one in heavy)]
    assert found == []


def test_what_was_brought_up_is_as_declared(program: Path, database: str) -> None:
    """`drift` looks at more once something stands: it stopped at what the benchmark's program did not have."""
    for command in ("up", "drift", "plan"):
        done = flowsctl(program, database, command, **plain.UNSAVED)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
