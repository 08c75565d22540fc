"""`python -m benchmarks.environments`: how long branch environments take until their API answers, made alone and
together, with the share of each phase.

    BENCH_ENVIRONMENTS   1,10: how many at once
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.__main__ import measured
from benchmarks.command import seconds
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import repository

COUNTS = [int(count) for count in os.environ.get("BENCH_ENVIRONMENTS", "1,10").split(",")]


def together(tree: Path, count: int) -> tuple[float, list[dict[str, float]]]:
    """Seconds until all of `count` environments are ready, and the phases of each; they are destroyed again."""
    ctl = str(tree / "bin" / "flowsctl")
    names = [f"bench-{number}" for number in range(count)]
    began = time.perf_counter()
    running = [
        subprocess.Popen([ctl, "env", "create", name, "--json"], cwd=tree, stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    reports = [(process.communicate()[0], process.returncode) for process in running]
    took = time.perf_counter() - began
    left = json.loads(seconds([ctl, "env", "list", "--json"], tree)[1])
    for each in left:
        seconds([ctl, "env", "destroy", each["name"], "--yes"], tree)
    if any(code for _, code in reports):
        sys.exit(f"not all environments could be made: {reports}")
    return took, [json.loads(text)["phases"] for text, _ in reports]


def main(folder: Path) -> None:
    """Prints a column per count: the median of each phase and its share."""
    tree = copy_of_tree(repository(), folder / "flows")
    columns = {count: together(tree, count) for count in COUNTS}
    print(f"load of the machine: {', '.join(f'{each:.1f}' for each in os.getloadavg())}")
    print(f"{'environments at once':24}" + "".join(f"{count:>16}" for count in COUNTS))
    for phase in dict.fromkeys(name for _, made in columns.values() for each in made for name in each):
        cells = []
        for _, made in columns.values():
            median = statistics.median(each.get(phase, 0.0) for each in made)
            total = statistics.median(sum(each.values()) for each in made)
            cells.append(f"{median:8.1f} s {median / total:4.0%} ")
        print(f"{phase:24}" + "".join(f"{cell:>16}" for cell in cells))
    print(f"{'all ready after':24}" + "".join(f"{took:8.1f} s      " for took, _ in columns.values()))


if __name__ == "__main__":
    measured(main)
