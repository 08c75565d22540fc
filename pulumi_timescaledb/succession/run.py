"""Walking the steps of a succession. Each commits with its mark in the ledger; a run that died is taken up there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from .. import ledger
from ..catalog import SESSION
from ..errors import ProviderError, is_transient, statement_failed
from ..executor import query, query_all, retried, run, run_alone, transaction
from ..finding import Looked, lock, read
from ..kinds import kind_of
from ..kinds.base import shown
from ..recording import Work, record_touched
from ..render import render
from ..specs.columnstore import Columnstore
from ..sqltext import literal
from ..statement import LockLevel, Statement
from .closure import Closure, Member
from .coverage import Span, catch_up, facts, span, windows
from .guard import Guard
from .plan import build, convert, drops, refresh, swap
from .settle import under_way
from .step import Step
from .tidy import marked

if TYPE_CHECKING:
    from ..apply import Applier
    from ..recording import Caller

ROUNDS = 5
"""How often the old aggregates may move on under the last catching up before we give up until the next run."""

LOCKING = 800
"""Milliseconds in which the swap has all its locks or gives way: less than PostgreSQL's deadlock_timeout of a second,
so that a reader of several relations who waits for us is never the one whom the server ends as a deadlock's victim."""
GIVING_WAY = 4
"""Tries that give way so early. After them the configured lock timeout counts: long readers would win for ever."""


class Moved(Exception):
    """The old aggregate was refreshed since the new one caught up."""


