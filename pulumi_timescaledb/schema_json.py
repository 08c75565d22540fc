"""The package schema that Pulumi's tools read (documentation, SDKs of other languages), derived from the spec types.

`python -m pulumi_timescaledb.schema_json` writes it to plugin/schema.json, from where the plugin serves it.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.alias_generators import to_camel

from . import __version__, specs
from .adapter.objects import nullable
from .connection import ConnectionSettings
from .policing import LEVELS, Policies, names
from .specs import Part, kind_names, module_name, spec_type

TARGET = Path(__file__).parent / "plugin" / "schema.json"
Json = dict[str, Any]

_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_ANY: Json = {"$ref": "pulumi.json#/Any"}

_LANGUAGES: Json = {
    # A name of its own: under the usual one the generated SDK would hide this package.
    "python": {"packageName": "pulumi_timescaledb_sdk", "pyproject": {"enabled": True}, "respectSchemaVersion": True},
    "nodejs": {"packageName": "pulumi-timescaledb", "respectSchemaVersion": True},
    "go": {"respectSchemaVersion": True},
}


def _token(name: str) -> str:
    return f"timescaledb:index:{name}"


def _typed(annotation: Any, enum: str, enums: Json) -> Json:
    """Schema of a type. `enum` names the enumeration that a Literal in it becomes; those found go into `enums`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    if origin is Annotated:
        return _typed(arguments[0], enum, enums)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return _typed(inner, enum, enums)
    if origin is Literal:
        enums[_token(enum)] = {"type": "string", "enum": [{"value": value} for value in arguments]}
        return {"type": "string", "$ref": f"#/types/{_token(enum)}"}
    if origin is tuple:
        return {"type": "array", "items": _typed(arguments[0], enum, enums)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _typed(arguments[1], enum, enums)}
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return {"type": "object", "$ref": f"#/types/{_token(annotation.__name__)}"}
    if annotation is Any:
        return dict(_ANY)
    raise TypeError(f"{annotation} has no form in a Pulumi schema")


def _properties(part: type[Part], enums: Json) -> tuple[Json, list[str]]:
    """(properties, names of the required ones)."""
    properties: Json = {}
    for name, field in part.model_fields.items():
        alias = field.alias or name
        described = _typed(field.annotation, part.__name__ + alias[0].upper() + alias[1:], enums)
        described["description"] = field.description or ""
        if isinstance(field.default, (str, bool, int, float)):
            described["default"] = field.default
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret"):
            described["secret"] = True
        properties[alias] = described
    required = {field.alias or name for name, field in part.model_fields.items() if field.is_required()}
    return properties, sorted(required - set(nullable(part)))


def _resource(description: str, properties: Json, required: Iterable[str], outputs: Json | None = None) -> Json:
    made = sorted({*required, *(outputs or {})})
    return {
        "description": description,
        "inputProperties": properties,
        "requiredInputs": sorted(required),
        "properties": {**{name: _output(each) for name, each in properties.items()}, **(outputs or {})},
        "required": made,
    }


def _output(described: Json) -> Json:
    return {key: value for key, value in described.items() if key != "default"}


def _doc(described: Any) -> str:
    return inspect.cleandoc(described.__doc__ or "")


def _kinds() -> tuple[Json, Json]:
    """(resources, types) of every kind."""
    resources: Json = {}
    parts: Json = {}
    for kind in kind_names():
        module = importlib.import_module(f"{specs.__name__}.{module_name(kind)}")
        for each in vars(module).values():
            own = isinstance(each, type) and issubclass(each, Part) and each.__module__ == module.__name__
            if own and each is not spec_type(kind):
                properties, required = _properties(each, parts)
                parts[_token(each.__name__)] = {
                    "type": "object",
                    "description": _doc(each),
                    "properties": properties,
                    "required": sorted(required),
                }
        resources[_token(kind)] = _resource(_doc(spec_type(kind)), *_properties(spec_type(kind), parts))
    return resources, parts


def _settings() -> Json:
    scalars = {kind.__name__: name for kind, name in _SCALARS.items()}
    found: Json = {}
    for field in dataclasses.fields(ConnectionSettings):
        described: Json = {"type": scalars[str(field.type)], "description": field.metadata["doc"]}
        if field.default != "":
            described["default"] = field.default
        if field.metadata.get("secret"):
            described["secret"] = True
        found[to_camel(field.name)] = described
    return found


