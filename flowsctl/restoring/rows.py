"""Bringing the rows of one table from a restored copy into the live database, in one transaction, while it is in use.

The rows come by COPY into a temporary table, are compared there with the live ones, and only then written: a hypertable
takes them as any INSERT, into compressed chunks as well. Nothing is locked but the rows that are written.

Triggers of the table do not fire (`session_replication_role = replica`): a history trigger would write each restored
row a second time, as if it had just been measured, and a trigger of updated_at would change what is restored. With it
PostgreSQL does not check foreign keys either, so they are checked here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from psycopg import errors, sql

from flowsctl.errors import EXIT_REFUSED, FlowsError, UsageError
from flowsctl.maintenance.objects import Connection
from flowsctl.restoring.row_queries import TEMPORARY, RowQueries
from flowsctl.restoring.shape import Shape, shape

CONFLICTS = ("fail", "skip", "replace")
# One text for a row on both sides, whatever the roles' and databases' own settings are.
SESSION = (
    "SET timezone TO 'UTC'; SET datestyle TO 'ISO, YMD'; SET intervalstyle TO 'iso_8601'; SET extra_float_digits TO 1; "
    "SET bytea_output TO 'hex'; SET search_path TO public; SET client_encoding TO 'UTF8'"
)
LOCK_TIMEOUT = "10s"
SHOWN_KEYS = 3


@dataclass
class Brought:
    """What was brought, or would be."""

    table: str
    rows: int = 0
    """Rows that the copy gives."""
    checksum: str = ""
    new: int = 0
    same: int = 0
    differing: int = 0
    """Rows whose key is there with other content."""
    written: int = 0
    live_rows: int = 0
    """Rows of the live table afterwards, those included that were written since."""
    live_checksum: str = ""
    """Of the live rows that were restored; equal to `checksum`, unless conflicts were skipped."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The documented form within `restore table --json`."""
        return vars(self) | {"seconds": round(self.seconds, 3)}


def bring(
    past: Connection, live: Connection, schema: str, name: str, *, where: str, on_conflict: str, dry_run: bool
) -> Brought:
    """The rows of `past` (a restored copy) in `live`. Both connections are in autocommit and of a superuser.

    Rows that are the same already stay; rows that were written since are kept. `on_conflict` decides about rows whose
    key is there with other content. A table without a key has no such rows: there a row is new as often as the copy has
    it more often than the live table. With `dry_run` everything is done and rolled back.

    Raises:
        FlowsError: refused for conflicts, a foreign key or a table that is not there; or the rows differ afterwards.
    """
    began = time.monotonic()
    then, now = shape(past, schema, name), shape(live, schema, name)
    if then is None:
        raise UsageError(f"{schema}.{name} is not in the restored copy", "choose another --to, or another table")
    if now is None:
        raise refused(f"{schema}.{name} is not in the live database", "run flowsctl up first: it makes it again")
    work = _Work(past, live, then, now, where)
    found = Brought(f"{schema}.{name}", notes=work.notes())
    for connection in (past, live):
        connection.execute(SESSION.encode())
    try:
        with live.transaction(force_rollback=dry_run):
            live.execute(f"SET LOCAL lock_timeout TO '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout TO 0".encode())
            _unlimited(live)
            work.fetch(found)
            work.compare(found)
            if found.differing and on_conflict == "fail":
                raise refused(
                    f"{found.differing} rows of {now} have changed since, for example {work.examples()}",
                    "add --on-conflict replace to take the restored ones, or skip to keep those of now",
                )
            work.check_foreign_keys()
            found.written = work.write(replace=on_conflict == "replace")
            work.verify(found, skipped=on_conflict == "skip")
    except (errors.UniqueViolation, errors.LockNotAvailable, errors.SerializationFailure) as error:
        sentence = " ".join(str(error).split())
        raise FlowsError(f"somebody writes the same rows: {sentence}", "nothing was changed; run it again") from None
    found.seconds = time.monotonic() - began
    return found


