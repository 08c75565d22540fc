"""Functions whose bodies mention what needs them, and names that strings give to the server."""

from __future__ import annotations

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.circles import components
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.specs import Reference
from pulumi_timescaledb.sqltext import mentions_of
from pulumi_timescaledb.whole import Whole

SCHEMA = specs.Schema(name="s")
TABLE = specs.Table.from_wire(
    {
        "schema": "s",
        "name": "t",
        "columns": [{"name": "a", "type": "integer", "default": "nextval('s.numbers'::regclass)"}],
        "checks": [{"name": "known", "expression": "s.known(a)"}],
    }
)
KNOWN = specs.Function.from_wire(
    {
        "schema": "s",
        "name": "known",
        "arguments": [{"type": "integer"}],
        "returns": "boolean",
        "language": "sql",
        "body": "SELECT EXISTS (SELECT FROM s.t WHERE a <> $1)",
    }
)
READER = specs.Function.from_wire(
    {"schema": "s", "name": "reader", "returns": "void", "body": "DECLARE x s.t%ROWTYPE; BEGIN END"}
)
NUMBERS = specs.Sequence(schema="s", name="numbers")
OWNED = specs.SequenceOwnership(schema="s", sequence="numbers", table="t", column="a")


def test_a_body_comes_after_what_it_mentions_unless_that_needs_it() -> None:
    whole = Whole([READER, KNOWN, OWNED, TABLE, NUMBERS, SCHEMA])
    order = whole.creation_order
    assert order.index(NUMBERS.reference()) < order.index(TABLE.reference()) < order.index(OWNED.reference())
    assert order.index(KNOWN.reference()) < order.index(TABLE.reference()) < order.index(READER.reference())
    assert whole.unordered == {KNOWN.reference()}
    # The server does not hold a body against a drop: nothing is made again for it.
    assert READER.reference() not in whole.dependents(TABLE.reference())
    assert TABLE.reference() in whole.direct_needs[READER.reference()]


def test_only_such_a_body_is_not_checked_when_it_is_made() -> None:
    context = Context(whole=Whole([READER, KNOWN, TABLE, NUMBERS, SCHEMA]))
    known = [each.sql for each in kind_of("Function").plan(None, KNOWN, context)]
    assert known[0] == "SET LOCAL check_function_bodies TO off"
    assert known[2] == "SET LOCAL check_function_bodies TO on"
    assert not any("check_function" in each.sql for each in kind_of("Function").plan(None, READER, context))


def test_a_standard_body_is_a_real_need() -> None:
    atomic = KNOWN.model_copy(update={"body": "RETURN (SELECT EXISTS (SELECT FROM s.t))"})
    with pytest.raises(ValueError, match="need each other in a circle"):
        _ = Whole([atomic, TABLE, NUMBERS, SCHEMA]).creation_order


def test_a_foreign_key_comes_after_the_unique_index_under_it() -> None:
    key = specs.ForeignKey(
        schema="s", relation="t", name="k", columns=("a",), target_schema="s", target="u", target_columns=("b",)
    )
    other = specs.Table.from_wire({"schema": "s", "name": "u", "columns": [{"name": "b", "type": "integer"}]})
    index = specs.Index.from_wire(
        {"schema": "s", "relation": "u", "name": "ub", "keys": [{"column": "b"}], "unique": True}
    )
    whole = Whole([key, SCHEMA, KNOWN, NUMBERS, TABLE, other, index])
    assert index.reference() in whole.needs[key.reference()]
    partial = index.model_copy(update={"where": "b > 0"})
    assert partial.reference() not in Whole([key, SCHEMA, TABLE, other, partial]).needs[key.reference()]


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("nextval('s.n')", ("s", "n")),
        ("nextval('\"S s\".\"it''s\"'::regclass)", ("S s", "it's")),
        ("setval ( 's.n', 1)", ("s", "n")),
        ("'s.f(integer)'::regprocedure", ("s", "f")),
        ("'s.t' :: pg_catalog.regclass", ("s", "t")),
    ],
)
def test_names_in_strings(sql: str, name: tuple[str, ...]) -> None:
    assert name in mentions_of(sql)


def test_an_owned_sequence_follows_the_owner_of_its_table() -> None:
    """The server refuses to change it by itself, and changes it with the table."""
    before, after = (NUMBERS.model_copy(update={"owner": owner}) for owner in ("one", "two"))
    plan = kind_of("Sequence").plan
    assert plan(before, after, Context(whole=Whole([SCHEMA, KNOWN, TABLE, after, OWNED]))) == []
    assert len(plan(before, after, Context(whole=Whole([SCHEMA, KNOWN, TABLE, after])))) == 1


def test_a_plain_string_is_no_name() -> None:
    assert ("s", "t") not in mentions_of("SELECT 's.t', 'regclass'")


def test_components() -> None:
    graph = {1: [2], 2: [3, 4], 3: [1], 4: [5], 5: [4], 6: [6], 7: []}
    assert sorted(sorted(group) for group in components(graph)) == [[1, 2, 3], [4, 5], [6], [7]]
    chain = {n: [n + 1] for n in range(5000)} | {5000: []}
    assert len(list(components(chain))) == 5001
    assert Reference("Table", ("s", "t")) in Whole([TABLE]).specs
