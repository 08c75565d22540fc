"""Manifest: the first resource. Sees every declaration, refuses before anything is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .. import ledger, preflight
from ..capabilities import ServerCapabilities
from ..errors import Declined, LibraryMissing, Unreachable
from ..executor import query, transaction
from ..manifest import violations
from ..plan import Refusal, Standing, make_plan
from ..planner import identity_of, losses
from ..policing import Policies, PolicyError, advice, refusals
from ..render import render
from ..review import document
from ..specs import Reference
from ..statement import Statement
from ..whole import Whole
from .handler import Call, Difference, Found
from .objects import validation_faults
from .session import Session
from .wire import bare, has_unknown

ID = "manifest"


class ManifestHandler:
    """Inputs: `declarations` (packed), `allow` (tokens), `policies` (levels, exemptions), `server` (what it is made
    of). Outputs: which database this is, and what it can do."""

    async def check(self, session: Session, call: Call) -> tuple[dict[str, Any], list[str]]:
        """Rules, refusals and data losses of the whole change. Also hands the whole picture to every later call of
        this process: the engine checks the Manifest first, because everything depends on it."""
        if has_unknown(call.new):
            return call.new, ["declarations must be known before the run: use config, not outputs of other resources"]
        try:
            new = Whole.unpack(str(bare(call.new.get("declarations") or "")))
        except ValidationError as error:
            return call.new, [fault for fault, _ in validation_faults(error)]
        except (ValueError, LookupError) as error:
            return call.new, [str(error)]
        try:
            findings = Policies.from_wire(bare(call.new.get("policies"))).findings(new)
        except PolicyError as error:
            return call.new, [str(error)]
        old = new
        if call.old.get("declarations") != call.new["declarations"]:
            try:
                old = Whole.unpack(call.old["declarations"]) if call.old.get("declarations") else Whole()
            except (ValueError, LookupError):
                fault = (
                    "the declarations in the state were written by another version of this provider: run the update "
                    "with that version once, or take the Manifest out of the state (`pulumi state delete`)"
                )
                return call.new, [fault]
        # Whether it was put there already is not told: `check` is the same at preview and at apply.
        session.server_changes = bool(call.old) and bare(call.old.get("server")) != bare(call.new.get("server"))
        applier = session.applier
        applier.allowed = frozenset(bare(call.new.get("allow")) or ())
        faults = violations(new, session.seen_capabilities or preflight.assumed(new)) + refusals(findings)
        for text in advice(findings):
            await session.log.warning(call.urn, text)
        if faults:
            await session.log.declined(call.urn)
            return call.new, faults
        applier.know(old, new)
        if session.reviewed is not None:
            faults = await _moved(session, call.stack, new)
        if not faults:
            faults = [str(refusal) for refusal in await _refusals(session, call.stack, old, new)]
        if faults:
            await session.log.declined(call.urn)
        return call.new, faults

    async def diff(self, session: Session, call: Call) -> Difference:
        """Besides the declarations: whether this is still the same database. A changed host in the provider's
        configuration alone previews as no change (DESIGN 4.1, checked)."""
        session.seen_capabilities = _capabilities(call.state)
        await _look(session, call)
        if session.server_changes and session.seen_capabilities is not None:
            session.seen_capabilities = preflight.coming(session.seen_capabilities, session.applier.whole or Whole())
        _refuse_violations(session)
        paths = {
            key: "update"
            for key in ("declarations", "allow", "policies", "server")
            if (call.old.get(key) or None) != (call.new.get(key) or None)
        }
        if session.planned is not None and any(step.verb == "delete" for step in session.planned.plan.steps):
            paths["declarations"] = "update"  # drops that an earlier run did not come to: they must be shown again
        return Difference(paths)

    async def create(self, session: Session, call: Call) -> tuple[str, dict[str, Any]]:
        """Makes the ledger."""
        return ID, await self.update(session, call)

    async def update(self, session: Session, call: Call) -> dict[str, Any]:
        """Records which database this is. At preview: shows what disappears, which the engine never asks about."""
        if call.preview:
            if call.old.get("declarations"):
                await self._show_drops(session, call)
            return {**call.state, **call.new}
        whole = session.applier.whole or Whole()
        caught_up = await preflight.catch_up(session.database, whole)
        capabilities, faults = await preflight.examine(session.database, whole)
        if faults:
            raise Declined(" ".join(faults))
        session.seen_capabilities = capabilities
        await session.applier.ensure_ledger()
        if caught_up is not None:
            extension = whole.specs[Reference("Extension", (preflight.NAME,))]
            async with transaction(session.database) as connection:
                note = ledger.history_sql(call.stack, call.urn, extension, "update", [caught_up.sql])
                await query(connection, note)
        await _finish_rebuilds(session, call)
        identity = await identity_of(session.database)
        known = {"capabilities": json.dumps(capabilities.to_wire()), "stack": call.stack}
        return {**call.new, **(identity or {}), **known}

    async def _show_drops(self, session: Session, call: Call) -> None:
        planned = await session.plan(call.stack)
        if planned is not None:
            plan = planned.plan
        else:
            old, new = Whole.unpack(call.old["declarations"]), Whole.unpack(call.new["declarations"])
            plan = make_plan(Standing(old), new, session.capabilities())
        for step in plan.steps:
            if step.verb == "delete":
                title = Statement(f"-- {step.subject} is no longer declared")
                await session.show(call.urn, [title, *step.statements], size=step.size)

    async def delete(self, session: Session, call: Call) -> None:
        """Drops the ledger, last of all, and writes its history to the configured file first."""
        async with transaction(session.database) as connection:
            if ledger.format_of((await query(connection, ledger.EXISTS))[0]) is None:
                return
            # All of this stack's own entries are gone by now: what is left belongs to somebody else.
            others = await query(connection, "SELECT id FROM pulumi_timescaledb.ledger LIMIT 1")
            if others:
                return
            await _export_history(session, await query(connection, render("ledger/history_all")))
            await connection.execute(render("ledger/drop").encode())

    async def read(self, session: Session, call: Call) -> Found | None:
        """The Manifest exists while the ledger does."""
        identity = await identity_of(session.database)
        if identity is None:
            return None
        if call.state.get("ledger") not in (None, identity["ledger"]):
            refuse_other(call.state, identity)
        return Found(call.id, call.old, {**call.state, **identity})


async def _look(session: Session, call: Call) -> None:
    """Asks the server where it can be asked: whether TimescaleDB must be updated before anything else can be asked,
    which is shown; whether this is the same database; what it can do.

    Raises:
        ProviderError: it is another database, or cannot be reached.
    """
    database, whole = session.database, session.applier.whole or Whole()
    if not database.gone() and database.running():
        try:
            behind = await preflight.behind(database, whole)
        except LibraryMissing:
            if not session.server_changes:
                raise
            return  # the files that come may have it; if they do not, the update says so
        except Unreachable:
            behind = None  # whoever asks it next says so
        if behind is not None:
            await session.show(call.urn, [behind])
            return
    elif not database.gone():
        return
    if call.state.get("ledger"):
        refuse_other(call.state, None if database.gone() else await identity_of(database))
        await _refuse_renamed_stack(session, call)
        session.seen_capabilities = await preflight.capabilities(database, whole)


async def _finish_rebuilds(session: Session, call: Call) -> None:
    """What a run that ended early left of aggregates built anew, unless this run goes on with it."""
    from ..recording import Caller
    from ..succession.tidy import tidy_all

    if session.applier.whole is not None:
        caller = Caller(call.stack, call.urn, say=lambda text: session.log.info(call.urn, text))
        await tidy_all(session.applier, caller)


def _refuse_violations(session: Session) -> None:
    """The rules once more where the server's edition is known: `check` sees no state to know it from."""
    whole = session.applier.whole
    if whole is not None and (faults := violations(whole, session.capabilities())):
        raise Declined(" ".join(faults))


