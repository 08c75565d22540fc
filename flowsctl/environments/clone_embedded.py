"""A copy of another stack's embedded database, taken while that one goes on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psycopg

from flowsctl.environments.take_over import take_over
from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace
from pulumi_timescaledb.connection import ADMIN, ConnectionSettings
from pulumi_timescaledb.errors import ProviderError
from pulumi_timescaledb.local.server import EmbeddedServer, LocalServerError

KEEP_AWAKE_SECONDS = 5.0
"""The embedded server ends a transaction that is idle for 60 s."""
COPY_SECONDS = 600


def copy_database(origin: Workspace, target: Workspace) -> str:
    """The origin's data folder as it stands after a checkpoint, and the target the owner of what is in it. Returns the
    id of the copy's ledger.

    An open transaction keeps the origin's one backend to us: nothing is written while files are copied, other clients
    wait. The copy opens as after a crash, from that checkpoint.

    Raises:
        FlowsError: there is nothing to copy, or the copy did not work; the target's folder is removed then.
    """
    source = EmbeddedServer(origin.data)
    if not (origin.data / "data").is_dir():
        raise FlowsError(f"stack {origin.stack} has no embedded database to clone", "run flowsctl up on it first")
    server = EmbeddedServer(target.data)
    try:
        source.ensure_running()
        target.data.mkdir(mode=0o700, parents=True)
        with psycopg.connect(source.dsn(ADMIN), prepare_threshold=None) as held:
            held.execute("CHECKPOINT")
            _copy(origin.data / "data", target.data / "data", held)
            held.rollback()
        server.ensure_running()
        return take_over(_settings(server, target), target.owner)
    except (LocalServerError, ProviderError, psycopg.Error, OSError, subprocess.SubprocessError) as error:
        server.stop()
        shutil.rmtree(target.data, ignore_errors=True)
        raise FlowsError(
            f"stack {origin.stack} could not be cloned: {' '.join(str(error).split())}", "look at its host.log"
        ) from error


def _copy(source: Path, target: Path, held: psycopg.Connection[tuple[object, ...]]) -> None:
    """`cp`, sharing blocks where the file system can, the open transaction kept awake."""
    command = ["cp", "--archive", "--reflink=auto", str(source), str(target)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as copying:
        for _ in range(int(COPY_SECONDS / KEEP_AWAKE_SECONDS)):
            try:
                copying.wait(KEEP_AWAKE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                held.execute("SELECT")
        else:
            copying.kill()
        if copying.wait() != 0:
            raise OSError(copying.stderr.read().strip() if copying.stderr else "cp failed")


def _settings(server: EmbeddedServer, target: Workspace) -> ConnectionSettings:
    return ConnectionSettings(
        host=str(server.socket_dir), port=server.port, user=ADMIN, embedded_folder=str(target.data)
    )
