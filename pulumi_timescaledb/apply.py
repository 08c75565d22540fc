"""Applying one object: look, plan, run, read back, record, all in one transaction where the plan allows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ledger, ripple, wording
from .catalog import SESSION
from .connection import Database
from .drift import as_seen, differences, put_right
from .errors import Declined, Drifted, Foreign
from .executor import query, query_all, retried, run, run_alone, transaction
from .finding import Looked, find, find_gone, lock, read
from .kinds import Context, Kind
from .kinds.base import shown
from .ledger import Entry
from .losses import may_lose, refuse_forbidden, refuse_losses
from .rebuild import Change, plan_change, reads_around, stands_alone
from .recording import INTENT, Caller, Work, record
from .renames import Rename, Renames
from .renaming import make_rename, other_stack
from .sizes import measure, relation_of
from .specs import Reference, Spec
from .specs.table import Table
from .sqltext import qualified
from .statement import Refused, Statement, in_groups
from .steps import in_steps, intent_sql
from .succession.run import Run
from .succession.settle import settled
from .succession.step import Step
from .succession.tidy import tidy
from .turns import Turns
from .whole import Whole

if TYPE_CHECKING:
    from .review import Reviewed


class Applier:
    """Applies objects to one database. `whole` and `allowed` come from the Manifest of this run, if there is one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.whole: Whole | None = None
        self.old_whole: Whole | None = None
        self.allowed: frozenset[str] = frozenset()
        self.reviewed: Reviewed | None = None
        """The plan that every statement must be in."""
        self._renames: Renames | None = None
        self._renamed: set[Reference] = set()
        self._adopted: set[Reference] = set()
        self._ledger_made = False
        self._turns = Turns()

    def know(self, old: Whole, new: Whole) -> None:
        """Takes over the Manifest's pictures, before and after this run."""
        self.whole, self._renames = new, Renames.declared(new)
        self.old_whole = self._renames.of(old).carry(old)

    def renames_for(self, new: Spec) -> Renames:
        """The renames that are declared; without a Manifest only the object's own."""
        return self._renames if self._renames is not None else Renames.declared(Whole([new]))

    async def context(self) -> Context:
        """What plans may know."""
        return Context(await self.database.capabilities(), self.whole)

    async def apply(self, kind: Kind[Any], state: Spec | None, new: Spec, caller: Caller) -> list[Statement]:
        """Makes the server show `new`. `state` is what the engine's state holds; None means create.

        Raises:
            ProviderError: it cannot be done; nothing was changed.
        """
        async with self._turns.of(new), self._among(kind, state, new):
            return await retried(lambda: self._apply(kind, state, new, caller))

    @asynccontextmanager
    async def _among(self, kind: Kind[Any], state: Spec | None, new: Spec) -> AsyncIterator[None]:
        """Changes that read everything around them go alone, each in its transaction's locks: two would wait for each
        other, and one beside a table that is written again would wait for longer than anybody does."""
        alone = state is not None and reads_around(kind, state, new, await self.context())
        if state is None or not (alone or isinstance(new, Table)):
            yield
            return
        async with self._turns.among(alone=alone):
            yield

    async def _apply(self, kind: Kind[Any], state: Spec | None, new: Spec, caller: Caller) -> list[Statement]:
        await self.ensure_ledger()
        context = await self.context()
        pending = self._pending(new)
        await tidy(self, state if state is not None else new, new, caller)
        locks = sorted({lock(spec) for spec in (new, *(s for r in pending for s in (r.old, r.new)))})
        async with transaction(self.database, SESSION, turn="; ".join(locks)) as connection:
            renamed = [s for r in pending for s in await make_rename(connection, r, caller, context, self.reviewed)]
            before, looked = await find(connection, kind, state, new, context)
            context = replace(context, live=looked.relations)
            old = self._decide(kind, state, new, looked, caller)
            wanted = new
            if old is not None and looked.live is not None:
                wanted = new if looked.entry is None else put_right(looked.entry, looked.live, new)
                old = await wording.in_words_of(connection, kind, looked.live, old, wanted, context)
            planned = await self._plan(connection, kind, (old, wanted), caller, context)
            change = await settled(connection, planned, caller.stack)
            if self.reviewed is not None:
                self.reviewed.permit(new, change.statements)
            specs = (*(spec for _, spec in change.rebuilt), state, new)
            await self._refuse_losses(connection, looked.live, change.statements, specs)
            work = Work(kind, before, old, new, change, caller, context, looked)
            groups = in_groups(change.statements) if change.closure is None else []
            if change.closure is None:
                _, first = groups.pop(0) if groups and groups[0][0] else (True, [])
                await self._step(connection, work, first, last=not groups, noted=work.noted())
        if change.closure is not None:
            return await Run(self, change.closure, caller).go()
        if groups:
            await in_steps(self.database, work, first, groups, self._next_step)
        if state is None and looked.entry is not None:
            self._adopted.add(new.reference())
        self._renamed.update(rename.new.reference() for rename in pending)
        self._after(kind)
        return [*renamed, *change.statements]

    def _pending(self, new: Spec) -> list[Rename]:
        """Renames that this object follows and that this run has not seen made: whoever comes first makes them, the
        renamed object or what stands on it."""
        each = self.renames_for(new).each
        return [r for r in each if r.new.reference() not in self._renamed and r.back().follow(new) != new]

    async def _next_step(self, work: Work, statements: Sequence[Statement], last: bool) -> None:
        async with transaction(self.database, SESSION, turn=lock(work.new)) as connection:
            await self._step(connection, work, statements, last=last)

    async def _step(
        self, connection: Any, work: Work, statements: Sequence[Statement], *, last: bool, noted: Sequence[str] = ()
    ) -> None:
        """Statements in the open transaction, with the other objects whose text they rewrite, and the record; an intent
        if more is to come. `noted` goes into the history."""
        old = work.old
        ripples = old is not None and bool(statements) and work.kind.ripples(old, work.new)
        forms = await ripple.forms(connection, work.context) if ripples else None
        await run(connection, statements, shown(work.new))
        if last:
            await record(connection, work, noted)
        else:
            renamed = work.before is not work.new and await read(connection, work.kind, work.new, work.context)
            await query_all(connection, intent_sql(work, work.new if renamed else work.before), *noted)
        if forms is not None:
            key = (work.new.KIND, work.new.import_id())
            later = ripple.rewritten(forms, await ripple.forms(connection, work.context), key)
            await query_all(connection, *later)

    async def _plan(
        self,
        connection: Any,
        kind: Kind[Any],
        change: tuple[Spec | None, Spec | None],
        caller: Caller,
        context: Context,
    ) -> Change:
        """The plan of `change`, from one spec to the other. What depends on the object is taken from the ledger: a run
        that ended early has left some of it in its old form and some in the new one."""
        old, new = change
        before = None
        try:
            if not stands_alone(kind, old, new, context):
                forms = await ripple.forms(connection, context)
                before = forms.applied(caller.stack)
            return plan_change(kind, old, new, context, before)
        except Refused as refusal:
            raise Declined(f"{shown(new or old)}: {refusal}") from None  # type: ignore[arg-type]

    async def delete(self, kind: Kind[Any], state: Spec, caller: Caller) -> list[Statement]:
        """Removes the object; it being gone already is fine.

        Raises:
            ProviderError: it cannot be removed, or data would be lost.
        """
        async with self._turns.of(state):
            return await retried(lambda: self._delete(kind, state, caller))

    async def _delete(self, kind: Kind[Any], state: Spec, caller: Caller) -> list[Statement]:
        await self.ensure_ledger()
        await tidy(self, state, None, caller)
        context = await self.context()
        async with transaction(self.database, SESSION, turn=lock(state)) as connection:
            state, looked = await find_gone(connection, kind, state, caller, context)
            if self._has_passed_on(state, looked.entry, caller):
                return []
            if looked.entry is not None and looked.entry.stack != caller.stack:
                raise other_stack(state, looked.entry)
            statements: list[Statement] = []
            if looked.live is not None:
                old = looked.entry.declared_spec() if looked.entry is not None else looked.live
                context = replace(context, live=looked.relations)
                statements = (await self._plan(connection, kind, (old, None), caller, context)).statements
                if self.reviewed is not None:
                    self.reviewed.permit(state, statements)
                await self._refuse_losses(connection, looked.live, statements, (state,))
            if statements:
                texts = [caller.redact(statement.sql) for statement in statements]
                await query_all(connection, ledger.history_sql(caller.stack, caller.urn, state, "delete", texts))
            together = all(statement.transactional for statement in statements)
            if together:
                await run(connection, statements, shown(state))
                await query_all(connection, ledger.forget_sql(state))
        if not together:  # a crash in between is mended by deleting again
            for statement in statements:
                await retried(lambda: run_alone(self.database, statement, shown(state)))  # noqa: B023
            async with transaction(self.database, SESSION, turn=lock(state)) as connection:
                await query_all(connection, ledger.forget_sql(state))
        self._after(kind)
        if kind.spec.KIND == "Extension":
            await self.database.renew()
        return statements

    def _after(self, kind: Kind[Any]) -> None:
        if kind.spec.KIND == "Extension":
            self.database.forget_capabilities()

    def _decide(self, kind: Kind[Any], state: Spec | None, new: Spec, looked: Looked, caller: Caller) -> Spec | None:
        """The spec that the server's object stands for, in the program's words where they are known."""
        live, entry = looked.live, looked.entry
        if entry is not None and entry.stack != caller.stack:
            raise other_stack(new, entry)
        if live is None:
            return None
        if entry is not None and entry.step and Step.of(entry) is None:
            # left half-way: the recorded form tells only what was not touched
            return as_seen(entry, live) if entry.step == INTENT else live
        if entry is None:
            if state is None and not kind.adopts_existing:
                raise Foreign(
                    f"{shown(new)} exists and was not made by this provider. Drop or rename it, or adopt it with "
                    f'the resource option import_="{new.import_id()}".'
                )
            return live
        if entry.canonical_spec().comparable() == live.comparable():
            return entry.declared_spec().with_secrets_of(state)
        seen = as_seen(entry, live)
        # A refresh took the drift into the state, under the name that the object had then.
        if state is not None and self.renames_for(new).follow(state).comparable() == seen.comparable():
            return seen.with_secrets_of(state)
        if kind.adopts_existing:
            return live
        fields = ", ".join(differences(entry.canonical_spec(), live))
        raise Drifted(
            f"{shown(new)} was changed outside of Pulumi ({fields}). Run `flowsctl refresh` (or `pulumi refresh`) to "
            "take that into the state, look at the preview, then run the update again."
        )

    def _has_passed_on(self, state: Spec, entry: Entry | None, caller: Caller) -> bool:
        """Whether the resource that goes has lost its object to another one (it got another name or place in the
        program) or to its own replacement: then nothing goes with it."""
        other = entry is not None and entry.urn != caller.urn and entry.former == caller.urn
        return other or state.reference() in self._adopted

    async def _refuse_losses(
        self, connection: Any, live: Spec | None, statements: Sequence[Statement], specs: Sequence[Spec | None]
    ) -> None:
        """A table is locked before it is asked whether it holds anything: nobody fills it between question and drop."""
        subject = next(spec for spec in reversed(specs) if spec is not None)
        await refuse_forbidden(connection, shown(subject), statements)
        allowed = self.allowed | {token for spec in specs if spec is not None for token in spec.allow}
        if self.database.settings.disposable or not may_lose(statements, allowed):
            return
        if isinstance(live, Table):
            await connection.execute(f"LOCK TABLE {qualified(*live.identity())} IN ACCESS EXCLUSIVE MODE".encode())
        relation = relation_of(live if live is not None else subject)
        has_extension = (await self.database.capabilities()).timescaledb is not None
        sizes = await measure(connection, [relation] if relation is not None else [], has_extension)
        await refuse_losses(connection, shown(subject), statements, False, allowed, next(iter(sizes.values()), None))

    async def ensure_ledger(self) -> None:
        """Makes the ledger where there is none, and brings an older version's to the present format.

        Raises:
            Declined: it is a newer version's.
        """
        if self._ledger_made:
            return
        async with self.database.connection() as connection:
            found = ledger.format_of((await query(connection, ledger.EXISTS))[0])
        if found != ledger.FORMAT:
            await retried(self._make_ledger)
        self._ledger_made = True

    async def _make_ledger(self) -> None:
        turn = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('pulumi_timescaledb'))"
        async with transaction(self.database, turn=turn) as connection:
            found = ledger.format_of((await query(connection, ledger.EXISTS))[0])  # another may have been faster
            if found != ledger.FORMAT:
                await connection.execute(ledger.made_sql(found).encode())
