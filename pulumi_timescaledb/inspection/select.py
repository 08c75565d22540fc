"""What of a database becomes declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..manifest import violations
from ..policing import Policies, refusals
from ..specs import Reference, Spec
from ..specs.base import relation
from ..specs.continuous_aggregate import ContinuousAggregate
from ..specs.extension import Extension
from ..specs.grant import PUBLIC, Grant
from ..specs.role import Role
from ..specs.role_membership import RoleMembership
from ..specs.server_setting import ServerSetting
from ..whole import Whole
from .census import Left, left_out, overlooked
from .look import View

_NOBODYS = frozenset({"plpgsql"})
"""Extensions that initdb makes."""
_BY_DEFAULT = {"function": ("execute",), "type": ("usage",)}
"""What PUBLIC may do without being told (PostgreSQL documentation, table 5.2)."""


@dataclass
class Selection:
    """Declarations, and what they do not say."""

    specs: list[Spec] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def left_unsaid(self) -> bool:
        """Whether anything could not be expressed; a password that is never read is no such thing."""
        return any(each.class_ != "password" for each in self.left)


def select(view: View, *, with_roles: bool = True) -> Selection:
    """Every object of the view that can be declared, in a form that says no more than the server needs to hear."""
    inner = {each.reference for each in view.objects if each.fate == "automatic" and each.reference is not None}
    lost = _lost_relations(view)
    found = [spec for spec in _in_schemas(view) if not _goes_with(spec, inner)]
    chosen = [spec for spec in found if not _goes_with(spec, lost)]
    dropped = [spec for spec in found if _goes_with(spec, lost)]
    left = left_out(view.objects)
    named = {each.name for each in left if not each.partly}
    left += [
        Left(spec.KIND, spec.import_id(), "it belongs to a relation that cannot be declared")
        for spec in dropped
        if spec.import_id() not in named
    ]
    chosen += _database_wide(view, chosen, left, with_roles=with_roles)
    left += overlooked(view.objects, chosen, (spec.reference() for spec in dropped))
    left += _rules(chosen, view)
    return Selection(chosen, sorted(dict.fromkeys(left), key=lambda each: (each.class_, each.name, each.why)))


def _lost_relations(view: View) -> set[Reference]:
    """Relations that the census says cannot be declared."""
    declared = {each.reference for each in view.objects if each.fate == "declared"}
    relations = {
        reference
        for kind in ("Table", "View", "MaterializedView", "ContinuousAggregate", "Sequence")
        for reference in (spec.reference() for spec in view.snapshot.live[kind].values())
        if reference.identity[0] in view.schemas
    }
    return {relation(*reference.identity) for reference in relations - declared}


def _goes_with(spec: Spec, relations: set[Reference]) -> bool:
    """Whether a declaration is one of the relations, or stands on one."""
    return spec.parent() in relations or any(reference in relations for reference in spec.provides())


def _in_schemas(view: View) -> Iterator[Spec]:
    for kind, found in view.snapshot.live.items():
        for spec in found.values():
            if kind == "Schema":
                if spec.identity()[0] in view.schemas and spec.identity()[0] != "public":  # every database has it
                    yield spec
            elif getattr(spec, "schema_", None) in view.schemas and kind not in ("Extension", "ServerSetting"):
                if isinstance(spec, Grant):
                    if not _says_nothing(spec, view):
                        yield spec
                else:
                    yield _with_group_indexes(spec, view)


def _with_group_indexes(spec: Spec, view: View) -> Spec:
    if isinstance(spec, ContinuousAggregate) and (spec.schema_, spec.name) in view.ungrouped:
        return spec.model_copy(update={"create_group_indexes": False})
    return spec


def _says_nothing(grant: Grant, view: View) -> bool:
    """Whether a role has no rights, or PUBLIC exactly those it has by default."""
    if grant.role != PUBLIC:
        return not (grant.privileges or grant.objects or grant.defaults)
    by_default = ("usage",) if grant.schema_ == "public" else ()
    if grant.defaults or grant.privileges != by_default:
        return False
    if any(_BY_DEFAULT.get(item.type) != tuple(item.privileges) for item in grant.objects):
        return False
    has = {(item.type, item.name) for item in grant.objects}
    live = view.snapshot.live
    functions = {
        ("function", f"{identity[1]}({identity[2]})") for identity in live["Function"] if identity[0] == grant.schema_
    }
    types = {
        ("type", identity[1]) for kind in ("Enum", "Domain") for identity in live[kind] if identity[0] == grant.schema_
    }
    return functions | types <= has


def _database_wide(view: View, chosen: list[Spec], left: list[Left], *, with_roles: bool) -> Iterator[Spec]:
    """Extensions, settings of this database, and the roles that the chosen objects name."""
    live = view.snapshot.live
    for spec in live["Extension"].values():
        if isinstance(spec, Extension) and spec.name not in _NOBODYS:
            # The version is left to the server: pinned, a newer server could not make it.
            fixed = spec.schema_ in view.schemas and spec.schema_ != "public"
            yield spec.model_copy(update={"version": None, "schema_": spec.schema_ if fixed else None})
    for spec in live["ServerSetting"].values():
        if isinstance(spec, ServerSetting):
            if spec.scope == "database":
                yield spec
            else:
                left.append(
                    Left("setting", spec.name, "ALTER SYSTEM settings are the whole server's: declare them once")
                )
    named = _role_names(chosen) - {PUBLIC, view.me, view.initial}
    memberships = [spec for spec in live["RoleMembership"].values() if isinstance(spec, RoleMembership)]
    named = _connected(named, memberships, {view.me, view.initial})
    if not with_roles:
        left += [Left("role", name, "roles were left out (--no-roles)", partly=True) for name in sorted(named)]
        return
    for spec in live["Role"].values():
        if isinstance(spec, Role) and spec.name in named:
            yield spec
            if spec.login:
                why = "its password is never read: give it in the program, or leave it as it is"
                left.append(Left("password", spec.name, why, partly=True))
    for membership in memberships:
        if membership.member in named:
            yield membership


def _role_names(specs: Iterable[Spec]) -> set[str]:
    return {reference.identity[0] for spec in specs for reference in spec.references() if reference.kind == "Role"}


def _connected(names: set[str], memberships: list[RoleMembership], without: set[str]) -> set[str]:
    """`names` with their members and the roles they are members of, and so on (the server's own pg_ roles aside):
    whoever has a right through another role."""
    reached = set(names)
    while True:
        more = {m.role for m in memberships if m.member in reached and not m.role.startswith("pg_")} - reached
        more |= {m.member for m in memberships if m.role in reached} - reached - without
        if not more:
            return reached - without
        reached |= more


def _rules(specs: list[Spec], view: View) -> list[Left]:
    """What the Manifest would refuse: rules between declarations, declarations in a circle, mandatory policies."""
    whole = Whole(specs)
    left = [Left("rule of the provider", "declarations", fault) for fault in violations(whole, view.capabilities)]
    return left + [Left("policy", "declarations", fault) for fault in refusals(Policies().findings(whole))]
