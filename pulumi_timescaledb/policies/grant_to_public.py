"""Rights are given to roles that somebody is a member of on purpose."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..specs.grant import PUBLIC
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for grant in whole.of_kind("Grant"):
        if grant.role == PUBLIC and (grant.privileges or grant.objects or grant.defaults):
            yield grant, "gives rights to every role there is and will be"


POLICY = Policy(
    level="advisory",
    demand="No right is given to PUBLIC.",
    harm="Every login has it, those of other applications and of later ones too, and no REVOKE from a role takes it.",
    remedy='Grant it to the roles that need it; a Grant of "public" that lists nothing takes the defaults back.',
    source="PostgreSQL 17 documentation, 5.8",
    find=_find,
)