def _text(description: str, **more: Any) -> Json:
    return {"type": "string", "description": description, **more}


def _whole_number(description: str, **more: Any) -> Json:
    return {"type": "integer", "description": description, **more}


def _texts(description: str) -> Json:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def _policies() -> Json:
    """What a program may say of policies (policing.py)."""
    return {
        "type": "object",
        "description": _doc(Policies),
        "properties": {
            "levels": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": f"Level ({', '.join(LEVELS)}) by policy name: {', '.join(names())}.",
            },
            "exempt": {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
                "description": 'By policy name the objects it says nothing of, as "Kind id", each with the reason.',
            },
            "exposedSchemas": _texts("Schemas whose objects an API shows to its callers."),
        },
    }


def _special() -> Json:
    """Resources that are no objects of a database (adapter/manifest.py, seal.py, local.py)."""
    return {
        _token("Manifest"): _resource(
            "The first resource of a database: every declaration. Everything else depends on it.",
            {
                "declarations": _text("Every declaration, packed by the SDK (Whole.pack)."),
                "allow": _texts('Changes that may lose data, each named as the refusal names it: "drop:flows.escos".'),
                "policies": {
                    "type": "object",
                    "$ref": f"#/types/{_token('Policies')}",
                    "description": "Which policies hold at which level, and whom they spare.",
                },
                "server": _text("What the server is made of, such as its image: where it changes, another one comes."),
            },
            ["declarations"],
            {
                "systemIdentifier": _text("The server's identity."),
                "stack": _text("project/stack that owns its objects."),
                "ledger": _text("The identity of the ledger inside the database."),
                "capabilities": _text("What the server can do, as JSON."),
            },
        ),
        _token("Seal"): _resource(
            "The last resource of a database: checks the result, reloads the API, guards data on destroy.",
            {
                "declarations": _text("A digest of every declaration."),
                "apiFolder": _text("Folder of the RestApi to reload."),
                "apiChannel": _text("Channel that PostgREST listens on, to reload it on a server with processes."),
                "elsewhere": _texts("Kinds whose objects other providers make."),
            },
            ["declarations"],
            {
                "systemIdentifier": _text("The identity of the server it was checked on."),
                "ledger": _text("The identity of the ledger inside the database."),
            },
        ),
        "timescaledb:local:Server": _resource(
            "An embedded server in a folder. For first looks, tests, CI and branches; never for production.",
            {
                "folder": _text("Folder that holds the data; a new folder is a new server."),
                "port": _whole_number("Names the Unix socket.", default=5432),
                "disposable": {
                    "type": "boolean",
                    "description": "Whether deleting the resource deletes the data.",
                    "default": False,
                },
            },
            ["folder"],
        ),
        "timescaledb:local:RestApi": _resource(
            "PostgREST before an embedded server.",
            {
                "folder": _text("Folder for its configuration and log."),
                "port": _whole_number("TCP port on 127.0.0.1."),
                "dsn": _text("How it reaches the database."),
                "jwtSecret": _text("Key that signs tokens.", secret=True),
                "jwtAudience": _text("Audience that tokens must name."),
                "schemas": _texts('Schemas to serve; "api" when absent.'),
                "preRequest": _text("Function called before each request."),
                "maxRows": _whole_number("Most rows of one answer."),
                "openapiUrl": _text("Base address that the OpenAPI description names."),
            },
            ["folder", "port", "dsn", "jwtSecret"],
        ),
    }


def schema() -> Json:
    """The package schema."""
    resources, parts = _kinds()
    settings = _settings()
    parts[_token("Policies")] = _policies()
    return {
        "name": "timescaledb",
        "displayName": "TimescaleDB",
        "version": __version__,
        "description": "Hypertables, continuous aggregates, policies, row security, rights and what stands around.",
        "keywords": ["pulumi", "timescaledb", "postgresql", "category/database"],
        "meta": {"moduleFormat": "(.*)"},
        "language": _LANGUAGES,
        "config": {"variables": settings},
        "provider": {"description": "A connection to one database.", "inputProperties": settings},
        "types": dict(sorted(parts.items())),
        "resources": dict(sorted({**resources, **_special()}.items())),
    }


def text() -> str:
    """The schema as the committed file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
