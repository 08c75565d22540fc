"""Domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.domain import Domain, DomainCheck
from ..sqltext import qualified
from ..statement import LockLevel, Rebuild, Statement
from .base import Context, Kind, changed, comment_on, owner_of, rename, statement, without_public

_SCAN = Hazard("long_scan", "every column of this domain is checked while writes to its table wait")


class DomainKind(Kind[Domain]):
    """CREATE / ALTER / DROP DOMAIN. Locks are those of the tables that use it (measured on PostgreSQL 17: SHARE for
    anything that checks rows, none for the rest)."""

    spec = Domain
    sources = ("domain",)

    def create(self, new: Domain, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield statement("domain/create", target=target, domain=new)
        for check in new.checks:
            if not check.validated:
                yield statement("domain/add_check", target=target, check=check)
        yield from without_public("DOMAIN", target, (new.schema_, "type", new.name), context)
        yield from owner_of("DOMAIN", target, None, new.owner)
        yield from comment_on("DOMAIN", target, None, new.comment)

    def alter(self, old: Domain, new: Domain, context: Context) -> Iterator[Statement]:
        if changed(old, new, "type", "collation"):
            raise Rebuild("the underlying type of a domain cannot be altered")
        target = qualified(new.schema_, new.name)
        yield from rename("DOMAIN", qualified(old.schema_, old.name), old.name, new.name)
        before = {check.name: check for check in old.checks}
        wanted = {check.name: check for check in new.checks}
        for name, check in before.items():
            if not _stays(check, wanted.get(name)):
                yield statement("domain/drop_check", target=target, name=name)
        for name, check in wanted.items():
            if check == before.get(name):
                continue
            if not _stays(before.get(name), check):
                yield statement("domain/add_check", target=target, check=check)
            if check.validated:
                sql = statement("domain/validate_check", target=target, name=name).sql
                yield Statement(sql, LockLevel.SHARE, (_SCAN,))
        if changed(old, new, "default"):
            action = f"SET DEFAULT {new.default}" if new.default is not None else "DROP DEFAULT"
            yield statement("domain/alter", target=target, action=action)
        if changed(old, new, "not_null"):
            action = f"{'SET' if new.not_null else 'DROP'} NOT NULL"
            sql = statement("domain/alter", target=target, action=action).sql
            yield Statement(sql, LockLevel.SHARE, (_SCAN,)) if new.not_null else Statement(sql)
        yield from owner_of("DOMAIN", target, old.owner, new.owner)
        yield from comment_on("DOMAIN", target, old.comment, new.comment)

    def drop(self, old: Domain, context: Context) -> Iterator[Statement]:
        yield statement("domain/drop", target=qualified(old.schema_, old.name))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Domain]:
        return {
            (row["schema"], row["name"]): Domain(
                schema_=row["schema"],
                name=row["name"],
                type=row["type"],
                collation=row["collation"],
                not_null=row["not_null"],
                default=row["default_"],
                checks=tuple(DomainCheck(**check) for check in row["checks"] or ()),
                owner=row["owner"],
                comment=row["comment"],
            )
            for row in catalog.rows("domain")
        }


def _stays(old: DomainCheck | None, new: DomainCheck | None) -> bool:
    """Whether a check need not be made again: it is the same, or only has to be validated."""
    return new is not None and old in (new, new.model_copy(update={"validated": False}))
