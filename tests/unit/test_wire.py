"""Property values between the protocol and plain Python."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from pulumi_timescaledb.adapter import wire
from pulumi_timescaledb.adapter.wire import UNKNOWN, Secret

from ..properties import DETERMINISTIC, texts

_plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    texts,
    st.just(UNKNOWN),
)
_values = st.recursive(
    _plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(texts, inner, max_size=3),
        inner.filter(lambda value: not isinstance(value, Secret)).map(Secret),
    ),
    max_leaves=12,
)
_properties = st.dictionaries(texts, _values, max_size=4)


def _struct(**properties: Any) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct


@DETERMINISTIC
@given(_properties)
def test_round_trip(properties: dict[str, Any]) -> None:
    assert wire.to_python(wire.to_struct(properties)) == properties


@DETERMINISTIC
@given(_properties)
def test_bare_holds_no_mark_and_marks_are_found(properties: dict[str, Any]) -> None:
    bare = wire.bare(properties)
    assert wire.secret_keys(bare) == frozenset()
    assert wire.secret_keys(properties) == {key for key, value in properties.items() if "Secret" in repr(value)}
    assert wire.has_unknown(properties) == wire.has_unknown(bare)


@DETERMINISTIC
@given(_properties)
def test_no_secret_in_a_repr(properties: dict[str, Any]) -> None:
    assert "planted" not in repr(Secret({"planted": [properties, "planted"]}))


def test_whole_numbers_are_int() -> None:
    found = wire.to_python(_struct(port=5432, share=0.5, list=[1.0]))
    assert found == {"port": 5432, "share": 0.5, "list": [1]}
    assert type(found["port"]) is int
    assert type(found["list"][0]) is int


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1])
def test_numbers_beyond_double_precision_stay_exact(number: int) -> None:
    assert int(wire.to_python(wire.to_struct({"maximum": number}))["maximum"]) == number


@pytest.mark.parametrize("text", sorted(wire.UNKNOWN_TEXTS))
def test_unknown(text: str) -> None:
    secret = {wire.SIGNATURE: wire.SECRET, "value": text}
    found = wire.to_python(_struct(a=text, b=[text], c={"d": text}, e=secret))
    assert found == {"a": UNKNOWN, "b": [UNKNOWN], "c": {"d": UNKNOWN}, "e": Secret(UNKNOWN)}
    assert wire.has_unknown(found["e"])


def test_secrets_at_any_depth() -> None:
    secret = {wire.SIGNATURE: wire.SECRET, "value": {"deep": ["planted-1", 42]}}
    found = wire.to_python(_struct(open="seen", list=[secret]))
    assert found == {"open": "seen", "list": [Secret({"deep": ["planted-1", 42]})]}
    assert set(wire.secret_texts(found)) == {"planted-1", "42"}
    assert wire.secret_keys(found) == {"list"}
    assert wire.to_struct(found) == _struct(open="seen", list=[secret])


@pytest.mark.parametrize("value", ["", 0, False, None, [], UNKNOWN])
def test_an_empty_secret_stays_a_secret(value: Any) -> None:
    assert wire.secret_keys({"password": Secret(value), "plain": value}) == {"password"}


def test_resource_references_are_ids() -> None:
    reference = {
        wire.SIGNATURE: wire.RESOURCE,
        "urn": "urn:pulumi:s::p::t::n",
        "id": "flows.escos",
        "packageVersion": "",
    }
    unknown = {**reference, "id": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    component = {wire.SIGNATURE: wire.RESOURCE, "urn": "urn:pulumi:s::p::t::n"}
    found = wire.to_python(_struct(a=reference, b=unknown, c=component))
    assert found == {"a": "flows.escos", "b": UNKNOWN, "c": UNKNOWN}


def test_output_values() -> None:
    known = {wire.SIGNATURE: wire.OUTPUT, "value": "x"}
    secret = {**known, "secret": True, "dependencies": ["urn"]}
    unknown = {wire.SIGNATURE: wire.OUTPUT}
    unknown_secret = {wire.SIGNATURE: wire.OUTPUT, "secret": True}
    found = wire.to_python(_struct(a=known, b=secret, c=unknown, d=unknown_secret))
    assert found == {"a": "x", "b": Secret("x"), "c": UNKNOWN, "d": Secret(UNKNOWN)}


def test_marked_does_not_mark_twice() -> None:
    assert wire.marked({"a": 1, "b": Secret(2)}, frozenset({"a", "b"})) == {"a": Secret(1), "b": Secret(2)}


@pytest.mark.parametrize(
    "shown",
    [
        "failed: {}",
        "ALTER ROLE x PASSWORD 'it''s \\ a\n \"secret\"'",
        "ALTER ROLE x PASSWORD E'it''s \\\\ a\n \"secret\"'",
        'config {{"token": "it\'s \\\\ a\\n \\"secret\\""}}',
        'config \'{{"token": "it\'\'s \\\\ a\\n \\"secret\\""}}\'',
        "Statement: PASSWORD 'it''s \\ a \"secret\"'",
    ],
)
def test_redact_knows_quoted_forms(shown: str) -> None:
    text = 'it\'s \\ a\n "secret"'
    redacted = wire.redact(shown.format(text), frozenset({text}))
    assert "********" in redacted
    assert "secret" not in redacted


def test_redact_longest_first() -> None:
    assert wire.redact("hunter22 hunter2", frozenset({"hunter2", "hunter22"})) == "******** ********"


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": "update"}),
        ({"a": 1}, {}, {"a": "delete"}),
        ({}, {"a": 1}, {"a": "add"}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a[0].b": "update"}),
        ({"a": [1, 2]}, {"a": [1]}, {"a[1]": "delete"}),
        ({"a": [1]}, {"a": [1, 2]}, {"a[1]": "add"}),
        ({"a": [1, 2, 3]}, {"a": [1, 9, 2, 3]}, {"a[1]": "add"}),
        ({"a": [1, 2, 3]}, {"a": [2, 3]}, {"a[0]": "delete"}),
        ({"a": [Secret("x")]}, {"a": [Secret("y")]}, {"a[0]": "update"}),
        ({"a": [{"b": UNKNOWN}]}, {"a": [{"b": 1}]}, {"a[0].b": "update"}),
        ({"a": [1]}, {"a": {"b": 1}}, {"a": "update"}),
        ({"a": {"x.y": 1}}, {"a": {"x.y": 2}}, {'a["x.y"]': "update"}),
        ({"a": {'q"[': 1}}, {"a": {}}, {'a["q\\"["]': "delete"}),
    ],
)
def test_changed_paths(old: Any, new: Any, paths: dict[str, str]) -> None:
    assert dict(wire.changed_paths(old, new)) == paths


@DETERMINISTIC
@given(_properties, _properties)
def test_changed_paths_are_empty_only_without_a_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (not list(wire.changed_paths(old, new))) == (old == new)
