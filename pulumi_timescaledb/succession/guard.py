"""What a succession does not do: lose what is not allowed, leave behind what nobody declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..catalog import SESSION
from ..errors import ProviderError
from ..executor import query
from ..kinds.base import shown
from ..losses import refuse_losses
from ..render import render
from ..sqltext import display, qualified
from ..statement import Statement
from .closure import Closure
from .coverage import facts, uncovered
from .plan import losses

if TYPE_CHECKING:
    from ..apply import Applier


class Guard:
    """Asks the server in the transaction that is about to do it."""

    def __init__(self, applier: Applier, closure: Closure) -> None:
        self._applier, self._closure = applier, closure

    async def refuse_lost(self, connection: Any, statements: Sequence[Statement]) -> None:
        """Raises DataWouldBeLost where a statement loses what may not be lost."""
        allowed = self._applier.allowed | {*self._closure.root.allow, *self._closure.wanted.allow}
        disposable = self._applier.database.settings.disposable
        await refuse_losses(connection, shown(self._closure.wanted), statements, disposable, allowed)

    async def refuse_uncovered(self, connection: Any, source: Any, since: Mapping[str, str]) -> None:
        """Raises DataWouldBeLost where buckets have no raw data any more. `since`: only of these aggregates, by import
        id, and from these times on; of all where it is empty."""
        told = {}
        for member, _ in self._closure.built:
            rows, key = await facts(connection, *member.old.identity()), member.old.import_id()
            if (not since or key in since) and (lost := await uncovered(connection, rows, source, since.get(key))):
                told[key] = lost
        await self.refuse_lost(connection, [Statement("", hazards=losses(self._closure, told))])

    async def refuse_strangers(self, connection: Any) -> None:
        """Raises ProviderError where there is what nobody declared, or what cannot be made again: it would stay on the
        old ones and stop their drop."""
        relations = [qualified(*member.old.identity()) for member in self._closure.members]
        known = {member.old.identity() for member in self._closure.members}
        known |= {spec.identity()[:2] for spec in self._closure.standing}
        found = await query(connection, SESSION, render("continuous_aggregate/strangers", relations=relations))
        for row in found:
            if (row["schema"], row["name"]) not in known:
                raise ProviderError(
                    f"{shown(self._closure.wanted)} must be built anew, and {row['what']} "
                    f"{display(row['schema'], row['name'])}, which stands on it, is not declared. Declare or "
                    "drop it."
                )
