"""Detached processes of this machine: starting them, telling ours from another with the same pid, ending them."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

_POLL = 0.02  # seconds between two looks at something that is about to change


class LocalServerError(Exception):
    """A local server cannot be used; the message is one sentence, followed by the end of its log if it has one."""


class NotInstalled(LocalServerError):
    """Node.js, or a package that `make setup` installs, is missing."""


class StartFailed(LocalServerError):
    """The process ended, or did not answer in time, while it was being started."""


class StopFailed(LocalServerError):
    """The process is still there after SIGKILL."""


class UnsafeFolder(LocalServerError):
    """A folder that must belong to this user alone does not."""


@dataclass(frozen=True)
class ProcessRecord:
    """Identity of a process: a pid alone may have been given to another process since."""

    pid: int
    started: int  # clock ticks after boot, field 22 of /proc/<pid>/stat
    boot: str  # kernel boot id: ticks of an earlier boot mean nothing

    def alive(self) -> bool:
        """Whether this very process exists and is not a zombie."""
        return identify(self.pid) == self

    def write(self, path: Path) -> None:
        """Record it in `path`, atomically."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.replace(path)


def identify(pid: int) -> ProcessRecord | None:
    """Return the identity of the running process `pid`, or None (gone, or only waiting to be reaped)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return None if fields[0] in "ZX" else ProcessRecord(pid, int(fields[19]), boot)


def recorded(path: Path) -> ProcessRecord | None:
    """Return the process recorded in `path` if it is still that process and alive, else None."""
    try:
        record = ProcessRecord(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.alive() else None


class Detached(subprocess.Popen[bytes]):
    """A process meant to outlive the one that starts it."""

    def __del__(self) -> None:
        """Do not warn that it still runs, as the base class does."""


def spawn(command: Sequence[str], log: Path, keep: Sequence[int] = ()) -> Detached:
    """Start `command` in a session of its own: no input, output to `log`, only descriptors `keep`.

    The environment is not passed on: it may hold the caller's secrets and settings meant for another program.

    Raises:
        NotInstalled: the program does not exist or cannot be executed.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    descriptor = os.open(log, flags, 0o600)
    try:
        child = Detached(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
            pass_fds=tuple(keep),
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        )
    except OSError as error:
        raise NotInstalled(f"Cannot run {command[0]} ({error.strerror}); run `make setup`.") from error
    finally:
        os.close(descriptor)
    return child


def end(record: ProcessRecord, timeout: float) -> None:
    """SIGTERM, after `timeout` seconds SIGKILL; returns when the process is gone.

    Raises:
        StopFailed: it outlived SIGKILL by 5 seconds.
    """
    for number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
        if not record.alive():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            reap(record.pid)
            if not record.alive():
                return
            time.sleep(_POLL)
    raise StopFailed(f"Process {record.pid} did not end.")


def reap(pid: int) -> None:
    """Collect the exit status of `pid` if it is a child of this process; do nothing otherwise."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def try_lock(path: Path) -> int | None:
    """Return a descriptor that holds the exclusive lock of `path`, or None when someone else holds it.

    The lock belongs to the open file: a child that inherits the descriptor keeps it until it ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the exclusive lock of `path` in the block.

    Raises:
        StartFailed: another process held it for `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise StartFailed(f"Another process has been starting or stopping this server for {timeout:.0f} s.")
        time.sleep(_POLL)
    try:
        yield
    finally:
        os.close(descriptor)


def private_folder(path: Path) -> Path:
    """Create `path` with mode 0700 if it is missing and return it.

    Raises:
        UnsafeFolder: it is a link, no folder, of another user, or open to other users.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not path.is_dir() or path.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UnsafeFolder(f"{path} must be a folder of this user with mode 0700.")
    return path


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, or an empty string."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
