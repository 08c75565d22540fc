"""`python -m benchmarks.demo`: `demo load` beside the bare path for the same rows, in the same run, batch by batch."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks.__main__ import measured
from benchmarks.command import seconds
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import repository

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
SIZE = tuple(os.environ.get("BENCH_DEMO", "").split())
"""Options of `demo load`, such as "--escos 1 --meters 40 --days 20"; the command's own load where it is empty."""
BOUND = 1.5
"""The load may cost that many times the bare path."""


def main(folder: Path) -> None:
    """Prints every run; the least disturbed one counts."""
    tree = copy_of_tree(repository(), folder / "flows")
    ctl = str(tree / "bin" / "flowsctl")
    try:
        seconds([ctl, "up"], tree)
        ratios = []
        for _ in range(RUNS):
            _, text = seconds([ctl, "demo", "load", *SIZE, "--measure", "--replace", "--json"], tree)
            report = json.loads(text)
            found, rows = report["measure"], sum(report["rows"].values())
            ratios.append(found["ratio"])
            print(f"demo load, {rows} rows: {found['load_seconds']:.1f} s, bare {found['bare_seconds']:.1f} s")
    finally:
        seconds([ctl, "destroy", "--yes", "--purge"], tree)
    print(f"ratio {min(ratios):.2f}, bound {BOUND}")
    if min(ratios) > BOUND:
        sys.exit("the ratio is over its bound")


if __name__ == "__main__":
    measured(main)
