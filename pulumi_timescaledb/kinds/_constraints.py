"""Changes of a table's keys and checks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property

from ..hazards import Hazard
from ..relations import LEFTOVER, Relation
from ..specs.table import Check, Exclusion, PrimaryKey, Table, Unique
from ..sqltext import names_renamed, qualified
from ..statement import LockLevel, Refused, Statement
from .base import Context, statement
from .columns import EXCLUSIVE, add_check, validate_check
from .index import CONCURRENT, drop_left, keys_renamed

Key = PrimaryKey | Unique
Constraint = Key | Check | Exclusion
Named = tuple[str, str]
"""Kind and name of a constraint."""
_LEFT = f"{LEFTOVER}key_"


def constraints_of(table: Table) -> list[tuple[str, Constraint]]:
    """(kind, constraint) of every one."""
    found: list[tuple[str, Constraint]] = []
    if table.primary_key:
        found.append(("primary_key", table.primary_key))
    found += [("unique", item) for item in table.unique]
    found += [("check", item) for item in table.checks]
    found += [("exclusion", item) for item in table.exclusions]
    return found


class Constraints:
    """What becomes of the constraints of one table. On a plain table in use a key gets its index before it gets its
    lock, and a key or exclusion that replaces another takes its place in one transaction. The server has no way to make
    an exclusion of an index that is there."""

    def __init__(
        self, target: str, old: Table, new: Table, renames: Mapping[str, str], on: Relation, context: Context
    ) -> None:
        self.target, self.old, self.new = target, old, new
        self.on, self.context = on, context
        gone = {column.name for column in old.columns} - set(renames)
        self.gone = {name for name in gone if new.column(name) is None}
        self.before = {(kind, item.name): _renamed(item, renames) for kind, item in constraints_of(old)}
        self.wanted = {(kind, item.name): item for kind, item in constraints_of(new)}
        self.beside = context.online(on) and on.plain

    @cached_property
    def renamed(self) -> dict[Named, Named]:
        """Old -> new of those that only have another name."""
        found: dict[Named, Named] = {}
        for old, item in self.before.items():
            for new, other in self.wanted.items():
                alike = old[0] == new[0] and item.model_copy(update={"name": other.name}) == other
                if alike and old not in self.wanted and new not in {*self.before, *found.values()}:
                    found[old] = new
                    break
        return found

    @cached_property
    def validating(self) -> set[Named]:
        """Checks that only have to be validated."""
        unchecked = {n: each for n, each in self.before.items() if isinstance(each, Check) and not each.validated}
        return {n for n, each in unchecked.items() if each.model_copy(update={"validated": True}) == self.wanted.get(n)}

    @cached_property
    def added(self) -> dict[Named, Constraint]:
        """Those to be made, again or for the first time."""
        kept = {*self.renamed.values(), *self.validating}
        return {n: item for n, item in self.wanted.items() if n not in kept and self.before.get(n) != item}

    @cached_property
    def replaced(self) -> dict[Named, str]:
        """New key or exclusion -> name of the one it takes the place of, where that can wait for it."""
        found: dict[Named, str] = {}
        for named in self.added if self.beside else ():
            for old, item in self.before.items():
                same = old == named or named[0] == old[0] == "primary_key"
                if same and not self._falls_with_a_column(item):
                    found[named] = old[1]
        return found

    def drop(self) -> Iterator[Statement]:
        """RENAME and DROP CONSTRAINT of what nothing has to wait for."""
        for old, new in self.renamed.items():
            yield statement("table/rename_constraint", EXCLUSIVE, target=self.target, old=old[1], new=new[1])
        kept = {*self.renamed, *self.validating}
        for named, item in self.before.items():
            if named not in kept and self.wanted.get(named) != item and named[1] not in self.replaced.values():
                yield statement("table/drop_constraint", EXCLUSIVE, target=self.target, name=named[1])

    def add_checks(self, online: bool) -> Iterator[Statement]:
        """ADD CONSTRAINT ... CHECK."""
        for item in self.added.values():
            if isinstance(item, Check):
                yield add_check(self.target, item, online)

    def validate(self, online: bool) -> Iterator[Statement]:
        """VALIDATE CONSTRAINT of what was added unchecked."""
        for named, item in self.wanted.items():
            if named in self.validating or (
                online and named in self.added and isinstance(item, Check) and item.validated
            ):
                yield validate_check(self.target, item.name, online)

    def build(self) -> Iterator[Statement]:
        """CREATE UNIQUE INDEX CONCURRENTLY for every new key."""
        for item in self.added.values() if self.beside else ():
            if isinstance(item, Key):
                name = self._temporary(item)
                target = qualified(self.new.schema_, name)
                undo = drop_left(target, plain=True)
                sql = statement("table/key_index", target=self.target, name=name, item=item).sql
                yield Statement(sql, LockLevel.SHARE_UPDATE_EXCLUSIVE, (CONCURRENT,), transactional=False, undo=undo)

    def add_keys(self) -> Iterator[Statement]:
        """ADD CONSTRAINT of every new key and exclusion, of a key from its index where it has one (which then takes its
        name)."""
        for named, item in self.added.items():
            if isinstance(item, Check):
                continue
            if isinstance(item, Exclusion) and self.on.columnstore:
                raise _unchecked(self.new, item)
            if named in self.replaced:
                yield statement("table/drop_constraint", EXCLUSIVE, target=self.target, name=self.replaced[named])
            kind = named[0]
            if self.beside and isinstance(item, Key):
                index = self._temporary(item)
                yield statement("table/add_key", EXCLUSIVE, target=self.target, kind=kind, item=item, index=index)
            else:
                sql = statement("table/add_constraint", target=self.target, kind=kind, item=item, not_valid=False).sql
                building = Hazard("index_build", "reads and writes wait until its index is built")
                yield Statement(sql, EXCLUSIVE, (building,))

    def _falls_with_a_column(self, item: Constraint) -> bool:
        """Whether the server takes it away together with a column that goes; in doubt, as with a check."""
        if isinstance(item, Key):
            return bool(self.gone & set(item.columns))
        if isinstance(item, Check):
            return True
        texts = any(element.expression for element in item.elements) or item.where
        return bool(self.gone & set(item.columns()) or (self.gone and texts))

    def _temporary(self, item: Key) -> str:
        digest = hashlib.sha256(f"{self.new.schema_}.{self.new.name}.{item.name}".encode()).hexdigest()[:16]
        return f"{_LEFT}{digest}"


def _unchecked(table: Table, item: Exclusion) -> Refused:
    """TimescaleDB takes it, and then lets rows in that conflict with converted ones (2.29.2, measured)."""
    return Refused(
        f'Exclusion constraint "{item.name}" of {table.import_id()} would not look at converted chunks: its '
        "columnstore is on.",
        "Take its Columnstore out of the declarations first, or keep what must not overlap in a plain table.",
    )


def leftovers(table: Table, on: Relation, context: Context) -> Iterator[Statement]:
    """Indexes of keys that were built by a change which broke off."""
    online = context.online(on) and on.plain
    lock = LockLevel.SHARE_UPDATE_EXCLUSIVE if online else EXCLUSIVE
    for name in on.leftovers:
        if name.startswith(_LEFT):
            sql = statement("index/drop", target=qualified(table.schema_, name), concurrently=online).sql
            yield Statement(sql, lock, transactional=not online)


def _renamed(item: Constraint, renames: Mapping[str, str]) -> Constraint:
    """A constraint as it reads after the renames of columns, which the server carries over by itself."""
    if isinstance(item, Check):
        return item.model_copy(update={"expression": names_renamed(item.expression, renames)}) if renames else item
    if isinstance(item, Exclusion):
        where = None if item.where is None else names_renamed(item.where, renames)
        include = tuple(renames.get(name, name) for name in item.include)
        elements = keys_renamed(item.elements, renames)
        return item.model_copy(update={"elements": elements, "include": include, "where": where})
    return item.model_copy(update={"columns": tuple(renames.get(name, name) for name in item.columns)})
