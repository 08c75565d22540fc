"""Servers that can be killed: the embedded one, and a native PostgreSQL with Community TimescaleDB."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

import psycopg

from pulumi_timescaledb.local import process
from pulumi_timescaledb.local.server import EmbeddedServer
from tests.provider import native


class KillableServer(Protocol):
    """A server in a folder. `port` names its socket."""

    port: int

    @property
    def socket(self) -> Path:
        """Its Unix socket."""

    def start(self) -> None:
        """Runs when this returns; recovers first where it was killed."""

    def kill(self) -> None:
        """SIGKILL of every process of it."""

    def settings(self, host: Path) -> dict[str, Any]:
        """Provider configuration to reach it through the socket in `host`."""

    def dsn(self) -> str:
        """Straight to the server, as superuser."""

    def copy(self, target: Path) -> KillableServer:
        """Another server with the same data; this one must be stopped."""

    def stop(self) -> None:
        """Ends it in order."""

    def remove(self) -> None:
        """Ends it and deletes its folder."""


class Embedded:
    """The embedded server: the provider itself starts it again."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedServer(folder)
        self.port = self.server.port

    @property
    def socket(self) -> Path:
        return self.server.socket_path

    def start(self) -> None:
        self.server.ensure_running()

    def kill(self) -> None:
        record = process.recorded(self.server.folder / "host.json")
        if record is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGKILL)
            while record.alive():
                time.sleep(0.005)

    def settings(self, host: Path) -> dict[str, Any]:
        return {"host": str(host), "port": self.port, "user": "postgres", "embeddedFolder": str(self.server.folder)}

    def dsn(self) -> str:
        return self.server.dsn()

    def copy(self, target: Path) -> Embedded:
        target.mkdir(mode=0o700, parents=True)
        shutil.copytree(self.server.folder / "data", target / "data")
        return Embedded(target)

    def stop(self) -> None:
        self.server.stop()

    def remove(self) -> None:
        self.server.remove()


class Native:
    """A postmaster of our own. Its processes are those of its process group and their children."""

    def __init__(self, folder: Path, port: int = 5432) -> None:
        self.folder = folder
        self.port = port
        programs = native.programs()
        assert programs is not None
        self._programs = programs
        root = os.getuid() == 0
        self._as: dict[str, Any] = {"user": "postgres" if root else None, "cwd": "/", "stdout": subprocess.DEVNULL}
        self.user = "postgres" if root else pwd.getpwuid(os.getuid()).pw_name

    @classmethod
    def make(cls, folder: Path) -> Native:
        """A new one, with the extension."""
        made = cls(folder)
        folder.mkdir(parents=True)
        shutil.chown(folder, made.user)
        command = [made._programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-N"]
        subprocess.run(command, check=True, **made._as)
        made.start()
        with psycopg.connect(made.dsn(), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        return made

    @property
    def socket(self) -> Path:
        return self.folder / f".s.PGSQL.{self.port}"

    def _master(self) -> int | None:
        """The postmaster, if it lives."""
        try:
            found = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return None
        return found if process.identify(found) is not None else None

    def _control(self, *arguments: str | Path) -> None:
        command = [self._programs / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", *arguments]
        subprocess.run(command, check=True, **self._as)

    def start(self) -> None:
        if self._master() is None:
            options = f"-k {self.folder} -p {self.port} -c listen_addresses= -c fsync=off -c max_wal_size=256MB"
            options += " -c shared_preload_libraries=timescaledb -c timescaledb.telemetry_level=off"
            self._control("-o", options, "start")

    def kill(self) -> None:
        master = self._master()
        if master is None:
            return
        os.kill(master, signal.SIGSTOP)  # so that it starts no more children while they are counted
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        pids = [master, *map(int, children)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(process.identify(pid) is not None for pid in pids):
            time.sleep(0.005)
        # Where nobody reaps the dead, PostgreSQL takes a zombie's lock for that of a living server.
        for lock in (self.folder / "data" / "postmaster.pid", self.socket.with_name(f"{self.socket.name}.lock")):
            lock.unlink(missing_ok=True)

    def settings(self, host: Path) -> dict[str, Any]:
        return {"host": str(host), "port": self.port, "user": "postgres"}

    def dsn(self) -> str:
        return f"host={self.folder} port={self.port} user=postgres dbname=postgres"

    def copy(self, target: Path) -> Native:
        target.mkdir(parents=True)
        shutil.chown(target, self.user)
        subprocess.run(["cp", "-a", self.folder / "data", target / "data"], check=True)
        return Native(target, self.port)

    def stop(self) -> None:
        if self._master() is not None:
            self._control("-m", "fast", "stop")

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)


def scratch() -> Path:
    """A folder that the native server's user may enter."""
    made = Path(tempfile.mkdtemp(prefix="kills-", dir="/tmp"))
    made.chmod(0o755)
    return made
