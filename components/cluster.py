"""What belongs to a whole server, made by pulumi-postgresql: roles, memberships, the database itself, who may enter it.

Its traps, read in its source (terraform-provider-postgresql as of pulumi-postgresql 3.18.2) and tried:
a password in clear is not compared with the server's SCRAM verifier, so that a changed one is never seen
(readRolePassword); the verifier itself is compared, and the password reaches neither the server's log nor the state.
Memberships are `Role.roles`, not GrantRole: a Role without `roles` shows those of GrantRole as a change for ever, and
any update of it revokes them (resourcePostgreSQLRoleUpdate).
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

import pulumi
import pulumi_postgresql as postgresql

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.scram import scram_sha_256
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership

from . import access

CONNECT_SECONDS = 15


def provider(connection: ConnectionSettings, database: str, *, superuser: bool) -> postgresql.Provider:
    """`database`: one that exists already. `superuser`: whether it may read the passwords' verifiers."""
    certificate = "" if connection.sslrootcert == "system" else connection.sslrootcert
    return postgresql.Provider(
        "cluster",
        host=connection.host,
        port=connection.port,
        database=database,
        username=connection.user,
        password=pulumi.Output.secret(connection.password),
        sslmode=connection.sslmode if connection.sslmode in ("disable", "verify-ca", "verify-full") else "prefer",
        sslrootcert=certificate or None,
        superuser=superuser,
        connect_timeout=CONNECT_SECONDS,
    )


def make(
    specs: Sequence[Spec],
    database: str | None,
    made_by: postgresql.Provider,
    after: Sequence[pulumi.Resource],
    *,
    disposable: bool,
) -> list[pulumi.Resource]:
    """Roles with their memberships, and the database, unless it exists already (None). The database comes last, and so
    goes first: a role cannot be dropped while it has rights in there.

    Raises:
        ValueError: a membership has options that cannot be given, or they are memberships in a circle.
    """
    roles = {spec.name: spec for spec in specs if isinstance(spec, Role)}
    memberships = [spec for spec in specs if isinstance(spec, RoleMembership)]
    made: dict[str, pulumi.Resource] = {}
    for name in _order(roles, memberships):
        of = [_checked(each, roles[name]).role for each in memberships if each.member == name]
        needed = [*after, *(made[role] for role in of if role in made)]
        made[name] = _role(roles[name], of, pulumi.ResourceOptions(provider=made_by, depends_on=needed))
    if database is None:
        return [*made.values()]
    kept = pulumi.ResourceOptions(
        provider=made_by,
        depends_on=[*after, *made.values()],
        protect=not disposable,
        retain_on_delete=not disposable,
        # In place it would be renamed, or not, under the feet of everybody who is connected.
        replace_on_changes=["name"],
        delete_before_replace=True,
    )
    return [*made.values(), postgresql.Database("database", name=database, opts=kept)]


def connect(
    database: str, roles: Sequence[str], made_by: postgresql.Provider, after: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """CONNECT for login roles by name, so that they come in where PUBLIC does not. One after the other: they change one
    row of the catalog."""
    made: list[pulumi.Resource] = []
    for role in roles:
        needed = pulumi.ResourceOptions(provider=made_by, depends_on=[*after, *made[-1:]])
        made.append(
            postgresql.Grant(
                f"connect-{role}",
                database=database,
                role=role,
                object_type="database",
                privileges=["CONNECT"],
                opts=needed,
            )
        )
    return made


def _order(roles: dict[str, Role], memberships: Sequence[RoleMembership]) -> list[str]:
    """Every role after those it is a member of."""
    needs: dict[str, set[str]] = {name: set() for name in roles}
    for each in memberships:
        if each.member not in roles:
            raise ValueError(f"membership of {each.member} in {each.role}: {each.member} is not a declared role")
        if each.role in roles:
            needs[each.member].add(each.role)
    return list(TopologicalSorter(needs).static_order())


def _checked(membership: RoleMembership, member: Role) -> RoleMembership:
    """GRANT without options: since PostgreSQL 16 a membership then inherits if its member does."""
    if membership.admin or not membership.set_role or membership.inherit != member.inherit:
        raise ValueError(
            f"membership of {membership.member} in {membership.role}: pulumi-postgresql grants it without options, so "
            f"SET is true, ADMIN false, and INHERIT as the member's own, which is {str(member.inherit).lower()}"
        )
    return membership


def _role(spec: Role, of: Sequence[str], opts: pulumi.ResourceOptions) -> postgresql.Role:
    return postgresql.Role(
        spec.name,
        name=spec.name,
        login=spec.login,
        password=pulumi.Output.secret(scram_sha_256(spec.name, spec.password)) if spec.password else None,
        superuser=spec.superuser,
        inherit=spec.inherit,
        create_database=spec.create_db,
        create_role=spec.create_role,
        replication=spec.replication,
        bypass_row_level_security=spec.bypass_rls,
        connection_limit=spec.connection_limit,
        roles=sorted(of) or None,
        valid_until=spec.valid_until,
        statement_timeout=access.milliseconds(spec, "statement_timeout"),
        idle_in_transaction_session_timeout=access.milliseconds(spec, "idle_in_transaction_session_timeout"),
        opts=opts,
    )
