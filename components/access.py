"""Roles: declared once in flows/roles.py, realised by what the engine has."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role

from .secrets import StackSecrets


def with_passwords(specs: Iterable[Spec], secrets: StackSecrets) -> list[Spec]:
    """The declarations, every login role with the password derived for it."""
    return [
        spec.model_copy(update={"password": secrets.password(spec.name)})
        if isinstance(spec, Role) and spec.login
        else spec
        for spec in specs
    ]


def roles(specs: Iterable[Spec]) -> list[str]:
    """Names of all declared roles."""
    return sorted(spec.name for spec in specs if isinstance(spec, Role))


def login_roles(specs: Iterable[Spec]) -> list[str]:
    """Names of the roles that can log in."""
    return sorted(spec.name for spec in specs if isinstance(spec, Role) and spec.login)
