"""Dumping: one snapshot for pg_dump and for the ledger of what was in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from flowsctl.dumping import census, checks, roles, tools
from flowsctl.dumping.checks import Facts
from flowsctl.errors import FlowsError, UsageError
from flowsctl.maintenance.objects import Connection

FORMAT = 1
MANIFEST, DATABASE, ROLES = "manifest.json", "database.dump", "roles.json"
Tell = Callable[[str], None]


def dump(
    conninfo: Mapping[str, Any], target: Path, tell: Tell, *, passwords: bool = False, image: str = ""
) -> dict[str, Any]:
    """A dump of the database in a new folder: `database.dump` (pg_dump's custom format), `roles.json`,
    `manifest.json` with versions, hashes and the census. All three are readable by their owner only. Whatever fails,
    or Ctrl-C, leaves no folder. Returns the manifest. `image`: see tools.find.

    pg_dump holds ACCESS SHARE on every table meanwhile: reading and writing go on, compression and retention wait.

    Raises:
        FlowsError: refused (checks.may_be_dumped), no pg_dump of the server's version, or pg_dump failed.
    """
    with psycopg.connect(**conninfo, autocommit=True, prepare_threshold=None) as connection, new_folder(target) as made:
        found = checks.facts(connection)
        checks.may_be_dumped(found)
        programs = tools.find(found.major, image)
        began, started = datetime.now(UTC), time.monotonic()
        with one_moment(connection, found) as snapshot:
            tell("counting rows")
            counted = census.take(connection)
            _write(
                made / ROLES,
                {
                    "before": roles.before_load(connection, passwords=passwords),
                    "after": roles.after_load(connection),
                },
            )
            tell(f"pg_dump of {sum(counted['tables'].values())} rows")
            arguments = ["--format=custom", f"--file={programs.inside(made / DATABASE)}", *snapshot]
            warnings = programs.run("pg_dump", arguments, conninfo, made)
        if not snapshot and census.differences(counted, census.take(connection)):
            raise FlowsError("the database was written to while it was dumped", "stop what writes and run it again")
        manifest = {
            "format": FORMAT,
            "made": began.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - started, 3),
            "server": {
                "major": found.major,
                "postgres": found.postgres,
                "timescaledb": found.timescaledb,
                "license": found.license,
                "database": found.name,
                "locale": found.locale,
            },
            "passwords": passwords,
            "files": {name: digest(made / name) for name in (DATABASE, ROLES)},
            "warnings": warnings,
            "census": counted,
        }
        (made / DATABASE).chmod(0o600)
        _write(made / MANIFEST, manifest)
    return manifest


@contextmanager
def one_moment(connection: Connection, found: Facts) -> Iterator[list[str]]:
    """A transaction whose snapshot pg_dump takes part in: its arguments. The embedded server has one backend, which
    serves pg_dump only between our transactions: nothing is shared there."""
    if found.embedded:
        yield []
        return
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield [f"--snapshot={row[0]}" if row else ""]
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its name at the end, and is gone if it did not come to that."""
    if target.exists():
        raise UsageError(f"{target} is there already", "name a folder that does not exist")
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.{os.getpid()}")
    with ExitStack() as undo:
        made.mkdir(mode=0o700)
        undo.callback(shutil.rmtree, made, ignore_errors=True)
        yield made
        made.rename(target)
        undo.pop_all()


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a dump, whose files are as they were written.

    Raises:
        FlowsError: it is no dump of this format, or a file has changed.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known = manifest["format"]
        sums = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder} is not a dump of flowsctl: {error}", "name the folder of flowsctl dump") from None
    if known != FORMAT:
        raise FlowsError(
            f"{folder} has format {known}, this version reads {FORMAT}", "load it with the version it is of"
        )
    for name, expected in sums.items():
        if not (folder / name).exists() or digest(folder / name) != expected:
            raise FlowsError(f"{name} in {folder} is not what was dumped: its SHA-256 differs", "take another dump")
    return manifest


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: Any) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
