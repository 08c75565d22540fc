"""Tables: columns, keys, checks, comments, flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..catalog import Catalog, Row
from ..hazards import Hazard, data_loss
from ..specs.table import Check, Column, PrimaryKey, Table, Unique
from ..sqltext import ident, qualified
from ..statement import LockLevel, Statement
from .base import Context, Kind, column_comments, comment_on, owner_of, rename, statement
from .columns import ColumnChange, add_check, add_columns, drop_columns, validate_check

EXCLUSIVE = LockLevel.ACCESS_EXCLUSIVE


class TableKind(Kind[Table]):
    """CREATE / ALTER / DROP TABLE."""

    spec = Table
    sources = ("table",)

    def create(self, new: Table, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        # CREATE TABLE takes every constraint as valid: there are no rows yet.
        later = [check for check in new.checks if not check.validated]
        constraints = [each for each in _constraints(new) if each[1] not in later]
        yield statement("table/create", target=target, table=new, constraints=constraints)
        for check in later:
            yield from add_check(target, check)
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
        target = qualified(new.schema_, new.name)
        yield from rename("TABLE", qualified(old.schema_, old.name), old.name, new.name, EXCLUSIVE)
        renames = _renames(old, new)
        yield from _drop_constraints(target, old, new, renames)
        for before, after in renames.items():
            yield statement("table/rename_column", EXCLUSIVE, target=target, old=before, new=after)
        yield from drop_columns(target, old, new, renames)
        for column in old.columns:
            wanted = new.column(renames.get(column.name, column.name))
            if wanted is not None:
                change = ColumnChange(target, (old, column), (new, wanted))
                yield from change.statements(context.capabilities)
        yield from add_columns(target, old, new, set(renames.values()))
        yield from _add_constraints(target, old, new, renames)
        yield from owner_of("TABLE", target, old.owner, new.owner)
        yield from _row_level_security(target, old.row_level_security, old.force_row_level_security, new)
        yield from comment_on("TABLE", target, old.comment, new.comment)
        kept = {renames.get(name, name): text for name, text in _comments(old).items()}
        kept = {name: text for name, text in kept.items() if new.column(name)}
        yield from column_comments(target, kept, _comments(new), ident)

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
        columns=tuple(Column(**column) for column in row["columns"]),
        primary_key=PrimaryKey(**_key(primary)) if primary else None,
        unique=tuple(
            Unique(nulls_not_distinct=k["nulls_not_distinct"], **_key(k)) for k in constraints if k["type"] == "u"
        ),
        checks=tuple(
            Check(name=k["name"], expression=k["expression"], validated=k["validated"])
            for k in constraints
            if k["type"] == "c"
        ),
    )


def _key(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "columns": row["columns"],
        "deferrable": row["deferrable"],
        "initially_deferred": row["deferred"],
    }


def _constraints(table: Table) -> list[tuple[str, PrimaryKey | Unique | Check]]:
    found: list[tuple[str, PrimaryKey | Unique | Check]] = []
    if table.primary_key:
        found.append(("primary_key", table.primary_key))
    found += [("unique", item) for item in table.unique]
    found += [("check", item) for item in table.checks]
    return found


def _comments(table: Table) -> dict[str, str]:
    return {column.name: column.comment for column in table.columns if column.comment}


def _renames(old: Table, new: Table) -> dict[str, str]:
    """Old name -> new name of the columns that say `previously` and were not renamed yet."""
    return {
        column.previously: column.name
        for column in new.columns
        if column.previously and old.column(column.previously) and not old.column(column.name)
    }


def _renamed(item: PrimaryKey | Unique | Check, renames: Mapping[str, str]) -> PrimaryKey | Unique | Check:
    """A key as it reads after the column renames: the server carries its columns over by itself."""
    if isinstance(item, Check):
        return item
    return item.model_copy(update={"columns": tuple(renames.get(name, name) for name in item.columns)})


def _kept(old: Table, new: Table, renames: Mapping[str, str]) -> set[tuple[str, str]]:
    """(kind, name) of the constraints that need not be made again."""
    wanted = {(kind, item.name): item for kind, item in _constraints(new)}
    return {
        (kind, item.name)
        for kind, item in _constraints(old)
        if wanted.get((kind, item.name)) == _renamed(item, renames)
    }


def _to_validate(old: Table, new: Table) -> set[str]:
    """Checks that only have to be validated."""
    unchecked = {check.name: check for check in old.checks if not check.validated}
    return {
        check.name
        for check in new.checks
        if check.name in unchecked and check == unchecked[check.name].model_copy(update={"validated": True})
    }


def _drop_constraints(target: str, old: Table, new: Table, renames: Mapping[str, str]) -> Iterator[Statement]:
    kept = _kept(old, new, renames) | {("check", name) for name in _to_validate(old, new)}
    for kind, item in _constraints(old):
        if (kind, item.name) not in kept:
            yield statement("table/drop_constraint", EXCLUSIVE, target=target, name=item.name)


def _add_constraints(target: str, old: Table, new: Table, renames: Mapping[str, str]) -> Iterator[Statement]:
    kept, validating = _kept(old, new, renames), _to_validate(old, new)
    for kind, item in _constraints(new):
        if (kind, item.name) in kept:
            continue
        if kind == "check" and item.name in validating:
            yield validate_check(target, item.name)
        elif isinstance(item, Check):
            yield from add_check(target, item)
        else:
            sql = statement("table/add_constraint", target=target, kind=kind, item=item, not_valid=False).sql
            yield Statement(sql, EXCLUSIVE, (Hazard("index_build", "reads and writes wait until its index is built"),))


def _row_level_security(target: str, enabled: bool, forced: bool, new: Table) -> Iterator[Statement]:
    if enabled != new.row_level_security:
        action = "ENABLE" if new.row_level_security else "DISABLE"
        sql = statement("table/row_level_security", target=target, action=action).sql
        yield Statement(sql, EXCLUSIVE, (Hazard("authorisation", "which rows a role sees changes"),))
    if forced != new.force_row_level_security:
        action = "FORCE" if new.force_row_level_security else "NO FORCE"
        sql = statement("table/row_level_security", target=target, action=action).sql
        yield Statement(sql, EXCLUSIVE, (Hazard("authorisation", "the owner's own view of the rows changes"),))
