"""Roles that pulumi-postgresql made and that are no longer as declared. No Pulumi here, and no query: the provider's
snapshot has every role of the server.

Its own record is the engine's state, which takes seconds to read; so the server is compared with the program. A role
that was just edited in the program counts as well: an `up` is due either way. Passwords are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pulumi_timescaledb.drift import Drift, differences
from pulumi_timescaledb.snapshot import Snapshot
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership

from .access import TIMEOUTS, milliseconds

ROLES = "memberOf"
"""Memberships are the role's own here, see cluster.py."""


def drifted_roles(snapshot: Snapshot, specs: Iterable[Spec]) -> Iterator[Drift]:
    """Every declared role that is missing or differs, in the server's words."""
    specs = list(specs)
    memberships = [spec for spec in specs if isinstance(spec, RoleMembership)]
    for spec in specs:
        if not isinstance(spec, Role):
            continue
        live = snapshot.live["Role"].get(spec.identity())
        if not isinstance(live, Role):
            yield Drift("Role", spec.name, "missing", {})
            continue
        applied = _as_made(spec)
        found = live.model_copy(update={"comment": None})  # that is RoleSettings, with an entry in the ledger
        one, other = applied.to_wire(), found.to_wire()
        fields = {name: (one.get(name), other.get(name)) for name in differences(applied, found)}
        declared = sorted(each.role for each in memberships if each.member == spec.name)
        granted = sorted(role for role, member in snapshot.live["RoleMembership"] if member == spec.name)
        if declared != granted:
            fields[ROLES] = (declared, granted)
        if fields:
            yield Drift("Role", spec.name, "changed", fields)


def _as_made(spec: Role) -> Role:
    """What the server then shows: of the settings only those that pulumi-postgresql can give a role."""
    settings = {name: str(milliseconds(spec, name)) for name in TIMEOUTS if name in spec.settings}
    return spec.model_copy(update={"settings": settings, "comment": None, "password": None, "previously": None})
