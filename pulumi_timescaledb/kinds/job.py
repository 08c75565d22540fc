"""User-defined jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..specs.job import Job
from ..sqltext import literal, qualified
from ..statement import Rebuild, Statement
from ._policies import interval
from .base import Context, Kind, changed, statement


class JobKind(Kind[Job]):
    """add_job(), alter_job(), delete_job(). Called twice, add_job() makes two jobs (DOMAIN 9): what is altered or
    dropped is every job of the procedure."""

    spec = Job
    sources = ("job",)
    needs_timescaledb = True

    def create(self, new: Job, context: Context) -> Iterator[Statement]:
        yield statement(
            "job/create",
            job=new,
            procedure=f"{literal(qualified(*new.identity()))}::regproc",
            every=interval(new.schedule_interval),
            config=_config(new),
        )
        if new.max_runtime is not None:
            yield _alter(new, [f"max_runtime => {interval(new.max_runtime)}"])

    def drop(self, old: Job, context: Context) -> Iterator[Statement]:
        yield statement("job/drop", job=old)

    def alter(self, old: Job, new: Job, context: Context) -> Iterator[Statement]:
        if old.config is not None and new.config is None:
            raise Rebuild("a job's configuration cannot be taken away")
        changes = []
        if changed(old, new, "schedule_interval"):
            changes.append(f"schedule_interval => {interval(new.schedule_interval)}")
        if changed(old, new, "max_runtime"):
            changes.append(f"max_runtime => {interval(new.max_runtime or '0 seconds')}")
        if changed(old, new, "enabled"):
            changes.append(f"scheduled => {literal(new.enabled)}")
        if changed(old, new, "config"):
            changes.append(f"config => {_config(new)}")
        if changed(old, new, "fixed_schedule"):
            # Without a first start a fixed schedule would start from now on.
            changes.append(f"fixed_schedule => {literal(new.fixed_schedule)}")
            changes.append(f"initial_start => {_first_start(new)}")
        elif new.initial_start is not None and changed(old, new, "initial_start"):
            changes.append(f"initial_start => {_first_start(new)}")
        if changes or changed(old, new, "timezone"):
            yield _alter(new, changes)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Job]:
        found: dict[tuple[str, ...], Job] = {}
        for row in catalog.rows("job"):
            if row["relation"] is None:
                made = Job(
                    schema_=row["proc_schema"],
                    procedure=row["proc_name"],
                    schedule_interval=row["schedule_interval"],
                    config=row["config"],
                    fixed_schedule=row["fixed_schedule"],
                    initial_start=row["initial_start"],
                    timezone=row["timezone"],
                    max_runtime=row["max_runtime"],
                    enabled=row["scheduled"],
                )
                found.setdefault(made.identity(), made)
        return found


def _config(job: Job) -> str:
    return (
        "NULL"
        if job.config is None
        else f"{literal(json.dumps(job.config, sort_keys=True, ensure_ascii=False))}::jsonb"
    )


def _first_start(job: Job) -> str:
    return "j.initial_start" if job.initial_start is None else literal(job.initial_start)


def _alter(job: Job, changes: list[str]) -> Statement:
    """The time zone is always given: alter_job() forgets it otherwise (TimescaleDB 2.23 - 2.29, job_api.c)."""
    return statement("job/alter", job=job, changes=[*changes, f"timezone => {literal(job.timezone)}"])
