"""Seal: the last resource. After an update it checks the result and reloads the API; on destroy it is asked first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from .. import adopt, ledger
from ..errors import DataWouldBeLost, ProviderError, Unreachable
from ..executor import query, transaction
from ..ledger import Entry
from ..planner import identity_of
from ..specs import spec_type
from ..sqltext import literal, qualified
from .handler import Call, Difference, Found
from .manifest import refuse_other
from .objects import spec_of
from .session import Session
from .wire import bare, has_unknown

ID = "seal"
_HOLDS_DATA = ("Table", "ContinuousAggregate", "MaterializedView")


class SealHandler:
    """Inputs: `declarations` (a digest, so that any change comes by here), `apiFolder` and `apiChannel` (PostgREST to
    reload: a process of this machine, or one that listens)."""

    async def check(self, session: Session, call: Call) -> tuple[dict[str, Any], list[str]]:
        """Nothing to check."""
        return call.new, []

    async def diff(self, session: Session, call: Call) -> Difference:
        """Any change of the whole passes here last; so does a repair of drift, which changes no declaration."""
        if session.has_written:
            return Difference({"declarations": "update"})
        keys = call.old.keys() | call.new.keys()
        return Difference({key: "update" for key in sorted(keys) if call.old.get(key) != call.new.get(key)})

    async def create(self, session: Session, call: Call) -> tuple[str, dict[str, Any]]:
        """See update."""
        return ID, await self.update(session, call)

    async def update(self, session: Session, call: Call) -> dict[str, Any]:
        """Everything declared must be in the ledger and nothing half-built; then the API reads the schema anew."""
        if call.preview:
            return call.new
        async with session.database.connection() as connection:
            rows = [row for row in await query(connection, ledger.select_all_sql()) if row["stack"] == call.stack]
        half = [f"{row['kind']} {row['id']}" for row in rows if row["step"]]
        if half:
            raise ProviderError(
                f"{', '.join(half)}: left half-built by an earlier run. Run the update again to finish it."
            )
        await _record_imports(session, rows, set(call.new.get("elsewhere") or ()), call.stack)
        await adopt.accept(session.applier, [Entry.from_row(row) for row in rows], call.stack)
        if folder := call.new.get("apiFolder"):
            await _reload_api(Path(folder))
        if channel := call.new.get("apiChannel"):
            async with session.database.connection() as connection:
                await query(connection, f"SELECT pg_catalog.pg_notify({literal(str(bare(channel)))}, 'reload schema')")
        return {**call.new, **(await identity_of(session.database) or {})}

    async def delete(self, session: Session, call: Call) -> None:
        """Refuses while data exists, unless the stack is disposable. Nothing else is deleted then. Refuses also where
        the configuration in the state leads to another database (an update that was refused has left it there): every
        object would be found gone, and the real ones left behind."""
        database = session.database
        if call.state.get("ledger") and not database.gone() and database.running():
            refuse_other(call.state, await identity_of(database))
        if database.settings.disposable:
            return
        way_out = "Set `disposable` to true and run the update, then destroy; nothing was touched."
        try:
            if not session.database.running():
                raise Unreachable("the server does not run.")
            holding = await _holding_data(session, call.stack)
        except Unreachable as error:
            raise DataWouldBeLost(
                f"Destroy refused: cannot tell whether the database holds data: {error} {way_out}"
            ) from None
        if holding:
            shown = ", ".join(holding[:5]) + (f" and {len(holding) - 5} more" if len(holding) > 5 else "")
            raise DataWouldBeLost(f"Destroy refused: {len(holding)} relations hold data ({shown}). {way_out}")

    async def read(self, session: Session, call: Call) -> Found | None:
        """It stands for no object of its own."""
        return Found(call.id, call.old, call.state)


async def _record_imports(session: Session, rows: list[dict[str, Any]], elsewhere: set[str], stack: str) -> None:
    """What is declared and not in the ledger was imported, or has no resource, which is an error."""
    whole = session.applier.whole
    if whole is None:
        return
    applied = {(row["kind"], row["id"]) for row in rows}
    missing = [
        spec
        for spec in whole.specs.values()
        if (spec.KIND, spec.import_id()) not in applied and spec.KIND not in elsewhere
    ]
    if not missing:
        return
    kinds = {spec.KIND for spec in missing}
    urns = {
        spec_of(spec_type(kind), inputs).reference(): urn
        for kind, urn, inputs in session.registered
        if kind in kinds and not has_unknown(inputs)
    }
    without = [f"{spec.KIND} {spec.import_id()}" for spec in missing if spec.reference() not in urns]
    if without:
        raise ProviderError(
            f"{len(without)} declared objects have no resource in the program: {', '.join(without[:5])}. Make one for "
            "each, or take them out of the declarations."
        )
    await adopt.record(session.applier, [(urns[spec.reference()], spec) for spec in missing], stack)


async def _holding_data(session: Session, stack: str) -> list[str]:
    async with transaction(session.database) as connection:
        format = ledger.format_of((await query(connection, ledger.EXISTS))[0])
        if format is None:
            return []
        entries = [Entry.from_row(row) for row in await query(connection, ledger.select_all_sql(format))]
        parts = []
        for entry in entries:
            if entry.kind in _HOLDS_DATA and entry.stack == stack:
                name = qualified(*entry.declared_spec().identity())
                # An unpopulated materialized view cannot be read, and holds nothing.
                there = f"pg_catalog.to_regclass({literal(name)})"
                populated = f"(SELECT relispopulated FROM pg_catalog.pg_class WHERE oid = {there})"
                parts.append(
                    (entry.id, populated, f"SELECT {literal(entry.id)} AS id WHERE EXISTS (SELECT FROM {name})")
                )
        if not parts:
            return []
        checks = await query(
            connection, " UNION ALL ".join(f"SELECT {literal(i)} AS id, {p} AS there" for i, p, _ in parts)
        )
        readable = {row["id"] for row in checks if row["there"]}
        selects = [select for i, _, select in parts if i in readable]
        return sorted(row["id"] for row in await query(connection, " UNION ALL ".join(selects))) if selects else []


async def _reload_api(folder: Path) -> None:
    """PostgREST that runs reads the schema anew; one that does not will when it starts."""
    from ..local import process
    from ..local.postgrest import EmbeddedApi

    if process.recorded(folder / "api.json") is not None:
        await asyncio.to_thread(EmbeddedApi(folder, port=0).reload)  # the port plays no part in a reload
