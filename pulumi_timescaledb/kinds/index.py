"""Indexes that no constraint owns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Row
from ..hazards import Hazard
from ..relations import LEFTOVER, Relation
from ..specs.index import Index, IndexKey
from ..specs.table import Table
from ..sqltext import names_renamed, qualified
from ..statement import LockLevel, Rebuild, Refused, Statement
from ._parameters import change_parameters, parameters_of
from .base import Context, Kind, changed, comment_on, shown, statement

_SHAPE = ("relation", "keys", "method", "unique", "nulls_not_distinct", "include", "where")
_AGGREGATES_SCHEMA = "_timescaledb_internal"
"""Where an index of a continuous aggregate really lives, under its own name (checked on TimescaleDB 2.23): next to the
hypertable that holds the aggregate's rows."""
CONCURRENT = Hazard("index_build", "it is built while reads and writes go on, and waits for every older transaction")


class IndexKind(Kind[Index]):
    """CREATE / DROP INDEX; name, comment and storage parameters change in place. What is in use is indexed while others
    work on: concurrently on a plain table, chunk by chunk on a hypertable."""

    spec = Index
    sources = ("index",)
    many = True
    asks_relation = True

    def plan(self, old: Index | None, new: Index | None, context: Context) -> list[Statement]:
        """What a build that broke off has left under a name of ours goes first."""
        if new is not None and not new.valid:
            raise Refused(f"{shown(new)} is declared invalid, which no index can be made.", 'Leave "valid" out.')
        known = [each for each in (new, old) if each is not None]
        statements = super().plan(old, new, context)
        left = {(each.relation, _temporary(each)) for each in known}
        for relation, name in sorted(left):
            if name in context.relation(known[0].schema_, relation).leftovers:
                leftover = known[0].model_copy(update={"relation": relation, "name": name})
                statements = [*self.drop(leftover, context), *statements]
        return statements

    def create(self, new: Index, context: Context) -> Iterator[Statement]:
        yield _build(new, context)
        yield from comment_on("INDEX", _target(new, context), None, new.comment)

    def alter(self, old: Index, new: Index, context: Context) -> Iterator[Statement]:
        old = _carried(old, context)
        if changed(old, new, *_SHAPE) or not old.valid:
            yield from self._beside(old, new, context)
            return
        target = _target(new, context)
        if old.name != new.name:
            yield _rename(_target(old, context), new.name)
        yield from change_parameters("INDEX", target, old.parameters, new.parameters)
        yield from comment_on("INDEX", target, old.comment, new.comment)

    def _beside(self, old: Index, new: Index, context: Context) -> Iterator[Statement]:
        """The new one is built under another name and takes the old one's place in one transaction: no moment without
        an index. An invalid one helps nobody, so it goes first."""
        relations = [context.relation(each.schema_, each.relation) for each in (old, new)]
        if not all(_online(new, relation, context) for relation in relations):
            invalid = "it is invalid: no query uses it"
            shape = "the keys, the method and the condition of an index cannot be altered"
            raise Rebuild(shape if old.valid else invalid)
        if not old.valid:
            yield from self.drop(old, context)
            yield from self.create(new, context)
            return
        temporary = new.model_copy(update={"name": _temporary(new)})
        yield _build(temporary, context)
        yield statement("index/drop", LockLevel.ACCESS_EXCLUSIVE, target=_target(old, context), concurrently=False)
        yield _rename(_target(temporary, context), new.name)
        yield from comment_on("INDEX", _target(new, context), None, new.comment)

    def drop(self, old: Index, context: Context) -> Iterator[Statement]:
        relation = context.relation(old.schema_, old.relation)
        online = context.online(relation) and relation.plain
        lock = LockLevel.SHARE_UPDATE_EXCLUSIVE if online else LockLevel.ACCESS_EXCLUSIVE
        sql = statement("index/drop", target=_target(old, context), concurrently=online).sql
        yield Statement(sql, lock, transactional=not online)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Index]:
        return {(row["schema"], row["name"]): _index(row) for row in catalog.rows("index")}


