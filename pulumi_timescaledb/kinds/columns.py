"""Changes of a table's columns: what each costs, and whether a new type can hold every old value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from ..capabilities import ServerCapabilities
from ..hazards import Hazard, data_loss
from ..specs.table import Check, Column, Table
from ..sqltext import ident, qualified
from ..statement import LockLevel, Refused, Statement
from .base import statement

EXCLUSIVE = LockLevel.ACCESS_EXCLUSIVE
SCAN = Hazard("long_scan", "every row is checked while reads and writes go on")
REWRITE = Hazard("table_rewrite", "the table is rewritten; reads and writes wait")

_TYPE = re.compile(r"([^(\[]+?)\s*(?:\(([\d,\s-]+)\))?\s*(\[.*)?")
_WIDER = {
    "smallint": {"integer", "bigint", "numeric", "real", "double precision"},
    "integer": {"bigint", "numeric", "double precision"},
    "bigint": {"numeric"},
    "real": {"double precision"},
    "date": {"timestamp without time zone", "timestamp with time zone"},
}


def conversion(old: str, new: str) -> Literal["free", "widening", "lossy"]:
    """What a change of type does to the values: nothing, a rewrite that keeps them all, or perhaps a loss."""
    before, after = _TYPE.fullmatch(old), _TYPE.fullmatch(new)
    if before is None or after is None or before[3] != after[3]:
        return "lossy"
    base, wanted = before[1], after[1]
    room, wanted_room = _numbers(before[2]), _numbers(after[2])
    if wanted == "text":
        return "free" if base in ("text", "character varying") else "widening"
    if base == wanted and base in ("character varying", "bit varying"):
        return "free" if not wanted_room or (room and room <= wanted_room) else "lossy"
    if base == wanted == "numeric":
        return _numeric(room, wanted_room)
    if wanted in _WIDER.get(base, ()) and not wanted_room:
        return "widening"
    return "lossy"


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",")) if text else ()


def _numeric(old: tuple[int, ...], new: tuple[int, ...]) -> Literal["free", "widening", "lossy"]:
    if not new:
        return "free"
    if not old:
        return "lossy"
    precision, scale = (*old, 0)[:2]
    new_precision, new_scale = (*new, 0)[:2]
    if new_scale < scale or new_precision - new_scale < precision - scale:
        return "lossy"
    return "free" if new_scale == scale else "widening"


def add_columns(target: str, old: Table, new: Table, renamed: set[str]) -> Iterator[Statement]:
    """ADD COLUMN for every column that neither exists nor is made by a rename."""
    for column in new.columns:
        if old.column(column.name) is None and column.name not in renamed:
            sql = statement("table/add_column", target=target, column=column).sql
            yield Statement(sql, EXCLUSIVE, (REWRITE,) if column.generated or column.identity else ())


def drop_columns(target: str, old: Table, new: Table, renames: dict[str, str]) -> Iterator[Statement]:
    """DROP COLUMN; generated columns go first, because the server refuses to drop what they are computed from."""
    source = qualified(old.schema_, old.name)  # probes run before the renames
    gone = [column for column in old.columns if new.column(column.name) is None and column.name not in renames]
    for column in sorted(gone, key=lambda column: column.generated is None):
        loss = data_loss(
            f'the values of column "{column.name}" of {new.import_id()} are lost',
            allow=f"drop_column:{column.name}",
            probe=f"SELECT EXISTS (SELECT FROM {source} WHERE {ident(column.name)} IS NOT NULL)",
        )
        sql = statement("table/drop_column", target=target, column=column.name).sql
        yield Statement(sql, EXCLUSIVE, () if column.generated else (loss,))


class ColumnChange:
    """ALTER COLUMN statements that turn one column into another."""

    def __init__(self, target: str, old: tuple[Table, Column], new: tuple[Table, Column]) -> None:
        self.target = target
        self.old, self.new = old[1], new[1]
        self.old_required, self.new_required = required(*old), required(*new)
        self.source = old[0]

    def statements(self, capabilities: ServerCapabilities) -> Iterator[Statement]:
        """In the only order the server takes: an identity needs NOT NULL before it and no default."""
        old, new = self.old, self.new
        yield from self._generated(capabilities)
        retyped = (old.type, old.collation) != (new.type, new.collation)
        redefault = old.default != new.default or (retyped and old.default is not None)
        if redefault and old.default is not None:
            yield self._action("DROP DEFAULT")
        if old.identity and not new.identity:
            yield self._action("DROP IDENTITY")
        if retyped:
            yield self._retyped()
        if redefault and new.default is not None:
            yield self._action(f"SET DEFAULT {new.default}")
        if self.new_required and not self.old_required:
            yield from self._not_null()
        if new.identity and old.identity != new.identity:
            verb = "SET GENERATED {}" if old.identity else "ADD GENERATED {} AS IDENTITY"
            yield self._action(verb.format(new.identity.upper()))
        if self.old_required and not self.new_required:
            yield self._action("DROP NOT NULL")

    def _action(self, text: str, *hazards: Hazard) -> Statement:
        sql = statement("table/alter_column", target=self.target, column=self.new, action=text).sql
        return Statement(sql, EXCLUSIVE, hazards)

    def _generated(self, capabilities: ServerCapabilities) -> Iterator[Statement]:
        old, new = self.old.generated, self.new.generated
        if old == new:
            return
        if old is not None and new is None:
            yield self._action("DROP EXPRESSION")
        elif old is not None and capabilities.postgres >= (17,):
            yield self._action(f"SET EXPRESSION AS ({new})", REWRITE)
        else:
            raise Refused(
                f'The generated expression of column "{self.new.name}" cannot be changed in place.',
                "Add a column with the new expression and drop this one in a later change.",
            )

    def _retyped(self) -> Statement:
        new, name = self.new, ident(self.new.name)
        kind = conversion(self.old.type, new.type)
        hazards: tuple[Hazard, ...] = () if kind == "free" and self.old.collation == new.collation else (REWRITE,)
        if kind == "lossy" and not new.generated:
            before, source = ident(self.old.name), qualified(self.source.schema_, self.source.name)
            loss = data_loss(
                f'values of column "{new.name}" of {self.source.import_id()} do not fit into {new.type} unchanged',
                allow=f"retype_column:{new.name}",
                probe=f"SELECT EXISTS (SELECT FROM {source} "
                f"WHERE ({before}::{new.type})::text IS DISTINCT FROM {before}::text)",
            )
            hazards = (*hazards, loss)
        collation = f" COLLATE {new.collation}" if new.collation else ""
        using = "" if new.generated else f" USING {name}::{new.type}"
        return self._action(f"TYPE {new.type}{collation}{using}", *hazards)

    def _not_null(self) -> Iterator[Statement]:
        """NOT NULL through a validated CHECK: its scan does not block writers, and SET NOT NULL believes the constraint
        instead of scanning again (PostgreSQL documentation, ALTER TABLE, since 12)."""
        check = Check(name="pulumi_timescaledb_not_null", expression=f"{ident(self.new.name)} IS NOT NULL")
        yield from add_check(self.target, check)
        yield self._action("SET NOT NULL")
        yield statement("table/drop_constraint", EXCLUSIVE, target=self.target, name=check.name)


def required(table: Table, column: Column) -> bool:
    """Whether the server refuses NULL: keys and identities imply it, and it stays when they go."""
    in_key = table.primary_key is not None and column.name in table.primary_key.columns
    return column.not_null or column.identity is not None or in_key


def add_check(target: str, check: Check) -> Iterator[Statement]:
    """ADD ... NOT VALID, then VALIDATE, so that writes wait only for a moment."""
    yield statement("table/add_constraint", EXCLUSIVE, target=target, kind="check", item=check, not_valid=True)
    if check.validated:
        yield validate_check(target, check.name)


def validate_check(target: str, name: str) -> Statement:
    """VALIDATE CONSTRAINT: reads and writes go on."""
    sql = statement("table/validate_constraint", target=target, name=name).sql
    return Statement(sql, LockLevel.SHARE_UPDATE_EXCLUSIVE, (SCAN,))
