"""Many branch environments at once: each answers its own data, gc takes exactly what is past its time, nothing is left.

The suite makes a few; `FLOWS_ENVIRONMENTS=10 pytest tests/stack/test_many_environments.py` makes ten.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_timescaledb.local.server import socket_folder

from .conftest import Stack
from .test_environments import enter_esco, escos_by_api, listed, processes_of

pytestmark = [pytest.mark.stack, pytest.mark.load, pytest.mark.xdist_group("stack-many-environments")]

MANY = int(os.environ.get("FLOWS_ENVIRONMENTS", "3"))
CREATE_SECONDS = 120 * MANY
NAMES = [f"feature/number {number}" for number in range(MANY)]
PAST = NAMES[::2]
"""Those whose time is over."""


@pytest.fixture(scope="module")
def tree(new_stack: Callable[[], Stack]) -> Stack:
    return new_stack()


@pytest.fixture(scope="module")
def made(tree: Stack) -> Iterator[dict[str, dict[str, Any]]]:
    """All of them, made at the same time, by name."""
    running = [tree.start("env", "create", name, "--ttl", "1h", "--json") for name in NAMES]
    found, failures = {}, []
    for name, process in zip(NAMES, running, strict=True):
        try:
            out, err = process.communicate(timeout=CREATE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        if process.returncode == 0:
            found[name] = json.loads(out)
        else:
            failures.append(f"{name}: {process.returncode}\n{out}\n{err}")
    assert not failures, "\n".join(failures)
    return found


def ports_of(environments: dict[str, dict[str, Any]]) -> dict[str, int]:
    return {name: int(each["api"].rsplit(":", 1)[1]) for name, each in environments.items()}


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def states_of(tree: Stack) -> set[str]:
    """Stacks that the state folder knows."""
    return {path.name.split(".")[0] for path in (tree.root / ".flows" / "state").rglob("stacks/*/*.json")}


def test_each_has_a_place_of_its_own(tree: Stack, made: dict[str, dict[str, Any]]) -> None:
    for what in ("stack", "api", "database"):
        assert len({each[what] for each in made.values()}) == MANY
    assert {name: each["state"] for name, each in listed(tree).items()} == dict.fromkeys(NAMES, "ready")
    secrets = {
        json.dumps(tree.json("outputs", "--show-secrets", "--stack", each["stack"])["secrets"]["passwords"])
        for each in made.values()
    }
    assert len(secrets) == MANY


def test_each_answers_its_own_data(tree: Stack, made: dict[str, dict[str, Any]]) -> None:
    for number, each in enumerate(made.values()):
        enter_esco(each, f"ESCO{number}")
    for number, each in enumerate(made.values()):
        assert escos_by_api(tree, each, f"ESCO{number}") == [f"ESCO{number}"]


def test_gc_takes_exactly_those_past_their_time(tree: Stack, made: dict[str, dict[str, Any]]) -> None:
    for name in PAST:
        tree.ctl("env", "extend", name, "--ttl", "1s")
    time.sleep(1.1)
    report = json.loads(tree.ctl("env", "gc", "--json").stdout)
    assert sorted(each["name"] for each in report["due"]) == sorted(PAST)
    assert report["failed"] == []
    left = [name for name in NAMES if name not in PAST]
    assert sorted(listed(tree)) == sorted(left)
    assert states_of(tree) == {made[name]["stack"] for name in left}
    for name, port in ports_of(made).items():
        assert accepts(port) == (name in left), name
    for name in left:
        number = NAMES.index(name)
        assert escos_by_api(tree, made[name], f"ESCO{number}") == [f"ESCO{number}"]


def test_nothing_is_left_after_destroy(tree: Stack, made: dict[str, dict[str, Any]]) -> None:
    running = [tree.start("env", "destroy", name, "--yes") for name in NAMES if name not in PAST]
    for process in running:
        out, err = process.communicate(timeout=CREATE_SECONDS)
        assert process.returncode == 0, out + err
    assert listed(tree) == {}
    assert processes_of(tree.root) == []
    assert not [port for port in ports_of(made).values() if accepts(port)]
    assert not [each for each in made.values() if Path(each["database"]).exists()]
    assert not (tree.root / ".flows").exists()
    parent = socket_folder(tree.root).parent
    assert not [path for path in parent.iterdir() if path.name in {Path(e["database"]).name for e in made.values()}]
