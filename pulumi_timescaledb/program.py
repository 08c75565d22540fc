"""What a program calls: declarations to resources, a Manifest first, every object after what it needs, a Seal last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pulumi

from .connection import ConnectionSettings
from .policing import Policies
from .renames import Renames
from .resources import Manifest, Provider, Seal, declared_object
from .specs import Reference, Spec
from .whole import Whole

__all__ = ["ConnectionSettings", "Policies", "Provisioned", "declare", "provision"]


@dataclass(frozen=True)
class Provisioned:
    """The resources of one database."""

    manifest: Manifest
    objects: dict[Reference, pulumi.CustomResource]
    ends: list[pulumi.Resource]
    """Resources that nothing else depends on: whoever waits for them waits for all."""


def declare(
    settings: ConnectionSettings,
    declarations: Iterable[Spec],
    allow: Sequence[str] = (),
    *,
    adopt: bool = False,
    policies: Policies | None = None,
) -> Provisioned:
    """Makes one database what `declarations` say: the whole of a program that has nothing else to do.

    `allow` names the losses of data that are permitted, as the refusal names them: "drop:metrics.cpu".
    `adopt` imports every object instead of making it, for the first run on a database that has them all; afterwards it
    changes nothing.
    `policies` chooses what is advised and what is demanded of the declarations (docs/policies.md).

    Raises:
        ValueError: an object is declared twice, or declarations need each other in a circle.
    """
    whole = Whole(declarations)
    provider = Provider("database", settings)
    made = provision(whole, provider, allow=allow, adopt=adopt, policies=policies)
    Seal("seal", whole, opts=pulumi.ResourceOptions(provider=provider, depends_on=made.ends))
    return made


def provision(
    whole: Whole,
    provider: Provider,
    after: Sequence[pulumi.Resource] = (),
    allow: Sequence[str] = (),
    parent: pulumi.Resource | None = None,
    *,
    adopt: bool = False,
    policies: Policies | None = None,
    server: str = "",
) -> Provisioned:
    """Makes a resource of every declaration, but no Seal: that comes when everything else that matters is there.

    `server` says what a server is made of that the same program makes, such as its image.
    """
    child = pulumi.ResourceOptions(parent=parent, provider=provider)
    manifest_opts = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[*after]))
    manifest = Manifest("manifest", whole, allow, manifest_opts, policies, server)
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
            import_=spec.import_id() if adopt else None,
        )
        objects[reference] = declared_object(spec, pulumi.ResourceOptions.merge(child, opts))
    inner = {each for reference in objects for each in whole.direct_needs[reference]}
    ends: list[pulumi.Resource] = [made for reference, made in objects.items() if reference not in inner]
    return Provisioned(manifest, objects, ends or [manifest])


def _aliases(spec: Spec, renames: Renames) -> Sequence[pulumi.Alias] | None:
    """The name of its resource before what it is called after was renamed."""
    before = renames.back(spec).import_id()
    return [pulumi.Alias(name=before)] if before != spec.import_id() else None
