"""A stack's files in the working tree, and what several stacks share."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from flowsctl import alone as lock
from flowsctl.alone import alone
from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: flows\nruntime: python\n")
    for stack in ("one", "two"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    return tmp_path


def prepared(tree: Path, stack: str) -> Workspace:
    workspace = Workspace(tree, stack)
    workspace.prepare()
    return workspace


def test_the_last_stack_takes_all_with_it(tree: Path) -> None:
    one, two = prepared(tree, "one"), prepared(tree, "two")
    backups = tree / ".flows/state/.pulumi/backups"
    backups.mkdir(parents=True)
    one.remove()
    assert backups.exists(), "the other stack has its folder, and may be about to get its state"
    assert two.folder.exists()
    two.remove()
    assert not (tree / ".flows").exists()
    two.remove()  # twice is no error
    assert not (tree / ".flows").exists()


def test_state_without_files_of_its_stack_stays(tree: Path) -> None:
    one = prepared(tree, "one")
    state = tree / ".flows/state/.pulumi/stacks/flows/two.json"
    state.parent.mkdir(parents=True)
    state.write_text("{}")
    (state.parent / "one.json.bak").write_text("{}")
    assert one.states() == {"two"}
    one.remove()
    assert state.exists()


def test_a_stack_that_is_made_while_the_last_one_goes_is_whole(tree: Path) -> None:
    one = prepared(tree, "one")
    with alone(tree):
        waiting = threading.Thread(target=prepared, args=(tree, "two"))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        assert not (tree / ".flows/stacks/two").exists()
    waiting.join(10)
    one.remove()
    assert (tree / ".flows/stacks/two/passphrase").exists()


def test_a_lock_on_a_folder_that_has_gone_is_none(tree: Path) -> None:
    folder = tree / ".flows"
    folder.mkdir()
    gone = os.open(folder, os.O_RDONLY)
    fcntl.flock(gone, fcntl.LOCK_EX)
    folder.rmdir()  # by the one that holds it; the next makes and locks another
    with alone(tree):
        assert not os.path.samestat(os.fstat(gone), folder.stat())
    os.close(gone)


def test_nobody_waits_for_ever(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.1)
    with alone(tree), pytest.raises(FlowsError, match="another flowsctl"), alone(tree):
        pass
