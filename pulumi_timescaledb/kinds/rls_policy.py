"""Row-level-security policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.rls_policy import RlsPolicy
from ..sqltext import ident, qualified
from ..statement import LockLevel, Rebuild, Statement
from .base import Context, Kind, changed, comment_on, statement

_ROWS = Hazard("authorisation", "which rows a role sees and writes changes")


class RlsPolicyKind(Kind[RlsPolicy]):
    """CREATE / ALTER / DROP POLICY."""

    spec = RlsPolicy
    sources = ("rls_policy",)

    def create(self, new: RlsPolicy, context: Context) -> Iterator[Statement]:
        yield _policy("create", new)
        yield from comment_on("POLICY", _target(new), None, new.comment)

    def alter(self, old: RlsPolicy, new: RlsPolicy, context: Context) -> Iterator[Statement]:
        if changed(old, new, "command", "permissive"):
            raise Rebuild("the command and the permissiveness of a policy cannot be altered")
        if (old.using and not new.using) or (old.check and not new.check):
            raise Rebuild("an expression of a policy cannot be taken away")
        if changed(old, new, "roles", "using", "check"):
            yield _policy("alter", new)
        yield from comment_on("POLICY", _target(new), old.comment, new.comment)

    def drop(self, old: RlsPolicy, context: Context) -> Iterator[Statement]:
        yield _policy("drop", old)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], RlsPolicy]:
        found = (RlsPolicy(**row) for row in catalog.rows("rls_policy"))
        return {policy.identity(): policy for policy in found}


def _policy(verb: str, policy: RlsPolicy) -> Statement:
    roles = ", ".join("PUBLIC" if role.lower() == "public" else ident(role) for role in policy.roles)
    relation = qualified(policy.schema_, policy.relation)
    sql = statement(f"rls_policy/{verb}", relation=relation, policy=policy, roles=roles).sql
    return Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (_ROWS,))


def _target(policy: RlsPolicy) -> str:
    return f"{ident(policy.name)} ON {qualified(policy.schema_, policy.relation)}"