def _online(index: Index, relation: Relation, context: Context) -> bool:
    """Whether it can be built while others write. TimescaleDB refuses CONCURRENTLY on hypertables, and a transaction
    per chunk for what is unique (2.28.3, src/process_utility.c, process_index_start)."""
    return context.online(relation) and (relation.plain or not (index.unique or relation.partitioned))


def _build(index: Index, context: Context) -> Statement:
    relation = context.relation(index.schema_, index.relation)
    name = qualified(index.schema_, index.relation)
    online = _online(index, relation, context)
    concurrently, per_chunk = online and relation.plain, online and not relation.plain
    sql = statement("index/create", relation=name, index=index, concurrently=concurrently, per_chunk=per_chunk).sql
    if not online:
        return Statement(sql, LockLevel.SHARE, (Hazard("index_build", "writes wait until it is built"),))
    undo = drop_left(_target(index, context), relation.plain)
    if relation.plain:
        return Statement(sql, LockLevel.SHARE_UPDATE_EXCLUSIVE, (CONCURRENT,), transactional=False, undo=undo)
    chunks = Hazard("index_build", "writes to a chunk wait while its part of the index is built")
    return Statement(sql, LockLevel.SHARE, (chunks,), transactional=False, undo=undo)


def drop_left(target: str, plain: bool) -> Statement:
    """Removes an index that may be there, finished or not."""
    lock = LockLevel.SHARE_UPDATE_EXCLUSIVE if plain else LockLevel.ACCESS_EXCLUSIVE
    sql = statement("index/drop_left", target=target, concurrently=plain).sql
    return Statement(sql, lock, transactional=False)


def _rename(target: str, name: str) -> Statement:
    return statement("index/rename", LockLevel.SHARE_UPDATE_EXCLUSIVE, target=target, name=name)


def _temporary(index: Index) -> str:
    digest = hashlib.sha256(f"{index.schema_}.{index.name}".encode()).hexdigest()[:16]
    return f"{LEFTOVER}{digest}"


def _carried(index: Index, context: Context) -> Index:
    """An index as it reads after the renames of its table's columns, which the server carries over by itself."""
    table = context.whole.get("Table", index.schema_, index.relation) if context.whole is not None else None
    if not isinstance(table, Table):
        return index
    renames = {c.previously: c.name for c in table.columns if c.previously and table.column(c.previously) is None}
    if not renames:
        return index

    keys = keys_renamed(index.keys, renames)
    include = tuple(renames.get(name, name) for name in index.include)
    where = None if index.where is None else names_renamed(index.where, renames)
    return index.model_copy(update={"keys": keys, "include": include, "where": where})


def keys_renamed(keys: tuple[IndexKey, ...], renames: Mapping[str, str]) -> tuple[IndexKey, ...]:
    """Keys as they read after renames of columns."""
    return tuple(
        key.model_copy(
            update={"column": renames.get(key.column, key.column)}
            if key.column is not None
            else {"expression": names_renamed(key.expression or "", renames)}
        )
        for key in keys
    )


def _target(index: Index, context: Context) -> str:
    on_aggregate = context.relation(index.schema_, index.relation).aggregate
    return qualified(_AGGREGATES_SCHEMA if on_aggregate else index.schema_, index.name)


def _index(row: Row) -> Index:
    return Index(
        schema_=row["schema"],
        relation=row["relation"],
        name=row["name"],
        keys=tuple(IndexKey(**key) for key in row["keys"]),
        method=row["method"],
        unique=row["unique_"],
        nulls_not_distinct=row["nulls_not_distinct"],
        include=tuple(row["include"] or ()),
        where=row["where_"],
        valid=row["valid"],
        parameters=parameters_of(row["parameters"]),
        comment=row["comment"],
    )
