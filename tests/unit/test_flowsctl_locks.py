"""Locks of dead processes are cleared, those of living ones and of other hosts are not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowsctl.errors import FlowsError
from flowsctl.locks import clear_dead_locks, locks_of, process_start
from flowsctl.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: flows\n")
    return Workspace(tmp_path, "local")


def lock(workspace: Workspace, pid: int, host: str = "", taken: str = "") -> Path:
    folder = workspace.root / ".flows/state/.pulumi/locks/organization/flows/local"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pid}.json"
    content = {
        "pid": pid,
        "username": "me",
        "hostname": host or socket.gethostname(),
        "timestamp": taken or datetime.now(UTC).isoformat(),
    }
    path.write_text(json.dumps(content))
    path.with_name(path.name + ".attrs").write_text("{}")
    return path


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_dead_process_is_cleared_and_reported(workspace: Workspace) -> None:
    path = lock(workspace, dead_pid(), taken="2026-01-02T03:04:05.123456789+02:00")
    assert [found.path for found in clear_dead_locks(workspace)] == [path]
    assert list(path.parent.iterdir()) == []


def test_living_process_is_named(workspace: Workspace) -> None:
    path = lock(workspace, os.getpid())
    with pytest.raises(FlowsError, match=f"process {os.getpid()} of me"):
        clear_dead_locks(workspace)
    assert path.exists()


def test_a_number_that_was_given_to_a_younger_process_is_dead(workspace: Workspace) -> None:
    lock(workspace, os.getpid(), taken="2020-01-01T00:00:00Z")
    assert len(clear_dead_locks(workspace)) == 1


def test_other_host_is_left_alone(workspace: Workspace) -> None:
    path = lock(workspace, dead_pid(), host="elsewhere")
    with pytest.raises(FlowsError, match="on elsewhere"):
        clear_dead_locks(workspace)
    assert path.exists()


def test_no_lock_no_folder_and_remote_backends(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clear_dead_locks(workspace) == []
    (lock(workspace, 1)).write_text("not json")
    assert locks_of(workspace) == []
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert locks_of(workspace) == []


def test_process_start() -> None:
    now = datetime.now(UTC).timestamp()
    started = process_start(os.getpid())
    assert started is not None
    assert now - 86400 < started <= now + 2
    assert process_start(dead_pid()) is None
