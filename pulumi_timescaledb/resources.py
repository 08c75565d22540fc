"""The classes a program imports: one per kind, derived from its spec, and the book-ends.

from pulumi_timescaledb import resources as timescaledb
timescaledb.Schema("flows", timescaledb.specs.Schema(name="flows"), opts=...)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from . import specs
from .policing import Policies
from .specs import Spec, kind_names
from .whole import Whole

if TYPE_CHECKING:
    from .connection import ConnectionSettings

__all__ = ["Manifest", "Object", "Provider", "RestApi", "Seal", "Server", "declared_object", "specs"]


class Provider(pulumi.ProviderResource):
    """A connection to one database. See ConnectionSettings for the properties, which are text or JSON text."""

    def __init__(self, name: str, settings: ConnectionSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        import dataclasses
        import json

        from pydantic.alias_generators import to_camel

        properties: dict[str, Any] = {}
        for field in dataclasses.fields(settings):
            value = getattr(settings, field.name)
            if value == field.default:
                continue
            text = value if isinstance(value, str) else json.dumps(value)
            properties[to_camel(field.name)] = pulumi.Output.secret(text) if field.metadata.get("secret") else text
        super().__init__("timescaledb", name, properties, opts)


class Object(pulumi.CustomResource):
    """One declared object. Its id is the import key."""

    def __init__(self, name: str, spec: Spec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"timescaledb:index:{spec.KIND}", name, _properties(spec), opts)


def declared_object(spec: Spec, opts: pulumi.ResourceOptions | None = None) -> pulumi.CustomResource:
    """A resource named after its object.

    Not a class of its own: for those the SDK keeps the program's whole call stack in the state, which for objects made
    in a loop is the same useless 2 kB each (44 % of the Flows stack's checkpoint, pulumi 3.272.0).
    """
    return pulumi.CustomResource(f"timescaledb:index:{spec.KIND}", spec.import_id(), _properties(spec), opts)


def _properties(spec: Spec) -> dict[str, Any]:
    from pydantic.alias_generators import to_camel

    properties = {key: _exact(value) for key, value in spec.to_wire().items()}
    for field in spec.secret_fields():
        key = to_camel(field)
        if key in properties:
            properties[key] = pulumi.Output.secret(properties[key])
    return properties


def _exact(value: Any) -> Any:
    """Whole numbers that the protocol's doubles cannot hold (a sequence's limits) as text."""
    large = isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53
    return str(value) if large else value


class Manifest(pulumi.CustomResource):
    """The first resource: every declaration, the losses that are permitted, the policies that hold. Everything else
    depends on it. `server`: what the server is made of, such as its image; while that changes, a preview looks at the
    server that another one is about to take the place of."""

    def __init__(
        self,
        name: str,
        whole: Whole,
        allow: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
        policies: Policies | None = None,
        server: str = "",
    ) -> None:
        properties: dict[str, Any] = {"declarations": whole.pack(), "allow": list(allow)}
        if server:
            properties["server"] = server
        if policies is not None and (chosen := policies.to_wire()):
            properties["policies"] = chosen
        super().__init__("timescaledb:index:Manifest", name, properties, opts)


class Seal(pulumi.CustomResource):
    """The last resource: depends on everything. PostgREST reads the schema anew: the embedded one in `api_folder`, or
    whatever listens on `api_channel`. `elsewhere`: kinds that other providers make."""

    def __init__(
        self,
        name: str,
        whole: Whole,
        api_folder: str = "",
        api_channel: str = "",
        elsewhere: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        import hashlib

        digest = hashlib.sha256(whole.pack().encode()).hexdigest()
        properties: dict[str, Any] = {"declarations": digest, "apiFolder": api_folder, "elsewhere": list(elsewhere)}
        if api_channel:
            properties["apiChannel"] = api_channel
        super().__init__("timescaledb:index:Seal", name, properties, opts)


class Server(pulumi.CustomResource):
    """An embedded server in a folder. For first looks, tests, CI and branches; never for production."""

    def __init__(
        self,
        name: str,
        folder: str,
        port: int = 5432,
        disposable: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"folder": folder, "port": port, "disposable": disposable}
        super().__init__("timescaledb:local:Server", name, properties, opts)


class RestApi(pulumi.CustomResource):
    """PostgREST before an embedded server. Properties: folder, port, dsn, jwtSecret, schemas, preRequest, jwtAudience,
    maxRows, openapiUrl."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **properties: Any) -> None:
        properties["jwtSecret"] = pulumi.Output.secret(properties["jwtSecret"])
        super().__init__("timescaledb:local:RestApi", name, properties, opts)


def __getattr__(name: str) -> Any:
    """`resources.Table("escos", specs.Table(...))`: a class per kind, made when first named."""
    if name not in kind_names():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = type(name, (Object,), {"__doc__": specs.spec_type(name).__doc__, "__module__": __name__})
    globals()[name] = made
    return made
