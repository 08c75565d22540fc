"""The 25 tables of the schema flows (DOMAIN 2 and 3)."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.table import Table

from ..settings import Settings
from . import communities, junctions, meters, series, shadows

SERIES: tuple[Table, ...] = series.TABLES
"""Tables that become hypertables."""
PLAIN: tuple[Table, ...] = (*communities.TABLES, *meters.TABLES, *shadows.TABLES, *junctions.TABLES)
"""All others."""
BY_NAME = {table.name: table for table in (*PLAIN, *SERIES)}


def declarations(settings: Settings) -> list[Spec]:
    """Every table of the schema flows."""
    return [*PLAIN, *SERIES]
