"""Lives of memberships."""

from pulumi_timescaledb.specs.role_membership import RoleMembership

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = 'CREATE ROLE one; CREATE ROLE two; CREATE ROLE "Sel""ect; é"'

LIVES = [
    LifeCycle(
        "plain",
        RoleMembership(role="one", member="two"),
        before=BEFORE,
        alters=(
            Alter("admin", {"admin": True}),
            Alter("not inherited", {"inherit": False}),
            Alter("no SET ROLE", {"set_role": False}),
        ),
        drifts=(
            Drift("admin", "GRANT one TO two WITH ADMIN TRUE", "admin"),
            Drift("inherit", "GRANT one TO two WITH INHERIT FALSE", "inherit"),
            Drift("set", "GRANT one TO two WITH SET FALSE", "set_role"),
        ),
    ),
    LifeCycle(
        "hostile name",
        RoleMembership(role='Sel"ect; é', member="one", admin=True, set_role=False),
        before=BEFORE,
        alters=(Alter("no admin", {"admin": False}),),
    ),
]
