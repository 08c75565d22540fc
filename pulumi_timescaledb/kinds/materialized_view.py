"""Ordinary materialized views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.materialized_view import MaterializedView
from ..sqltext import ident, qualified
from ..statement import LockLevel, Rebuild, Statement
from ._parameters import change_parameters, parameters_of
from .base import Context, Kind, changed, column_comments, comment_on, owner_of, rename, statement


class MaterializedViewKind(Kind[MaterializedView]):
    """CREATE / DROP MATERIALIZED VIEW. Its rows are no data of their own: any refresh replaces them all."""

    spec = MaterializedView
    sources = ("materialized_view",)

    def create(self, new: MaterializedView, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        sql = statement("materialized_view/create", target=target, view=new).sql
        filling = Hazard("long_scan", "its query runs to the end before the change is committed")
        yield Statement(sql, LockLevel.ACCESS_SHARE, (filling,) if new.with_data else ())
        yield from owner_of("MATERIALIZED VIEW", target, None, new.owner)
        yield from comment_on("MATERIALIZED VIEW", target, None, new.comment)
        yield from column_comments(target, {}, new.column_comments, ident)

    def alter(self, old: MaterializedView, new: MaterializedView, context: Context) -> Iterator[Statement]:
        if changed(old, new, "query"):
            raise Rebuild("the query of a materialized view cannot be altered")
        target = qualified(new.schema_, new.name)
        yield from rename(
            "MATERIALIZED VIEW", qualified(old.schema_, old.name), old.name, new.name, LockLevel.ACCESS_EXCLUSIVE
        )
        yield from change_parameters("MATERIALIZED VIEW", target, old.parameters, new.parameters)
        yield from owner_of("MATERIALIZED VIEW", target, old.owner, new.owner)
        yield from comment_on("MATERIALIZED VIEW", target, old.comment, new.comment)
        yield from column_comments(target, old.column_comments, new.column_comments, ident)

    def drop(self, old: MaterializedView, context: Context) -> Iterator[Statement]:
        target = qualified(old.schema_, old.name)
        yield statement("materialized_view/drop", LockLevel.ACCESS_EXCLUSIVE, target=target)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], MaterializedView]:
        return {
            (row["schema"], row["name"]): MaterializedView(
                schema_=row["schema"],
                name=row["name"],
                query=row["query"],
                with_data=row["with_data"],
                parameters=parameters_of(row["parameters"]),
                owner=row["owner"],
                comment=row["comment"],
                column_comments=row["column_comments"] or {},
            )
            for row in catalog.rows("materialized_view")
        }
