"""Every kind's life on a real server, and a check that no kind and no field is left out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import get_args

import psycopg
import pytest

from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.specs import Part, Spec, kind_names, spec_type

from . import kinds
from .lifecycle import LifeCycle, Server, live

pytestmark = pytest.mark.server

NOT_SHOWN = {
    "ContinuousAggregate.create_group_indexes": "steers the creation; the indexes themselves are objects of their own",
    "ContinuousAggregate.renamed_columns": "steers a change of the query, which shows it",
    "Extension.edition": "says which server the program is for; the preflight compares it",
    "MaterializedView.with_data": "steers the creation; any refresh fills it",
    "Role.password": "the server shows no password",
}
"""Fields whose change behind the provider's back cannot be drift, and why."""
NEVER_DROPPED = {"Hypertable": "the way back is dropping its table, so the kind refuses"}


def _lives() -> Iterator[LifeCycle]:
    for module in pkgutil.iter_modules(kinds.__path__):
        yield from importlib.import_module(f"{kinds.__name__}.{module.name}").LIVES


LIVES = list(_lives())


def lives_of(kind: str) -> list[LifeCycle]:
    return [life for life in LIVES if kind == life.spec.KIND]


@pytest.mark.parametrize("life", LIVES, ids=str)
def test_life(life: LifeCycle, shared_dsn: str) -> None:
    with psycopg.connect(shared_dsn, prepare_threshold=None) as connection:
        try:
            live(Server(connection), life)
        finally:
            connection.rollback()


def test_every_kind_has_a_life() -> None:
    assert {life.spec.KIND for life in LIVES} == set(kind_names())


@pytest.mark.parametrize("kind", kind_names())
def test_every_kind_lives_through_everything(kind: str) -> None:
    """Create, no-op, import and applying twice are part of every life; the rest is data that must be there."""
    lives = lives_of(kind)
    assert any(life.alters for life in lives)
    assert any(life.drifts for life in lives)
    assert any(life.droppable for life in lives) or kind in NEVER_DROPPED
    source = inspect.getsource(importlib.import_module(type(kind_of(kind)).__module__))
    can_rebuild = "raise Rebuild" in source or "raise BuildBeside" in source
    assert can_rebuild == any(alter.rebuild for life in lives for alter in life.alters)


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_has_its_change(kind: str) -> None:
    """A field of a spec is part of the identity, or an alter changes it in some life."""
    fields = set(spec_type(kind).model_fields) - spec_type(kind).VOLATILE - spec_type(kind).secret_fields()
    changed = {name for life in lives_of(kind) for alter in life.alters for name in alter.change}
    missing = fields - changed - _identity(kind)
    assert not missing, f"no change of {sorted(missing)}"


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_has_its_drift(kind: str) -> None:
    """So is every field of the parts inside, down to the last one, but for the identity."""
    steering = spec_type(kind).VOLATILE & spec_type(kind).model_fields.keys() - {"allow", "previously"}
    reasoned = {path for path in NOT_SHOWN if path.startswith(f"{kind}.")}
    assert {f"{kind}.{name}" for name in steering | spec_type(kind).secret_fields()} == reasoned
    seen = {path for life in lives_of(kind) for drift in life.drifts for path in drift.fields.split()}
    missing = set(_leaves(spec_type(kind))) - seen
    missing -= _identity(kind) | steering | spec_type(kind).secret_fields()
    assert not missing, f"no drift of {sorted(missing)}"
    assert seen <= set(_leaves(spec_type(kind))) | spec_type(kind).model_fields.keys(), "drifts of unknown fields"


def _leaves(part: type[Part], before: str = "") -> Iterator[str]:
    """Dotted paths of every field, those of the parts inside too."""
    for name, field in part.model_fields.items():
        if name in ("allow", "previously"):
            continue
        inside = _part_in(field.annotation)
        yield from _leaves(inside, f"{before}{name}.") if inside else (f"{before}{name}",)


def _part_in(annotation: object) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for each in get_args(annotation) if (found := _part_in(each))), None)


def _identity(kind: str) -> set[str]:
    """Fields that tell the object from others: another value is another object."""
    found = set()
    for life in lives_of(kind):
        for name in type(life.spec).model_fields:
            if isinstance(getattr(life.spec, name), str) and _other(life.spec, name) != life.spec.identity():
                found.add(name)
    return found


def _other(spec: Spec, name: str) -> tuple[str, ...]:
    return spec.model_copy(update={name: "other"}).identity()
