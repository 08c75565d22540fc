"""What every spec promises: identity, wire form, validation."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pulumi_timescaledb import specs
from pulumi_timescaledb.adapter.objects import validation_faults
from pulumi_timescaledb.adapter.wire import to_python, to_struct
from pulumi_timescaledb.datatypes import normal_type
from pulumi_timescaledb.specs import Part, Spec, kind_names, module_name, spec_type

from ..properties import DETERMINISTIC, names, texts
from ..provider import kinds
from ..provider.lifecycle import LifeCycle


def _lives() -> Iterator[LifeCycle]:
    for kind in kind_names():
        yield from importlib.import_module(f"{kinds.__name__}.{module_name(kind)}_cases").LIVES


SPECS = {str(life): life.spec for life in _lives()}


def _parts() -> Iterator[type[Part]]:
    for kind in kind_names():
        module = importlib.import_module(f"{specs.__name__}.{module_name(kind)}")
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Part) and each.__module__ == module.__name__:
                yield each


@pytest.mark.parametrize("spec", list(SPECS.values()), ids=list(SPECS))
def test_every_spec(spec: Spec) -> None:
    wire = spec.to_wire()
    assert type(spec).from_wire(wire) == spec
    assert type(spec).from_wire(to_python(to_struct(wire))) == spec
    assert type(spec).parse_id(spec.import_id()) == spec.identity()
    assert spec.comparable() == spec.comparable().comparable()
    assert spec.reference().kind == spec.KIND
    assert not set(wire) & set(spec.secret_fields() - {"password"})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(spec, "allow", ())  # noqa: B010


@pytest.mark.parametrize("part", list(_parts()), ids=lambda part: part.__name__)
def test_every_part_is_documented_and_camel_case(part: type[Part]) -> None:
    assert part.__doc__
    for name, field in part.model_fields.items():
        assert field.description, f"{part.__name__}.{name} has no description"
        assert field.description.rstrip().endswith((".", ")")), f"{part.__name__}.{name}: no full stop"
        assert field.alias is not None
        assert "_" not in field.alias


def test_kinds_are_found_by_name() -> None:
    assert "ContinuousAggregate" in kind_names()
    assert spec_type("ContinuousAggregate") is specs.ContinuousAggregate
    with pytest.raises(LookupError, match='there is no kind "Nothing"'):
        spec_type("Nothing")
    with pytest.raises(AttributeError):
        _ = specs.Nothing


@DETERMINISTIC
@given(names, names)
def test_import_keys_of_any_name(schema: str, name: str) -> None:
    column: Any = {"name": "a", "type": "text"}
    table = specs.Table(schema=schema, name=name, columns=(column,))
    assert specs.Table.parse_id(table.import_id()) == (schema, name)
    key = {"columns": ("a",), "target_schema": schema, "target": name, "target_columns": ("a",)}
    foreign = specs.ForeignKey(schema=schema, relation=name, name=schema, **key)
    assert specs.ForeignKey.parse_id(foreign.import_id()) == (schema, name, schema)


@DETERMINISTIC
@given(names, texts.filter(bool), st.lists(names, max_size=3, unique=True))
def test_wire_round_trip_of_any_text(name: str, comment: str, columns: list[str]) -> None:
    declared: Any = tuple({"name": each, "type": "text", "comment": comment} for each in ["a" * 20, *columns])
    table = specs.Table(schema=name, name=name, columns=declared[: 1 + len(columns)], comment=comment)
    assert specs.Table.from_wire(to_python(to_struct(table.to_wire()))) == table


@pytest.mark.parametrize(
    ("kind", "properties", "fault"),
    [
        ("Schema", {}, "name: is required"),
        ("Schema", {"name": ""}, "name: a name cannot be empty"),
        ("Schema", {"name": "a\0"}, "name: a name cannot contain a zero byte"),
        (
            "Schema",
            {"name": "é" * 32},
            "name: the name has 64 bytes; PostgreSQL cuts names after 63 bytes, so shorten it",
        ),
        ("Schema", {"name": "a", "naem": "b"}, "naem: there is no such property"),
        ("Table", {"schema": "a", "name": "b", "columns": [{"name": "c"}]}, "columns[0].type: is required"),
        (
            "Table",
            {"schema": "a", "name": "b", "columns": [{"name": "c", "type": "text"}] * 2},
            "columns occur twice: c",
        ),
        (
            "Table",
            {
                "schema": "a",
                "name": "b",
                "columns": [{"name": "c", "type": "text"}],
                "primaryKey": {"name": "p", "columns": ["d"]},
            },
            'constraint "p" names unknown columns: d',
        ),
        ("Enum", {"schema": "a", "name": "b", "labels": ["x", "x"]}, "labels occur twice: x"),
        ("Enum", {"schema": "a", "name": "b", "labels": []}, "labels: at least 1 is needed"),
        (
            "RetentionPolicy",
            {"schema": "a", "relation": "b", "dropAfter": "soon"},
            'dropAfter: "soon" is not an interval: "soon" is not a number and a unit',
        ),
        (
            "RetentionPolicy",
            {"schema": "a", "relation": "b", "dropAfter": "0 days"},
            'dropAfter: the interval "0 seconds" must be longer than zero',
        ),
        (
            "RefreshPolicy",
            {
                "schema": "a",
                "relation": "b",
                "startOffset": "1 day",
                "endOffset": "2 days",
                "scheduleInterval": "1 day",
            },
            "startOffset must be longer than endOffset: the window lies between them",
        ),
        ("View", {"schema": "a", "name": "b", "query": " ; "}, "query: the SQL text cannot be empty"),
        (
            "Grant",
            {"role": "a", "schema": "b", "objects": [{"name": "c", "privileges": ["fly"]}]},
            (
                "objects[0]: relation has no privilege fly; it has delete, insert, maintain, references, select, "
                "trigger, truncate, update"
            ),
        ),
        (
            "Hypertable",
            {"schema": "a", "relation": "b", "timeColumn": "c", "hashDimensions": [{"column": "c", "partitions": 2}]},
            "a column can be only one dimension",
        ),
    ],
)
def test_faults_have_their_property_path(kind: str, properties: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as raised:
        spec_type(kind).from_wire(properties)
    assert [text for text, _ in validation_faults(raised.value)] == [fault]


def test_every_fault_is_reported() -> None:
    with pytest.raises(ValidationError) as raised:
        specs.Table.from_wire({"name": "", "columns": [{"name": "x" * 64, "type": ""}], "what": 1})
    paths = [text.split(":")[0] for text, _ in validation_faults(raised.value)]
    assert paths == ["schema", "name", "columns[0].name", "columns[0].type", "what"]


@pytest.mark.parametrize(
    ("given_type", "normal"),
    [
        ("timestamptz[]", "timestamp with time zone[]"),
        ("VARCHAR(20)", "character varying(20)"),
        ("numeric (10, 2)", "numeric(10, 2)"),
        ("int4", "integer"),
        ('flows."Mood"', 'flows."Mood"'),
        ("flows.mood[]", "flows.mood[]"),
    ],
)
def test_types_have_one_form(given_type: str, normal: str) -> None:
    assert normal_type(given_type) == normal
    assert normal_type(normal) == normal


def test_secrets_are_kept_out() -> None:
    role = specs.Role(name="a", password="planted")
    assert specs.Role.secret_fields() == {"password"}
    assert role.without_secrets().password is None
    assert "planted" not in str(role.comparable().to_wire())


def test_texts_by_name_come_in_one_order() -> None:
    """The protocol keeps none, and a reviewed plan's statements must be those that the provider makes."""
    one = specs.View(schema="app", name="a", query="SELECT 1", column_comments={"b": "1", "a": "2"})
    other = specs.View(schema="app", name="a", query="SELECT 1", column_comments={"a": "2", "b": "1"})
    assert list(one.column_comments) == list(other.column_comments) == ["a", "b"]
