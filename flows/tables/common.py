"""Short forms for columns."""

from __future__ import annotations

from pulumi_timescaledb.specs.table import Column, Table

STAMP = "timestamp with time zone"


def col(name: str, kind: str, comment: str, *, nn: bool = False, default: str | None = None) -> Column:
    """A column; `nn` means NOT NULL."""
    return Column(name=name, type=kind, comment=comment, not_null=nn, default=default)


def uuid_id(comment: str) -> Column:
    """The generated key `id`."""
    return col("id", "uuid", comment, nn=True, default="gen_random_uuid()")


def created_at(*, nn: bool = True) -> Column:
    """When the row was made; nullable where the sources have it so."""
    return col("created_at", STAMP, "When the row was created.", nn=nn, default="now()")


def updated_at(comment: str = "When the row last changed.") -> Column:
    """When the row last changed."""
    return col("updated_at", STAMP, comment, nn=True, default="now()")


def column_names(table: Table, *without: str) -> tuple[str, ...]:
    """Column names of a table in order, minus some."""
    return tuple(column.name for column in table.columns if column.name not in without)
