"""The API answers, and answers right, while `up` changes the database behind it."""

from __future__ import annotations

import time

import httpx
import pytest

from .conftest import Stack
from .two_escos import ALPHA, BRAVO

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

LEAST_ANSWERS = 20


def poll_during(stack: Stack, *arguments: str) -> tuple[int, list[str]]:
    """Answers of every kind until the run is over: how many, and what was wrong with them."""
    clients = {
        esco: httpx.Client(
            base_url=stack.api, headers={"Authorization": f"Bearer {stack.token(esco=esco.code)}"}, timeout=60
        )
        for esco in (ALPHA, BRAVO)
    }
    answers, faults = 0, []
    with stack.start("up", *arguments) as run:
        while run.poll() is None:
            for esco, http in clients.items():
                mine = {esco.ids["prepay"], esco.ids["silent"]}
                for path in ("/meter_registry", "/meter_shadows_tariffs", "/rpc/get_meters_for_cli"):
                    answer = http.get(path)
                    answers += 1
                    if answer.status_code != 200 or {row["id"] for row in answer.json()} != mine:
                        faults.append(f"{esco.code} {path}: {answer.status_code} {answer.text[:200]}")
                low = http.get("/meters_low_balance")
                if low.status_code != 200 or any(row["id"] not in mine for row in low.json()):
                    faults.append(f"{esco.code} /meters_low_balance: {low.status_code} {low.text[:200]}")
            time.sleep(0.05)
        out, err = run.communicate()
    for http in clients.values():
        http.close()
    assert run.returncode == 0, f"{out}\n{err}"
    return answers, faults


def low_balance(stack: Stack) -> list[str]:
    headers = {"Authorization": f"Bearer {stack.token(esco=BRAVO.code)}"}
    answer = httpx.get(f"{stack.api}/meters_low_balance", headers=headers)
    return [row["id"] for row in answer.json()]


def test_the_api_answers_while_up_runs(stack: Stack) -> None:
    assert low_balance(stack) == [BRAVO.ids["prepay"]]  # two pounds
    try:
        answers, faults = poll_during(stack, "--config", "flows:lowBalance=1.5")
        assert faults == []
        assert answers > LEAST_ANSWERS
        assert low_balance(stack) == []
    finally:
        answers, faults = poll_during(stack)
    assert faults == []
    assert answers > LEAST_ANSWERS
    assert low_balance(stack) == [BRAVO.ids["prepay"]]
