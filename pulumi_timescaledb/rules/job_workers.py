"""Policies and jobs run in background workers: TimescaleDB starts a scheduler per database, and that one a worker per
job, both counted by timescaledb.max_background_workers (default 16); with the launcher all are among PostgreSQL's
max_worker_processes (TimescaleDB documentation, "Configuration"; src/loader/bgw_launcher.c). With fewer than these no
job ever starts, and only the server's log tells."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

_WITH_JOBS = ("Columnstore", "RetentionPolicy", "RefreshPolicy", "Job")
FEWEST_WORKERS = 2
"""The scheduler of this database and one job."""
FEWEST_SLOTS = 3
"""The launcher besides."""


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """One fault for each limit under which no job can run."""
    jobs = [f"{kind} {spec.import_id()}" for kind in _WITH_JOBS for spec in whole.of_kind(kind)]
    if not jobs or not capabilities.background_workers:
        return
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    limits = (
        ("timescaledb.max_background_workers", capabilities.job_workers, FEWEST_WORKERS, "16 is its default"),
        ("max_worker_processes", capabilities.worker_slots, FEWEST_SLOTS, "with parallel queries 27 is right"),
    )
    for name, found, fewest, usual in limits:
        if found is not None and found < fewest:
            yield (
                f"{jobs[0]}{more} would never run: {name} leaves {found} background workers, and a scheduler and a job "
                f"need {fewest}. Raise it ({usual}) and restart the server."
            )
