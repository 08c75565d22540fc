"""TimescaleDB's jobs: which are due, and running one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

# Two jobs belong to the server itself: its telemetry (1) and the log clean-ups have ids below this.
FIRST_USER_JOB = 1000

LIST_JOBS = """
select job_id, application_name, coalesce(hypertable_schema || '.' || hypertable_name, '')
from timescaledb_information.jobs
where job_id >= %(first)s and scheduled and (%(every)s or next_start is null or next_start <= now())
order by job_id
"""


@dataclass(frozen=True)
class Job:
    """One job of the server."""

    id: int
    name: str


@dataclass(frozen=True)
class JobResult:
    """What running one job came to; `error` is empty where it worked."""

    job: Job
    seconds: float
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """The documented form of `jobs run --json`."""
        return {
            "id": self.job.id,
            "name": self.job.name,
            "ok": not self.error,
            "seconds": round(self.seconds, 3),
            "error": self.error or None,
        }

    def __str__(self) -> str:
        """One line for people."""
        word = "FAILED" if self.error else "ok"
        return f" {word:<6} {self.seconds:6.1f} s  {self.job.name} {self.error}".rstrip()


def due_jobs(connection: psycopg.Connection[tuple[Any, ...]], *, every: bool) -> list[Job]:
    """The scheduled jobs whose next start has come, with `every` all scheduled ones; ordered by id."""
    rows = connection.execute(LIST_JOBS, {"first": FIRST_USER_JOB, "every": every}).fetchall()
    return [Job(int(row[0]), f"{row[1]} {row[2]}".strip()) for row in rows]


def run_job(connection: psycopg.Connection[tuple[Any, ...]], job: Job) -> JobResult:
    """Run one job outside a transaction: procedures of jobs commit on their own."""
    import psycopg

    started = time.monotonic()
    try:
        connection.execute(f"call public.run_job({job.id:d})".encode())
    except psycopg.Error as error:
        return JobResult(job, time.monotonic() - started, " ".join(str(error).split()))
    return JobResult(job, time.monotonic() - started)
