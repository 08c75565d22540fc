"""The ledger of backups: what was in the database just before each, so that a restored copy can be held against it.

It is kept in the database itself: so it is in the backup, and in every later point in time, encrypted as they are. A
restored copy counts with the functions it came with, whatever the program says by then.
"""

from __future__ import annotations

from typing import Any

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.function import Argument, Function
from pulumi_timescaledb.specs.table import Column, PrimaryKey, Table

from .functions import FIXED
from .settings import Settings
from .sql import sql
from .tables.common import STAMP, col

LEDGER = Table(
    schema="monitoring",
    name="backup_ledger",
    comment="What was in the database just before each backup.",
    columns=(
        Column(name="id", type="bigint", comment="Annotated on the backup.", not_null=True, identity="always"),
        col("taken_at", STAMP, "The moment that the counts are of.", nn=True),
        col("stack", "text", "project/stack whose backup it is: a restored copy has its origin's rows too.", nn=True),
        col("lsn", "text", "Position in the WAL when the counting had ended.", nn=True),
        col("snapshot", "text", "Transactions that the counts see, as pg_current_snapshot() writes it.", nn=True),
        col(
            "contents",
            "jsonb",
            "Rows by hypertable, aggregate, day and table; counts of objects, jobs, rights.",
            nn=True,
        ),
        col("sha256", "text", "Of contents as text, in hexadecimal; annotated on the backup.", nn=True),
        col("backup", "text", "Label of the backup, once it was in the repository; not in that backup itself."),
        col("finished_at", STAMP, "When that was."),
    ),
    primary_key=PrimaryKey(name="backup_ledger_pkey", columns=("id",)),
)

CHUNKS = Table(
    schema="monitoring",
    name="backup_ledger_chunks",
    comment="Counts of chunks in the columnstore, reused while their batches are the same.",
    columns=(
        col("chunk", "text", "Schema and name.", nn=True),
        col("fingerprint", "text", "Of the batches: how many, their rows, places and transactions.", nn=True),
        col("days", "jsonb", "Rows by day (UTC).", nn=True),
    ),
    primary_key=PrimaryKey(name="backup_ledger_chunks_pkey", columns=("chunk",)),
)

TABLES = (LEDGER, CHUNKS)

# Row security must not hide rows from a count; days and times are written in one form.
_COUNTING = {**FIXED, "row_security": "off", "lock_timeout": "30s", "timezone": "UTC", "datestyle": "ISO, YMD"}
_FRESH = Argument(name="fresh", type="boolean", default="false")


def _function(name: str, comment: str, **more: Any) -> Function:
    return Function(
        schema="monitoring",
        name=name,
        body=f"\n{sql(f'functions/{name}')}\n",
        settings=_COUNTING,
        comment=comment,
        **{"returns": "jsonb", **more},
    )


def declarations(_settings: Settings) -> list[Spec]:
    """The ledger's tables and the functions that fill it."""
    return [
        *TABLES,
        _function(
            "ledger_series",
            "Rows of every hypertable and aggregate by day; fresh counts all anew.",
            arguments=(_FRESH,),
        ),
        _function("ledger_tables", "Rows of every plain table."),
        _function(
            "ledger_counts", "How many jobs, policies, chunks, rights and other objects there are.", language="sql"
        ),
        _function(
            "backup_ledger_contents", "What a ledger says; a restored copy is held against it.", arguments=(_FRESH,)
        ),
        _function(
            "take_backup_ledger",
            "Writes the ledger of the backup that follows and deletes those older than keep. Repeatable read only.",
            arguments=(Argument(name="stack", type="text"), Argument(name="keep", type="interval")),
            returns="TABLE(id bigint, sha256 text)",
        ),
    ]
