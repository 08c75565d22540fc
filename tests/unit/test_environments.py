"""Environments without an engine: names, records, what gc would take."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsctl.environments import phases, record
from flowsctl.environments.claim import Wanted, claim
from flowsctl.environments.names import stack_of
from flowsctl.environments.record import Environment
from flowsctl.environments.removal import clear, due
from flowsctl.errors import FlowsError, UsageError
from flowsctl.locks import clear_dead_locks, end_holders
from flowsctl.report import Change
from flowsctl.workspace import Workspace, load_yaml
from pulumi_timescaledb.local.process import identify


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A working tree with a project and one committed stack."""
    (tmp_path / "Pulumi.yaml").write_text("name: flows\nconfig:\n  engine: {type: string, default: embedded}\n")
    (tmp_path / "Pulumi.local.yaml").write_text("config:\n  flows:lowBalance: '10'\n  flows:apiPort: 23456\n")
    return tmp_path


def made(tree: Path, name: str = "a", lifetime: int = 60) -> Environment:
    return claim(tree, Wanted(name, "local", lifetime=lifetime))


@given(st.text(min_size=1).filter(str.strip))
def test_any_name_is_a_safe_stack_name(name: str) -> None:
    stack = stack_of(name)
    Workspace(Path("/nowhere"), stack)  # refuses what is not a plain word
    assert stack.isascii()
    assert len(stack) <= 43


def test_names_that_differ_only_in_what_is_replaced_stay_apart() -> None:
    names = ["a/b", "a-b", "a_b", "A/B", "a b", "feature/" + "x" * 60, "feature/" + "x" * 61, "é", "日本"]
    assert len({stack_of(name) for name in names}) == len(names)
    with pytest.raises(UsageError, match="needs a name"):
        stack_of("  ")


def test_an_environment_takes_the_settings_and_a_port_of_its_own(tree: Path) -> None:
    (tree / ".flows/stacks/other").mkdir(parents=True)
    (tree / ".flows/stacks/other/Pulumi.other.yaml").write_text("config: {flows:apiPort: 23999}\n")
    found = made(tree, "feature/x")
    config = load_yaml(Workspace(tree, found.stack).config_file.read_text())["config"]
    assert config["flows:lowBalance"] == "10"
    assert config["flows:disposable"] == "true"
    assert config["flows:apiPort"] not in (23456, 23999)
    assert record.read(tree, found.stack) == found
    assert (found.state, found.engine, found.name) == ("creating", "embedded", "feature/x")


def test_a_name_is_claimed_once(tree: Path) -> None:
    made(tree)
    with pytest.raises(FlowsError, match="there is an environment"):
        made(tree)
    with pytest.raises(UsageError, match="there is no stack nowhere"):
        claim(tree, Wanted("b", "nowhere"))
    with pytest.raises(UsageError, match="names no server"):
        claim(tree, Wanted("b", "local", "external"))
    with pytest.raises(UsageError, match="a clone of it cannot be on docker"):
        claim(tree, Wanted("b", "local", "docker", "clone"))
    assert [each.name for each in record.every(tree)] == ["a"]


def test_gc_takes_what_is_due_and_nothing_else(tree: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = identify(dead.pid)
    assert worker is not None
    dead.communicate(b"\n")
    living = made(tree, "living")
    made(tree, "being made")
    expired = made(tree, "expired", lifetime=-1)
    abandoned = made(tree, "abandoned")
    for each in (living, expired):
        each.in_state("ready").write(tree)
    replace(abandoned, worker=asdict(worker)).write(tree)
    for folder in ("stacks/env-lost-1", "data/env-lost-2", "data/local", "stacks/local"):
        (tree / ".flows" / folder).mkdir(parents=True)
    (tree / ".flows/state/.pulumi/stacks/flows").mkdir(parents=True)
    for stack in ("env-lost-3", "local"):
        (tree / f".flows/state/.pulumi/stacks/flows/{stack}.json").write_text("{}")
    assert {(each.name or each.stack): each.why for each in due(tree)} == {
        "expired": "past its time to live",
        "abandoned": "left creating by a run that died",
        "env-lost-1": "left over without a record",
        "env-lost-2": "left over without a record",
        "env-lost-3": "left over without a record",
    }
    with pytest.raises(FlowsError, match="not an environment"):
        clear(tree, "local")


def test_a_torn_record_is_left_over(tree: Path) -> None:
    found = made(tree)
    (Workspace(tree, found.stack).folder / record.FILE).write_text(json.dumps(asdict(found))[:40])
    assert [(each.stack, each.why) for each in due(tree)] == [(found.stack, "left over without a record")]


def hold(tree: Path, stack: str, pid: int) -> Path:
    """A lock of the file backend, as the engine writes it."""
    folder = tree / ".flows/state/.pulumi/locks/organization/flows" / stack
    folder.mkdir(parents=True)
    lock = {"pid": pid, "username": "me", "hostname": socket.gethostname(), "timestamp": datetime.now(UTC).isoformat()}
    (folder / "one.json").write_text(json.dumps(lock))
    return folder / "one.json"


def test_a_living_run_keeps_its_environment(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    found = made(tree)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as engine:
        lock = hold(tree, found.stack, engine.pid)
        with pytest.raises(FlowsError, match="another run holds stack"):
            clear(tree, found.stack)
        assert engine.poll() is None
        assert lock.exists()
        assert Workspace(tree, found.stack).config_file.exists()
        end_holders(Workspace(tree, found.stack), 5)  # what clear does first where its flowsctl has died
        assert identify(engine.pid) is None
        assert [each.path for each in clear_dead_locks(Workspace(tree, found.stack))] == [lock]


def test_the_parts_of_an_update_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr(phases.time, "monotonic", lambda: float(next(now)))
    for server, api in (
        ("timescaledb:local:Server::server", "timescaledb:local:RestApi::rest-api"),
        ("docker:index/container:Container::database-server", "docker:index/container:Container::rest-api"),
    ):
        passed = phases.Milestones()
        for what, resource in (
            ("start", server),
            ("done", server),
            ("done", "timescaledb:index:Table::flows.escos"),
            ("start", "timescaledb:index:View::api.escos"),
            ("done", "timescaledb:index:View::api.escos"),
            ("done", api),
            ("done", "timescaledb:index:Seal::seal"),
        ):
            passed(what, Change(f"urn:pulumi:dev::flows::{resource}", "create"))
        parts = dict(passed.parts())
        assert list(parts) == ["engine", "server", "objects", "API process", "end"]
        assert parts == {"engine": 1, "server": 1, "objects": 2, "API process": 2, "end": 1}
