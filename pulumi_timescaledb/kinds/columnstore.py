"""Columnstore settings and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..catalog import Catalog, Row
from ..hazards import Hazard
from ..specs.columnstore import Columnstore, OrderBy
from ..sqltext import ident, qualified
from ..statement import LockLevel, Refused, Statement
from ._policies import COLUMNSTORE, alter_policy, interval, interval_of, policy_rows, regclass
from .base import Context, Kind, changed, shown, statement


class ColumnstoreKind(Kind[Columnstore]):
    """ALTER ... SET (timescaledb.enable_columnstore) and add_columnstore_policy(), on hypertables and aggregates."""

    spec = Columnstore
    sources = ("columnstore", "job")
    needs_timescaledb = True

    def create(self, new: Columnstore, context: Context) -> Iterator[Statement]:
        yield _set(new, context)
        yield from _add_policy(new, context)

    def drop(self, old: Columnstore, context: Context) -> Iterator[Statement]:
        """The server refuses to turn it off while a chunk is compressed (TimescaleDB 2.23, measured)."""
        yield statement("columnstore/remove_policy", relation=regclass(old))
        sql = statement("columnstore/decompress", relation=regclass(old)).sql
        growing = Hazard(
            "table_rewrite",
            "every converted chunk is written back as rows, which takes its full size on disk and locks it",
        )
        yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (growing,))
        yield _altered(old, context, "columnstore/disable")

    def alter(self, old: Columnstore, new: Columnstore, context: Context) -> Iterator[Statement]:
        if changed(old, new, "segment_by", "order_by"):
            yield _set(new, context, Hazard("new_chunks_only", "chunks converted before keep their layout"))
        if old.after is None:
            yield from _add_policy(new, context)
        elif new.after is None:
            yield statement("columnstore/remove_policy", relation=regclass(new))
        elif old.schedule_interval is not None and new.schedule_interval is None:
            # Back to the server's default, which only the server knows: it depends on the chunk interval.
            yield statement("columnstore/remove_policy", relation=regclass(new))
            yield from _add_policy(new, context)
        else:
            yield from alter_policy(
                context,
                new,
                COLUMNSTORE,
                {"compress_after": new.after} if old.after != new.after else None,
                new.schedule_interval if changed(old, new, "schedule_interval") else None,
                new.enabled if changed(old, new, "enabled") else None,
            )

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Columnstore]:
        policies = {(row["schema"], row["relation"]): row for row in policy_rows(catalog, COLUMNSTORE)}
        found: dict[tuple[str, ...], Columnstore] = {}
        for row in catalog.rows("columnstore"):
            identity = (row["schema"], row["name"])
            policy = policies.get(identity)
            after = interval_of(policy["config"], "compress_after") if policy else None
            found[identity] = Columnstore(
                schema_=row["schema"],
                relation=row["name"],
                segment_by=tuple(row["segmentby"] or ()),
                order_by=_order_by(row),
                after=after,
                schedule_interval=policy["schedule_interval"] if policy and after else None,
                enabled=policy["scheduled"] if policy and after else True,
            )
        return found


def _order_by(row: Row) -> tuple[OrderBy, ...]:
    columns, descending, nulls_first = (row[name] or () for name in ("orderby", "orderby_desc", "orderby_nullsfirst"))
    return tuple(
        OrderBy(column=column, descending=down, nulls="first" if first else "last")
        for column, down, first in zip(columns, descending, nulls_first, strict=True)
    )


def _set(store: Columnstore, context: Context, *hazards: Hazard) -> Statement:
    """Both settings, always: what is left out the server guesses (DOMAIN 14 no. 8)."""
    if not store.order_by:
        raise Refused(
            f"{shown(store)} names no order, so the server would guess one when it converts the first chunk.",
            "Give orderBy, for example the time column, descending.",
        )
    order = ", ".join(
        ident(key.column)
        + (" DESC" if key.descending else " ASC")
        + (f" NULLS {key.nulls.upper()}" if key.nulls else "")
        for key in store.order_by
    )
    segments = ", ".join(ident(column) for column in store.segment_by)
    return _altered(store, context, "columnstore/set", *hazards, segment_by=segments, order_by=order)


def _altered(store: Columnstore, context: Context, template: str, *hazards: Hazard, **values: Any) -> Statement:
    """ALTER TABLE, or ALTER MATERIALIZED VIEW for an aggregate: each is refused for the other (TimescaleDB 2.23,
    measured), so where the declarations do not tell, the server looks."""
    target = qualified(*store.identity())

    def sql(what: str) -> str:
        return statement(template, what=what, target=target, **values).sql

    table, aggregate = sql("TABLE"), sql("MATERIALIZED VIEW")
    if context.whole is not None and context.whole.get("ContinuousAggregate", *store.identity()):
        text = aggregate
    elif context.whole is not None and context.whole.get("Table", *store.identity()):
        text = table
    else:
        text = statement("columnstore/whatever", store=store, table=table, aggregate=aggregate).sql
    return Statement(text, LockLevel.ACCESS_EXCLUSIVE, hazards)


def _add_policy(store: Columnstore, context: Context) -> Iterator[Statement]:
    if store.after is not None:
        yield statement(
            "columnstore/add_policy",
            relation=regclass(store),
            after=interval(store.after),
            every=interval(store.schedule_interval),
        )
        if not store.enabled:
            yield from alter_policy(context, store, COLUMNSTORE, enabled=False)
