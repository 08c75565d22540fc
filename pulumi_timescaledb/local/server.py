"""Embedded TimescaleDB: one host process per data folder, started by whoever needs it first.

The host process holds the lock `host.lock` through an inherited descriptor for as long as it lives, so the kernel
itself guarantees one host per folder and leaves nothing stale behind a crash.
"""

import contextlib
import hashlib
import os
import resource
import shutil
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from . import process
from .process import (
    LocalServerError,
    NotInstalled,
    StartFailed,
    StopFailed,
    UnsafeFolder,
)

__all__ = [
    "EmbeddedServer",
    "LocalServerError",
    "NotInstalled",
    "StartFailed",
    "StopFailed",
    "UnsafeFolder",
]

HERE = Path(__file__).resolve().parent
_POLL = 0.02  # seconds
_SOCKET_PATH_MAX = 107  # bytes, the kernel's limit


def socket_folder(folder: Path) -> Path:
    """Where the Unix socket of the server in `folder` lives: short, and known without starting it."""
    digest = hashlib.sha256(os.fsencode(folder.expanduser().resolve())).hexdigest()[:16]
    return Path(f"/tmp/pulumi-timescaledb-{os.getuid()}") / digest


@dataclass(frozen=True)
class EmbeddedServer:
    """One embedded server: its folder and how it listens. Creating this object starts and touches nothing."""

    folder: Path  # holds data/, host.log, host.json and the lock files
    port: int = 5432  # names the socket file; a TCP port only where `tcp_port` is set
    tcp_port: int | None = None  # also listen on 127.0.0.1; any local user may then become superuser
    max_clients: int = 100  # connections; one more is refused with SQLSTATE 53300
    idle_limit: float = 60.0  # seconds a transaction may stay idle before its client is terminated (25P03)

    @property
    def socket_dir(self) -> Path:
        """Folder of the Unix socket (libpq `host`); deterministic from `folder`."""
        return socket_folder(self.folder)

    @property
    def socket_path(self) -> Path:
        """The Unix socket itself."""
        return self.socket_dir / f".s.PGSQL.{self.port}"

    @property
    def log(self) -> Path:
        """Log of the host process; holds no SQL, values or passwords."""
        return self.folder / "host.log"

    @property
    def _record(self) -> Path:
        return self.folder / "host.json"

    def dsn(self, user: str = "postgres") -> str:
        """Libpq connection string; no password, since the socket's folder is the access control."""
        quoted = user.replace("\\", "\\\\").replace("'", "\\'")
        return f"host={self.socket_dir} port={self.port} user='{quoted}' dbname=postgres"

    def is_running(self) -> bool:
        """Whether our own host process lives and answers on this socket (busy with a long statement counts)."""
        return process.recorded(self._record) is not None and answers(self.socket_path, 2.0) is not False

    def ensure_running(self, timeout: float = 60.0) -> bool:
        """Start the server if it does not run; return whether this call started it.

        Args:
            timeout: seconds to wait, for another caller's start and for the server to answer.

        Raises:
            NotInstalled: Node.js or the npm packages are missing.
            StartFailed: the host ended or did not answer in time.
            UnsafeFolder: the socket folder is not ours alone.
        """
        if self.is_running():
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with process.locked(self.folder / "start.lock", timeout):
            if self.is_running():
                return False
            self._end_silent_host()
            process.private_folder(self.socket_dir.parent)
            process.private_folder(self.socket_dir)
            return self._start(time.monotonic() + timeout)

    def _end_silent_host(self) -> None:
        """End a host that lives but cannot be reached, e.g. because its socket file was deleted."""
        record = process.recorded(self._record)
        if record is not None:
            process.end(record, 10.0)

    def _start(self, deadline: float) -> bool:
        if not (HERE / "host.mjs").exists():
            raise NotInstalled(
                "The embedded server is not part of the installed package: give host, port and user of a server, "
                "or work in a clone of the repository."
            )
        node = shutil.which("node")
        if node is None:
            raise NotInstalled("Node.js 20 or newer is needed by the embedded engine; install it, then `make setup`.")
        if not (HERE / "node_modules" / "@unni-craftsman" / "pglite").is_dir():
            raise NotInstalled("The embedded server's npm packages are not installed; run `make setup`.")
        if len(os.fsencode(self.socket_path)) > _SOCKET_PATH_MAX:
            raise StartFailed(f"The socket path {self.socket_path} is longer than {_SOCKET_PATH_MAX} bytes.")
        # Held a moment longer by the threads of a host that is ending, or by one whose launcher was killed.
        while (lock := process.try_lock(self.folder / "host.lock")) is None:
            if self.is_running():
                return False
            if time.monotonic() > deadline:
                raise StartFailed(f"A process that is not the recorded host holds {self.folder / 'host.lock'}.")
            time.sleep(_POLL)
        try:
            self.socket_path.unlink(missing_ok=True)
            child = process.spawn(self._command(node), self.log, keep=(lock,))
        finally:
            os.close(lock)
        try:
            self._await(child, deadline)
        except BaseException:
            record = process.identify(child.pid)
            if record is not None:
                process.end(record, 5.0)
            raise
        return True

    def _command(self, node: str) -> list[str]:
        command = [
            node,
            f"--stack-size={_engine_stack()}",
            str(HERE / "host.mjs"),
            f"--folder={self.folder.expanduser().resolve()}",
            f"--socket-dir={self.socket_dir}",
            f"--port={self.port}",
            f"--max-clients={self.max_clients}",
            f"--idle-limit-ms={round(self.idle_limit * 1000)}",
        ]
        if self.tcp_port is not None:
            command.append(f"--tcp-port={self.tcp_port}")
        return command

    def _await(self, child: process.Detached, deadline: float) -> None:
        while not answers(self.socket_path, 1.0):
            if child.poll() is not None:
                raise StartFailed(
                    f"The embedded server ended with code {child.returncode} while starting.\n{process.tail(self.log)}"
                )
            if time.monotonic() > deadline:
                raise StartFailed(f"The embedded server did not answer in time.\n{process.tail(self.log)}")
            time.sleep(_POLL)

    def stop(self, timeout: float = 20.0) -> None:
        """End the server if it runs; SIGKILL after `timeout` seconds. Acknowledged transactions stay.

        Raises:
            StopFailed: the process cannot be ended.
            StartFailed: another process has been starting or stopping this server for longer than `timeout` + 60 s.
        """
        if not self.folder.is_dir():
            return
        with process.locked(self.folder / "start.lock", timeout + 60.0):
            record = process.recorded(self._record)
            if record is not None:
                process.end(record, timeout)
            self._record.unlink(missing_ok=True)
            self.socket_path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop the server and delete its folder, with all data, and its socket folder.

        Raises:
            StopFailed: the process cannot be ended; nothing is deleted then.
        """
        self.stop()
        for path in (self.folder, self.socket_dir):
            shutil.rmtree(path, ignore_errors=True)


def _engine_stack() -> int:
    """Stack for Node's JavaScript engine in kB: deep SQL needs more than its default, the kernel's limit bounds it."""
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return 4000 if limit == resource.RLIM_INFINITY else max(984, min(limit // 1024 // 2, 4000))


def answers(path: Path, patience: float) -> bool | None:
    """Speak a start-up packet to the socket: True if a server replies, False if none is there.

    None: something accepted the connection but did not reply within `patience` seconds (busy with a statement).
    """
    parameters = b"user\0postgres\0database\0postgres\0\0"
    packet = struct.pack("!ii", 8 + len(parameters), 3 << 16) + parameters
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(patience)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        try:
            probe.sendall(packet)
            reply = probe.recv(1)
        except TimeoutError:
            return None
        except OSError:
            return False
        if reply == b"R":
            with contextlib.suppress(OSError):
                probe.sendall(b"X\0\0\0\4")
    return reply in (b"R", b"E")
