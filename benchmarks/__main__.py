"""`make bench`: the Flows stack beside the engine's own floor, as many do-nothing resources, in the same run.

Both go through the same CLI, the same Automation API and a file backend with checkpoints on. A figure is the median of
RUNS runs; ratios are what counts, absolute times depend on the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.command import seconds
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import repository

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
BOUNDS = {"up": 2.5, "preview": 1.5}
"""Issue 3, "must show" 4."""


def flows(folder: Path) -> tuple[dict[str, float], int]:
    """Times of up and unchanged preview of the Flows stack on a server that runs already, and its resources."""
    tree = copy_of_tree(repository(), folder / "flows")
    ctl = str(tree / "bin" / "flowsctl")
    times: dict[str, list[float]] = {"up": [], "preview": []}
    count = 0
    for _ in range(RUNS):
        times["up"].append(seconds([ctl, "up"], tree)[0])
        took, text = seconds([ctl, "preview", "--json"], tree)
        times["preview"].append(took)
        counts = json.loads(text)["counts"]
        if any(value for key, value in counts.items() if key != "same"):
            sys.exit(f"the second preview is not empty: {counts}")
        count = counts["same"]
        seconds([ctl, "destroy", "--yes", "--purge"], tree)
    return {name: statistics.median(values) for name, values in times.items()}, count


def floor(folder: Path, count: int) -> dict[str, float]:
    """The same with `count` resources of a provider that does nothing."""
    project = folder / "floor"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(
        "name: floor\nruntime: python\nplugins:\n  providers:\n"
        f"    - name: floor\n      path: {repository() / 'benchmarks' / 'floor'}\n"
    )
    times: dict[str, list[float]] = {"up": [], "preview": []}
    for _ in range(RUNS):
        for verb in ("up", "preview", "destroy"):
            command = [sys.executable, "-m", "benchmarks.floor_program", str(project), verb, str(count)]
            took, _ = seconds(command, repository())
            if verb in times:
                times[verb].append(took)
    return {name: statistics.median(values) for name, values in times.items()}


def measured(work: Callable[[Path], None]) -> None:
    """Runs `work` in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="flows-bench-"))
    try:
        work(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(folder: Path) -> None:
    """Prints the table."""
    ours, count = flows(folder)
    base = floor(folder, count)
    print(f"{count} resources, median of {RUNS} runs")
    print(f"{'':18}{'floor':>9}{'flows':>9}{'ratio':>8}{'bound':>8}")
    failed = False
    for name, label in (("up", "fresh up"), ("preview", "unchanged preview")):
        ratio = ours[name] / base[name]
        failed |= ratio > BOUNDS[name]
        print(f"{label:18}{base[name]:8.2f}s{ours[name]:8.2f}s{ratio:8.2f}{BOUNDS[name]:8.1f}")
    if failed:
        sys.exit("a ratio is over its bound")


if __name__ == "__main__":
    measured(main)
