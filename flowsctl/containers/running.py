"""Commands in a running container: input, both outputs, a time limit."""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowsctl.errors import FlowsError

from .told import told

if TYPE_CHECKING:
    from docker.models.containers import Container as Running

_ERR = 2
"""Number of standard error in Docker's stream of frames (API, "attach": 8 bytes: stream, 0, 0, 0, length)."""
_CHUNK = 65536
_GRACE = 15.0
"""Seconds past its limit in which a command that was told to end must have ended."""


@dataclass(frozen=True)
class Done:
    """How a command ended. What it wrote is not part of the text form: it may be data."""

    code: int
    out: bytes = field(repr=False)
    err: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Standard output without the last line break."""
        return self.out.decode(errors="replace").rstrip("\n")

    @property
    def complaint(self) -> str:
        """Standard error, in one piece."""
        return self.err.decode(errors="replace").strip()

    def checked(self, what: str, hint: str = "") -> Done:
        """Itself. Raises FlowsError, with the last line of its complaint, where the command failed."""
        if self.code:
            last = (self.complaint or self.text).strip().splitlines()[-1:] or [f"exit code {self.code}"]
            raise FlowsError(f"{what} failed: {last[0]}", hint)
        return self


def run_in(
    container: Running,
    command: Sequence[str],
    input: bytes | None,
    user: str,
    environment: dict[str, str],
    timeout: float,
    follow: Callable[[bytes], None] | None,
) -> Done:
    """See Host.execute."""
    # Docker has no call that ends a command, and a client that goes away does not either.
    bounded = ["timeout", "--kill-after=10", f"{timeout:.3f}", *command]
    if input is not None:
        # The end of the input is counted: a connection over TLS or ssh cannot be closed on one side.
        bounded = ["/bin/sh", "-c", 'length=$1; shift; head -c "$length" | "$@"', "sh", str(len(input)), *bounded]
    api: Any = container.client.api if container.client else None
    out, err, began = bytearray(), bytearray(), time.monotonic()
    with told(f"command {command[0]} in {container.name}"):
        made = api.exec_create(
            container.id, bounded, stdin=input is not None, user=user, environment=environment or None
        )["Id"]
        stream = api.exec_start(made, socket=True)
        connection = getattr(stream, "_sock", stream)
        try:
            for channel, piece in _frames(_exchange(stream, connection, input or b"", began + timeout + _GRACE)):
                if channel == _ERR:
                    err += piece
                elif follow is not None:
                    follow(piece)
                else:
                    out += piece
        finally:
            # Each holds the socket open by itself.
            stream._response.close()
            stream.close()
            connection.close()
        code = api.exec_inspect(made)["ExitCode"]
    if code is None or (code in (124, 137) and time.monotonic() - began >= timeout):
        raise FlowsError(f"{command[0]} in {container.name} did not end in {timeout:.0f} s", _last(err))
    return Done(code, bytes(out), bytes(err))


def _exchange(stream: Any, connection: Any, unsent: bytes, deadline: float) -> Iterator[bytes]:
    """Sends and receives at once: a command that writes before it has read everything must not wait for us."""
    connection.setblocking(False)
    # What came in one piece with the header of the answer is in the buffer of the HTTP client, not in the socket.
    with_header = stream._response.raw._fp.fp
    try:
        if ahead := with_header.read1(_CHUNK):
            yield ahead
    except BlockingIOError:
        pass
    left = memoryview(unsent)
    while True:
        wait = deadline - time.monotonic()
        if wait <= 0:
            return
        readable, writable, _ = select.select([connection], [connection] if left else [], [], wait)
        if readable:
            received = connection.recv(_CHUNK)
            if not received:
                return
            yield received
        elif writable:
            try:
                left = left[connection.send(left[:_CHUNK]) :]
            except (BrokenPipeError, ConnectionResetError):
                left = left[:0]  # the command has ended without reading it all


def _frames(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """(stream, content) of Docker's frames, as far as they have come."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= 8:
            channel, length = struct.unpack(">BxxxL", waiting[:8])
            if len(waiting) < 8 + length:
                break
            yield channel, bytes(waiting[8 : 8 + length])
            del waiting[: 8 + length]


def _last(err: bytearray) -> str:
    lines = err.decode(errors="replace").strip().splitlines()
    return f"it said last: {lines[-1]}" if lines else "look at the container's log"
