"""What belongs to a whole server, made by pulumi-postgresql: roles, memberships, the database itself.

Its traps, read in its source (terraform-provider-postgresql as of pulumi-postgresql 3.18.2) and tried:
a password in clear is not compared with the server's SCRAM verifier, so that a changed one is never seen
(readRolePassword); the verifier itself is compared, and the password reaches neither the server's log nor the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    specs: Iterable[Spec],
    database: str | None,
    made_by: postgresql.Provider,
    after: Sequence[pulumi.Resource],
    *,
    disposable: bool,
) -> list[pulumi.Resource]:
    """Roles, their memberships, and the database, unless it exists already (None). The database comes last, and so
    goes first: a role cannot be dropped while it has rights in there."""
    opts = pulumi.ResourceOptions(provider=made_by, depends_on=[*after])
    roles = {spec.name: spec for spec in specs if isinstance(spec, Role)}
    made: dict[str, pulumi.Resource] = {name: _role(spec, opts) for name, spec in roles.items()}
    memberships = [_membership(spec, roles, made, opts) for spec in specs if isinstance(spec, RoleMembership)]
    everything = [*made.values(), *memberships]
    if database is None:
        return everything
    kept = pulumi.ResourceOptions(
        provider=made_by,
        depends_on=[*after, *everything],
        protect=not disposable,
        retain_on_delete=not disposable,
        # In place it would be renamed, or not, under the feet of everybody who is connected.
        replace_on_changes=["name"],
        delete_before_replace=True,
    )
    return [*everything, postgresql.Database("database", name=database, opts=kept)]


def _role(spec: Role, opts: pulumi.ResourceOptions) -> postgresql.Role:
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
        valid_until=spec.valid_until,
        statement_timeout=access.milliseconds(spec, "statement_timeout"),
        idle_in_transaction_session_timeout=access.milliseconds(spec, "idle_in_transaction_session_timeout"),
        opts=opts,
    )


def _membership(
    spec: RoleMembership,
    roles: dict[str, Role],
    made: dict[str, pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> postgresql.GrantRole:
    """GRANT without options: since PostgreSQL 16 a membership then inherits if its member does.

    Raises:
        ValueError: options are declared that this cannot give.
    """
    member = roles.get(spec.member)
    if not spec.set_role or (member is not None and spec.inherit != member.inherit):
        raise ValueError(
            f"membership of {spec.member} in {spec.role}: pulumi-postgresql grants it without options, so SET is true "
            f"and INHERIT is as the member's own (now {member.inherit if member else True})"
        )
    needed = [made[name] for name in (spec.role, spec.member) if name in made]
    return postgresql.GrantRole(
        f"{spec.role}.{spec.member}",
        grant_role=spec.role,
        role=spec.member,
        with_admin_option=spec.admin,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=needed)),
    )
