"""Branch environments on the real engine: made side by side, each with its own data, removed without a trace.

They share a tree of their own, in order: parallel creation, a clone, a killed creation, gc, destroy.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flowsctl.environments.names import stack_of

from .conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-environments")]

BRANCHES = ("feature/Add csq #12", "feature-add-csq-12")
"""Alike but for what a stack name cannot hold."""


@pytest.fixture(scope="module")
def tree(new_stack: Callable[[], Stack]) -> Stack:
    return new_stack()


def listed(tree: Stack) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(tree.ctl("env", "list", "--json").stdout)}


def enter_esco(environment: dict[str, Any], code: str) -> None:
    dsn = f"host={environment['database']} port=5432 dbname=postgres user=tsdbadmin"
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("INSERT INTO flows.escos (name, code) VALUES (%s, %s)", [code, code])


def escos_by_api(tree: Stack, environment: dict[str, Any], code: str) -> list[str]:
    """The codes that the environment's API shows to a token for one esco."""
    token = tree.ctl("token", "--stack", environment["stack"], "--esco", code).stdout.strip()
    request = urllib.request.Request(f"{environment['api']}/escos", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return [row["code"] for row in json.load(answer)]


def processes_of(root: Path) -> list[str]:
    """Command lines that name the tree: servers and APIs of its environments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(root / ".flows") in text:
            found.append(text)
    return found


def test_made_side_by_side_each_answers_its_own_data(tree: Stack) -> None:
    running = [tree.start("env", "create", name, "--ttl", "1h", "--json") for name in BRANCHES]
    reports = []
    for process in running:
        out, err = process.communicate(timeout=400)
        assert process.returncode == 0, err
        reports.append(json.loads(out))
    assert [report["name"] for report in reports] == list(BRANCHES)
    assert reports[0]["stack"] != reports[1]["stack"]
    assert reports[0]["api"] != reports[1]["api"]
    parts = ["up: engine", "up: server", "up: objects", "up: API process", "up: end"]
    assert all(list(report["phases"]) == ["claim", *parts, "outputs", "API"] for report in reports)
    assert all(report["phases"][part] >= 0 for report in reports for part in parts)
    assert all(report["phases"]["up: objects"] > 0 for report in reports)
    for number, report in enumerate(reports):
        enter_esco(report, f"ESCO{number}")
    for number, report in enumerate(reports):
        assert escos_by_api(tree, report, f"ESCO{number}") == [f"ESCO{number}"]
    twice = tree.ctl("env", "create", BRANCHES[0], check=False)
    assert twice.returncode == 1
    assert "there is an environment" in twice.stderr


def test_a_clone_has_the_data_and_nothing_to_do(tree: Stack) -> None:
    origin = listed(tree)[BRANCHES[0]]
    tree.ctl("env", "create", "copy", "--from", origin["stack"], "--data", "clone")
    clone = listed(tree)["copy"]
    assert escos_by_api(tree, clone, "ESCO0") == ["ESCO0"]
    for each in (clone, origin):
        assert tree.json("preview", "--stack", each["stack"])["changes"] == []
    tree.ctl("env", "update", "copy", "--ttl", "2h")
    assert listed(tree)["copy"]["expires"] != clone["expires"]
    refused = tree.ctl("env", "update", "copy", "--data", "demo", check=False)
    assert (refused.returncode, "add --create" in refused.stderr) == (2, True)
    enter_esco(clone, "ONLYCOPY")
    assert tree.ctl("token", "--stack", origin["stack"], "--esco", "ONLYCOPY", check=False).returncode == 2
    drift = tree.ctl("drift", "--stack", clone["stack"])
    assert "no drift" in drift.stdout


def test_an_update_makes_what_is_not_there_as_create_would(tree: Stack) -> None:
    origin = listed(tree)[BRANCHES[0]]
    call = [
        "env",
        "update",
        "pushed",
        "--create",
        "--from",
        origin["stack"],
        "--data",
        "clone",
        "--ttl",
        "1h",
        "--json",
    ]
    made = json.loads(tree.ctl(*call).stdout)
    assert (made["origin"], made["data"]) == (origin["stack"], "clone")
    assert escos_by_api(tree, made, "ESCO0") == ["ESCO0"]
    again = json.loads(tree.ctl(*call).stdout)  # the next push
    assert again["created"] == made["created"]
    assert again["expires"] > made["expires"]
    tree.ctl("env", "destroy", "pushed", "--yes")


def test_what_a_kill_left_half_made_is_found(tree: Stack) -> None:
    process = tree.start("env", "create", "killed")
    data = tree.root / ".flows" / "data" / stack_of("killed") / "host.json"
    deadline = time.monotonic() + 120
    while not data.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert listed(tree)["killed"]["abandoned"]
    assert "left behind" in tree.ctl("env", "create", "killed", check=False).stderr


def test_gc_removes_exactly_what_is_due(tree: Stack) -> None:
    tree.ctl("env", "extend", BRANCHES[1], "--ttl", "1s")
    time.sleep(1.1)
    due = {BRANCHES[1], "killed"}
    before = set(listed(tree))
    told = tree.ctl("env", "gc", "--dry-run", "--json").stdout
    assert {each["name"] for each in json.loads(told)["due"]} == due
    assert set(listed(tree)) == before
    tree.ctl("env", "gc")
    assert set(listed(tree)) == before - due
    assert "nothing is due" in tree.ctl("env", "gc").stdout


def test_destroy_leaves_nothing(tree: Stack) -> None:
    there = listed(tree)
    asked = tree.ctl("env", "destroy", "copy", check=False)
    assert asked.returncode == 2  # no terminal to ask
    for name in there:
        tree.ctl("env", "destroy", name, "--yes")
    assert listed(tree) == {}
    assert not (tree.root / ".flows").exists()
    assert processes_of(tree.root) == []
    for each in there.values():
        assert not Path(each["database"]).exists()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(each["api"].rsplit(":", 1)[1]))) != 0
    assert "there is no environment" in tree.ctl("env", "show", "copy", check=False).stderr
