"""Locks of the local state folder: which run holds one, and whether that run still lives."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace

# The lock is written a moment after its process starts, with a clock that may be adjusted in between.
CLOCK_TOLERANCE_SECONDS = 2.0


@dataclass(frozen=True)
class Lock:
    """One lock file of the file backend."""

    path: Path
    pid: int
    user: str
    host: str
    taken: datetime

    def is_dead(self) -> bool:
        """True where the process that took it ran on this host and is gone."""
        if self.host != socket.gethostname():
            return False
        started = process_start(self.pid)
        return started is None or started > self.taken.timestamp() + CLOCK_TOLERANCE_SECONDS


def locks_of(workspace: Workspace) -> list[Lock]:
    """The locks on this stack; none where the backend is not local files."""
    state = workspace.backend_folder
    if state is None:
        return []
    folder = state / ".pulumi" / "locks" / "organization" / workspace.project_name / workspace.stack
    return [lock for path in sorted(folder.glob("*.json")) if (lock := _read(path)) is not None]


def clear_dead_locks(workspace: Workspace) -> list[Lock]:
    """Delete the locks of dead processes; returns them.

    Raises FlowsError where a living run, or one on another host, holds the stack.
    """
    cleared = []
    for lock in locks_of(workspace):
        if not lock.is_dead():
            raise FlowsError(
                f"another run holds stack {workspace.stack}: "
                f"process {lock.pid} of {lock.user} on {lock.host}, since {lock.taken:%Y-%m-%d %H:%M:%S}",
                "wait for it to end, or stop it with Ctrl-C there",
            )
        lock.path.unlink(missing_ok=True)
        lock.path.with_name(lock.path.name + ".attrs").unlink(missing_ok=True)
        cleared.append(lock)
    return cleared


def end_holders(workspace: Workspace, timeout: float) -> None:
    """End the processes of this host that hold the stack: engines whose flowsctl was killed under them, which go on
    making what is under way. SIGKILL after `timeout` seconds."""
    from pulumi_timescaledb.local import process

    for lock in locks_of(workspace):
        holder = None if lock.is_dead() or lock.host != socket.gethostname() else process.identify(lock.pid)
        if holder is not None:
            process.end(holder, timeout)


def process_start(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None where there is none, 0.0 where unknown."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        booted = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines()
            if line.startswith("btime")
        )
    except FileNotFoundError:
        return 0.0
    if fields[0] == "Z":  # a zombie holds nothing any more
        return None
    return booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _read(path: Path) -> Lock | None:
    """None for a file that vanished or is not a lock: the engine itself then has the last word."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        taken = datetime.fromisoformat(_microseconds(found["timestamp"]))
        return Lock(path, int(found["pid"]), found["username"], found["hostname"], taken)
    except (OSError, ValueError, KeyError):
        return None


def _microseconds(text: str) -> str:
    """Go writes nanoseconds, which Python 3.11 reads only up to six digits."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[: min(digits, 6)]}{tail[digits:]}"
