"""Roles that another provider made are compared with the program."""

from __future__ import annotations

from typing import Any

import pytest

from components.role_drift import ROLES, drifted_roles
from pulumi_timescaledb.snapshot import Snapshot
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership

READER = Role(
    name="reader",
    login=True,
    password="secret",
    settings={"statement_timeout": "30000ms", "search_path": "flows"},
    comment="Reads.",
)
DECLARED: list[Spec] = [READER, Role(name="group"), RoleMembership(role="group", member="reader")]


def server(*specs: Spec) -> Snapshot:
    live: dict[str, dict[tuple[str, ...], Spec]] = {"Role": {}, "RoleMembership": {}}
    for spec in specs:
        live[spec.KIND][spec.identity()] = spec
    return Snapshot(live, {})


def as_found(**changed: Any) -> Role:
    """As pulumi-postgresql leaves it: one setting, in milliseconds; RoleSettings made the comment."""
    settings = {"statement_timeout": "30000"}
    return Role(name="reader", **{"login": True, "settings": settings, "comment": "Reads."} | changed)


MEMBER = RoleMembership(role="group", member="reader")
OTHERS = [Role(name="postgres", superuser=True), RoleMembership(role="pg_monitor", member="postgres")]


def test_what_is_as_declared_is_no_drift() -> None:
    assert list(drifted_roles(server(as_found(), Role(name="group"), MEMBER, *OTHERS), DECLARED)) == []


@pytest.mark.parametrize(
    ("live", "fields"),
    [
        ([as_found(login=False), MEMBER], {"login": (True, None)}),
        ([as_found(connection_limit=2), MEMBER], {"connectionLimit": (None, 2)}),
        ([as_found(settings={}), MEMBER], {"settings": ({"statement_timeout": "30000"}, None)}),
        ([as_found()], {ROLES: (["group"], [])}),
        (
            [as_found(), MEMBER, RoleMembership(role="pg_monitor", member="reader")],
            {ROLES: (["group"], ["group", "pg_monitor"])},
        ),
    ],
)
def test_what_differs_is_named(live: list[Spec], fields: dict[str, Any]) -> None:
    (found,) = drifted_roles(server(Role(name="group"), *live), DECLARED)
    assert (found.kind, found.id, found.what, found.fields) == ("Role", "reader", "changed", fields)


def test_a_role_that_is_gone() -> None:
    (found,) = drifted_roles(server(as_found(), MEMBER), DECLARED)
    assert (found.id, found.what) == ("group", "missing")