def refuse_other(state: dict[str, Any], found: dict[str, str] | None) -> None:
    """Raises ProviderError unless `found` is the database that `state` stands for."""
    if found is None:
        raise Declined(
            "The provider's configuration leads to a database without the ledger of this stack: it is another one, or "
            "it was emptied. Correct host, port, database and folder, or, if everything really is gone, run "
            "`flowsctl refresh` (or `pulumi refresh`)."
        )
    if any(bare(state.get(key)) not in (None, value) for key, value in found.items()):
        raise Declined(
            "The provider's configuration leads to another database than the one this stack made. Correct "
            "host, port and database, or, if this is a copy or a restore, run `flowsctl ledger rebind`."
        )


async def _refuse_renamed_stack(session: Session, call: Call) -> None:
    """Raises ProviderError where the state was another stack's, whose objects the ledger still has: they would all be
    refused one by one, or, once dropped from the program, be left behind."""
    known = bare(call.state.get("stack"))
    if known in (None, call.stack):
        return
    async with session.database.connection() as connection:
        owners = {row["stack"] for row in await query(connection, render("ledger/owners"))}
    if known in owners and call.stack not in owners:
        raise Declined(
            f"The objects of this database belong to stack {known}, and this is stack {call.stack}. If it was renamed, "
            f"run `flowsctl ledger rebind` to give them to {call.stack}; otherwise use another database."
        )


