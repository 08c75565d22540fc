"""`python -m benchmarks.plain`: the plain schema at several sizes, beside the engine's floor, psql and pg_dump.

Everything of one size runs in the same run, on the same server: the newest installed one, or BENCH_DSN (a superuser's
connection string; databases named plain_* are made there and dropped). Variables:

    BENCH_COUNTS      100,1000,5000
    BENCH_CHECKPOINTS largest size that up and destroy are also measured at with checkpoints (1000): the file backend
                      writes the whole state twice per resource, which at 5,000 takes most of an hour
    BENCH_LIMIT       seconds that one command may take (900)
    BENCH_RESUME      a file: columns that it holds are not measured again, new ones are added
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.command import Failed, seconds
from benchmarks.plain_schema import ROLES, script
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import repository
from tests.provider import native

COUNTS = [int(count) for count in os.environ.get("BENCH_COUNTS", "100,1000,5000").split(",")]
CHECKPOINTS = int(os.environ.get("BENCH_CHECKPOINTS", "1000"))
LIMIT = float(os.environ.get("BENCH_LIMIT", "900"))
RESUME = os.environ.get("BENCH_RESUME", "")
STEPS = ("plan", "drift", "up", "preview", "refresh", "destroy")
BOUNDS = {100: 0.4, 1000: 0.8, 5000: 2.5}
"""Seconds of `plan` and `drift` without a change: issue 4, "Speed"."""
UNSAVED = {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "1"}
"""State is written once, at the end."""
QUICK_RUNS = 5
"""Runs of what takes seconds; the figure is their median. Everything else runs once."""

ROOT = repository()
Times = dict[str, float | None]
"""Seconds by step; None: it took more than BENCH_LIMIT."""


@contextmanager
def server() -> Iterator[str]:
    """Connection string of a superuser on a server of many processes."""
    if given := os.environ.get("BENCH_DSN"):
        yield given
    elif native.programs() is None:
        sys.exit(f"{native.WHY_NOT}; or name one by BENCH_DSN")
    else:
        with native.running(timescaledb=native.has_timescaledb()) as dsn:
            yield dsn


@contextmanager
def database(dsn: str, name: str) -> Iterator[str]:
    """A fresh database, dropped afterwards with the schema's roles."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        _drop(admin, name)
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            _drop(admin, name)


