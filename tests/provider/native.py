"""A PostgreSQL with many processes, where one is installed: for what the embedded server cannot do."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.local.ports import free_port

T = TypeVar("T")
WHY_NOT = "no PostgreSQL server is installed here (Debian: apt-get install postgresql)"
WHY_NO_TIMESCALEDB = "no PostgreSQL server with the Community edition of TimescaleDB is installed here"


def programs() -> Path | None:
    """The folder with initdb and postgres of the newest installed version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def has_timescaledb() -> bool:
    """Whether the newest installed server has TimescaleDB with the Community library (timescaledb-tsl)."""
    found = programs()
    return found is not None and any((found.parent / "lib").glob("timescaledb-tsl-*.so"))


@contextmanager
def running(timescaledb: bool = False, *, extension: bool = True, **settings: str) -> Iterator[str]:
    """A server of its own in a temporary folder; gives its connection string. PostgreSQL refuses to run as root, so
    there it runs as the user `postgres` that its package makes. With `timescaledb` its library is loaded, with its
    background workers, and the `extension` is there. `settings`: more of the server's, "__" in a name for a dot."""
    bin_folder = programs()
    assert bin_folder is not None
    folder = Path(tempfile.mkdtemp(prefix="native-"))
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        shutil.chown(folder, user)
    port = free_port()
    options = {"user": user if os.getuid() == 0 else None, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    data = str(folder / "data")
    subprocess.run([bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"], **options)  # type: ignore[call-overload]
    given = {"listen_addresses": "127.0.0.1", "fsync": "off"}
    if timescaledb:
        given |= {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}
    given |= {name.replace("__", "."): value for name, value in settings.items()}
    words = " ".join(f"-c {name}={value}" for name, value in given.items())
    start = [
        bin_folder / "pg_ctl",
        "-D",
        data,
        "-w",
        "-l",
        folder / "log",
        "-o",
        f"-k {folder} -p {port} {words}",
        "start",
    ]
    subprocess.run(start, **options)  # type: ignore[call-overload]
    dsn = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    try:
        if timescaledb and extension:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION timescaledb")
        yield dsn
    finally:
        subprocess.run([bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **options)  # type: ignore[call-overload]
        shutil.rmtree(folder)


def on(dsn: str, work: Callable[[Applier], Awaitable[T]], **settings: Any) -> T:
    """Runs `work` with an applier of its own, as a new plugin process would have."""
    parts = conninfo_to_dict(dsn)
    reach = ConnectionSettings(host=str(parts["host"]), port=int(str(parts["port"])), user="postgres", **settings)

    async def run() -> T:
        database = Database(reach)
        try:
            return await work(Applier(database))
        finally:
            await database.close()

    return asyncio.run(run())


def value(dsn: str, query: str) -> object:
    """The one value a query gives."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