async def _refusals(session: Session, stack: str, old: Whole, new: Whole) -> list[Refusal]:
    """What stands in the way of the whole change. Against the ledger where the server answers and has our objects;
    else against what the state holds."""
    if old is not new or await _has_undeclared(session, stack, new):
        planned = await session.plan(stack)
        if planned is not None and (planned.standing.applied.specs or not old.specs or old is new):
            # What stands there, not what the state remembers: after an update that failed those are two pictures.
            session.applier.old_whole = planned.standing.applied
            return [refusal for refusal in planned.plan.refusals if not refusal.foreign]
    if not old.specs or old is new:
        return []
    plan = make_plan(Standing(old), new, session.capabilities())
    return plan.refusals or await losses(session.database, plan.steps, session.applier.allowed)


async def _moved(session: Session, stack: str, new: Whole) -> list[str]:
    """Why the reviewed plan of this run does not hold any more."""
    assert session.reviewed is not None
    planned = await session.plan(stack)
    if planned is None:
        return ["The reviewed plan cannot be checked, because the server does not answer. Start it and run again."]
    try:
        session.reviewed.demand(document(planned, new, stack, session.applier.allowed))
    except Declined as moved:
        return [str(moved)]
    return []


async def _has_undeclared(session: Session, stack: str, new: Whole) -> bool:
    """Whether the ledger has objects of this stack that are no longer declared; no where the server cannot be asked."""
    database = session.database
    if database.gone() or not database.running():
        return False
    try:
        async with database.connection() as connection:
            if ledger.format_of((await query(connection, ledger.EXISTS))[0]) is None:
                return False
            rows = await query(connection, ledger.keys_sql(stack))
    except Unreachable:
        return False
    declared = {(spec.KIND, spec.import_id()) for spec in new.specs.values()}
    return any((row["kind"], row["id"]) not in declared for row in rows)


def _capabilities(state: dict[str, Any]) -> ServerCapabilities | None:
    text = bare(state.get("capabilities"))
    return ServerCapabilities.from_wire(json.loads(text)) if text else None


async def _export_history(session: Session, rows: list[dict[str, Any]]) -> None:
    target = session.database.settings.history_file
    if not target or not rows:
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In one step and each line once: a run that dies before the ledger is dropped exports it again.
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    known = set(lines)
    lines += [line for row in rows if (line := json.dumps(row, default=str, ensure_ascii=False)) not in known]
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    partial.replace(path)
