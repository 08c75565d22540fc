"""Roles: declared once in flows/roles.py, realised by what the engine has. No Pulumi here: see cluster.py.

The embedded server's roles are made by our own provider. Elsewhere roles, memberships and the database itself belong to
the whole server and to pulumi-postgresql; what it cannot say of a role, its settings in this database and its comment,
is a `RoleSettings` of our provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership
from pulumi_timescaledb.specs.role_settings import RoleSettings

from .secrets import StackSecrets

TIMEOUTS = ("idle_in_transaction_session_timeout", "statement_timeout")
"""Settings that pulumi-postgresql's Role has itself, as milliseconds, for every database. PostgREST applies them to the
role of a token: it reads pg_roles.rolconfig, which has no settings of one database (PostgREST, Config/Database.hs)."""


def with_passwords(specs: Iterable[Spec], secrets: StackSecrets) -> list[Spec]:
    """The declarations, every login role with the password derived for it."""
    return [
        spec.model_copy(update={"password": secrets.password(spec.name)})
        if isinstance(spec, Role) and spec.login
        else spec
        for spec in specs
    ]


def in_database(specs: Iterable[Spec]) -> Iterator[Spec]:
    """The declarations of which pulumi-postgresql has made its part.

    Raises:
        ValueError: a role has what neither of the two can give it.
    """
    for spec in specs:
        if isinstance(spec, RoleMembership):
            continue
        if not isinstance(spec, Role):
            yield spec
            continue
        settings = {name: value for name, value in spec.settings.items() if name not in TIMEOUTS}
        if settings and not spec.login:
            raise ValueError(
                f"role {spec.name}: {', '.join(settings)} would have no effect: settings of one database are read at "
                f"the login, and nobody logs in as it. Only {' and '.join(TIMEOUTS)} can be set for it here."
            )
        if settings or spec.comment:
            yield RoleSettings(role=spec.name, settings=settings, comment=spec.comment)


def milliseconds(role: Role, setting: str) -> int | None:
    """A time-out as pulumi-postgresql takes it.

    Raises:
        ValueError: it is not written in milliseconds.
    """
    value = role.settings.get(setting)
    if value is None:
        return None
    number = value.removesuffix("ms")
    if not number.isdigit():
        raise ValueError(f'role {role.name}: {setting} "{value}" must be written in milliseconds, such as 30000ms')
    return int(number)


def roles(specs: Iterable[Spec]) -> list[str]:
    """Names of all declared roles."""
    return sorted(spec.name for spec in specs if isinstance(spec, Role))


def login_roles(specs: Iterable[Spec]) -> list[str]:
    """Names of the roles that can log in."""
    return sorted(spec.name for spec in specs if isinstance(spec, Role) and spec.login)
