"""Branch environments in containers: made, answering their own data, found by label when a kill left one half made."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL, Names
from flowsctl.containers.host import Host
from flowsctl.environments.names import stack_of
from tests.stack.conftest import Stack, new_stack
from tests.stack.test_environments import escos_by_api, listed

from .plain_server import IMAGE, why_not
from .stacks import edition_of, missing_plugins

__all__ = ["new_stack"]
pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker-environments"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "never"),
    pytest.mark.skipif(bool(missing_plugins()), reason=missing_plugins()),
]
API_IMAGE = "flows/postgrest:local"
FOREIGN = f"somebody else's {os.getpid()}"
COPY = f"docker copy {os.getpid()}"


def names() -> list[str]:
    """Of this run alone: the Docker host is shared."""
    return [f"docker {number} {os.getpid()}" for number in (1, 2)]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    found = Host()
    yield found
    found.close()


@pytest.fixture(scope="module")
def tree(new_stack: Callable[[], Stack], host: Host) -> Iterator[Stack]:
    made = new_stack()
    images = f"  flows:image: {IMAGE}\n  flows:apiImage: {API_IMAGE}\n  flows:memory: 512\n"
    images += f"  flows:edition: {edition_of(host, IMAGE)}\n"
    (made.root / "Pulumi.boxes.yaml").write_text(f"config:\n  flows:engine: docker\n{images}")
    yield made
    for name in [*names(), "killed", FOREIGN, COPY]:
        host.remove(labels(name))


def labels(name: str) -> dict[str, str]:
    return {PROJECT_LABEL: "flows", STACK_LABEL: stack_of(name)}


def enter_esco(tree: Stack, environment: dict[str, Any], code: str) -> None:
    outputs = tree.json("outputs", "--show-secrets", "--stack", environment["stack"])
    password = outputs["secrets"]["passwords"]["tsdbadmin"]
    where, _, database = environment["database"].partition("/")
    name, _, port = where.partition(":")
    dsn = f"host={name} port={port} dbname={database} user=tsdbadmin password={password}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO flows.escos (name, code) VALUES (%s, %s)", [code, code])


def test_two_at_once_each_answer_their_own_data(tree: Stack) -> None:
    running = [tree.start("env", "create", name, "--from", "boxes", "--ttl", "1h", "--json") for name in names()]
    reports = []
    for process in running:
        out, err = process.communicate(timeout=550)
        assert process.returncode == 0, out + err
        reports.append(json.loads(out))
    print(json.dumps([report["phases"] for report in reports]))
    assert len({report["api"] for report in reports} | {report["database"] for report in reports}) == 4
    assert all(report["phases"]["up: server"] > 0 for report in reports)
    for number, report in enumerate(reports):
        enter_esco(tree, report, f"ESCO{number}")
    for number, report in enumerate(reports):
        assert escos_by_api(tree, report, f"ESCO{number}") == [f"ESCO{number}"]


def test_a_clone_has_the_rows_and_nothing_else_in_common(tree: Stack, host: Host) -> None:
    origin = listed(tree)[names()[0]]
    made = json.loads(tree.ctl("env", "create", COPY, "--from", origin["stack"], "--data", "clone", "--json").stdout)
    print(json.dumps(made["phases"]))
    assert escos_by_api(tree, made, "ESCO0") == ["ESCO0"]
    enter_esco(tree, made, "ONLYCOPY")
    for each in (made, origin):
        assert tree.json("preview", "--stack", each["stack"])["changes"] == []
        assert "no drift" in tree.ctl("drift", "--stack", each["stack"]).stdout
    assert tree.ctl("token", "--stack", origin["stack"], "--esco", "ONLYCOPY", check=False).returncode == 2
    tree.ctl("env", "destroy", COPY, "--yes")
    assert host.found(labels(COPY)) == []
    assert escos_by_api(tree, origin, "ESCO0") == ["ESCO0"]


def test_a_clone_needs_the_engine_of_its_origin(tree: Stack) -> None:
    origin = listed(tree)[names()[0]]["stack"]
    refused = tree.ctl("env", "create", COPY, "--from", origin, "--engine", "embedded", "--data", "clone", check=False)
    assert refused.returncode == 2
    assert "is on engine docker: a clone of it cannot be on embedded" in refused.stderr
    assert COPY not in listed(tree)


def test_a_name_that_something_on_the_host_has_is_refused(tree: Stack, host: Host) -> None:
    volume = Names("flows", stack_of(FOREIGN)).volume("data")
    host.volume(volume, labels(FOREIGN))
    refused = tree.ctl("env", "create", FOREIGN, "--from", "boxes", check=False)
    assert refused.returncode == 1
    assert f"has volume {volume}" in refused.stderr
    assert FOREIGN not in listed(tree)
    tree.ctl("env", "gc")
    assert host.found(labels(FOREIGN)) == [("volume", volume)]


def test_gc_finds_by_label_what_a_kill_left(tree: Stack, host: Host) -> None:
    process = tree.start("env", "create", "killed", "--from", "boxes")
    deadline = time.monotonic() + 300
    while not any(kind == "container" for kind, _ in host.found(labels("killed"))):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    tree.ctl("env", "extend", names()[0], "--ttl", "1s")
    time.sleep(1.1)
    report = json.loads(tree.ctl("env", "gc", "--json").stdout)
    assert {each["name"] for each in report["due"]} == {"killed", names()[0]}
    assert report["failed"] == []
    assert host.found(labels("killed")) == host.found(labels(names()[0])) == []
    assert list(listed(tree)) == [names()[1]]


def test_destroy_leaves_nothing(tree: Stack, host: Host) -> None:
    tree.ctl("env", "destroy", names()[1], "--yes")
    assert host.found(labels(names()[1])) == []
    assert listed(tree) == {}
    assert not (tree.root / ".flows").exists()
