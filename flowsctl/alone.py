"""One flowsctl at a time in the working tree's `.flows`, for what concerns several stacks: names, ports, the state."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowsctl.errors import FlowsError

LOCK_SECONDS = 30.0
PAUSE_SECONDS = 0.05


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Holds the folder itself locked: no lock file is left when the last stack has gone.

    Raises:
        FlowsError: another one has held it for LOCK_SECONDS.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while (descriptor := _locked(root / ".flows")) is None:
        if time.monotonic() > deadline:
            raise FlowsError("another flowsctl is making or removing a stack for too long", "try again")
        time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """The folder, open and locked; None where another has it, or took it away meanwhile."""
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
