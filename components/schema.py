"""Declarations to resources: a Manifest first, every object after what it needs, a Seal last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from pulumi_timescaledb.renames import Renames
from pulumi_timescaledb.resources import Manifest, Provider, declared_object
from pulumi_timescaledb.specs import Reference, Spec
from pulumi_timescaledb.whole import Whole


class DatabaseSchema(pulumi.ComponentResource):
    """Groups the resources of one database. `provision` fills it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("flows:components:DatabaseSchema", name, None, opts)


@dataclass(frozen=True)
class Provisioned:
    """The resources of one database."""

    component: DatabaseSchema
    manifest: Manifest
    objects: dict[Reference, pulumi.CustomResource]
    ends: list[pulumi.Resource]
    """Resources that nothing else depends on: whoever waits for them waits for all."""


def provision(
    whole: Whole,
    provider: Provider,
    after: Sequence[pulumi.Resource] = (),
    allow: Sequence[str] = (),
) -> Provisioned:
    """Makes a resource of every declaration."""
    component = DatabaseSchema("flows")
    child = pulumi.ResourceOptions(parent=component, provider=provider)
    manifest_opts = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[*after]))
    manifest = Manifest("manifest", whole, allow, manifest_opts)
    objects: dict[Reference, pulumi.CustomResource] = {}
    renames = Renames.declared(whole)
    for reference in whole.creation_order:
        spec = whole.specs[reference]
        # Edges that others imply are left out: they stand in every checkpoint (16 % of it in the Flows stack).
        needed = [objects[each] for each in whole.direct_needs[reference] if each in objects]
        carrier = whole.carrier(reference)
        opts = pulumi.ResourceOptions(
            depends_on=needed or [manifest],
            deleted_with=objects.get(carrier) if carrier else None,
            aliases=_aliases(spec, renames),
        )
        objects[reference] = declared_object(spec, pulumi.ResourceOptions.merge(child, opts))
    component.register_outputs({})
    inner = {each for reference in objects for each in whole.direct_needs[reference]}
    ends: list[pulumi.Resource] = [made for reference, made in objects.items() if reference not in inner]
    return Provisioned(component, manifest, objects, ends or [manifest])


def _aliases(spec: Spec, renames: Renames) -> Sequence[pulumi.Alias] | None:
    """The name of its resource before what it is called after was renamed."""
    before = renames.back(spec).import_id()
    return [pulumi.Alias(name=before)] if before != spec.import_id() else None