class Run:
    """One succession on its way through its steps."""

    def __init__(self, applier: Applier, closure: Closure, caller: Caller) -> None:
        self.applier, self.closure, self.caller = applier, closure, caller
        self.guard = Guard(applier, closure)
        self._locks = sorted(lock(member.old) for member in closure.members)
        self._ran: list[Statement] = []
        self._step: Step | None = None
        self._tries = 0

    @property
    def step(self) -> Step:
        """Where it stands."""
        assert self._step is not None
        return self._step

    async def go(self) -> list[Statement]:
        """To the end.

        Raises:
            ProviderError: it cannot go on; what is done stays, and the next run goes on from there.
        """
        try:
            return await self._go()
        except psycopg.Error as error:  # tried often enough: not for the whole of it to be tried again
            if not is_transient(error):
                raise
            raise statement_failed(shown(self.closure.root), "a step of its rebuild", error) from None

    async def _go(self) -> list[Statement]:
        await retried(self._begin)
        for number in range(self.step.built, len(self.closure.built)):
            await retried(lambda: self._build(number))  # noqa: B023
        for member, _ in self.closure.built:
            await self._fill(member)
            await self._convert(member)
        await self._change_places()
        await retried(self._drop)
        return self._ran

    async def _say(self, text: str) -> None:
        await self.caller.say(f"{shown(self.closure.root)}: {text}")

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Any]:
        """A transaction in which nobody else changes these aggregates."""
        async with transaction(self.applier.database, *self._locks, SESSION) as connection:
            yield connection

    async def _keep(self, connection: Any, step: Step | None, statements: Sequence[Statement]) -> None:
        """The mark of a step, and what was run for it, in the open transaction."""
        await query_all(connection, SESSION)
        await marked(connection, self.closure.root, self._step, step)
        await self._note(connection, statements)

    async def _note(self, connection: Any, statements: Sequence[Statement]) -> None:
        texts = [self.caller.redact(statement.sql) for statement in statements]
        root = self.closure.root
        await query_all(connection, ledger.history_sql(self.caller.stack, self.caller.urn, root, "update", texts))

    async def _begin(self) -> None:
        """The lowest new aggregate, together with the first mark; or the mark that an earlier run left."""
        async with self._turn() as connection:
            self._step = await under_way(connection, self.closure, self.caller.stack)
            if self._step is not None:
                await self._say(f"taken up again, {self._step.built} of {len(self.closure.built)} built")
                return
            await self.guard.refuse_strangers(connection)
            statements = build(self.closure, 0)
            await run(connection, statements, shown(self.closure.wanted))
            await query_all(connection, SESSION)
            source = await facts(connection, *self._name(self.closure.members[0]))
            await self.guard.refuse_uncovered(connection, source, {})
            step = Step(
                self.closure.digest,
                "built",
                1,
                tuple(self._name(member) for member, _ in self.closure.built),
                tuple((member.old.schema_, member.retired) for member in self.closure.members),
                source_from=source["source_from"],
            )
            root = self.closure.root
            live = await self._live(connection, root)
            await query_all(
                connection, ledger.record_sql(self.caller.stack, self.caller.urn, root, live, step=step.text())
            )
            await self._note(connection, statements)
        self._took(step, statements)
        await self._say(f"{self._name(self.closure.members[0])[1]} stands")

    def _took(self, step: Step | None, statements: Sequence[Statement]) -> None:
        self._step = step
        self._ran += statements

    @staticmethod
    def _name(member: Member) -> tuple[str, str]:
        return member.old.schema_, member.stand_in

    async def _live(self, connection: Any, spec: Any) -> Any:
        live = await read(connection, kind_of(spec.KIND), spec, self.closure.context)
        if live is None:
            raise ProviderError(f"{shown(spec)} is not there any more. Run the update again.")
        return live

    async def _build(self, number: int) -> None:
        """An upper one, on the stand-ins of those below."""
        statements = build(self.closure, number)
        step = replace(self.step, built=number + 1)
        async with self._turn() as connection:
            await self._keep(connection, step, statements)
            await run(connection, statements, shown(self.closure.built[number][1]))
        self._took(step, statements)
        await self._say(f"{self._name(self.closure.built[number][0])[1]} stands")

    async def _fill(self, member: Member) -> None:
        """Window by window, each marked: readers of the old one and writers go on meanwhile."""
        key = member.old.import_id()
        async with self._turn() as connection:
            new = await facts(connection, *self._name(member))
            old = await facts(connection, *member.old.identity())
            whole = await span(connection, old, new)
            planned = await windows(connection, new, whole, self.step.done.get(key))
        for number, window in enumerate(planned, 1):
            statement = refresh(member, _at(window.start, new), _at(window.stop, new))
            await self._alone(statement)
            until = planned[number].at if number < len(planned) else str(whole.stop)
            await retried(lambda: self._filled(member, window.at, until, [statement]))  # noqa: B023
            await self._say(f"{self._name(member)[1]} filled to {until}, window {number} of {len(planned)}")

    async def _filled(self, member: Member, at: str, until: str, statements: list[Statement]) -> None:
        step = self.step.filled_to(member.old.import_id(), until)
        async with self._turn() as connection:
            if member is self.closure.members[0]:
                await self._refuse_retention(connection, at)
            await self._keep(connection, step, statements)
        self._took(step, statements)

    async def _refuse_retention(self, connection: Any, at: str) -> None:
        """Raw data that was dropped under a window while it was filled is not in it."""
        source = await facts(connection, *self._name(self.closure.members[0]))
        now, first = source["source_from"] or "infinity", self.step.source_from or ""
        if now != first and now > at:
            await self.guard.refuse_uncovered(connection, source, {self.closure.root.import_id(): at})

    async def _alone(self, statement: Statement) -> None:
        await retried(lambda: run_alone(self.applier.database, statement, shown(self.closure.root)))

    async def _convert(self, member: Member) -> None:
        """Filled chunks go into the columnstore where those of the old one are."""
        if not any(isinstance(wanted, Columnstore) for _, wanted in self.closure.satellites(member.old)):
            return
        async with self._turn() as connection:
            new, old = await facts(connection, *self._name(member)), await facts(connection, *member.old.identity())
            rows = await query(connection, render("continuous_aggregate/to_convert", new=new, old=old))
        for number, row in enumerate(rows, 1):
            await self._alone(convert(row["chunk"]))
            await self._say(f"{self._name(member)[1]} in columnstore, chunk {number} of {len(rows)}")

    async def _change_places(self) -> None:
        for _ in range(ROUNDS):
            caught = [await self._caught_up(member) for member, _ in self.closure.built]
            try:
                await retried(lambda: self._swap(caught))  # noqa: B023
            except Moved:
                continue
            await self._say("the new ones are in place")
            return
        raise ProviderError(
            f"{shown(self.closure.root)}: it is refreshed faster than the new one catches up. What is filled "
            "stays: pause its refresh policy, or run the update again when less is written."
        )

    async def _caught_up(self, member: Member) -> Span:
        """What the old one holds, all of it refreshed in the new one."""
        async with self._turn() as connection:
            new, old = await facts(connection, *self._name(member)), await facts(connection, *member.old.identity())
            held = await span(connection, old)
            whole = await span(connection, old, new)
            lowest = await facts(connection, *self._name(self.closure.members[0]))
            moved = lowest["source_from"] if lowest["source_from"] != self.step.source_from else None
            window = await catch_up(connection, new, whole, moved)
        if window is not None:
            await self._alone(refresh(member, _at(window.start, new), _at(window.stop, new)))
        return held

    async def _swap(self, caught: Sequence[Span]) -> None:
        change = swap(self.closure)
        step = replace(self.step, phase="swapped")
        async with self._turn() as connection:
            await marked(connection, self.closure.root, self._step, step)
            await self._give_way(connection, change.statements)
            for (member, _), held in zip(self.closure.built, caught, strict=True):
                rows = await facts(connection, *member.old.identity())
                await query_all(connection, render("continuous_aggregate/lock_rows", rows=rows))
                if (await span(connection, rows)).stop != held.stop:
                    raise Moved
            await self.guard.refuse_strangers(connection)
            await self.guard.refuse_lost(connection, change.statements)
            await run(connection, change.statements, shown(self.closure.wanted))
            wanted = self.closure.wanted
            live = await self._live(connection, wanted)
            context = self.closure.context
            work = Work(
                kind_of(wanted.KIND),
                wanted,
                self.closure.root,
                wanted,
                change,
                self.caller,
                context,
                Looked(live, None),
            )
            records = [ledger.record_sql(self.caller.stack, self.caller.urn, wanted, live, step=step.text())]
            for touched in change.rebuilt:
                records += await record_touched(connection, touched, work)
            await query_all(connection, SESSION, *records)
            await self._note(connection, change.statements)
        self._took(step, change.statements)

    async def _give_way(self, connection: Any, statements: Sequence[Statement]) -> None:
        waits = sum(statement.lock == LockLevel.ACCESS_EXCLUSIVE for statement in statements)
        self._tries += 1
        if self._tries <= GIVING_WAY:
            each = min(self.applier.database.settings.lock_timeout, LOCKING // max(waits, 1))
            await query_all(connection, f"SET LOCAL lock_timeout TO {max(each, 10)}")

    async def _drop(self) -> None:
        statements = drops(self.closure)
        async with self._turn() as connection:
            await self._keep(connection, None, statements)
            await run(connection, statements, shown(self.closure.wanted))
        self._took(None, statements)
        await self._say("done, the old ones are dropped")


def _at(time: str, rows: Any) -> str:
    """A time as SQL, of the type of the buckets."""
    return f"{literal(time)}::{rows['type']}"
