"""Foreign keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.foreign_key import ForeignKey
from ..sqltext import ident, qualified
from ..statement import LockLevel, Rebuild, Statement
from .base import Context, Kind, changed, comment_on, statement

_SHAPE = ("columns", "target_schema", "target", "target_columns", "on_update", "on_delete")


class ForeignKeyKind(Kind[ForeignKey]):
    """ADD ... NOT VALID, then VALIDATE, so that writes wait only for a moment. Both work on hypertables, as referencing
    and as referenced table, chunks included (measured on TimescaleDB 2.23)."""

    spec = ForeignKey
    asks_relation = True
    sources = ("foreign_key",)
    many = True

    def create(self, new: ForeignKey, context: Context) -> Iterator[Statement]:
        relation = qualified(new.schema_, new.relation)
        if new.validated and _has_columnstore(new, context):
            # VALIDATE CONSTRAINT is refused where columnstore is on, a plain ADD is not (measured on 2.23).
            sql = statement("foreign_key/create", relation=relation, key=new, not_valid=False).sql
            scan = Hazard("long_scan", "every row is checked while writes wait")
            yield Statement(sql, LockLevel.SHARE_ROW_EXCLUSIVE, (scan,))
        else:
            sql = statement("foreign_key/create", relation=relation, key=new, not_valid=True).sql
            undo = statement("foreign_key/drop", LockLevel.ACCESS_EXCLUSIVE, relation=relation, name=new.name)
            yield Statement(sql, LockLevel.SHARE_ROW_EXCLUSIVE, undo=undo)
            if new.validated:
                yield _validation(new, context)
        yield from comment_on("CONSTRAINT", _target(new), None, new.comment)

    def alter(self, old: ForeignKey, new: ForeignKey, context: Context) -> Iterator[Statement]:
        if changed(old, new, *_SHAPE):
            if not context.online(context.relation(new.schema_, new.relation)):
                raise Rebuild("a foreign key's columns, target and actions cannot be altered")
            yield from self.drop(old, context)  # in the transaction that adds it: no row comes in unchecked
            yield from self.create(new, context)
            return
        if old.validated and not new.validated:
            raise Rebuild("a validated foreign key cannot become NOT VALID")
        if changed(old, new, "validated") and _has_columnstore(new, context):
            raise Rebuild("a foreign key of a table with a columnstore cannot be validated")
        if changed(old, new, "deferrable", "initially_deferred"):
            if context.whole and context.whole.get("Hypertable", new.target_schema, new.target):
                # Measured on 2.23: the copies of the key that guard the chunks would stay as they were.
                raise Rebuild("chunks keep the deferrability that a foreign key was created with")
            relation = qualified(new.schema_, new.relation)
            yield statement("foreign_key/alter", LockLevel.ACCESS_EXCLUSIVE, relation=relation, key=new)
        if changed(old, new, "validated"):
            yield _validation(new, context)
        yield from comment_on("CONSTRAINT", _target(new), old.comment, new.comment)

    def drop(self, old: ForeignKey, context: Context) -> Iterator[Statement]:
        relation = qualified(old.schema_, old.relation)
        yield statement("foreign_key/drop", LockLevel.ACCESS_EXCLUSIVE, relation=relation, name=old.name)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], ForeignKey]:
        found = (ForeignKey(**row) for row in catalog.rows("foreign_key"))
        return {key.identity(): key for key in found}


def _has_columnstore(key: ForeignKey, context: Context) -> bool:
    """Now or later in this run: nothing says which of the two comes first."""
    where = (key.schema_, key.relation)
    later = context.whole is not None and context.whole.get("Columnstore", *where) is not None
    return later or context.relation(*where).columnstore


def _validation(key: ForeignKey, context: Context) -> Statement:
    """In a transaction of its own where others write meanwhile: ADD CONSTRAINT locks both tables until it ends."""
    sql = statement("foreign_key/validate", relation=qualified(key.schema_, key.relation), name=key.name).sql
    scan = Hazard("long_scan", "every row is checked while reads and writes go on")
    online = context.online(context.relation(key.schema_, key.relation))
    return Statement(sql, LockLevel.SHARE_UPDATE_EXCLUSIVE, (scan,), transactional=not online)


def _target(key: ForeignKey) -> str:
    return f"{ident(key.name)} ON {qualified(key.schema_, key.relation)}"
