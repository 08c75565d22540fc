"""The queries that compare restored rows, in a temporary table, with the live ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg import sql

from flowsctl.restoring.shape import Column

TEMPORARY = sql.Identifier("pg_temp", "flows_restored")


@dataclass
class RowQueries:
    """Restored rows are `t`, live ones `l`."""

    table: sql.Identifier
    columns: Sequence[Column]
    key: tuple[str, ...]
    span: sql.Composable = field(default_factory=lambda: sql.SQL("true"))
    """Limits the live rows to the time that the restored ones have: only those chunks are read."""

    def names(self, columns: Sequence[Column] | None = None) -> sql.Composed:
        """A list of columns, all by default."""
        chosen = self.columns if columns is None else columns
        return sql.SQL(", ").join(sql.Identifier(column.name) for column in chosen)

    def text(self, row: str) -> sql.Composed:
        """A row as text: the same for the same row on both sides."""
        names = [sql.SQL("{}.{}").format(sql.Identifier(row), sql.Identifier(each.name)) for each in self.columns]
        return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(names))

    def pairs(self) -> sql.Composed:
        """Condition that t and l have the same key."""
        same = [sql.SQL("l.{0} = t.{0}").format(sql.Identifier(name)) for name in self.key]
        return sql.SQL("{} AND {}").format(sql.SQL(" AND ").join(same), self.span)

    def matched(self) -> sql.Composed:
        """FROM-item: live rows of a restored key, or without a key those that look like a restored row."""
        if self.key:
            return sql.SQL("{} t JOIN {} l ON {}").format(TEMPORARY, self.table, self.pairs())
        query = sql.SQL("(SELECT l.* FROM {} l WHERE {} AND {} IN (SELECT {} FROM {} t)) l")
        return query.format(self.table, self.span, self.text("l"), self.text("t"), TEMPORARY)

    def differing(self) -> sql.Composed:
        """FROM-item: pairs with the same key and other content."""
        query = sql.SQL("{} t JOIN {} l ON {} AND {} IS DISTINCT FROM {}")
        return query.format(TEMPORARY, self.table, self.pairs(), self.text("l"), self.text("t"))

    def new(self) -> sql.Composed:
        """The restored rows that the live table has not; without a key, as often as it has them less often."""
        if self.key:
            query = sql.SQL("SELECT {} FROM {} t WHERE NOT EXISTS (SELECT FROM {} l WHERE {})")
            return query.format(self.names(), TEMPORARY, self.table, self.pairs())
        query = sql.SQL("""
            SELECT {names} FROM (
                SELECT t.*, {t} AS flows_text, row_number() OVER (PARTITION BY {t}) AS flows_turn FROM {copy} t
            ) t
            LEFT JOIN (
                SELECT {l} AS flows_text, count(*) AS flows_times FROM {table} l WHERE {span} GROUP BY 1
            ) l USING (flows_text)
            WHERE flows_turn > coalesce(flows_times, 0)""")
        return query.format(
            names=self.names(), t=self.text("t"), l=self.text("l"), copy=TEMPORARY, table=self.table, span=self.span
        )

    def overwrite(self, columns: Sequence[Column]) -> sql.Composed:
        """UPDATE of live rows whose content differs."""
        sets = [sql.SQL("{0} = t.{0}").format(sql.Identifier(column.name)) for column in columns]
        query = sql.SQL("UPDATE {} l SET {} FROM {} t WHERE {} AND {} IS DISTINCT FROM {}")
        return query.format(
            self.table, sql.SQL(", ").join(sets), TEMPORARY, self.pairs(), self.text("l"), self.text("t")
        )
