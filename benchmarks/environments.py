"""`python -m benchmarks.environments`: how long branch environments take until their API answers, on each engine, made
alone and together, with the share of each phase.

    BENCH_ENGINES        embedded; also docker and external (a PostgreSQL with TimescaleDB of this machine; without an
                         API, which would be a container that cannot reach it)
    BENCH_IMAGE          the database server's image on docker, of edition community; default that of Pulumi.yaml
    BENCH_ENVIRONMENTS   1,10: how many at once
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.__main__ import measured
from benchmarks.command import seconds
from components.config import DOCKER, EMBEDDED, EXTERNAL
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import dump_yaml, repository

ENGINES = os.environ.get("BENCH_ENGINES", EMBEDDED).split(",")
COUNTS = [int(count) for count in os.environ.get("BENCH_ENVIRONMENTS", "1,10").split(",")]
IMAGE = os.environ.get("BENCH_IMAGE", "")
ORIGIN = "bench"


@contextmanager
def settings(engine: str) -> Iterator[dict[str, str]]:
    """Config of the stack whose settings the environments take; a server runs as long as one is needed."""
    common = {"flows:engine": engine, "flows:disposable": "true"}
    if engine == DOCKER and IMAGE:
        common["flows:image"] = IMAGE
    if engine != EXTERNAL:
        yield common
        return
    from psycopg.conninfo import conninfo_to_dict

    from tests.provider import native

    if not native.has_timescaledb():
        sys.exit(native.WHY_NO_TIMESCALEDB)
    with native.running(timescaledb=True) as dsn:
        where = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
        yield common | {
            "flows:host": where["host"],
            "flows:port": where["port"],
            "flows:adminUser": where["user"],
            "flows:apiEnabled": "false",
        }


def together(tree: Path, engine: str, count: int) -> tuple[float, list[dict[str, float]]]:
    """Seconds until all of `count` environments are ready, and the phases of each; they are destroyed again."""
    ctl = str(tree / "bin" / "flowsctl")
    create = [ctl, "env", "create", "--from", ORIGIN, "--json"]
    began = time.perf_counter()
    running = [
        subprocess.Popen([*create, f"{engine}-{number}"], cwd=tree, stdout=subprocess.PIPE, text=True)
        for number in range(count)
    ]
    reports = [(process.communicate()[0], process.returncode) for process in running]
    took = time.perf_counter() - began
    left = json.loads(seconds([ctl, "env", "list", "--json"], tree)[1])
    for each in left:
        seconds([ctl, "env", "destroy", each["name"], "--yes"], tree)
    if any(code for _, code in reports):
        sys.exit(f"not all environments could be made: {reports}")
    return took, [json.loads(text)["phases"] for text, _ in reports]


def table(engine: str, columns: dict[int, tuple[float, list[dict[str, float]]]]) -> str:
    """A column per count: the median of each phase and its share."""
    lines = [f"{engine}, environments at once".ljust(36) + "".join(f"{count:>16}" for count in columns)]
    for phase in dict.fromkeys(name for _, made in columns.values() for each in made for name in each):
        cells = []
        for _, made in columns.values():
            median = statistics.median(each.get(phase, 0.0) for each in made)
            total = statistics.median(sum(each.values()) for each in made)
            cells.append(f"{median:8.1f} s {median / total:4.0%} ")
        lines.append(f"{phase:36}" + "".join(f"{cell:>16}" for cell in cells))
    lines.append(f"{'all ready after':36}" + "".join(f"{took:8.1f} s      " for took, _ in columns.values()))
    return "\n".join(lines)


def main(folder: Path) -> None:
    """Prints a table per engine."""
    for engine in ENGINES:
        tree = copy_of_tree(repository(), folder / engine)
        with settings(engine) as config:
            (tree / f"Pulumi.{ORIGIN}.yaml").write_text(dump_yaml({"config": config}))
            columns = {count: together(tree, engine, count) for count in COUNTS}
        print(f"load of the machine: {', '.join(f'{each:.1f}' for each in os.getloadavg())}")
        print(table(engine, columns), end="\n\n", flush=True)


if __name__ == "__main__":
    os.environ.setdefault(ADMIN_PASSWORD_VARIABLE, "not asked for")
    measured(main)
