"""What lives as long as the plugin process: one database, its applier, the way to talk to the user."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .wire import redact

if TYPE_CHECKING:
    from ..apply import Applier
    from ..capabilities import ServerCapabilities
    from ..connection import ConnectionSettings, Database
    from ..planner import Planned
    from ..rebuild import Change
    from ..review import Reviewed
    from ..sizes import Size
    from ..snapshot import SnapshotCache
    from ..statement import Statement


DECLINED = "refused"
"""A passing message that flowsctl takes for its exit code 3: the protocol's errors carry nothing but a text."""


class EngineLog:
    """Speaks to the user: the engine shows messages under the resource with that URN. The plugin's own stdout and
    stderr are hidden (research/ecosystem.md C14)."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel: Any = None
        self._stub: Any = None

    async def info(self, urn: str, text: str, *, status: bool = False) -> None:
        """A message; `status`: only while the resource is worked on."""
        await self._log(1, urn, text, status)

    async def warning(self, urn: str, text: str) -> None:
        """A warning."""
        await self._log(2, urn, text, False)

    async def declined(self, urn: str) -> None:
        """Marks the error that follows as a refusal, for whoever reads the engine's events."""
        await self._log(1, urn, DECLINED, True)

    async def _log(self, severity: Any, urn: str, text: str, ephemeral: bool) -> None:
        if not self._address:
            return
        import grpc

        from .protocol import engine_pb2, engine_pb2_grpc

        if self._stub is None:
            self._channel = grpc.aio.insecure_channel(self._address)
            self._stub = engine_pb2_grpc.EngineStub(self._channel)
        request = engine_pb2.LogRequest(severity=severity, message=text, urn=urn, streamId=0, ephemeral=ephemeral)
        with contextlib.suppress(grpc.aio.AioRpcError):  # a message that does not arrive must not fail the change
            await self._stub.Log(request)

    async def close(self) -> None:
        """Closes the channel; a later message opens it again."""
        channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            await channel.close()


class Session:
    """Made by Configure. Opens nothing by itself: the database connects on first use."""

    def __init__(self, log: EngineLog) -> None:
        self.log = log
        self.settings: ConnectionSettings | None = None
        self.seen_capabilities: ServerCapabilities | None = None
        self.reviewed: Reviewed | None = None
        """The plan that this run is held to."""
        self.planned: Planned | None = None
        """What this run would do, as the Manifest found it out; None where it was not needed or could not be told."""
        self.server_changes = False
        """Whether this run puts another server in the place of the one that a preview can ask."""
        self.has_written = False
        """Whether this run has changed any object."""
        self._planning = asyncio.Lock()
        self._has_planned = False
        self.registered: list[tuple[str, str, dict[str, Any]]] = []
        """(kind, URN, inputs) of every object that has a resource in the program of this run."""
        self._database: Database | None = None
        self._applier: Applier | None = None
        self._snapshots: SnapshotCache | None = None

    def configure(self, settings: ConnectionSettings) -> None:
        """Takes the provider's configuration. Does not connect: it runs at preview too.

        Raises:
            Declined: the reviewed plan that this run is held to cannot be read.
        """
        self.settings = settings
        if os.environ.get("PULUMI_TIMESCALEDB_PLAN"):  # review.PLAN_FILE: the import is not for every start
            from ..review import Reviewed

            self.reviewed = Reviewed.of_environment(os.environ)

    @property
    def database(self) -> Database:
        """The database of this provider instance."""
        if self._database is None:
            from ..connection import ConnectionSettings, Database

            self._database = Database(self.settings or ConnectionSettings())
        return self._database

    @property
    def applier(self) -> Applier:
        """What applies objects."""
        if self._applier is None:
            from ..apply import Applier

            self._applier = Applier(self.database)
            self._applier.reviewed = self.reviewed
        return self._applier

    @property
    def whole_is_known(self) -> bool:
        """Whether the Manifest of this run has been checked."""
        return self._applier is not None and self._applier.whole is not None

    @property
    def snapshots(self) -> SnapshotCache:
        """Shared reads."""
        if self._snapshots is None:
            from ..snapshot import SnapshotCache

            self._snapshots = SnapshotCache(self.database)
        return self._snapshots

    def capabilities(self) -> ServerCapabilities:
        """What plans of a preview assume: what the Manifest last saw, or a current server of the declared edition."""
        if self.seen_capabilities is not None:
            return self.seen_capabilities
        from ..preflight import assumed

        return assumed(self.applier.whole)

    async def plan(self, stack: str) -> Planned | None:
        """What this run would do to the database; None where there is no Manifest or the server cannot be asked (a
        preview starts none). Found out once."""
        whole = self.applier.whole
        if whole is None:
            return None
        async with self._planning:
            if self.planned is None and not self._has_planned:
                from ..errors import Unreachable
                from ..planner import plan_database

                self._has_planned = True
                if self.database.running() or self.database.gone() or self.reviewed is not None:
                    with contextlib.suppress(Unreachable):
                        self.planned = await plan_database(
                            self.database, whole, stack, self.applier.allowed, server_changes=self.server_changes
                        )
        return self.planned

    async def settled(self, change: Change, stack: str) -> Change:
        """A planned change with what only the server can tell of it; as it is where no server runs."""
        if change.closure is None or self.database.gone() or not self.database.running():
            return change
        from ..errors import Unreachable
        from ..succession.settle import ask

        try:
            return await ask(self.database, change, stack)
        except Unreachable:
            return change

    async def show(
        self,
        urn: str,
        statements: Sequence[Statement],
        secrets: frozenset[str] = frozenset(),
        size: Size | None = None,
    ) -> None:
        """Statements as a preview shows them: SQL, lock, hazards, how much there is."""
        if not statements:
            return
        from ..sizes import notes

        lines: list[str] = []
        for statement in statements:
            lines += [*(f"-- {note}" for note in notes(statement, size)), f"{statement.sql};"]
        await self.log.info(urn, redact("\n".join(lines), secrets))

    async def close(self) -> None:
        """Closes the connections; may be called twice (Cancel comes at every normal end, ecosystem.md C12)."""
        if self._database is not None:
            await self._database.close()
        await self.log.close()
