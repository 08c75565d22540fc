"""Manifest: the first resource. Sees every declaration, refuses before anything is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .. import ledger
from ..capabilities import ServerCapabilities
from ..errors import DataWouldBeLost, ProviderError, Unreachable
from ..executor import query, transaction
from ..losses import refuse_losses
from ..manifest import preflight, violations
from ..render import render
from ..statement import Statement
from ..whole import Whole
from .handler import Call, Difference, Found
from .objects import validation_faults
from .session import Session
from .wire import bare, has_unknown

ID = "manifest"


class ManifestHandler:
    """Inputs: `declarations` (packed), `allow` (tokens). Outputs: which database this is, and what it can do."""

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
        applier = session.applier
        applier.whole, applier.old_whole = new, old
        applier.allowed = frozenset(bare(call.new.get("allow")) or ())
        faults = violations(new, session.capabilities())
        if not faults and old.specs and old is not new:
            flight = preflight(old, new, session.capabilities())
            faults = flight.refusals or await _losses(session, list(flight.statements()))
        return call.new, faults

    async def diff(self, session: Session, call: Call) -> Difference:
        """Besides the declarations: whether this is still the same database. A changed host in the provider's
        configuration alone previews as no change (DESIGN 4.1, checked)."""
        session.seen_capabilities = _capabilities(call.state)
        database = session.database
        if call.state.get("ledger") and (database.gone() or database.running()):
            _refuse_other(call.state, None if database.gone() else await _identity(session))
            session.seen_capabilities = await database.capabilities()
        _refuse_violations(session)
        paths = {
            key: "update"
            for key in ("declarations", "allow")
            if (call.old.get(key) or None) != (call.new.get(key) or None)
        }
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
        session.seen_capabilities = capabilities = await session.database.capabilities()
        _refuse_violations(session)
        await session.applier.ensure_ledger()
        identity = await _identity(session)
        return {**call.new, **(identity or {}), "capabilities": json.dumps(capabilities.to_wire())}

    async def _show_drops(self, session: Session, call: Call) -> None:
        old, new = Whole.unpack(call.old["declarations"]), Whole.unpack(call.new["declarations"])
        for spec, statements in preflight(old, new, session.capabilities()).drops:
            title = Statement(f"-- {spec.KIND} {spec.import_id()} is no longer declared")
            await session.show(call.urn, [title, *statements])

    async def delete(self, session: Session, call: Call) -> None:
        """Drops the ledger, last of all, and writes its history to the configured file first."""
        async with transaction(session.database) as connection:
            if not (await query(connection, ledger.EXISTS))[0]["exists"]:
                return
            # All of this stack's own entries are gone by now: what is left belongs to somebody else.
            others = await query(connection, "SELECT id FROM pulumi_timescaledb.ledger LIMIT 1")
            if others:
                return
            await _export_history(session, await query(connection, render("ledger/history_all")))
            await connection.execute(render("ledger/drop").encode())

    async def read(self, session: Session, call: Call) -> Found | None:
        """The Manifest exists while the ledger does."""
        identity = await _identity(session)
        if identity is None:
            return None
        if call.state.get("ledger") not in (None, identity["ledger"]):
            _refuse_other(call.state, identity)
        return Found(call.id, call.old, {**call.state, **identity})


def _refuse_violations(session: Session) -> None:
    """The rules once more where the server's edition is known: `check` sees no state to know it from."""
    whole = session.applier.whole
    if whole is not None and (faults := violations(whole, session.capabilities())):
        raise ProviderError(" ".join(faults))


def _refuse_other(state: dict[str, Any], found: dict[str, str] | None) -> None:
    """Raises ProviderError unless `found` is the database that `state` stands for."""
    if found is None:
        raise ProviderError(
            "The provider's configuration leads to a database without the ledger of this stack: it is another one, or "
            "it was emptied. Correct host, port, database and folder, or, if everything really is gone, run "
            "`flowsctl refresh` (or `pulumi refresh`)."
        )
    if any(bare(state.get(key)) not in (None, value) for key, value in found.items()):
        raise ProviderError(
            "The provider's configuration leads to another database than the one this stack made. Correct "
            "host, port and database, or, if this is a copy or a restore, run `flowsctl ledger rebind`."
        )


async def _losses(session: Session, planned: list[tuple[str, frozenset[str], Statement]]) -> list[str]:
    database, allowed = session.database, session.applier.allowed
    risky = [each for each in planned if any(h.code == "data_loss" for h in each[2].hazards)]
    if not risky or database.settings.disposable:
        return []
    faults = []
    try:
        if not database.running():
            raise Unreachable("the server is not running.")
        async with transaction(database) as connection:
            for subject, own, statement in risky:
                try:
                    await refuse_losses(connection, subject, [statement], False, allowed | own)
                except DataWouldBeLost as loss:
                    faults.append(str(loss))
    except Unreachable as error:
        names = ", ".join(dict.fromkeys(subject for subject, _, _ in risky))
        faults.append(
            f"{names}: cannot tell whether data would be lost, because {error} Start the server, or allow the loss."
        )
    return faults


async def _identity(session: Session) -> dict[str, str] | None:
    async with session.database.connection() as connection:
        if not (await query(connection, ledger.EXISTS))[0]["exists"]:
            return None
        row = (await query(connection, render("ledger/identity")))[0]
    return {"systemIdentifier": row["system_identifier"], "ledger": row["ledger"]}


def _capabilities(state: dict[str, Any]) -> ServerCapabilities | None:
    text = bare(state.get("capabilities"))
    return ServerCapabilities.from_wire(json.loads(text)) if text else None


async def _export_history(session: Session, rows: list[dict[str, Any]]) -> None:
    target = session.database.settings.history_file
    if not target or not rows:
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, default=str, ensure_ascii=False) + "\n")
