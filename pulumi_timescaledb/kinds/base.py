"""What a kind is: how its changes are planned and how it is read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ..capabilities import ServerCapabilities
from ..catalog import Catalog, Scope
from ..relations import Relation, Relations, declared
from ..render import render
from ..specs.base import Spec
from ..sqltext import display
from ..statement import LockLevel, Statement

if TYPE_CHECKING:
    from ..whole import Whole

S = TypeVar("S", bound=Spec)


_OF_ITS_OWN = frozenset({"allow", "comment", "column_comments"})
"""Fields that no other object's form shows."""


@dataclass(frozen=True)
class Context:
    """What a plan may know besides the two specs."""

    capabilities: ServerCapabilities = field(default_factory=ServerCapabilities)
    whole: Whole | None = None
    live: Relations = field(default_factory=dict)
    """Relations as they are when it is the object's turn."""
    together: bool = False
    """Whether everything must run in one transaction (a rebuild)."""

    def relation(self, *identity: str) -> Relation:
        """What a relation is."""
        return self.live.get(identity) or declared(identity, self.whole.specs if self.whole is not None else ())

    def online(self, relation: Relation) -> bool:
        """Whether a change of this relation goes in steps, so that others work on meanwhile: on a server with one
        process nobody could, and nobody waits for what is new."""
        return self.capabilities.concurrent_index and not self.together and relation.in_use


class Kind(Generic[S]):
    """One kind of object. `plan` is pure: two specs and a context in, statements out.

    A subclass sets `spec` and implements `create`, `drop`, `alter` and `read`; the folder
    `sql_templates/<kind>/` holds one template per verb and `catalog.sql.j2`.
    """

    spec: type[S]
    sources: ClassVar[tuple[str, ...]] = ()
    """Catalog sources that `read` needs."""
    needs_timescaledb: ClassVar[bool] = False
    """Whether the sources exist only where the extension is installed."""

    asks_relation: ClassVar[bool] = False
    """Whether plans depend on what the relation is: then the server is asked before a change."""
    many: ClassVar[bool] = False
    """Whether a database may well hold thousands: its sources are then read by a query of their own."""

    adopts_existing: ClassVar[bool] = False
    """Whether an object that is there already is simply taken over (an extension of the image, rights, a setting)."""

    def plan(self, old: S | None, new: S | None, context: Context) -> list[Statement]:
        """Statements that turn `old` into `new`; None stands for "not there".

        Raises:
            Refused: the change is impossible or unsafe; it says why and what to do.
            Rebuild: the object must be dropped and created again.
        """
        if new is None:
            return [] if old is None else list(self.drop(old, context))
        if old is None:
            return list(self.create(new, context))
        if old.comparable() == new.comparable() and not self.secret_changed(old, new):
            return []
        return list(self.alter(old, new, context))

    def create(self, new: S, context: Context) -> Iterator[Statement]:
        """Statements that make the object where there is none."""
        raise NotImplementedError

    def drop(self, old: S, context: Context) -> Iterator[Statement]:
        """Statements that remove the object."""
        raise NotImplementedError

    def alter(self, old: S, new: S, context: Context) -> Iterator[Statement]:
        """Statements that change the object in place; raise Rebuild where the server cannot."""
        raise NotImplementedError

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], S]:
        """Every object of this kind that the catalog shows, in the server's own form, by identity."""
        raise NotImplementedError

    def absent(self, identity: tuple[str, ...]) -> S | None:
        """What an object reads as that the catalog does not show: nothing, but for kinds that are always there in some
        form (a role's rights in a schema, perhaps none)."""
        return None

    def ripples(self, old: S, new: S) -> bool:
        """Whether changing `old` to `new` in place can make the server write other objects differently (RENAME COLUMN
        rewrites views, OWNER TO turns rights around). Finding out reads everything, twice; in doubt the answer is
        yes."""
        differing = {name for name in type(new).model_fields if getattr(old, name) != getattr(new, name)}
        return not differing <= _OF_ITS_OWN and any(True for _ in new.provides())

    def scope(self, identity: tuple[str, ...]) -> Scope:
        """Where the catalog queries look for one object: by default (schema, name or relation)."""
        return Scope(identity[0], identity[1])

    def secret_changed(self, old: S, new: S) -> bool:
        """Whether a secret is set to another value: the server cannot show it, so it is not compared."""
        return any(
            getattr(new, name) is not None and getattr(old, name) != getattr(new, name) for name in new.secret_fields()
        )


