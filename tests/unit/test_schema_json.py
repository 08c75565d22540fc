"""The committed package schema is the generated one, and sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pulumi_timescaledb import schema_json
from pulumi_timescaledb.adapter import service
from pulumi_timescaledb.specs import kind_names

CAMEL_CASE = re.compile(r"[a-z][a-zA-Z0-9]*\Z")
SCHEMA = schema_json.schema()


def _properties(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("properties", "inputProperties", "variables"):
                yield from value.items()
            yield from _properties(value)


def _references(node: Any) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == "$ref":
            yield value
        yield from _references(value)


def test_committed_file_is_current() -> None:
    """If not: `python -m pulumi_timescaledb.schema_json`."""
    assert service.SCHEMA == schema_json.TARGET
    assert schema_json.TARGET.read_text(encoding="utf-8") == schema_json.text()


def test_every_resource_is_there() -> None:
    kinds = {f"timescaledb:index:{kind}" for kind in kind_names()}
    assert set(SCHEMA["resources"]) == kinds | set(service._SPECIAL)


def test_names_and_descriptions() -> None:
    for name, described in _properties(SCHEMA):
        assert CAMEL_CASE.match(name), name
        assert described["description"], name
        assert described.get("type") or described.get("$ref"), name


def test_references_lead_somewhere() -> None:
    found = set(_references(SCHEMA)) - {"pulumi.json#/Any"}
    assert found == {f"#/types/{token}" for token in SCHEMA["types"]}


def test_required_properties_exist() -> None:
    for token, resource in SCHEMA["resources"].items():
        assert set(resource["requiredInputs"]) <= set(resource["inputProperties"]), token
        assert set(resource["required"]) <= set(resource["properties"]), token


def test_secrets_are_marked() -> None:
    marked = {name for name, described in _properties(SCHEMA) if described.get("secret")}
    assert marked == {"password", "jwtSecret"}
    assert SCHEMA["config"]["variables"]["password"]["secret"] is True


def test_table() -> None:
    table = SCHEMA["resources"]["timescaledb:index:Table"]
    assert table["requiredInputs"] == ["columns", "name", "schema"]
    assert table["inputProperties"]["columns"]["items"]["$ref"] == "#/types/timescaledb:index:Column"
    assert table["inputProperties"]["rowLevelSecurity"]["default"] is False
    column = SCHEMA["types"]["timescaledb:index:Column"]
    assert column["required"] == ["name", "type"]
    assert column["properties"]["identity"]["$ref"] == "#/types/timescaledb:index:ColumnIdentity"
