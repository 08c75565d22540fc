"""A sample of the kill harness (`make kill` is the whole of it): a few points of every kind of run."""

from __future__ import annotations

import os
import random

import pytest

from tests.kills.run import run
from tests.kills.scenarios import all_scenarios

from . import native

pytestmark = [pytest.mark.server, pytest.mark.load, pytest.mark.xdist_group("kills")]
SCENARIOS = {scenario.name: scenario for scenario in all_scenarios()}
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
"""Another one each time; a failure says which, and `KILL_SEED` sets it."""


@pytest.mark.parametrize("name", ["plant-update", "plant-destroy", "native-update"])
def test_killed_anywhere_it_converges(name: str) -> None:
    if name not in SCENARIOS:
        pytest.skip(native.WHY_NO_TIMESCALEDB)
    points = 0
    for chain, result in run(SCENARIOS[name], SEED, points=4, kills=4):
        points += len(result.kills)
        told = "\n".join([*map(str, result.kills), *result.faults])
        assert not result.faults, f"python -m tests.kills --seed {SEED} --kills 4 --only {name}:{chain}\n{told}"
    assert points >= 1
