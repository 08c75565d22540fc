"""Indexes that no constraint owns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Row
from ..hazards import Hazard
from ..specs.index import Index, IndexKey
from ..sqltext import qualified
from ..statement import LockLevel, Rebuild, Statement
from .base import Context, Kind, changed, comment_on, statement

_SHAPE = ("relation", "keys", "method", "unique", "nulls_not_distinct", "include", "where")
_AGGREGATES_SCHEMA = "_timescaledb_internal"
"""Where an index of a continuous aggregate really lives, under its own name (checked on TimescaleDB 2.23): next to the
hypertable that holds the aggregate's rows."""


class IndexKind(Kind[Index]):
    """CREATE / DROP INDEX; name, comment and storage parameters change in place."""

    spec = Index
    sources = ("index",)

    def create(self, new: Index, context: Context) -> Iterator[Statement]:
        relation = qualified(new.schema_, new.relation)
        sql = statement("index/create", relation=relation, index=new).sql
        building = Hazard("index_build", "writes wait until it is built")
        yield Statement(sql, LockLevel.SHARE, (building,))
        yield from comment_on("INDEX", _target(new, context), None, new.comment)

    def alter(self, old: Index, new: Index, context: Context) -> Iterator[Statement]:
        if changed(old, new, *_SHAPE):
            raise Rebuild("the keys, the method and the condition of an index cannot be altered")
        if not old.valid:
            raise Rebuild("it is invalid: no query uses it")
        target = _target(new, context)
        if old.name != new.name:
            before = _target(old, context)
            yield statement("index/rename", LockLevel.SHARE_UPDATE_EXCLUSIVE, target=before, name=new.name)
        wanted = {name: text for name, text in new.parameters.items() if old.parameters.get(name) != text}
        if wanted:
            yield statement("index/set", LockLevel.SHARE_UPDATE_EXCLUSIVE, target=target, parameters=wanted)
        unwanted = [name for name in old.parameters if name not in new.parameters]
        if unwanted:
            yield statement("index/reset", LockLevel.SHARE_UPDATE_EXCLUSIVE, target=target, names=unwanted)
        yield from comment_on("INDEX", target, old.comment, new.comment)

    def drop(self, old: Index, context: Context) -> Iterator[Statement]:
        yield statement("index/drop", LockLevel.ACCESS_EXCLUSIVE, target=_target(old, context))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Index]:
        return {(row["schema"], row["name"]): _index(row) for row in catalog.rows("index")}


def _target(index: Index, context: Context) -> str:
    whole = context.whole
    on_aggregate = whole is not None and whole.get("ContinuousAggregate", index.schema_, index.relation) is not None
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
        parameters=dict(option.split("=", 1) for option in row["parameters"] or ()),
        comment=row["comment"],
    )
