"""Tables: columns, constraints, storage, comments, flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..catalog import Catalog, Row
from ..hazards import Hazard, data_loss
from ..specs.table import Check, Column, Exclusion, PrimaryKey, Table, Unique
from ..sqltext import ident, qualified
from ..statement import LockLevel, Statement
from ._constraints import Constraint, Constraints, constraints_of, leftovers
from ._parameters import change_parameters, parameters_of
from ._rewrite_rules import drop_rewrite_rules
from .base import Context, Kind, changed, column_comments, comment_on, owner_of, rename, statement
from .columns import REWRITE, ColumnChange, add_check, add_columns, drop_columns, validate_check

EXCLUSIVE = LockLevel.ACCESS_EXCLUSIVE
_COLUMN = ("name", "type", "not_null", "default", "identity", "generated", "collation", "comment")
"""The order of the arrays in table/catalog.sql.j2."""


class TableKind(Kind[Table]):
    """CREATE / ALTER / DROP TABLE."""

    spec = Table
    sources = ("table",)
    many = True
    asks_relation = True

    def plan(self, old: Table | None, new: Table | None, context: Context) -> list[Statement]:
        statements = super().plan(old, new, context)
        if old is None or new is None:
            return statements
        on = context.relation(*old.identity())
        return [*leftovers(old, on, context), *statements] if on.leftovers else statements

    def create(self, new: Table, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        later = list(_not_at_once(new))
        constraints = [each for each in constraints_of(new) if each not in later]
        yield statement("table/create", target=target, table=new, constraints=constraints)
        for kind, item in later:
            open_ = isinstance(item, Check)
            yield statement("table/add_constraint", EXCLUSIVE, target=target, kind=kind, item=item, not_valid=open_)
        yield from owner_of("TABLE", target, None, new.owner)
        yield from _row_level_security(target, False, False, new)
        yield from comment_on("TABLE", target, None, new.comment)
        yield from column_comments(target, {}, _comments(new), ident)

    def drop(self, old: Table, context: Context) -> Iterator[Statement]:
        target = qualified(old.schema_, old.name)
        loss = data_loss(
            f"all rows of {old.import_id()} are lost",
            allow=f"drop:{old.import_id()}",
            probe=f"SELECT EXISTS (SELECT FROM {target})",
        )
        yield Statement(statement("table/drop", target=target).sql, EXCLUSIVE, (loss,))

    def alter(self, old: Table, new: Table, context: Context) -> Iterator[Statement]:
        """In three parts: what takes its lock for a moment, what reads every row, what needs that to be done. Where
        others work on meanwhile each part has transactions of its own."""
        target = qualified(new.schema_, new.name)
        on = context.relation(old.schema_, old.name)
        online = context.online(on) and not on.columnstore  # VALIDATE CONSTRAINT is refused beside it (2.28.3)
        renames = _renames(old, new)
        keys = Constraints(target, old, new, renames, on, context)
        columns = [
            ColumnChange(target, (old, column), (new, wanted), on)
            for column in old.columns
            if (wanted := new.column(renames.get(column.name, column.name))) is not None
        ]
        yield from rename("TABLE", qualified(old.schema_, old.name), old.name, new.name, EXCLUSIVE)
        yield from drop_rewrite_rules(target, old.rewrite_rules, new.rewrite_rules)
        yield from keys.drop()
        for before, after in renames.items():
            yield statement("table/rename_column", EXCLUSIVE, target=target, old=before, new=after)
        yield from drop_columns(target, old, new, renames, on)
        for column in columns:
            yield from column.first(context.capabilities)
        yield from add_columns(target, old, new, set(renames.values()), on, context)
        proofs = [column.not_null for column in columns if column.not_null is not None] if online else []
        for check in proofs:
            yield add_check(target, check, online)
        yield from keys.add_checks(online)

        for check in proofs:
            yield validate_check(target, check.name, online)
        yield from keys.validate(online)
        yield from keys.build()

        for column in columns:
            yield from column.required_now(proven=online)
        yield from keys.add_keys()
        for column in columns:
            yield from column.last()
        yield from change_parameters("TABLE", target, old.parameters, new.parameters)
        yield from _persistence(target, old, new)
        yield from owner_of("TABLE", target, old.owner, new.owner)
        yield from _row_level_security(target, old.row_level_security, old.force_row_level_security, new)
        yield from comment_on("TABLE", target, old.comment, new.comment)
        kept = {renames.get(name, name): text for name, text in _comments(old).items()}
        kept = {name: text for name, text in kept.items() if new.column(name)}
        yield from column_comments(target, kept, _comments(new), ident)

    def ripples(self, old: Table, new: Table) -> bool:
        """Columns that come, their defaults and NOT NULL, keys, checks and flags show in nothing else. One that goes
        takes rights on it along."""
        if changed(old, new, "name", "owner"):
            return True
        after = {column.name: column for column in new.columns}
        return any(
            (now := after.get(column.name)) is None or (now.type, now.collation) != (column.type, column.collation)
            for column in old.columns
        )

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Table]:
        return {(row["schema"], row["name"]): _table(row) for row in catalog.rows("table") if row["columns"]}


def _table(row: Row) -> Table:
    constraints: list[dict[str, Any]] = row["constraints"] or []
    primary = next((k for k in constraints if k["type"] == "p"), None)
    return Table(
        schema_=row["schema"],
        name=row["name"],
        owner=row["owner"],
        comment=row["comment"],
        row_level_security=row["relrowsecurity"],
        force_row_level_security=row["relforcerowsecurity"],
        unlogged=row["unlogged"],
        parameters=parameters_of(row["parameters"]),
        rewrite_rules=tuple(row["rewrite_rules"] or ()),
        columns=tuple(Column(**dict(zip(_COLUMN, column, strict=True))) for column in row["columns"]),
        primary_key=PrimaryKey(**_key(primary)) if primary else None,
        unique=tuple(
            Unique(nulls_not_distinct=k["nulls_not_distinct"], **_key(k)) for k in constraints if k["type"] == "u"
        ),
        checks=tuple(
            Check(name=k["name"], expression=k["expression"], validated=k["validated"])
            for k in constraints
            if k["type"] == "c"
        ),
        exclusions=tuple(Exclusion(**exclusion) for exclusion in row["exclusions"] or ()),
    )


def _key(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "columns": row["columns"],
        "deferrable": row["deferrable"],
        "initially_deferred": row["deferred"],
    }


def _comments(table: Table) -> dict[str, str]:
    return {column.name: column.comment for column in table.columns if column.comment}


def _renames(old: Table, new: Table) -> dict[str, str]:
    """Old name -> new name of the columns that say `previously` and were not renamed yet."""
    return {
        column.previously: column.name
        for column in new.columns
        if column.previously and old.column(column.previously) and not old.column(column.name)
    }


def _not_at_once(table: Table) -> Iterator[tuple[str, Constraint]]:
    """Constraints that CREATE TABLE would not make as declared: it takes every check as valid, and of two keys on the
    same columns, or two exclusions that are the same, it makes only one (PostgreSQL 17, parse_utilcmd.c,
    transformIndexConstraints)."""
    seen: set[tuple[str, ...]] = set()
    for kind, item in constraints_of(table):
        if isinstance(item, Check):
            if not item.validated:
                yield kind, item
        elif isinstance(item, Exclusion):
            if item != table.exclusions[0]:
                yield kind, item
        elif item.columns in seen:
            yield kind, item
        else:
            seen.add(item.columns)


def _persistence(target: str, old: Table, new: Table) -> Iterator[Statement]:
    if old.unlogged != new.unlogged:
        then = "; from then on a crash of the server empties it, and no standby or backup has its rows"
        hazard = Hazard("table_rewrite", REWRITE.sentence + (then if new.unlogged else ""))
        yield Statement(statement("table/persistence", target=target, unlogged=new.unlogged).sql, EXCLUSIVE, (hazard,))


def _row_level_security(target: str, enabled: bool, forced: bool, new: Table) -> Iterator[Statement]:
    if enabled != new.row_level_security:
        action = "ENABLE" if new.row_level_security else "DISABLE"
        sql = statement("table/row_level_security", target=target, action=action).sql
        yield Statement(sql, EXCLUSIVE, (Hazard("authorisation", "which rows a role sees changes"),))
    if forced != new.force_row_level_security:
        action = "FORCE" if new.force_row_level_security else "NO FORCE"
        sql = statement("table/row_level_security", target=target, action=action).sql
        yield Statement(sql, EXCLUSIVE, (Hazard("authorisation", "the owner's own view of the rows changes"),))
