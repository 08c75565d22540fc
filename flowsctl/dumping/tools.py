"""pg_dump and pg_restore of the server's own major version, and running them so that no password is seen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flowsctl.errors import FlowsError

FOLDERS = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/opt/homebrew/opt/postgresql@{major}/bin")
"""Where Debian, Red Hat and Homebrew put one version beside another."""
VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.\d+)?")
# pg_dump says so of TimescaleDB's own catalog; harmless in a whole dump (research: reliability A).
HARMLESS = re.compile(
    r"circular foreign-key constraints|^pg_dump: detail: (hypertable|chunk|continuous_agg)|"
    r"hint: (You might not be able to restore|Consider using a full dump)|^\s*$"
)


class Tools(Protocol):
    """pg_dump and pg_restore of one major version."""

    def inside(self, path: Path) -> Path:
        """What the programs call a file of this machine that lies directly in the folder given to `run`."""

    def run(self, name: str, arguments: Sequence[str], connection: Mapping[str, Any], folder: Path) -> list[str]:
        """Runs pg_dump or pg_restore against a server, with `folder` in reach; returns its warnings. The password goes
        neither by arguments nor by anything that other users can read. Ctrl-C ends the program too.

        Raises:
            FlowsError: it failed; with its first words.
        """


@dataclass(frozen=True)
class HostTools:
    """The programs of this machine."""

    folder: Path

    def inside(self, path: Path) -> Path:
        """The same file."""
        return path

    def run(self, name: str, arguments: Sequence[str], connection: Mapping[str, Any], folder: Path) -> list[str]:
        """As Tools says."""
        command = [str(self.folder / name), *reach(connection), "--no-password", *arguments]
        environment = dict(os.environ) | {"PGAPPNAME": "flowsctl", "LC_MESSAGES": "C"}
        environment |= {f"PG{key.upper()}": str(connection[key]) for key in PASSED if connection.get(key)}
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, **streams, text=True, env=environment) as process:
            try:
                _, said = process.communicate()
            except BaseException:
                process.terminate()
                process.wait()
                raise
        return heard(name, said, process.returncode)


@dataclass(frozen=True)
class ContainerTools:
    """The programs of a container image, in a container for one run that shares this machine's network."""

    image: str

    def inside(self, path: Path) -> Path:
        """In the folder that the container sees."""
        return Path("/dump") / path.name

    def run(self, name: str, arguments: Sequence[str], connection: Mapping[str, Any], folder: Path) -> list[str]:
        """As Tools says. The container runs as this user, so that what it writes is this user's."""
        import docker

        with tempfile.TemporaryDirectory(prefix="flows-") as private:
            passfile = Path(private) / "pgpass"
            passfile.touch(mode=0o600)
            passfile.write_text(f"*:*:*:*:{_escaped(str(connection.get('password') or ''))}\n", encoding="utf-8")
            client = docker.from_env()
            container = client.containers.create(
                self.image,
                [*reach(connection), "--no-password", *arguments],
                entrypoint=[name],
                user=f"{os.getuid()}:{os.getgid()}",
                network_mode="host",
                environment={"PGPASSFILE": "/private/pgpass", "PGAPPNAME": "flowsctl", "LC_MESSAGES": "C"},
                volumes={str(folder.resolve()): {"bind": "/dump"}, private: {"bind": "/private", "mode": "ro"}},
                labels={"flows.part": "tools"},
            )
            try:
                container.start()
                code = int(container.wait()["StatusCode"])
                said = container.logs(stdout=False, stderr=True).decode(errors="replace")
            finally:
                container.remove(force=True)
        return heard(name, said, code)


def heard(name: str, said: str, code: int) -> list[str]:
    """Warnings of a program that ended. Raises FlowsError where its exit code is not 0."""
    lines = [line for line in said.splitlines() if not HARMLESS.search(line)]
    if code:
        raise FlowsError(f"{name} failed: {' '.join(lines[:3])}", "nothing was kept; correct that and run it again")
    return lines


PASSED = ("password", "sslmode", "sslrootcert")


def reach(connection: Mapping[str, Any]) -> list[str]:
    """Where a server is, as arguments: everything but the secret."""
    names = {"host": "host", "port": "port", "user": "username", "dbname": "dbname"}
    return [f"--{option}={connection[key]}" for key, option in names.items() if connection.get(key)]


def find(major: int, image: str = "") -> Tools:
    """The tools of that major version: of this machine, else of the container image `image`. A newer pg_dump can read
    an older server, but writes what an older pg_restore cannot read: so it is exactly this one.

    Raises:
        FlowsError: there are none here and no image is given.
    """
    found = [Path(folder.format(major=major)) for folder in FOLDERS]
    on_path = shutil.which("pg_dump")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    others = []
    for folder in found:
        version = _version(folder)
        if version == major:
            return HostTools(folder)
        others += [str(version)] if version else []
    if image:
        return ContainerTools(image)
    seen = f"; version {', '.join(others)} is" if others else ""
    raise FlowsError(
        f"pg_dump and pg_restore of PostgreSQL {major} are not on this machine{seen}",
        f"install postgresql-client-{major}, or run this where they are",
    )


def _escaped(password: str) -> str:
    """As a password file wants it."""
    return password.replace("\\", "\\\\").replace(":", "\\:")


def _version(folder: Path) -> int | None:
    """Major version of both programs in a folder."""
    majors = set()
    for name in ("pg_dump", "pg_restore"):
        try:
            said = subprocess.run([folder / name, "--version"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
        match = VERSION.search(said)
        majors.add(int(match[1]) if match else None)
    return majors.pop() if len(majors) == 1 else None
