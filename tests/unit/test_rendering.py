"""Golden SQL: what every kind renders for its first life (tests/provider/kinds). After a wanted change:
`pytest tests/unit/test_rendering.py --update-golden`, and read the difference."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.specs import Spec, kind_names, module_name
from pulumi_timescaledb.statement import Rebuild, Refused, Statement

from ..provider import kinds
from ..provider.lifecycle import LifeCycle

GOLDEN = Path(__file__).parent / "golden"


@cache
def _lives(kind: str) -> tuple[LifeCycle, ...]:
    cases = importlib.import_module(f"{kinds.__name__}.{module_name(kind)}_cases")
    return tuple(life for life in cases.LIVES if kind == life.spec.KIND)


def _plan(old: Spec | None, new: Spec | None) -> Iterator[str]:
    kind = kind_of((old or new).KIND)  # type: ignore[union-attr]
    try:
        statements = kind.plan(old, new, Context())
    except Rebuild as rebuild:
        yield f"-- rebuilt: {rebuild.reason}"
    except Refused as refusal:
        yield f"-- refused: {refusal}"
    else:
        for each in statements:
            yield from _shown(each)


def _shown(statement: Statement) -> Iterator[str]:
    if statement.lock:
        yield f"-- lock: {statement.lock}"
    for hazard in statement.hazards:
        yield f"-- {hazard}"
        if hazard.allow:
            yield f"--   allow: {hazard.allow}"
        if hazard.probe:
            yield "--   probe: " + " ".join(hazard.probe.split())
    yield f"{statement.sql};"


def _golden(life: LifeCycle) -> str:
    spec = life.spec
    parts = [f"-- {life}: create", *_plan(None, spec)]
    for alter in life.alters:
        new = type(spec).from_wire(spec.model_copy(update=alter.change).to_wire())
        parts += ["", f"-- alter: {alter.name}", *_plan(spec, new)]
    parts += ["", "-- drop", *_plan(spec, None)]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("kind", kind_names())
def test_golden(kind: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{module_name(kind)}.sql"
    made = _golden(_lives(kind)[0])
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run with --update-golden"
    assert made == path.read_text(encoding="utf-8"), "run with --update-golden if the change is wanted"


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sql")} == {module_name(kind) for kind in kind_names()}


def test_passwords_are_not_in_the_text() -> None:
    from pulumi_timescaledb import specs

    (statement,) = [
        each
        for each in kind_of("Role").plan(None, specs.Role(name="x", login=True, password="planted"), Context())
        if each.secrets
    ]
    assert "planted" not in statement.sql
    assert "planted" not in repr(statement)
    assert "SCRAM-SHA-256" in statement.executable()
