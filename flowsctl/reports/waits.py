"""What a change makes others wait for, and which locks it takes, watched beside it on a server of many processes.

A canary comes to each table as a writer does, again and again: it asks for the lock of an INSERT and lets it go. An
observer sees what the provider's sessions hold, and for whom a canary waits.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from flowsctl.reports.lock_modes import MODES, STRENGTH, Locks, add
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.executor import DDL_SESSION
from pulumi_timescaledb.plan import Step
from pulumi_timescaledb.sqltext import literal, qualified
from pulumi_timescaledb.statement import in_groups

PERIOD = 0.03
"""Seconds between two looks; what is over sooner may not be seen."""
CANARIES = 4
"""Sessions at most; more tables share them."""
PATIENCE = 500
"""Milliseconds that a canary waits before it asks again: less than deadlock_timeout, so that a change which comes to a
chunk before its table is never the victim, and no queue when the watch ends."""
RETRY = 0.2
MOST_CHUNKS = 64
"""A canary locks chunks too, as a writer does; more of them would fill the server's table of locks."""
TEXT, KEY = 120, 400
APPLICATION = "flowsctl canary"
PROVIDER = "pulumi-timescaledb"

_OPEN = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_inherits WHERE inhparent = pg_catalog.to_regclass({table})"
_SEEN = """
SELECT 'lock', a.pid, coalesce(a.query, ''), c.oid::pg_catalog.regclass::text, l.mode
FROM pg_catalog.pg_stat_activity a
JOIN pg_catalog.pg_locks l ON l.pid = a.pid
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.datname = pg_catalog.current_database() AND a.application_name = {provider} AND l.granted
  AND c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname = ANY({schemas})
UNION ALL
SELECT 'wait', b.pid, coalesce(b.query, ''), a.application_name, ''
FROM pg_catalog.pg_stat_activity a
CROSS JOIN LATERAL unnest(pg_catalog.pg_blocking_pids(a.pid)) blocker (pid)
JOIN pg_catalog.pg_stat_activity b ON b.pid = blocker.pid
WHERE a.datname = pg_catalog.current_database() AND pg_catalog.starts_with(a.application_name, {canary})
  AND a.wait_event_type = 'Lock'
"""
Session = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass
class Wait:
    """The longest wait of a writer of one table."""

    seconds: float = 0.0
    blocker: str = ""
    """The statement that it waited for; empty where no wait was seen."""

    @property
    def length(self) -> str:
        """In words."""
        return f"up to {self.seconds:.2f} s" if self.blocker else "no wait seen"


@dataclass
class Waits:
    """What a report says of waits."""

    note: str
    tables: dict[str, Wait] = field(default_factory=dict)

    @property
    def longest(self) -> float:
        """Seconds."""
        return max((wait.seconds for wait in self.tables.values()), default=0.0)

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        tables = {
            name: {"seconds": wait.seconds, "waitedFor": wait.blocker or None} for name, wait in self.tables.items()
        }
        return {"note": self.note, "tables": tables}


NOT_HERE = Waits("not measured: the embedded server has one backend, so nobody waits for a lock there")
MEASURED = "measured while the change was applied, by a writer that came to each table about every 0.03 s"
UNREACHED = "not measured: the server took no further session while the change was applied"


