"""Changes of a table's columns: what each costs, and whether a new type can hold every old value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Literal

from ..capabilities import ServerCapabilities
from ..hazards import Hazard, data_loss, refused_if
from ..relations import Relation
from ..specs.table import Check, Column, Table
from ..sqltext import ident, literal, qualified
from ..statement import LockLevel, Refused, Statement
from .base import Context, statement

EXCLUSIVE = LockLevel.ACCESS_EXCLUSIVE
SCAN = Hazard("long_scan", "every row is checked while reads and writes go on")
SCAN_ALONE = Hazard("long_scan", "every row is checked while reads and writes wait")
STATISTICS = Hazard("statistics_gone", "the planner knows nothing of the column's values until the next ANALYZE")
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


def add_columns(
    target: str, old: Table, new: Table, renamed: set[str], on: Relation, context: Context
) -> Iterator[Statement]:
    """ADD COLUMN for every column that neither exists nor is made by a rename."""
    for column in new.columns:
        if old.column(column.name) is None and column.name not in renamed:
            if on.columnstore:
                _refuse_beside_columnstore(new, column, context)
            hazards = [REWRITE] if column.generated or column.identity or is_volatile(column.default) else []
            if column.not_null and not (column.default or column.generated or column.identity):
                source = qualified(old.schema_, old.name)
                hazards.append(
                    refused_if(
                        f"SELECT EXISTS (SELECT FROM {source})",
                        f'column "{column.name}" would be NULL in the rows of {new.import_id()}, and it is NOT NULL',
                        "Give it a default, or add it without NOT NULL, fill it, then set NOT NULL.",
                    )
                )
            sql = statement("table/add_column", target=target, column=column).sql
            yield Statement(sql, EXCLUSIVE, tuple(hazards))


_CONSTANT = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?|'(?:[^']|'')*'|true|false|null", re.IGNORECASE)
_STABLE = re.compile(r"(pg_catalog\.)?(now|transaction_timestamp|statement_timestamp)\s*\(\s*\)", re.IGNORECASE)


def is_volatile(default: str | None) -> bool:
    """Whether a default may differ from row to row, so that a new column is written into every row (PostgreSQL 17,
    ALTER TABLE, notes). Of a function that is not known here the worst is assumed."""
    return default is not None and "(" in _STABLE.sub("", re.sub(r"'(?:[^']|'')*'", "", default))


def _refuse_beside_columnstore(table: Table, column: Column, context: Context) -> None:
    """What TimescaleDB lets be added where columnstore is enabled (2.23.0 and 2.28.3, src/process_utility.c,
    check_altertable_add_column_for_compressed; any constant expression since 2.25.0)."""
    constant = column.default is None or _CONSTANT.fullmatch(column.default) is not None
    if not constant and (context.capabilities.timescaledb or ()) >= (2, 25):
        constant = not is_volatile(column.default) and not _STABLE.search(column.default or "")
    what = (
        "an identity or generated column"
        if column.identity or column.generated
        else "a column whose default is no constant"
        if not constant
        else "a NOT NULL column without a default"
        if column.not_null and column.default is None
        else None
    )
    if what is not None:
        raise Refused(
            f'Column "{column.name}" of {table.import_id()} cannot be added: its columnstore is on, and {what} is '
            "refused there.",
            "Add it nullable, without a default or with a constant one, and fill it.",
        )


def drop_columns(target: str, old: Table, new: Table, renames: dict[str, str], on: Relation) -> Iterator[Statement]:
    """DROP COLUMN; generated columns go first, because the server refuses to drop what they are computed from."""
    source = qualified(old.schema_, old.name)  # probes run before the renames
    gone = [column for column in old.columns if new.column(column.name) is None and column.name not in renames]
    for column in sorted(gone, key=lambda column: column.generated is None):
        if column.name in on.arranged_by:
            raise Refused(
                f'Column "{column.name}" of {new.import_id()} cannot be dropped: its columnstore is segmented or '
                "ordered by it.",
                "Let its Columnstore use other columns first and convert its chunks again, or take the Columnstore out "
                "of the declarations.",
            )
        loss = data_loss(
            f'the values of column "{column.name}" of {new.import_id()} are lost',
            allow=f"drop_column:{column.name}",
            probe=f"SELECT EXISTS (SELECT FROM {source} WHERE {ident(column.name)} IS NOT NULL)",
        )
        sql = statement("table/drop_column", target=target, column=column.name).sql
        yield Statement(sql, EXCLUSIVE, () if column.generated else (loss,))


class ColumnChange:
    """ALTER COLUMN statements that turn one column into another."""

    def __init__(self, target: str, old: tuple[Table, Column], new: tuple[Table, Column], on: Relation) -> None:
        self.target = target
        self.old, self.new = old[1], new[1]
        self.old_required, self.new_required = required(*old), required(*new)
        self.source, self.on = old[0], on

    def first(self, capabilities: ServerCapabilities) -> Iterator[Statement]:
        """What is done at once: expression, type, default."""
        old, new = self.old, self.new
        if self.on.columnstore and old.identity != new.identity:
            raise self._refused_by_columnstore("its identity cannot change")
        yield from self._generated(capabilities)
        retyped = (old.type, old.collation) != (new.type, new.collation)
        redefault = old.default != new.default or (retyped and old.default is not None)
        if redefault and old.default is not None:
            yield self._action("DROP DEFAULT")
        if old.identity and not new.identity:
            yield self._action("DROP IDENTITY")
        if retyped:
            yield self._retyped(capabilities)
        if redefault and new.default is not None:
            yield self._action(f"SET DEFAULT {new.default}")

    @property
    def not_null(self) -> Check | None:
        """The check that must hold for NOT NULL, if the column gets it: SET NOT NULL believes a validated one instead
        of scanning (PostgreSQL documentation, ALTER TABLE, since 12)."""
        if not self.new_required or self.old_required:
            return None
        digest = hashlib.sha256(self.new.name.encode()).hexdigest()[:16]
        return Check(name=f"pulumi_timescaledb_not_null_{digest}", expression=f"{ident(self.new.name)} IS NOT NULL")

    def required_now(self, proven: bool) -> Iterator[Statement]:
        """SET NOT NULL; `proven`: by the check, which then goes."""
        if (check := self.not_null) is not None:
            yield self._action("SET NOT NULL", *(() if proven else (SCAN_ALONE,)))
            if proven:
                yield statement("table/drop_constraint", EXCLUSIVE, target=self.target, name=check.name)

    def last(self) -> Iterator[Statement]:
        """What needs the keys as they will be: an identity needs NOT NULL before it, a key forbids to take it away."""
        old, new = self.old, self.new
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
        if self.on.columnstore:
            raise self._refused_by_columnstore("its generated expression cannot change")
        if old is not None and new is None:
            yield self._action("DROP EXPRESSION")
        elif old is not None and capabilities.postgres >= (17,):
            yield self._action(f"SET EXPRESSION AS ({new})", REWRITE)
        else:
            raise Refused(
                f'The generated expression of column "{self.new.name}" cannot be changed in place.',
                "Add a column with the new expression and drop this one in a later change.",
            )

    def _refused_by_columnstore(self, what: str) -> Refused:
        return Refused(
            f'Column "{self.new.name}" of {self.source.import_id()}: {what} while columnstore is on.',
            "Take its Columnstore out of the declarations first, which converts its chunks back, and declare it again "
            "afterwards.",
        )

    def _retyped(self, capabilities: ServerCapabilities) -> Statement:
        new, name = self.new, ident(self.new.name)
        kind = conversion(self.old.type, new.type)
        free = kind == "free" and self.old.collation == new.collation
        hazards: tuple[Hazard, ...] = (STATISTICS,) if free else (REWRITE, STATISTICS)
        if self.on.columnstore:
            hazards = (*hazards, self._beside_columnstore(capabilities))
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

    def _beside_columnstore(self, capabilities: ServerCapabilities) -> Hazard:
        """A type changes only while no chunk is compressed, and before TimescaleDB 2.24.0 only with columnstore off
        (CHANGELOG no. 8840)."""
        if (capabilities.timescaledb or ()) < (2, 24):
            raise self._refused_by_columnstore("its type cannot change")
        relation = qualified(self.source.schema_, self.source.name)
        return refused_if(
            compressed_chunks(self.source.schema_, self.source.name),
            f'{self.source.import_id()} has compressed chunks, so the type of column "{self.new.name}" cannot change',
            "Pause its Columnstore (enabled=False) and convert them back (SELECT decompress_chunk(c, true) FROM "
            f"show_chunks({literal(relation)}) c), or take the Columnstore out of the declarations first.",
        )


def compressed_chunks(schema: str, name: str) -> str:
    """A query that tells whether a hypertable has compressed chunks."""
    where = f"hypertable_schema = {literal(schema)} AND hypertable_name = {literal(name)} AND is_compressed"
    return f"SELECT EXISTS (SELECT FROM timescaledb_information.chunks WHERE {where})"


def required(table: Table, column: Column) -> bool:
    """Whether the server refuses NULL: keys and identities imply it, and it stays when they go."""
    in_key = table.primary_key is not None and column.name in table.primary_key.columns
    return column.not_null or column.identity is not None or in_key


def add_check(target: str, check: Check, online: bool) -> Statement:
    """ADD CONSTRAINT; `online`: without looking at the rows, which `validate_check` does later."""
    not_valid = online or not check.validated
    sql = statement("table/add_constraint", target=target, kind="check", item=check, not_valid=not_valid).sql
    undo = statement("table/drop_constraint", EXCLUSIVE, target=target, name=check.name) if online else None
    return Statement(sql, EXCLUSIVE, () if not_valid else (SCAN_ALONE,), undo=undo)


def validate_check(target: str, name: str, online: bool) -> Statement:
    """VALIDATE CONSTRAINT: reads and writes go on, if it has a transaction of its own."""
    sql = statement("table/validate_constraint", target=target, name=name).sql
    return Statement(sql, LockLevel.SHARE_UPDATE_EXCLUSIVE, (SCAN,), transactional=not online)
