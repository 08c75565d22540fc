"""Hypertables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard, refused_if
from ..specs.hypertable import HashDimension, Hypertable
from ..statement import LockLevel, Refused, Statement
from ._policies import interval, regclass
from .base import Context, Kind, changed, shown, statement

NEW_CHUNKS = Hazard("new_chunks_only", "chunks that exist keep their bounds")


class HypertableKind(Kind[Hypertable]):
    """create_hypertable() on an existing table; the way back is dropping that table."""

    spec = Hypertable
    sources = ("hypertable",)
    needs_timescaledb = True
    asks_relation = True

    def create(self, new: Hypertable, context: Context) -> Iterator[Statement]:
        """migrate_data costs nothing on an empty table and is the only way on one with rows."""
        sql = statement(
            "hypertable/create", relation=regclass(new), table=new, interval=interval(new.chunk_interval)
        ).sql
        if not context.relation(*new.identity()).in_use:
            yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE)
        else:
            moving = Hazard(
                "table_rewrite", "rows that the table already holds are moved into chunks; reads and writes wait"
            )
            yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (moving,))
        for dimension in new.hash_dimensions:
            yield _add_dimension(new, dimension)

    def drop(self, old: Hypertable, context: Context) -> Iterator[Statement]:
        """Nothing to do where its table goes, which takes everything along."""
        if context.whole is None or context.whole.get("Table", *old.identity()) is not None:
            raise Refused(
                f"There is no way back from a hypertable to a plain table ({shown(old)}).",
                "Drop the Table with it, or declare the Hypertable again.",
            )
        yield from ()

    def alter(self, old: Hypertable, new: Hypertable, context: Context) -> Iterator[Statement]:
        if changed(old, new, "time_column"):
            raise Refused(
                f'The time column of {shown(new)} cannot change from "{old.time_column}" to "{new.time_column}".',
                "Declare a new table with that time column and copy the rows.",
            )
        before = {dimension.column: dimension for dimension in old.hash_dimensions}
        wanted = {dimension.column for dimension in new.hash_dimensions}
        for column in before:
            if column not in wanted:
                raise Refused(
                    f'The dimension by "{column}" of {shown(new)} cannot be taken away.',
                    "Keep it, or declare a new table without it and copy the rows.",
                )
        if changed(old, new, "chunk_interval"):
            sql = statement(
                "hypertable/set_chunk_interval",
                relation=regclass(new),
                interval=interval(new.chunk_interval),
                column=new.time_column,
            ).sql
            yield Statement(sql, LockLevel.NONE, (NEW_CHUNKS,))
        for dimension in new.hash_dimensions:
            if dimension.column not in before:
                yield _add_dimension(new, dimension)
            elif dimension != before[dimension.column]:
                sql = statement("hypertable/set_partitions", relation=regclass(new), dimension=dimension).sql
                yield Statement(sql, LockLevel.NONE, (NEW_CHUNKS,))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Hypertable]:
        found: dict[tuple[str, ...], Hypertable] = {}
        for row in catalog.rows("hypertable"):
            time = next((item for item in row["dimensions"] if item["interval"] is not None), None)
            if time is not None:  # a table partitioned by an integer has no interval to declare
                found[(row["schema"], row["name"])] = Hypertable(
                    schema_=row["schema"],
                    relation=row["name"],
                    time_column=time["column"],
                    chunk_interval=time["interval"],
                    hash_dimensions=tuple(
                        HashDimension(column=item["column"], partitions=item["partitions"])
                        for item in row["dimensions"]
                        if item["partitions"] is not None
                    ),
                )
        return found


def _add_dimension(table: Hypertable, dimension: HashDimension) -> Statement:
    """The server refuses it for a table with chunks."""
    sql = statement("hypertable/add_dimension", relation=regclass(table), dimension=dimension).sql
    chunks = refused_if(
        f"SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = {regclass(table)})",
        f'{table.import_id()} has chunks, so no dimension by "{dimension.column}" can be added',
        "Declare a new table with that dimension and copy the rows.",
    )
    return Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (chunks,))
