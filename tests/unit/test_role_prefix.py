"""Databases that share a server share no role: a prefix reaches every declaration and every SQL text."""

from __future__ import annotations

import json
import re

from flows import Settings, declarations, server_roles
from flows.roles import APPLICATION
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership

PREFIX = "env_1b2c3d4e_"
SETTINGS = Settings(tableau_enabled=True, role_prefix=PREFIX)
PLAIN = Settings(tableau_enabled=True)


def names(settings: Settings) -> list[str]:
    return [spec.name for spec in server_roles(settings) if isinstance(spec, Role)]


def wire(specs: list[Spec]) -> list[str]:
    return [json.dumps({"kind": spec.KIND, **spec.to_wire()}, sort_keys=True) for spec in specs]


def test_every_role_has_it() -> None:
    assert names(SETTINGS) == [f"{PREFIX}{name}" for name in names(PLAIN)]
    assert len(names(PLAIN)) == 7


def test_memberships_in_roles_of_the_server_keep_those() -> None:
    of = {each.role for each in server_roles(SETTINGS) if isinstance(each, RoleMembership)}
    assert of == {f"{PREFIX}public_backend", f"{PREFIX}flows_api_writer", "pg_monitor"}


def test_nothing_else_differs_and_no_plain_role_is_left() -> None:
    """Taking the prefix out again gives the plain declarations; a role by itself, in a field or a literal, has it."""
    with_prefix, plain = wire(declarations(SETTINGS)), wire(declarations(PLAIN))
    assert [text.replace(PREFIX, "") for text in with_prefix] == plain
    roles = [name for name in names(PLAIN) if name != APPLICATION]
    left = re.compile(rf"""["']({"|".join(roles)})["']""")
    assert [text for text in plain if left.search(text)], "the pattern finds them where they are"
    assert [text for text in with_prefix if left.search(text)] == []
    # `flows` is a schema too: as a role it stands in fields, and as a literal beside the API's roles.
    application = re.compile(
        rf"""("(role|owner|member)": "{APPLICATION}"|\["{APPLICATION}"\]|"""
        rf"""'{APPLICATION}', '(?:{PREFIX})?public_backend')"""
    )
    assert [text for text in plain if application.search(text)]
    assert [text for text in with_prefix if application.search(text)] == []
