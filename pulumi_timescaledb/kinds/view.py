"""Ordinary views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..blocking import has_parsed_body, uses
from ..catalog import Catalog, Row
from ..hazards import Hazard
from ..specs.function import Function
from ..specs.view import View
from ..sqltext import ident, qualified
from ..statement import LockLevel, Rebuild, Statement
from ._rewrite_rules import GONE, drop_rewrite_rules
from ._view_query import columns_added
from .base import Context, Kind, changed, column_comments, comment_on, owner_of, rename, statement

_RIGHTS = Hazard("authorisation", "whose rights the view uses changes")
_TRUE = ("true", "on", "yes", "1")


class ViewKind(Kind[View]):
    """Options, owner and comments change in place, and a query that keeps its columns is replaced; any other is dropped
    and created again."""

    spec = View
    sources = ("view",)
    many = True

    def create(self, new: View, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield _create(new, LockLevel.ACCESS_SHARE)
        yield from owner_of("VIEW", target, None, new.owner)
        yield from comment_on("VIEW", target, None, new.comment)
        yield from column_comments(target, {}, new.column_comments, ident)

    def drop(self, old: View, context: Context) -> Iterator[Statement]:
        """Its rewrite rules go with it, those too that were to stay."""
        sql = statement("view/drop", target=qualified(old.schema_, old.name)).sql
        yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (GONE,) if old.rewrite_rules else ())

    def alter(self, old: View, new: View, context: Context) -> Iterator[Statement]:
        replaced = changed(old, new, "query")
        added = columns_added(old.query, new.query) if replaced else 0
        if added is None:
            raise Rebuild("its query changes, and its columns may")
        if added and _are_all_read(new, context):
            raise Rebuild("it gets more columns, and something that stands on it reads all of them")
        target = qualified(new.schema_, new.name)
        yield from rename("VIEW", qualified(old.schema_, old.name), old.name, new.name, LockLevel.ACCESS_EXCLUSIVE)
        yield from drop_rewrite_rules(target, old.rewrite_rules, new.rewrite_rules)
        hazards = (_RIGHTS,) if changed(old, new, "security_barrier", "security_invoker") else ()
        if replaced:
            yield _create(new, LockLevel.ACCESS_EXCLUSIVE, hazards, replace=True)
        else:
            yield from _options_set(target, _options(old), _options(new), hazards)
        yield from owner_of("VIEW", target, old.owner, new.owner)
        yield from comment_on("VIEW", target, old.comment, new.comment)
        yield from column_comments(target, old.column_comments, new.column_comments, ident)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], View]:
        found = (_view(row) for row in catalog.rows("view"))
        return {view.identity(): view for view in found}


def _are_all_read(view: View, context: Context) -> bool:
    """Whether something was made of all columns that the view had then: it keeps those, or fails."""
    whole = context.whole
    dependents = [whole.specs[each] for each in whole.needed_by.get(view.reference(), ())] if whole else []
    return any(
        has_parsed_body(each) if isinstance(each, Function) else any(uses(text, set()) for text in each.sql_texts())
        for each in dependents
    )


def _create(view: View, lock: LockLevel, hazards: tuple[Hazard, ...] = (), *, replace: bool = False) -> Statement:
    """With its options: a replacement resets those that it does not name."""
    target, options = qualified(view.schema_, view.name), _options(view)
    sql = statement("view/create", target=target, view=view, options=options, replace=replace).sql
    return Statement(sql, lock, hazards)


def _options_set(
    target: str, before: Mapping[str, str], after: Mapping[str, str], hazards: tuple[Hazard, ...]
) -> Iterator[Statement]:
    wanted = {name: value for name, value in after.items() if before.get(name) != value}
    if wanted:
        sql = statement("view/set_options", target=target, options=wanted).sql
        yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, hazards)
    unwanted = [name for name in before if name not in after]
    if unwanted:
        sql = statement("view/reset_options", target=target, names=unwanted).sql
        yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, hazards)


def _options(view: View) -> dict[str, str]:
    """Options that are not the server's defaults."""
    options = {}
    if view.security_barrier:
        options["security_barrier"] = "true"
    if view.security_invoker:
        options["security_invoker"] = "true"
    if view.check_option:
        options["check_option"] = view.check_option
    return options


def _view(row: Row) -> View:
    options = dict(option.split("=", 1) for option in row["options"] or ())
    return View(
        schema_=row["schema"],
        name=row["name"],
        query=row["query"],
        security_barrier=options.get("security_barrier", "").lower() in _TRUE,
        security_invoker=options.get("security_invoker", "").lower() in _TRUE,
        check_option=options.get("check_option"),
        rewrite_rules=tuple(row["rewrite_rules"] or ()),
        owner=row["owner"],
        comment=row["comment"],
        column_comments=row["column_comments"] or {},
    )
