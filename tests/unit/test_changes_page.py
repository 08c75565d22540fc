"""docs/changes.md is what `make docs` writes, and names every field of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from pulumi_timescaledb.specs import Part, kind_names, spec_type
from tools import changes


def test_the_page_is_up_to_date() -> None:
    assert changes.TARGET.read_text(encoding="utf-8") == changes.document(), "run make docs"


def _parts(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _paths(part: type[Part], prefix: str = "") -> Iterator[str]:
    """Every field, and those of the parts inside."""
    for name, field in part.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        for inner in _parts(field.annotation):
            many = "[]" if "tuple" in str(field.annotation) else ""
            yield from _paths(inner, f"{path}{many}.")


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_has_a_row(kind: str) -> None:
    found = {re.sub(r"\[\]$", "", row.field) for row in changes.rows(kind, changes.lives()[kind])}
    inside = {path.rsplit(".", 1)[0].removesuffix("[]") for path in found if "." in path} | found
    missing = [path for path in _paths(spec_type(kind)) if path not in found | inside]
    assert not missing, f"no case changes {missing}"


@pytest.mark.parametrize(
    ("kind", "field", "change", "outcome", "lock"),
    [
        ("Table", "columns[].type", "wider", "in place", "ACCESS EXCLUSIVE"),
        ("View", "query", "column before others", "rebuild: its query changes", "ACCESS EXCLUSIVE"),
        ("View", "query", "column at the end", "in place", "ACCESS EXCLUSIVE"),
        ("Hypertable", "timeColumn", "", "refused: ", ""),
        ("Schema", "name", "another value", "another object", ""),
    ],
)
def test_outcomes(kind: str, field: str, change: str, outcome: str, lock: str) -> None:
    rows = [row for row in changes.rows(kind, changes.lives()[kind]) if row.field == field and change in row.change]
    assert rows
    assert all(row.outcome.startswith(outcome) and row.lock == lock for row in rows), rows
