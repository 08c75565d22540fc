"""What a scheduler outside the database has to run where TimescaleDB's own cannot: in edition apache (see `edition`).

The jobs are the declared ones, and for every retention policy one that drops the same chunks: `drop_chunks` is in
both editions, only the policy is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pulumi_timescaledb.interval import parse_interval
from pulumi_timescaledb.specs.base import Reference, Spec
from pulumi_timescaledb.specs.function import Function
from pulumi_timescaledb.specs.job import Job
from pulumi_timescaledb.specs.retention_policy import RetentionPolicy
from pulumi_timescaledb.sqltext import literal, qualified

from . import everything
from .jobs import ANCHOR_DAY
from .settings import LEVELS, Settings, days

RETENTION_TIME = "02:30:00"
"""Time of day (UTC) at which old chunks are dropped: after the event log is pruned, before the missing-data views are
refreshed."""
_NO_JOB = 0
"""The job id that functions get: the scheduler's jobs have none."""


@dataclass(frozen=True)
class ScheduledJob:
    """One job. It is due at `anchor` plus every multiple of `every`; `sql` is one statement on one line."""

    name: str
    every: str
    anchor: str
    """Moment in ISO 8601 with its offset."""
    sql: str

    @property
    def seconds(self) -> int:
        """`every` in seconds; a month counts 30 days."""
        return round(parse_interval(self.every).approximate_days() * 86_400)

    @property
    def epoch(self) -> int:
        """`anchor` in seconds since 1970."""
        return int(datetime.fromisoformat(self.anchor).timestamp())

    def line(self) -> str:
        """The job as a line of the scheduler's table: name, seconds, epoch, SQL, separated by tabs."""
        return "\t".join((self.name, str(self.seconds), str(self.epoch), self.sql))


def jobs(settings: Settings) -> list[ScheduledJob]:
    """Jobs for a scheduler; none where the database has one of its own."""
    if settings.edition == "community":
        return []
    specs = everything(settings)
    functions = {spec.reference(): spec for spec in specs if isinstance(spec, Function)}
    return [*_declared(specs, functions), *_retention(specs, settings)]


def _declared(specs: list[Spec], functions: Mapping[Reference, Function]) -> Iterator[ScheduledJob]:
    for job in specs:
        if isinstance(job, Job):
            (reference,) = (each for each in job.references() if each.kind == "Function")
            call = "CALL" if functions[reference].procedure else "SELECT"
            config = "NULL" if job.config is None else literal(json.dumps(job.config, sort_keys=True))
            sql = f"{call} {qualified(*job.identity())}({_NO_JOB}, {config}::jsonb)"
            assert job.initial_start is not None
            yield ScheduledJob(job.procedure, job.schedule_interval, job.initial_start, sql)


def _retention(specs: list[Spec], settings: Settings) -> Iterator[ScheduledJob]:
    views = {f"circuit_interval_{level}" for level, _ in LEVELS}
    for policy in specs:
        if not isinstance(policy, RetentionPolicy) or policy.relation in views:
            continue
        age = kept(settings) if policy.relation == "register_interval_hh" else policy.drop_after
        if age:
            table = literal(qualified(*policy.identity()))
            sql = f"SELECT count(*) FROM public.drop_chunks({table}, older_than => INTERVAL {literal(age)})"
            anchor = f"{ANCHOR_DAY}T{RETENTION_TIME}+00:00"
            yield ScheduledJob(f"drop_chunks_{policy.relation}", "1 day", anchor, sql)


def kept(settings: Settings) -> str:
    """How long register_interval_hh is kept where the views over it have no rows of their own: as long as the one that
    shall be kept longest; "" is for ever."""
    names = ("register_interval_hh", *(f"circuit_interval_{level}" for level, _ in LEVELS))
    ages = [str(getattr(settings, f"{name}_retention")) for name in names]
    return "" if "" in ages else max(ages, key=days)
