"""Applying one object: look, plan, run, read back, record, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import ledger, ripple
from .catalog import SESSION, Catalog
from .connection import Database
from .drift import as_seen, differences
from .errors import Declined, Drifted, Foreign, ProviderError, StatementFailed
from .executor import query, query_all, retried, run, run_alone, transaction
from .kinds import Context, Kind
from .kinds.base import shown
from .ledger import Entry
from .losses import may_lose, refuse_losses
from .rebuild import Change, plan_change
from .sizes import measure, relation_of
from .snapshot import read_statements
from .specs import Spec
from .specs.table import Table
from .sqltext import literal, qualified
from .statement import Refused, Statement
from .whole import Whole

if TYPE_CHECKING:
    from .review import Reviewed


@dataclass(frozen=True)
class Caller:
    """On whose behalf something is applied."""

    stack: str
    urn: str
    redact: Callable[[str], str] = str
    """Takes out what the program marked secret beyond the fields that always are."""


@dataclass
class Looked:
    """What the server and the ledger show of one object."""

    live: Spec | None
    entry: Entry | None


@dataclass(frozen=True)
class Work:
    """One planned change of one object, on its way to the server. `before` is the spec under its old name, `known`
    whether the ledger had it."""

    kind: Kind[Any]
    before: Spec
    old: Spec | None
    new: Spec
    change: Change
    caller: Caller
    context: Context
    known: bool


class Applier:
    """Applies objects to one database. `whole` and `allowed` come from the Manifest of this run, if there is one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.whole: Whole | None = None
        self.old_whole: Whole | None = None
        self.allowed: frozenset[str] = frozenset()
        self.reviewed: Reviewed | None = None
        """The plan that every statement must be in."""
        self._ledger_made = False

    async def context(self) -> Context:
        """What plans may know."""
        return Context(await self.database.capabilities(), self.whole)

    async def apply(self, kind: Kind[Any], state: Spec | None, new: Spec, caller: Caller) -> list[Statement]:
        """Makes the server show `new`. `state` is what the engine's state holds; None means create.

        Raises:
            ProviderError: it cannot be done; nothing was changed.
        """
        return await retried(lambda: self._apply(kind, state, new, caller))

    async def _apply(self, kind: Kind[Any], state: Spec | None, new: Spec, caller: Caller) -> list[Statement]:
        await self.ensure_ledger()
        context = await self.context()
        subject = shown(new)
        before = state if state is not None and state.identity() != new.identity() else new
        async with transaction(self.database, _lock(new), SESSION) as connection:
            looked = await self._look(connection, kind, before, context)
            old = self._decide(kind, state, new, looked, caller)
            change = self._plan(kind, old, new, context)
            if self.reviewed is not None:
                self.reviewed.permit(new, change.statements)
            await self._refuse_losses(connection, looked.live, change.statements, (state, new))
            work = Work(kind, before, old, new, change, caller, context, looked.entry is not None)
            if change.transactional:
                await self._run_here(connection, work)
            else:  # an intent first: whoever comes after a crash plans from what is really there
                live = looked.live if looked.live is not None else new
                await query_all(connection, ledger.record_sql(caller.stack, caller.urn, new, live, step="intent"))
        if not change.transactional:
            try:
                await self._run_alone(change.statements, subject)
            except StatementFailed:
                if looked.entry is None:  # a create that came to nothing leaves nothing
                    async with self.database.connection() as connection:
                        await query_all(connection, ledger.forget_sql(new))
                raise
            async with transaction(self.database, _lock(new), SESSION) as connection:
                await self._record(connection, work)
        self._after(kind)
        return change.statements

    async def _run_here(self, connection: Any, work: Work) -> None:
        """Statements and record in the open transaction, with the other objects whose text the change rewrites."""
        ripples = work.old is not None and bool(work.change.statements) and any(True for _ in work.new.provides())
        forms = await ripple.forms(connection, work.context) if ripples else {}
        await run(connection, work.change.statements, shown(work.new))
        await self._record(connection, work)
        if ripples:
            key = (work.new.KIND, work.new.import_id())
            later = ripple.rewritten(forms, await ripple.forms(connection, work.context), key)
            await query_all(connection, *later)

    async def _run_alone(self, statements: Sequence[Statement], subject: str) -> None:
        """Statements that refuse to run in a transaction, one by one."""
        async with self.database.connection() as connection:
            for statement in statements:
                await run_alone(connection, statement, subject)

    async def _record(self, connection: Any, work: Work) -> None:
        """The ledger's entry, with the form the server shows now, and the history."""
        caller, new = work.caller, work.new
        live = await self._read(connection, work.kind, new, work.context)
        if live is None:
            raise ProviderError(
                f"{shown(new)}: it was created and the catalog does not show it; this is a bug of the provider."
            )
        records = [ledger.record_sql(caller.stack, caller.urn, new, live, work.before.import_id())]
        if work.change.statements:
            verb = "update" if work.known else "create"
            texts = [caller.redact(statement.sql) for statement in work.change.statements]
            records.append(ledger.history_sql(caller.stack, caller.urn, new, verb, texts))
        for touched in work.change.rebuilt:
            records += await self._record_touched(connection, touched, work.context)
        await query_all(connection, *records)

    def _plan(self, kind: Kind[Any], old: Spec | None, new: Spec | None, context: Context) -> Change:
        try:
            return plan_change(kind, old, new, context, self.old_whole)
        except Refused as refusal:
            raise Declined(f"{shown(new or old)}: {refusal}") from None  # type: ignore[arg-type]

    async def delete(self, kind: Kind[Any], state: Spec, caller: Caller) -> list[Statement]:
        """Removes the object; it being gone already is fine.

        Raises:
            ProviderError: it cannot be removed, or data would be lost.
        """
        return await retried(lambda: self._delete(kind, state, caller))

    async def _delete(self, kind: Kind[Any], state: Spec, caller: Caller) -> list[Statement]:
        await self.ensure_ledger()
        context = await self.context()
        async with transaction(self.database, _lock(state), SESSION) as connection:
            looked = await self._look(connection, kind, state, context)
            if looked.entry is not None and looked.entry.stack != caller.stack:
                raise _other_stack(state, looked.entry)
            statements: list[Statement] = []
            if looked.live is not None:
                old = looked.entry.declared_spec() if looked.entry is not None else looked.live
                statements = self._plan(kind, old, None, context).statements
                if self.reviewed is not None:
                    self.reviewed.permit(state, statements)
                await self._refuse_losses(connection, looked.live, statements, (state,))
            records = [ledger.forget_sql(state)]
            if statements:
                texts = [caller.redact(statement.sql) for statement in statements]
                records.append(ledger.history_sql(caller.stack, caller.urn, state, "delete", texts))
            together = all(statement.transactional for statement in statements)
            if together:
                await run(connection, statements, shown(state))
                await query_all(connection, *records)
        if not together:  # a crash in between is mended by deleting again
            await self._run_alone(statements, shown(state))
            async with transaction(self.database, _lock(state), SESSION) as connection:
                await query_all(connection, *records)
        self._after(kind)
        return statements

    def _after(self, kind: Kind[Any]) -> None:
        if kind.spec.KIND == "Extension":
            self.database.forget_capabilities()

    def _decide(self, kind: Kind[Any], state: Spec | None, new: Spec, looked: Looked, caller: Caller) -> Spec | None:
        """The spec that the server's object stands for, in the program's words where they are known."""
        live, entry = looked.live, looked.entry
        if entry is not None and entry.stack != caller.stack:
            raise _other_stack(new, entry)
        if live is None:
            return None
        if entry is not None and entry.step:  # left half-way: the recorded form says nothing about what is there
            return live
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
        if state is not None and state.comparable() == seen.comparable():  # a refresh took the drift into the state
            return seen.with_secrets_of(state)
        if kind.adopts_existing:
            return live
        fields = ", ".join(differences(entry.canonical_spec(), live))
        raise Drifted(
            f"{shown(new)} was changed outside of Pulumi ({fields}). Run `flowsctl refresh` (or `pulumi refresh`) to "
            "take that into the state, look at the preview, then run the update again."
        )

    async def _look(self, connection: Any, kind: Kind[Any], spec: Spec, context: Context) -> Looked:
        names, selects = read_statements([kind], kind.scope(spec.identity()), context.capabilities)
        rows, *results = await query_all(connection, ledger.select_sql(spec), *selects)
        live = kind.read(Catalog(dict(zip(names, results, strict=True)), context.capabilities)) if names else {}
        entry = Entry.from_row(rows[0]) if rows else None
        return Looked(live.get(spec.identity()) or kind.absent(spec.identity()), entry)

    async def _read(self, connection: Any, kind: Kind[Any], spec: Spec, context: Context) -> Spec | None:
        names, selects = read_statements([kind], kind.scope(spec.identity()), context.capabilities)
        results = (await query_all(connection, SESSION, *selects))[3:]
        live = kind.read(Catalog(dict(zip(names, results, strict=True)), context.capabilities))
        found: Spec | None = live.get(spec.identity()) or kind.absent(spec.identity())
        return found

    async def _record_touched(self, connection: Any, touched: tuple[Kind[Any], Spec], context: Context) -> list[str]:
        kind, spec = touched
        rows = await query(connection, ledger.select_sql(spec))
        live = await self._read(connection, kind, spec, context)
        if live is None or not rows:
            return []
        # Of a Grant only the rights that were lost came back; its own change of this run is still to come.
        half = spec.KIND == "Grant" and Entry.from_row(rows[0]).declared_spec().comparable() != spec.comparable()
        return [ledger.record_sql(rows[0]["stack"], rows[0]["urn"], spec, live, step="rebuilt" if half else None)]

    async def _refuse_losses(
        self, connection: Any, live: Spec | None, statements: Sequence[Statement], specs: Sequence[Spec | None]
    ) -> None:
        """A table is locked before it is asked whether it holds anything: nobody fills it between question and drop."""
        allowed = self.allowed | {token for spec in specs if spec is not None for token in spec.allow}
        if self.database.settings.disposable or not may_lose(statements, allowed):
            return
        if isinstance(live, Table):
            await connection.execute(f"LOCK TABLE {qualified(*live.identity())} IN ACCESS EXCLUSIVE MODE".encode())
        subject = next(spec for spec in reversed(specs) if spec is not None)
        relation = relation_of(live if live is not None else subject)
        has_extension = (await self.database.capabilities()).timescaledb is not None
        sizes = await measure(connection, [relation] if relation is not None else [], has_extension)
        await refuse_losses(connection, shown(subject), statements, False, allowed, next(iter(sizes.values()), None))

    async def ensure_ledger(self) -> None:
        """Makes the ledger where there is none."""
        if not self._ledger_made:
            async with self.database.connection() as connection:
                rows = await query(connection, ledger.EXISTS)
                if not rows[0]["exists"]:
                    lock = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('pulumi_timescaledb'))"
                    await connection.execute(f"BEGIN; {lock}; {ledger.create_sql()} COMMIT".encode())
            self._ledger_made = True


def _other_stack(spec: Spec, entry: Entry) -> Foreign:
    return Foreign(
        f'{shown(spec)} belongs to stack "{entry.stack}". Remove it from one of the two programs, or run '
        "`flowsctl ledger rebind` if this database is a copy."
    )


def _lock(spec: Spec) -> str:
    """One writer at a time per relation (or object), whatever the server's own locks do. Taken in the transaction, so
    that a pooler may stand between; two statements of one key never deadlock."""
    parent = spec.parent()
    key = (
        str(parent)
        if parent
        else f"Relation {spec.import_id()}"
        if any(True for _ in spec.provides())
        else str(spec.reference())
    )
    return f"SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended({literal(key)}, 0))"
