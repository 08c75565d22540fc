"""Declarations to resources: a Manifest first, every object after what it needs, a Seal last."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from pulumi_timescaledb.resources import Manifest, Object, Provider
from pulumi_timescaledb.specs import Reference, Spec
from pulumi_timescaledb.whole import Whole


class DatabaseSchema(pulumi.ComponentResource):
    """Every declared object of one database as a resource."""

    def __init__(
        self,
        name: str,
        whole: Whole,
        provider: Provider,
        after: Sequence[pulumi.Resource] = (),
        elsewhere: Sequence[str] = (),
        allow: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("flows:components:DatabaseSchema", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        self.whole = whole
        self.manifest = Manifest(
            "manifest", whole, allow, pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[*after]))
        )
        self.objects: dict[Reference, Object] = {}
        for reference in whole.creation_order:
            spec = whole.specs[reference]
            if spec.KIND in elsewhere:
                continue
            self.objects[reference] = self._object(spec, child)
        self.register_outputs({})

    def _object(self, spec: Spec, child: pulumi.ResourceOptions) -> Object:
        needed = [self.objects[each] for each in self.whole.needs[spec.reference()] if each in self.objects]
        parent = _carrier(spec, self.whole)
        previously = getattr(spec, "previously", None)
        opts = pulumi.ResourceOptions(
            depends_on=[self.manifest, *needed],
            deleted_with=self.objects.get(parent) if parent else None,
            aliases=[pulumi.Alias(name=type(spec).model_copy(spec, update={"name": previously}).import_id())]
            if previously
            else None,
        )
        return Object(spec.import_id(), spec, pulumi.ResourceOptions.merge(child, opts))


def _carrier(spec: Spec, whole: Whole) -> Reference | None:
    """The object whose drop takes this one along, if it then needs no drop of its own.

    What needs more than its carrier (a trigger its function, a policy another table) is dropped in its own turn: the
    engine would otherwise drop the other thing while this one still stands on it.
    """
    parent = spec.parent()
    if parent is None:
        return None
    needs = whole.needs[spec.reference()]
    carriers = [each for each in needs if parent in whole.specs[each].provides()]
    if not carriers:
        return None
    carrier = carriers[0]
    enough = {carrier, *whole.needs[carrier]}
    for each in needs:
        own_parent = whole.specs[each].parent()
        if each not in enough and own_parent != parent:
            return None
    return carrier
