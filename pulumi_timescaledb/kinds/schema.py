"""Schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Scope
from ..specs.schema import Schema
from ..sqltext import ident
from ..statement import Statement
from .base import Context, Kind, comment_on, owner_of, rename, statement


class SchemaKind(Kind[Schema]):
    """CREATE / ALTER / DROP SCHEMA. A schema is never dropped with its contents (RESTRICT)."""

    spec = Schema
    sources = ("schema",)

    def scope(self, identity: tuple[str, ...]) -> Scope:
        return Scope("", identity[0])

    def create(self, new: Schema, context: Context) -> Iterator[Statement]:
        yield statement("schema/create", schema=new)
        yield from comment_on("SCHEMA", ident(new.name), None, new.comment)

    def alter(self, old: Schema, new: Schema, context: Context) -> Iterator[Statement]:
        yield from rename("SCHEMA", ident(old.name), old.name, new.name)
        yield from owner_of("SCHEMA", ident(new.name), old.owner, new.owner)
        yield from comment_on("SCHEMA", ident(new.name), old.comment, new.comment)

    def drop(self, old: Schema, context: Context) -> Iterator[Statement]:
        yield statement("schema/drop", schema=old)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Schema]:
        return {
            (row["name"],): Schema(name=row["name"], owner=row["owner"], comment=row["comment"])
            for row in catalog.rows("schema")
        }
