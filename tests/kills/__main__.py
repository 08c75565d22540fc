"""`python -m tests.kills`: at least so many kill points, a report, exit code 1 if anything was not well."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from collections.abc import Sequence

from tests.provider import native

from . import cli
from .run import run
from .scenarios import all_scenarios, can_swap


def main() -> int:
    """Runs every scenario that can run here, or those named."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    names = [*(scenario.name for scenario in all_scenarios()), "cli"]
    parser.add_argument("--points", type=int, default=16, help="kill points of each scenario")
    parser.add_argument("--kills", type=int, default=8, help="kills of one run before it is left to converge")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="a scenario, or one chain of it: flows-update:3")
    parser.add_argument("--cli", type=int, default=4, help="kills of each real flowsctl command")
    options = parser.parse_args()
    wanted, _, number = options.only.partition(":")
    if wanted and wanted not in names:
        parser.error(f"there is no scenario {wanted} here; there are {', '.join(names)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing of it stays
    print(f"seed {options.seed}", flush=True)
    if not can_swap():
        print("left out: an aggregate's query, which this version refuses to change", flush=True)
    if not native.has_timescaledb():
        print(f"left out: the native server, because {native.WHY_NO_TIMESCALEDB}", flush=True)
    points = failures = 0
    for scenario in all_scenarios():
        if wanted not in ("", scenario.name):
            continue
        began = time.monotonic()
        for chain, result in run(
            scenario, options.seed, options.points, options.kills, int(number) if number else None
        ):
            points += len(result.kills)
            print(f"{scenario.name}:{chain}  {len(result.kills)} kills, {result.seconds:.1f} s", flush=True)
            if result.faults:
                failures += 1
                _tell(scenario.name, chain, options, result.kills, result.faults)
        print(f"{scenario.name}: {time.monotonic() - began:.0f} s", flush=True)
    if wanted in ("", "cli") and options.cli:
        for name, killed in cli.run(options.seed, options.cli):
            points += len(killed.told)
            print(f"{name}  {len(killed.told)} kills", flush=True)
            if killed.faults:
                failures += 1
                _tell("cli", None, options, killed.told, killed.faults)
    print(f"{points} kill points, {failures} failures, seed {options.seed}")
    return 1 if failures or not points else 0


def _tell(
    name: str, chain: int | None, options: argparse.Namespace, kills: Sequence[object], faults: list[str]
) -> None:
    for kill in kills:
        print(f"  killed: {kill}")
    for fault in faults[:20]:
        print(f"  FAULT: {fault}")
    repeat = f"--seed {options.seed} --kills {options.kills} --cli {options.cli} --only {name}"
    print(f"  again: python -m tests.kills {repeat}{f':{chain}' if chain is not None else ''}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