def statement(template: str, /, lock: LockLevel = LockLevel.NONE, **values: Any) -> Statement:
    """A statement without hazards, rendered from a template."""
    return Statement(render(template, **values), lock)


def changed(old: Spec, new: Spec, *names: str) -> bool:
    """Whether any of these fields differs."""
    return any(getattr(old, name) != getattr(new, name) for name in names)


_RELATIONS = ("MATERIALIZED VIEW", "SEQUENCE", "TABLE", "VIEW")
_COMMENT_LOCKS = {
    **dict.fromkeys(("CONSTRAINT", "POLICY", "TRIGGER"), LockLevel.ACCESS_SHARE),
    **dict.fromkeys((*_RELATIONS, "COLUMN", "INDEX"), LockLevel.SHARE_UPDATE_EXCLUSIVE),
}
"""What COMMENT ON takes on a relation (PostgreSQL 17, measured); on anything else it takes no table lock."""


def comment_on(what: str, target: str, old: str | None, new: str | None) -> Iterator[Statement]:
    """COMMENT ON, if the comment differs. `target` is SQL: already quoted."""
    if (old or None) != (new or None):
        lock = _COMMENT_LOCKS.get(what, LockLevel.NONE)
        yield statement("common/comment", lock, what=what, target=target, comment=new or None)


def rename(what: str, target: str, old: str, new: str, lock: LockLevel = LockLevel.NONE) -> Iterator[Statement]:
    """ALTER ... RENAME TO, if the name differs. `target` is SQL: the old name, quoted."""
    if old != new:
        yield statement("common/rename", lock, what=what, target=target, name=new)


def owner_of(what: str, target: str, old: str | None, new: str | None) -> Iterator[Statement]:
    """ALTER ... OWNER TO, if an owner is declared and differs. Only relations are locked (PostgreSQL 17, measured)."""
    if new is not None and old != new:
        lock = LockLevel.ACCESS_EXCLUSIVE if what in _RELATIONS else LockLevel.NONE
        yield statement("common/owner", lock, what=what, target=target, owner=new)


def column_comments(
    relation: str, old: Mapping[str, str], new: Mapping[str, str], quote: Callable[[str], str]
) -> Iterator[Statement]:
    """COMMENT ON COLUMN for every column whose comment differs. `relation` is SQL, column names are not."""
    for column in [*new, *(name for name in old if name not in new)]:
        yield from comment_on("COLUMN", f"{relation}.{quote(column)}", old.get(column), new.get(column))


def without_public(what: str, target: str, right: tuple[str, str, str], context: Context) -> Iterator[Statement]:
    """REVOKE from PUBLIC right at the creation of something that PUBLIC may use by default (functions, types), where
    a Grant for "public" declares the schema's rights and does not list it: there is no moment with the right, and the
    Grant need not run again for every new object. `right`: (schema, type, name) as ObjectRights writes them."""
    schema, kind, name = right
    grant = context.whole.get("Grant", "public", schema) if context.whole else None
    if grant is not None and not any(r.type == kind and r.name == name for r in grant.objects):  # type: ignore[attr-defined]
        yield statement("common/revoke_public", what=what, target=target)


def shown(spec: Spec) -> str:
    """The object for a message: `Table flows.escos`."""
    return f"{spec.KIND} {display(*spec.identity())}"
