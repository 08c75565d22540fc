"""Every kind's life on a real server, and a check that no kind and no field is left out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import psycopg
import pytest

from pulumi_timescaledb.specs import kind_names, spec_type

from . import kinds
from .lifecycle import LifeCycle, Server, live


def _lives() -> Iterator[LifeCycle]:
    for module in pkgutil.iter_modules(kinds.__path__):
        yield from importlib.import_module(f"{kinds.__name__}.{module.name}").LIVES


LIVES = list(_lives())


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
def test_every_field_has_its_change(kind: str) -> None:
    """A field of a spec is part of the identity, or an alter changes it in some life."""
    fields = set(spec_type(kind).model_fields) - spec_type(kind).VOLATILE - spec_type(kind).secret_fields()
    lives = [life for life in LIVES if kind == life.spec.KIND]
    changed = {name for life in lives for alter in life.alters for name in alter.change}
    for life in lives:
        identity = life.spec.identity()
        for name in fields:
            other = "other" if isinstance(getattr(life.spec, name), str) else None
            if other and life.spec.model_copy(update={name: other}).identity() != identity:
                changed.add(name)
    assert fields <= changed, f"no change of {sorted(fields - changed)}"