class _Work:
    """The steps, with what they share."""

    def __init__(self, past: Connection, live: Connection, then: Shape, now: Shape, where: str) -> None:
        self.past, self.live, self.then, self.now = past, live, then, now
        self.where = sql.SQL("({})").format(sql.SQL(where)) if where else sql.SQL("true")
        known = {column.name for column in then.columns}
        columns = [column for column in now.columns if column.name in known and not column.generated]
        self.copied = {column.name for column in columns}
        key = now.key if set(now.key) <= self.copied else ()
        self.queries = RowQueries(sql.Identifier(now.schema, now.name), columns, key)

    def notes(self) -> list[str]:
        """What whoever restores should know."""
        then, now = ({c.name for c in each.columns if not c.generated} for each in (self.then, self.now))
        told = []
        if then - now:
            told.append(f"columns that are not there any more were left out: {', '.join(sorted(then - now))}")
        if now - then:
            told.append(f"columns that were not there then take their default: {', '.join(sorted(now - then))}")
        if self.now.triggers:
            told.append(f"triggers did not fire: {', '.join(self.now.triggers)}")
        if self.now.aggregates:
            how = " by force (its triggers did not tell them)" if self.now.triggers else ""
            told.append(f"aggregates that read it have to be refreshed{how}: {', '.join(self.now.aggregates)}")
        return told

    def fetch(self, found: Brought) -> None:
        """The restored rows in a temporary table, counted and summed on both sides of the COPY."""
        names = self.queries.names()
        make = sql.SQL("CREATE TEMPORARY TABLE flows_restored ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA")
        self.live.execute("DROP TABLE IF EXISTS pg_temp.flows_restored")
        self.live.execute(make.format(names, self.queries.table))
        origin = sql.Identifier(self.then.schema, self.then.name)
        with self.past.transaction():
            self.past.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            there = self._sum(self.past, "r", sql.SQL("{} AS r WHERE {}").format(origin, self.where))
            out = sql.SQL("COPY (SELECT {} FROM {} AS r WHERE {}) TO STDOUT").format(names, origin, self.where)
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(TEMPORARY, names)
            with (
                self.past.cursor() as read,
                self.live.cursor() as write,
                read.copy(out) as source,
                write.copy(into) as sink,
            ):
                for block in source:
                    sink.write(block)
        self.live.execute("ANALYZE pg_temp.flows_restored")
        found.rows, found.checksum = self._sum(self.live, "r", sql.SQL("{} AS r").format(TEMPORARY))
        if (found.rows, found.checksum) != there:
            raise FlowsError(f"{self.now}: what arrived is not what was sent", "nothing was changed; run it again")
        if self.now.time in self.copied and found.rows:
            at = sql.Identifier(str(self.now.time))
            query = sql.SQL("SELECT min({at})::text, max({at})::text FROM {table}").format(at=at, table=TEMPORARY)
            first, last = self.live.execute(query).fetchall()[0]
            span = sql.SQL("l.{} BETWEEN {} AND {}")
            self.queries.span = span.format(at, sql.Literal(first), sql.Literal(last))

    def compare(self, found: Brought) -> None:
        """How many restored rows are new, the same, different."""
        found.new = self._count(sql.SQL("SELECT count(*) FROM ({}) n").format(self.queries.new()))
        if self.queries.key:
            found.differing = self._count(sql.SQL("SELECT count(*) FROM {}").format(self.queries.differing()))
        found.same = found.rows - found.new - found.differing

    def examples(self) -> str:
        """Keys of rows that differ."""
        shown = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in self.queries.key)
        query = sql.SQL("SELECT ROW({})::text FROM {} ORDER BY 1 LIMIT {}")
        rows = self.live.execute(query.format(shown, self.queries.differing(), sql.Literal(SHOWN_KEYS))).fetchall()
        return ", ".join(str(row[0]) for row in rows)

    def check_foreign_keys(self) -> None:
        """Raises FlowsError where restored rows refer to rows that are not there: their table has to come back first.
        What refers to rows of its own table may come back with it."""
        for key in self.now.foreign_keys:
            if not set(key.own) <= self.copied or (key.schema, key.table) == (self.now.schema, self.now.name):
                continue
            pairs = zip(key.own, key.other, strict=True)
            same = sql.SQL(" AND ").join(
                sql.SQL("o.{} = r.{}").format(sql.Identifier(other), sql.Identifier(own)) for own, other in pairs
            )
            given = sql.SQL(" AND ").join(sql.SQL("r.{} IS NOT NULL").format(sql.Identifier(own)) for own in key.own)
            query = sql.SQL("SELECT count(*) FROM {} r WHERE {} AND NOT EXISTS (SELECT FROM {} o WHERE {})")
            missing = self._count(query.format(TEMPORARY, given, sql.Identifier(key.schema, key.table), same))
            if missing:
                raise refused(
                    f"{missing} rows refer to rows of {key.schema}.{key.table} that are not there ({key.name})",
                    f"restore {key.schema}.{key.table} first, to the same moment",
                )

    def write(self, *, replace: bool) -> int:
        """Writes the rows; returns how many."""
        if self.now.triggers:
            self.live.execute("SET LOCAL session_replication_role TO replica")
        names = self.queries.names()
        insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE {}")
        written = self.live.execute(insert.format(self.queries.table, names, self.queries.new())).rowcount
        if replace and self.queries.key:
            written += self._overwrite()
        if self.now.triggers:
            self.live.execute("SET LOCAL session_replication_role TO origin")
        self._advance_sequences()
        return written

    def verify(self, found: Brought, *, skipped: bool) -> None:
        """The live rows against the restored ones, before the commit.

        Raises:
            FlowsError: they are not the same; the transaction is rolled back.
        """
        count, found.live_checksum = self._sum(self.live, "l", self.queries.matched())
        if self.queries.key:
            right = count == found.rows and (skipped or found.live_checksum == found.checksum)
        else:  # the live table may hold a row more often than the copy
            right = self._count(sql.SQL("SELECT count(*) FROM ({}) n").format(self.queries.new())) == 0
            right = right and (count > found.rows or found.live_checksum == found.checksum)
        if not right:
            raise FlowsError(
                f"{self.now} is not what was restored: {count} rows, checksum {found.live_checksum}; "
                f"wanted {found.rows}, {found.checksum}",
                "nothing was changed; look for triggers or rules that change rows",
            )
        found.live_rows = self._count(sql.SQL("SELECT count(*) FROM {}").format(self.queries.table))

    def _overwrite(self) -> int:
        rest = [column for column in self.queries.columns if column.name not in self.queries.key]
        always = [column.name for column in rest if column.identity_always]
        if always:
            raise refused(
                f"{self.now}.{always[0]} is GENERATED ALWAYS and not part of the key: an UPDATE cannot set it",
                "delete the rows that differ, then restore them with --on-conflict fail",
            )
        return self.live.execute(self.queries.overwrite(rest)).rowcount if rest else 0

    def _advance_sequences(self) -> None:
        """A sequence goes on behind the highest restored value."""
        for column in self.queries.columns:
            if column.sequence:
                query = sql.SQL("""
                    SELECT setval({sequence}::regclass, highest)
                    FROM (SELECT max({column}) AS highest FROM {table}) m, (SELECT last_value FROM {relation}) s
                    WHERE highest > last_value""").format(
                    sequence=sql.Literal(column.sequence),
                    relation=sql.SQL(column.sequence),  # the server has quoted it
                    column=sql.Identifier(column.name),
                    table=TEMPORARY,
                )
                self.live.execute(query)

    def _sum(self, connection: Connection, row: str, source: sql.Composed) -> tuple[int, str]:
        """Count and checksum of the rows `row` of a FROM-item: the same for the same rows in any order."""
        query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended({}, 0)::numeric), 0) FROM {}")
        count, total = connection.execute(query.format(self.queries.text(row), source)).fetchall()[0]
        return int(count), f"{int(total) % 2**64:016x}"

    def _count(self, query: sql.Composed) -> int:
        return int(self.live.execute(query).fetchall()[0][0])


def _unlimited(live: Connection) -> None:
    """TimescaleDB limits how much one transaction may decompress to compare keys; here it is asked for."""
    name = "timescaledb.max_tuples_decompressed_per_dml_transaction"
    row = live.execute("SELECT current_setting(%s, true)", [name]).fetchone()
    if row and row[0] is not None:
        live.execute(f"SET LOCAL {name} TO 0".encode())


def refused(message: str, hint: str) -> FlowsError:
    """A FlowsError with the code of refusals."""
    return FlowsError(message, hint, EXIT_REFUSED)
