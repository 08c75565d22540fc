"""The gRPC edge without a server: the traps of research/ecosystem.md part C that need none, over the real protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.adapter.protocol import provider_pb2
from pulumi_timescaledb.adapter.wire import to_struct

from .engine import UNKNOWN, Engine, Failed, Secret

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
COLUMN = {"name": "id", "type": "integer"}
NOWHERE: dict[str, Any] = {"host": "/nonexistent", "port": 1, "user": "nobody"}


@pytest.fixture
def offline() -> Iterator[Engine]:
    """A provider whose server does not exist: whatever it answers it answers without connecting."""
    engine = Engine(**NOWHERE)
    yield engine
    assert not engine.connected()
    engine.close()


def _table(name: str, **more: Any) -> specs.Table:
    return specs.Table.from_wire({"schema": "edge", "name": name, "columns": [COLUMN], **more})


# C1: unknown values


def test_unknown_inputs_in_check(offline: Engine) -> None:
    inputs = {"schema": UNKNOWN, "name": "x" * 64, "columns": [{"name": UNKNOWN, "type": "text"}]}
    checked, faults = offline.check("Table", inputs)
    assert [fault.split(":")[0] for fault in faults] == ["name"]
    assert checked == inputs


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("Table", {"schema": UNKNOWN, "name": "t", "columns": UNKNOWN}),
        ("Role", {"name": "r", "password": Secret(UNKNOWN)}),
        ("Job", {"schema": "s", "procedure": "p", "scheduleInterval": "1 day", "config": {"key": [UNKNOWN]}}),
        ("RetentionPolicy", {"schema": "s", "relation": "r", "dropAfter": UNKNOWN}),
    ],
)
def test_unknown_inputs_pass_and_stay_unknown(offline: Engine, kind: str, inputs: dict[str, Any]) -> None:
    assert offline.check(kind, inputs) == (inputs, [])
    assert offline.create((kind, inputs), preview=True) == inputs


def test_unknown_inputs_in_diff(offline: Engine) -> None:
    old = _table("t").to_wire()
    answer = offline.diff("Table", old, {**old, "comment": UNKNOWN, "owner": "new"})
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert set(answer.detailedDiff) == {"comment", "owner"}


def test_preview_does_not_connect(offline: Engine) -> None:
    outputs = offline.create(_table("t"), preview=True)
    assert outputs["name"] == "t"
    assert any("CREATE TABLE" in text for text in offline.logs())


# C2: types and names


def test_type_from_the_request_or_from_the_chain_in_the_urn(offline: Engine) -> None:
    news = to_struct({"name": "x" * 64})
    for urn, token in (
        ("urn:pulumi:dev::flows::ts:components:Db$timescaledb:index:Schema::a", ""),
        ("urn:pulumi:dev::flows::ts:components:Db$timescaledb:index:Schema::flows::escos::", ""),
        ("urn:pulumi:dev::flows::anything::flows::escos", "timescaledb:index:Schema"),
    ):
        (failure,) = offline.call("Check", urn=urn, type=token, news=news).failures
        assert failure.reason.startswith("name: the name has 64 bytes")


def test_unknown_type(offline: Engine) -> None:
    with pytest.raises(Failed, match='there is no kind "Nothing"; there are'):
        offline.check("Nothing", {})


# C5: diff


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({}, {}),
        ({"comment": "x"}, {"comment": "ADD"}),
        ({"columns": [{"name": "id", "type": "bigint"}]}, {"columns[0].type": "UPDATE"}),
        ({"columns": [COLUMN, {"name": "b", "type": "text"}]}, {"columns[1]": "ADD"}),
        ({"owner": None}, {}),
        ({"name": "other"}, {"name": "UPDATE_REPLACE"}),
        ({"name": "other", "previously": "t"}, {"name": "UPDATE", "previously": "ADD"}),
        ({"columns": [{"name": "id", "type": "int4"}]}, {}),
    ],
)
def test_diff_is_detailed(offline: Engine, change: dict[str, Any], paths: dict[str, str]) -> None:
    old = _table("t").to_wire()
    answer = offline.diff("Table", old, {**old, **change})
    kinds = provider_pb2.PropertyDiff.Kind
    assert {path: kinds.Name(each.kind) for path, each in answer.detailedDiff.items()} == paths
    assert answer.hasDetailedDiff
    assert answer.changes == (2 if paths else 1)
    assert set(answer.diffs) == {path.split("[")[0] for path in paths}
    assert set(answer.replaces) == {path for path, kind in paths.items() if "REPLACE" in kind}


def test_old_inputs_are_used_and_not_the_state(offline: Engine) -> None:
    old = _table("t").to_wire()
    answer = offline.diff("Table", old, old, state={**old, "comment": "from state"})
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


# C6, C13: provider configuration


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        ({"port": "abc"}, "provider property port must be a whole number"),
        ({"port": 5432.5}, "provider property port must be a whole number"),
        ({"port": True}, "provider property port must be a whole number"),
        ({"disposable": "perhaps"}, "provider property disposable must be true or false"),
        ({"disposable": 1}, "provider property disposable must be true or false"),
        ({"host": 5}, "provider property host must be text"),
    ],
)
def test_bad_configuration(offline: Engine, properties: dict[str, Any], fault: str) -> None:
    (failure,) = offline.call("CheckConfig", news=to_struct(properties)).failures
    assert (failure.property, failure.reason) == ("", fault)


def test_unknown_configuration_is_let_through(offline: Engine) -> None:
    news = to_struct({"host": UNKNOWN})
    answer = offline.call("CheckConfig", news=news)
    assert (answer.inputs, list(answer.failures)) == (news, [])


@pytest.mark.parametrize(("host", "changes"), [("a", 1), ("b", 2), (UNKNOWN, 2)])
def test_diff_config(offline: Engine, host: Any, changes: int) -> None:
    old = to_struct({"host": "a", "password": Secret("x")})
    answer = offline.call(
        "DiffConfig", old_inputs=old, olds=old, news=to_struct({"host": host, "password": Secret("x")})
    )
    assert answer.changes == changes
    assert list(answer.detailedDiff) == (["host"] if changes == 2 else [])
    assert not answer.replaces


# C8: calls around the objects


def test_handshake_and_schema(offline: Engine) -> None:
    answer = offline.call("Handshake", engine_address="127.0.0.1:1")
    assert (answer.accept_secrets, answer.accept_resources, answer.accept_outputs) == (True, True, False)
    assert '"name": "timescaledb"' in offline.call("GetSchema").schema


# C10: check


def test_check_names_every_property_path(offline: Engine) -> None:
    columns = [COLUMN, {"name": "", "type": "text", "color": "red"}]
    _, faults = offline.check("Table", {"schema": "edge", "columns": columns})
    assert faults == [
        "name: is required",
        "columns[1].name: a name cannot be empty",
        "columns[1].color: there is no such property",
    ]


def test_check_answers_in_normal_form(offline: Engine) -> None:
    inputs = {"schema": "edge", "relation": "r", "dropAfter": "1 week", "scheduleInterval": "24:00:00", "enabled": True}
    checked, faults = offline.check("RetentionPolicy", inputs)
    assert faults == []
    assert checked == {"schema": "edge", "relation": "r", "dropAfter": "7 days", "scheduleInterval": "24 hours"}
