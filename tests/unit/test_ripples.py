"""Which changes can rewrite other objects: only they read everything."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.table import Check, Column, PrimaryKey, Table
from pulumi_timescaledb.specs.view import View

ID, NAME = Column(name="id", type="bigint"), Column(name="name", type="text")
THINGS = Table(schema_="app", name="things", columns=(ID, NAME))


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"comment": "things"}, False),
        ({"columns": (ID, NAME, Column(name="at", type="date"))}, False),
        ({"columns": (ID, Column(name="name", type="text", not_null=True, default="''"))}, False),
        ({"checks": (Check(name="short", expression="length(name) < 9"),)}, False),
        ({"primary_key": PrimaryKey(name="things_pkey", columns=("id",))}, False),
        ({"row_level_security": True}, False),
        ({"columns": (ID, Column(name="title", type="text", previously="name"))}, True),
        ({"columns": (ID, Column(name="name", type="character varying(9)"))}, True),
        ({"columns": (ID, Column(name="name", type="text", collation='"C"'))}, True),
        ({"columns": (ID,)}, True),
        ({"name": "objects", "previously": "things"}, True),
        ({"owner": "somebody"}, True),
    ],
)
def test_a_table(update: dict[str, Any], expected: bool) -> None:
    assert kind_of("Table").ripples(THINGS, THINGS.model_copy(update=update)) is expected


def test_a_view() -> None:
    view = View(schema_="app", name="v", query="SELECT 1")
    assert not kind_of("View").ripples(view, view.model_copy(update={"comment": "one"}))
    assert kind_of("View").ripples(view, view.model_copy(update={"security_barrier": True}))


def test_what_nothing_stands_on() -> None:
    index = Index(schema_="app", relation="things", name="i", keys=(IndexKey(column="id"),))
    assert not kind_of("Index").ripples(index, index.model_copy(update={"name": "j", "previously": "i"}))