def _drop(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
    admin.execute(f"DROP ROLE IF EXISTS {', '.join(ROLES)}".encode())


def raw(dsn: str, count: int, folder: Path) -> Times:
    """`psql -f` of the same schema, and `pg_dump -s` of it."""
    file = folder / f"{count}.sql"
    file.write_text(script(count))
    programs = native.programs()
    psql, dump = ((str(programs / name) if programs else name) for name in ("psql", "pg_dump"))
    with database(dsn, f"plain_{count}_raw") as target:
        load = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", target, "-f", str(file)]
        made, _ = seconds(load, ROOT, limit=LIMIT)
        runs = [seconds([dump, "-s", "-d", target], ROOT, limit=LIMIT)[0] for _ in range(QUICK_RUNS)]
    return {"psql -f": made, "pg_dump -s": statistics.median(runs)}


def program(folder: Path) -> Path:
    """A copy of this repository whose program is the plain schema on the server that PLAIN_DSN names."""
    tree = copy_of_tree(ROOT, folder)
    shutil.copytree(ROOT / "benchmarks" / "overlay", tree, dirs_exist_ok=True)
    config = tree / "components" / "config.py"
    text = config.read_text()
    if "ENGINES = (EMBEDDED," not in text:
        sys.exit("components/config.py has no list of engines that the benchmark could add its own to")
    config.write_text(text.replace("ENGINES = (EMBEDDED,", 'ENGINES = (EMBEDDED, "plain",'))
    (tree / "Pulumi.local.yaml").write_text('config:\n  flows:engine: plain\n  flows:disposable: "true"\n')
    return tree


def ours(dsn: str, count: int, folder: Path, environment: dict[str, str], steps: tuple[str, ...]) -> Times:
    """flowsctl on the schema's declarations."""
    tree = program(folder / f"tree-{count}-{len(environment)}")
    ctl = str(tree / "bin" / "flowsctl")
    with database(dsn, f"plain_{count}_ours") as target:
        variables = {**environment, "PLAIN_DSN": target, "PLAIN_OBJECTS": str(count)}
        seconds([ctl, "up", "--help"], tree, variables)  # compiles the tree's Python once

        def run(step: str) -> float:
            arguments = ["destroy", "--yes"] if step == "destroy" else [step]
            return seconds([ctl, *arguments], tree, variables, LIMIT)[0]

        return _measured(steps, run)


def floor(count: int, folder: Path, environment: dict[str, str], steps: tuple[str, ...]) -> Times:
    """As many resources of a provider that does nothing, through the same CLI and Automation API."""
    project = folder / f"floor-{count}-{len(environment)}"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(
        "name: floor\nruntime: python\nplugins:\n  providers:\n"
        f"    - name: floor\n      path: {ROOT / 'benchmarks' / 'floor'}\n"
    )

    def run(step: str) -> float:
        command = [sys.executable, "-m", "benchmarks.floor_program", str(project), step, str(count)]
        return seconds(command, ROOT, environment, LIMIT)[0]

    return _measured(tuple(step for step in steps if step not in ("plan", "drift")), run)


def _measured(steps: tuple[str, ...], run: object) -> Times:
    """Up first, destroy last, whatever stands between."""
    assert callable(run)
    times: Times = {}
    try:
        for step in sorted(steps, key=("up", "plan", "drift", "preview", "refresh", "destroy").index):
            repeat = QUICK_RUNS if step in ("plan", "drift") else 1
            times[step] = statistics.median(run(step) for _ in range(repeat))
    except Failed as failure:
        print(failure, file=sys.stderr)
        times |= {step: None for step in steps if step not in times}
    return times


def columns(dsn: str, count: int, folder: Path, known: dict[str, Times]) -> dict[str, Times]:
    """Every column of one size; those in `known` are taken over."""
    from benchmarks.plain_schema import declarations

    resources = len(declarations(count)) + 3  # Manifest, Seal, component
    writing = STEPS if count <= CHECKPOINTS else ()
    work = {
        "raw": lambda: raw(dsn, count, folder),
        "ours, state written once": lambda: ours(dsn, count, folder, UNSAVED, STEPS),
        "floor, state written once": lambda: floor(resources, folder, UNSAVED, STEPS),
        "ours": lambda: ours(dsn, count, folder, {}, writing),
        "floor": lambda: floor(resources, folder, {}, writing),
    }
    found = {}
    for name, measure in work.items():
        if name not in known:
            print(f"  {count}: {name} ...", file=sys.stderr, flush=True)
            known[name] = measure() if writing or name not in ("ours", "floor") else {}
            _save(count, known)
        found[name] = known[name]
    return found


def _saved() -> dict[str, dict[str, Times]]:
    path = Path(RESUME)
    return json.loads(path.read_text()) if RESUME and path.exists() else {}


def _save(count: int, known: dict[str, Times]) -> None:
    if RESUME:
        Path(RESUME).write_text(json.dumps({**_saved(), str(count): known}, indent=1))


def _shown(times: Times, step: str) -> str:
    if step not in times:
        return "–"
    value = times[step]
    return f"> {LIMIT:.0f}" if value is None else f"{value:.2f}"


def table(count: int, found: dict[str, Times]) -> str:
    """One size, as docs/benchmarks.md has it."""
    base = found["raw"]
    lines = [
        f"{count} objects: psql -f {base['psql -f']:.2f} s, pg_dump -s {base['pg_dump -s']:.2f} s",
        "| s | ours | floor | ours, state written once | floor, state written once | bound |",
        "|---|---|---|---|---|---|",
    ]
    names = ("ours", "floor", "ours, state written once", "floor, state written once")
    for step in STEPS:
        bound = f"{BOUNDS[count]}" if step in ("plan", "drift") and count in BOUNDS else ""
        cells = [_shown(found[name], step) for name in names]
        lines.append(f"| {step} | {' | '.join(cells)} | {bound} |")
    return "\n".join(lines)


def main(folder: Path) -> bool:
    """Prints the tables; returns whether every bound was kept."""
    kept = True
    with server() as dsn:
        for count in COUNTS:
            found = columns(dsn, count, folder, _saved().get(str(count), {}))
            print(table(count, found), end="\n\n", flush=True)
            for step in ("plan", "drift"):
                value = found["ours, state written once"].get(step)
                kept &= count not in BOUNDS or (value is not None and value <= BOUNDS[count])
    return kept


if __name__ == "__main__":
    scratch = Path(tempfile.mkdtemp(prefix="plain-bench-"))
    try:
        good = main(scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not good:
        sys.exit("a bound is not kept")
