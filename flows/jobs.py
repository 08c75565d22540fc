"""Scheduled jobs (DOMAIN 9)."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.job import Job

from .functions import MISSING
from .settings import Settings

ANCHOR_DAY = "2025-01-01"
"""A fixed schedule counts from here; any past day gives the same times of day."""


def declarations(settings: Settings) -> list[Spec]:
    """Refreshes of the missing-data views, pruning of the event log, sampling of table sizes."""
    refreshes = [
        Job(
            schema="flows",
            procedure=f"refresh_{view}",
            schedule_interval="1 day",
            initial_start=f"{ANCHOR_DAY} {settings.missing_data_refresh_time}+00",
        )
        for view in MISSING
    ]
    return [
        *refreshes,
        Job(
            schema="flows",
            procedure="prune_meter_event_log",
            schedule_interval="1 day",
            initial_start=f"{ANCHOR_DAY} 02:00:00+00",
            config={"older_than": settings.event_log_retention},
        ),
        Job(
            schema="monitoring",
            procedure="sample_table_sizes",
            schedule_interval=settings.table_size_sample_every,
            initial_start=f"{ANCHOR_DAY} 00:00:00+00",
            config={"keep": settings.table_size_sample_retention},
        ),
    ]
