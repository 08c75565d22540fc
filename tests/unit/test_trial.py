"""Commands of a trial: whose state they see, and that one which is interrupted ends before its trial is taken away."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowsctl.errors import FlowsError
from flowsctl.reports.trial import OWN_VARIABLES, Trial
from pulumi_timescaledb.connection import ConnectionSettings

SHOWN = 'echo "backend=$PULUMI_BACKEND_URL config=$5"'
INTERRUPTED = """
cd "$(dirname "$0")"
trap 'kill %1; sleep 0.3; touch ended; exit 130' INT
touch begun
sleep 60 & wait
"""


def trial(root: Path, script: str, *hidden: str) -> Trial:
    (root / "bin").mkdir()
    (root / "bin" / "flowsctl").write_text(f"#!/bin/bash\n{script}\n")
    (root / "bin" / "flowsctl").chmod(0o755)
    return Trial(root, "some", root, {"allow": "[]"}, ConnectionSettings(), hidden)


def test_a_copy_is_in_the_backend_of_its_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://shared")
    assert trial(tmp_path, SHOWN).ctl("up") == "backend=s3://shared config=allow=[]\n"


def test_a_base_has_state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://shared")
    assert trial(tmp_path, SHOWN, *OWN_VARIABLES).ctl("up") == "backend= config=allow=[]\n"


def test_a_failure_is_told_by_its_error(tmp_path: Path) -> None:
    with pytest.raises(FlowsError, match=r"the trial failed at flowsctl up: no server$"):
        trial(tmp_path, "echo 'error: no server' >&2; echo 'next:  start it' >&2; exit 1").ctl("up")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """As at a terminal: who runs the tests in the background has Python, and its children, ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_command_is_waited_for(tmp_path: Path) -> None:
    running = trial(tmp_path, INTERRUPTED)

    def interrupt() -> None:
        while not (tmp_path / "bin" / "begun").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        running.ctl("up")
    thread.join()
    assert (tmp_path / "bin" / "ended").exists()