class Watch:
    """Watches a database from the beginning of a `with` to its end, in a thread of its own."""

    def __init__(
        self,
        settings: ConnectionSettings,
        tables: Iterable[tuple[str, str]],
        steps: Iterable[Step],
        schemas: Sequence[str],
    ) -> None:
        self.locks: dict[str, Locks] = {}
        """Subject of a step -> relation -> strongest mode that was seen."""
        self._settings, self._schemas = settings, [*schemas]
        self._tables = sorted(tables)
        self._waits: dict[tuple[str, str], Wait] = {}
        self._steps = _beginnings(steps)
        self._last: dict[int, tuple[str, str]] = {}
        self._blockers: dict[str, Counter[str]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def waits(self) -> Waits:
        """Of every table that was there to be tried, in alphabetical order."""
        if self._tables and not self._waits:
            return Waits(UNREACHED)
        found = {".".join(table): Wait(round(w.seconds, 2), w.blocker) for table, w in sorted(self._waits.items())}
        return Waits(MEASURED if self._tables else "no table that exists is touched", found)

    async def _watch(self) -> None:
        shares = [self._tables[n::CANARIES] for n in range(min(CANARIES, len(self._tables)))]
        canaries = [self._staying(f"{APPLICATION} {n}", self._canary, share) for n, share in enumerate(shares)]
        await asyncio.gather(self._staying("flowsctl observer", self._observer, []), *canaries)

    async def _staying(
        self, name: str, work: Callable[[Session, str, list[tuple[str, str]]], Awaitable[None]], share: list[Any]
    ) -> None:
        """`work` in a session of that name, again whenever the server comes back: the engine may make it only now."""
        arguments = {**self._settings.conninfo(), "application_name": name, "options": f"-c lock_timeout={PATIENCE}"}
        while not self._over.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(
                    **arguments, autocommit=True, prepare_threshold=None
                ) as session:
                    await work(session, name, share)
            except psycopg.OperationalError:
                await asyncio.sleep(RETRY)

    async def _canary(self, session: Session, name: str, tables: list[tuple[str, str]]) -> None:
        texts = {table: await _attempt(session, table) for table in tables}
        while not self._over.is_set():
            for table in [*tables]:
                self._blockers[name] = Counter()
                began = time.monotonic()
                if await self._comes_in(session, texts[table]):
                    self._note(table, time.monotonic() - began, self._blockers[name])
                else:
                    tables.remove(table)
            await asyncio.sleep(PERIOD)

    async def _comes_in(self, session: Session, attempt: str) -> bool:
        """Whether the table is still there; a wait goes on through several attempts."""
        while True:
            try:
                await session.execute(attempt.encode())
                return True
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                await session.execute("ROLLBACK")
                if self._over.is_set():
                    return True
            except psycopg.errors.UndefinedTable:
                await session.execute("ROLLBACK")
                return False

    def _note(self, table: tuple[str, str], seconds: float, blockers: Counter[str]) -> None:
        """A wait counts if it was seen what for: on a busy machine a mere answer may take as long."""
        known = self._waits.setdefault(table, Wait())
        if blockers and seconds > known.seconds:
            known.seconds, known.blocker = seconds, blockers.most_common(1)[0][0]

    async def _observer(self, session: Session, _name: str, _share: object) -> None:
        await session.execute("SET search_path TO public")
        schemas = f"ARRAY[{', '.join(literal(each) for each in self._schemas)}]::text[]"
        look = _SEEN.format(provider=literal(PROVIDER), canary=literal(APPLICATION), schemas=schemas)
        while not self._over.is_set():
            rows = await (await session.execute(look.encode())).fetchall()
            self._take_in(rows)
            await asyncio.sleep(PERIOD)

    def _take_in(self, rows: Iterable[tuple[Any, ...]]) -> None:
        present = set()
        for what, pid, query, name, mode in rows:
            present.add(pid)
            if step := self._step_of(query):
                self._last[pid] = step
            if what == "wait":
                self._blockers.setdefault(name, Counter())[self._told(pid, query)] += 1
            elif pid in self._last and mode in MODES:
                add(self.locks.setdefault(self._last[pid][0], {}), name, MODES[mode])
        self._last = {pid: step for pid, step in self._last.items() if pid in present}

    def _step_of(self, query: str) -> tuple[str, str] | None:
        """Subject and statement of the plan that a session's text is: the plan's own words hold no secret."""
        found = [key for key in self._steps if key in query]
        return self._steps[max(found, key=len)] if found else None

    def _told(self, pid: int, query: str) -> str:
        """A session's statement, or the one that its transaction goes back to. Of another, what stands before its first
        value: that may be a secret."""
        if pid in self._last:
            subject, sql = self._last[pid]
            return f"{subject}: {_short(sql)}"
        words = _short(query.removeprefix(DDL_SESSION).lstrip("\n ;").replace("$", "'").partition("'")[0])
        return words or "a statement that cannot be seen"


def _beginnings(steps: Iterable[Step]) -> dict[str, tuple[str, str]]:
    """Beginning of what a session's text is -> subject and statement. Statements of one transaction are one text, of
    which the server shows a thousand bytes; the one that costs most stands for them."""
    found = {}
    for step in steps:
        for together, group in in_groups(step.statements):
            for statement in group[:1] if together else group:
                told = max(group, key=lambda each: (STRENGTH[each.lock], len(each.hazards))) if together else statement
                key = statement.sql[:KEY]
                for placeholder, _ in statement.secrets:
                    key = key.partition(placeholder)[0]
                if key.strip():
                    found[key] = (step.subject, told.sql)
    return found


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TEXT else words[: TEXT - 2] + " …"


async def _attempt(session: Session, table: tuple[str, str]) -> str:
    """What a canary says: chunks are locked with their table, unless they are too many."""
    name = qualified(*table)
    found = await (await session.execute(_OPEN.format(table=literal(name)).encode())).fetchone()
    only = "ONLY " if found is not None and found[0] > MOST_CHUNKS else ""
    return f"BEGIN; LOCK TABLE {only}{name} IN ROW EXCLUSIVE MODE; ROLLBACK"
