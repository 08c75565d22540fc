"""Ordinary views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.view import View
from ..sqltext import ident, qualified
from ..statement import LockLevel, Rebuild, Statement
from .base import Context, Kind, changed, column_comments, comment_on, owner_of, statement


class ViewKind(Kind[View]):
    """CREATE OR REPLACE where only options differ; a changed query is dropped and created again, because the server
    accepts a replacement only when it adds columns at the end, which its text alone does not tell."""

    spec = View
    sources = ("view",)

    def create(self, new: View, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield statement("view/create", target=target, view=new, options=_options(new), replace=False)
        yield from owner_of("VIEW", target, None, new.owner)
        yield from comment_on("VIEW", target, None, new.comment)
        yield from column_comments(target, {}, new.column_comments, ident)

    def drop(self, old: View, context: Context) -> Iterator[Statement]:
        yield statement("view/drop", LockLevel.ACCESS_EXCLUSIVE, target=qualified(old.schema_, old.name))

    def alter(self, old: View, new: View, context: Context) -> Iterator[Statement]:
        if changed(old, new, "query", "check_option"):
            raise Rebuild("its query changes")
        target = qualified(new.schema_, new.name)
        if changed(old, new, "security_barrier", "security_invoker"):
            options = [f"security_barrier={_bool(new.security_barrier)}", f"security_invoker={_bool(new.security_invoker)}"]
            sql = statement("view/set_options", target=target, options=options).sql
            hazard = Hazard("authorisation", "whose rights the view uses changes")
            yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (hazard,))
        yield from owner_of("VIEW", target, old.owner, new.owner)
        yield from comment_on("VIEW", target, old.comment, new.comment)
        yield from column_comments(target, old.column_comments, new.column_comments, ident)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], View]:
        found = {}
        for row in catalog.rows("view"):
            options = dict(option.split("=", 1) for option in row["options"] or ())
            found[(row["schema"], row["name"])] = View(
                schema_=row["schema"],
                name=row["name"],
                query=row["query"],
                security_barrier=options.get("security_barrier", "false") in ("true", "on", "1"),
                security_invoker=options.get("security_invoker", "false") in ("true", "on", "1"),
                check_option=options.get("check_option"),
                owner=row["owner"],
                comment=row["comment"],
                column_comments=row["column_comments"] or {},
            )
        return found


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _options(view: View) -> list[str]:
    options = []
    if view.security_barrier:
        options.append("security_barrier=true")
    if view.security_invoker:
        options.append("security_invoker=true")
    return options
