"""The schema monitoring: the seed's health checks and key metrics as views that work (DOMAIN 14)."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.table import PrimaryKey, Table
from pulumi_timescaledb.specs.view import View

from .functions import job_function
from .settings import Settings
from .sql import sql
from .tables.common import STAMP, col

SAMPLES = Table(
    schema="monitoring",
    name="table_size_samples",
    comment="Sizes of tables over time, written by a job.",
    columns=(
        col("sampled_at", STAMP, "When the size was taken.", nn=True),
        col("schema_name", "text", "Schema of the table.", nn=True),
        col("table_name", "text", "Table, hypertable or aggregate.", nn=True),
        col("total_bytes", "bigint", "Size with indexes and chunks.", nn=True),
    ),
    # The table first: growth looks up one table's samples by time.
    primary_key=PrimaryKey(name="table_size_samples_pkey", columns=("schema_name", "table_name", "sampled_at")),
)

VIEWS = {
    "chunk_sizes": "Size of every chunk.",
    "compression_status": "How much the columnstore saves, per hypertable; empty figures where it has none.",
    "table_sizes": "Size of every table, hypertable and aggregate, with indexes and chunks.",
    "table_growth": "How fast tables grow, from the sampled sizes.",
    "job_status": "Policies and jobs: last outcome, failures, next start, whether overdue.",
    "connections_by_role": "Connections by role and state, against the limits.",
    "replication_lag": "How far each replica is behind; no rows without replicas.",
    "archive_status": "Whether WAL archiving works, and when it last did.",
    "backup_status": "Backups that were begun, and which of them ended in the repository.",
}


def view_names(settings: Settings) -> tuple[str, ...]:
    """Views of the schema monitoring."""
    return (*VIEWS, "query_statistics") if settings.query_statistics else tuple(VIEWS)


def declarations(settings: Settings) -> list[Spec]:
    """The sampling table, its job's function and the views."""
    comments = {**VIEWS, "query_statistics": "What queries cost, by role (pg_stat_statements)."}
    return [
        SAMPLES,
        job_function(
            "monitoring",
            "sample_table_sizes",
            sql("functions/sample_table_sizes"),
            "Records the sizes of all tables and deletes samples older than config's keep.",
        ),
        *(
            View(schema="monitoring", name=name, query=sql(f"views/monitoring_{name}"), comment=comments[name])
            for name in view_names(settings)
        ),
    ]
