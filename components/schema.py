"""The resources of the Flows database, under one component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from pulumi_timescaledb import program
from pulumi_timescaledb.policing import Policies
from pulumi_timescaledb.resources import Provider
from pulumi_timescaledb.whole import Whole


class DatabaseSchema(pulumi.ComponentResource):
    """Groups the resources of one database. `provision` fills it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("flows:components:DatabaseSchema", name, None, opts)


@dataclass(frozen=True)
class Provisioned:
    """The component and the resources that nothing else in it depends on."""

    component: DatabaseSchema
    ends: list[pulumi.Resource]


def provision(
    whole: Whole,
    provider: Provider,
    after: Sequence[pulumi.Resource] = (),
    allow: Sequence[str] = (),
    policies: Policies | None = None,
    server: str = "",
) -> Provisioned:
    """Makes a resource of every declaration."""
    component = DatabaseSchema("flows")
    made = program.provision(whole, provider, after, allow, component, policies=policies, server=server)
    component.register_outputs({})
    return Provisioned(component, made.ends)
