"""From a database to a package, from a package to a database, and what tells two databases apart."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.inspection import package
from pulumi_timescaledb.inspection.look import View, look
from pulumi_timescaledb.inspection.select import Selection, select
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.snapshot import Snapshot, take
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from ..engine import Engine, settings_of

HERE = Path(__file__).parent
Settings = dict[str, Any]
INFORMATION = ("hypertables", "dimensions", "continuous_aggregates", "jobs", "hypertable_columnstore_settings")
"""Views of timescaledb_information that describe what was declared, not what is in it."""
_DIFFER = re.compile(
    r"_(?:materialized|compressed)_hypertable_\d+|_(?:direct|partial)_view_\d+|cagg_watermark\(\d+\)|\"?job_id\"?: ?\d+"
)
"""Numbers that the server deals out."""


def settings(server: EmbeddedServer) -> Settings:
    """How the provider connects to an embedded server."""
    return settings_of(server)


def asked(where: Settings, question: Any) -> Any:
    """The answer of a database to a coroutine function."""

    async def work() -> Any:
        database = Database(ConnectionSettings.from_wire(where))
        try:
            return await question(database)
        finally:
            await database.close()

    return asyncio.run(work())


def run_file(where: Settings, *names: str) -> None:
    """Runs SQL files of this folder."""
    asked(where, lambda database: database.capabilities())  # makes the user of an embedded server
    arguments = ConnectionSettings.from_wire(where).conninfo()
    with psycopg.connect(**arguments, autocommit=True, prepare_threshold=None) as connection:
        for name in names:
            connection.execute((HERE / name).read_bytes())


def inspected(where: Settings, schemas: Sequence[str] = ()) -> tuple[View, Selection]:
    """What a database has, and what of it becomes declarations."""
    view = asked(where, lambda database: look(database, schemas))
    return view, select(view)


def through_a_package(specs: Sequence[Spec], folder: Path) -> list[Spec]:
    """The declarations as they come back from the written package."""
    name = f"declared_{abs(hash(folder))}"
    package.write(package.files(specs, name, "a test", "dev"), folder)
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return list(importlib.import_module(name).DECLARATIONS)
    finally:
        sys.path.remove(str(folder))
        for module in [each for each in sys.modules if each.split(".")[0] == name]:
            del sys.modules[module]


def deploy(engine: Engine, specs: Sequence[Spec]) -> None:
    """A first run of a program with these declarations."""
    whole = Whole(specs)
    inputs, faults = engine.check("Manifest", {"declarations": whole.pack()})
    assert faults == [], faults
    engine.create(("Manifest", inputs))
    for reference in whole.creation_order:
        engine.create(whole.specs[reference])
    engine.create(("Seal", {"declarations": "digest"}))


def shapes(where: Settings, schemas: Sequence[str]) -> dict[str, dict[tuple[str, ...], Spec]]:
    """Every object of the schemas as the provider reads it."""
    snapshot: Snapshot = asked(where, take)
    return {
        kind: {key: spec for key, spec in found.items() if (getattr(spec, "schema_", None) or key[0]) in schemas}
        for kind, found in snapshot.live.items()
    }


def information(where: Settings, schemas: Sequence[str]) -> dict[str, list[str]]:
    """Rows of timescaledb_information, numbers that the server deals out taken away."""
    found = {}
    arguments = ConnectionSettings.from_wire(where).conninfo()
    with psycopg.connect(**arguments, autocommit=True, prepare_threshold=None) as connection:
        for view in INFORMATION:
            rows = connection.execute(f"SELECT to_jsonb(x) FROM timescaledb_information.{view} x".encode()).fetchall()
            kept = [_stable(view, row[0]) for row in rows if _of(row[0], schemas)]
            found[view] = sorted(_DIFFER.sub("N", repr(sorted(each.items()))) for each in kept)
    return found


def _of(row: dict[str, Any], schemas: Sequence[str]) -> bool:
    names = {str(value) for key, value in row.items() if "schema" in key or key == "hypertable"}
    return any(name.split(".")[0].strip('"') in schemas for name in names)


def _stable(view: str, row: dict[str, Any]) -> dict[str, Any]:
    gone = {"job_id", "next_start", "application_name", "num_chunks", "initial_start"}
    kept = {key: value for key, value in row.items() if key not in gone}
    if view == "jobs" and isinstance(kept.get("config"), dict):
        kept["config"] = {k: v for k, v in kept["config"].items() if k not in ("hypertable_id", "mat_hypertable_id")}
    return kept


def pg_dump() -> Path | None:
    """pg_dump of at least PostgreSQL 17, which the embedded server is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"), key=lambda path: int(path.parts[-3]))
    return next((path for path in reversed(found) if int(path.parts[-3]) >= 17), None)


def dumped(program: Path, where: Settings, schemas: Sequence[str]) -> Counter[str]:
    """The statements of `pg_dump -s`, in no order: it sorts by number where names do not decide, and lists rights in
    the order they were given."""
    arguments = ConnectionSettings.from_wire(where).conninfo()
    target = " ".join(f"{key}={arguments[key]}" for key in ("host", "port", "user", "dbname"))
    chosen = [part for name in schemas for part in ("-n", '"{}"'.format(name.replace('"', '""')))]
    command = [program, "--schema-only", *chosen, target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    body = re.sub(r"^--.*\n|^\\(?:un)?restrict .*\n|^SET .*\n", "", done.stdout, flags=re.MULTILINE)
    return Counter(_DIFFER.sub("N", _in_order(each.strip())) for each in re.split(r";\n", body) if each.strip())


def _in_order(statement: str) -> str:
    """A function's SET clauses and a policy's roles in one order: it means nothing, and neither protocol nor
    spec keeps it."""
    if statement.startswith("CREATE POLICY"):
        return re.sub(
            r"(?<= TO )(.+?)(?= USING | WITH CHECK |$)", lambda to: ", ".join(sorted(to[1].split(", "))), statement
        )
    return re.sub(r"(?:\n    SET .*)+", lambda sets: "\n".join(sorted(sets[0].split("\n"))), statement)
