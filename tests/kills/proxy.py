"""A Unix socket before the server's: counts the statements that pass, and strikes at one of them."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Moment = Literal["before", "during", "after"]
_FATE = {b"Q"[0]: True, b"P"[0]: True}
"""Messages of a client that start a statement (PostgreSQL documentation, 53.7): Query and Parse."""
_READY = ord("Z")


@dataclass(frozen=True)
class Point:
    """Where to strike: at the n-th statement from now on, before the server gets it, while it works on it (`delay`
    seconds later), or when its answer has just gone back."""

    statement: int
    moment: Moment
    delay: float = 0.0


class Proxy:
    """Listens as `.s.PGSQL.<port>` in a folder of its own; forwards to the server's socket."""

    def __init__(self, target: Path, port: int) -> None:
        self.target = target
        self.folder = Path(tempfile.mkdtemp(prefix="kill-", dir="/tmp"))
        self.statements = 0
        self._point: Point | None = None
        self._strike: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._firing = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._path = self.folder / f".s.PGSQL.{port}"
        self._listener.bind(os.fspath(self._path))
        self._listener.listen(64)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def arm(self, point: Point, strike: Callable[[], None]) -> None:
        """From the next statement on, count to the point and strike once."""
        with self._lock:
            self.statements, self._point, self._strike = 0, point, strike

    def disarm(self) -> bool:
        """Takes the point away; whether it was still to come. A strike on its way is waited for."""
        with self._firing, self._lock:
            waiting, self._point = self._point is not None, None
        return waiting

    def cut(self) -> None:
        """Ends every connection at once, on both sides."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """No more connections, and none left open."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.cut()
        while self._open:
            time.sleep(0.005)
        self._path.unlink(missing_ok=True)
        self.folder.rmdir()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(os.fspath(self.target))
            except OSError:
                client.close()
                server.close()
                continue
            with self._lock:
                self._open |= {client, server}
            connection = _Connection(self, client, server)
            for work in (connection.forth, connection.back):
                threading.Thread(target=work, daemon=True).start()

    def _due(self, moment: Moment) -> bool:
        """Whether this is the place; it is only once."""
        with self._firing:
            with self._lock:
                point = self._point
                if point is None or self.statements < point.statement or point.moment != moment:
                    return False
                self._point = None
            time.sleep(point.delay)
            self._strike()
        return True

    def _count(self) -> None:
        with self._lock:
            self.statements += 1

    def _forget(self, connection: _Connection) -> None:
        """One direction of a connection has ended: so must the other. The last one closes."""
        for end in (connection.client, connection.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            connection.directions -= 1
            if connection.directions == 0:
                for end in (connection.client, connection.server):
                    self._open.discard(end)
                    end.close()


class _Connection:
    """One client and its side of the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.directions = 2

    def forth(self) -> None:
        """Messages of the client, whole ones, in order."""
        try:
            self.server.sendall(_exactly(self.client, _length(head := _exactly(self.client, 4)) - 4, head))
            while True:
                head = _exactly(self.client, 5)
                message = _exactly(self.client, _length(head[1:]) - 4, head)
                if head[0] not in _FATE:
                    self.server.sendall(message)
                    continue
                self.proxy._count()
                if self.proxy._due("before"):
                    continue  # never arrives
                self.server.sendall(message)
                self.proxy._due("during")
        except (OSError, EOFError):
            self.proxy._forget(self)

    def back(self) -> None:
        """Messages of the server; its answer is whole with ReadyForQuery."""
        try:
            while True:
                head = _exactly(self.server, 5)
                self.client.sendall(_exactly(self.server, _length(head[1:]) - 4, head))
                if head[0] == _READY:
                    self.proxy._due("after")
        except (OSError, EOFError):
            self.proxy._forget(self)


def _length(text: bytes) -> int:
    return int(struct.unpack("!i", text)[0])


def _exactly(end: socket.socket, size: int, head: bytes = b"") -> bytes:
    parts = [head]
    while size > 0:
        part = end.recv(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
