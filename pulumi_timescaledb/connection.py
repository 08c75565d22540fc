"""Connections to the database: how to reach it, what it can do, a bounded pool."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .capabilities import EMBEDDED, ServerCapabilities
from .errors import LibraryMissing, Unreachable

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

KEEP_DATA = "PULUMI_TIMESCALEDB_KEEP_DATA"
"""Environment variable that takes `disposable` away for one run. It can only tighten: a destroy does not run the
program, so what the command line says would otherwise not reach the provider, whose settings are in the state."""
CONNECT_PATIENCE = 15.0
"""Seconds that the pool tries to connect before the server counts as gone."""
ADMIN = "postgres"
"""The superuser that the embedded server boots with; it makes the provider's own user."""


@dataclass(frozen=True)
class ConnectionSettings:
    """Provider configuration. Everything is known before the run: with an unknown value the engine would not ask the
    provider at preview at all (research/ecosystem.md C13)."""

    host: str = field(default="", metadata={"doc": "Host name, or the folder of a Unix socket."})
    port: int = field(default=5432, metadata={"doc": "Port."})
    user: str = field(default="", metadata={"doc": "User that owns what is created."})
    password: str = field(default="", repr=False, metadata={"doc": "Its password.", "secret": True})
    database: str = field(default="postgres", metadata={"doc": "Database."})
    sslmode: str = field(default="prefer", metadata={"doc": "libpq sslmode; verify-full for anything remote."})
    sslrootcert: str = field(default="", metadata={"doc": "CA file for sslmode verify-ca and verify-full."})
    embedded_folder: str = field(
        default="", metadata={"doc": "Folder of an embedded server; it is started when it does not run."}
    )
    disposable: bool = field(
        default=False, metadata={"doc": "Whether data may be lost: true for branch and test databases only."}
    )
    lock_timeout: int = field(default=2000, metadata={"doc": "Longest wait for a lock, in milliseconds."})
    statement_timeout: int = field(default=600_000, metadata={"doc": "Longest statement, in milliseconds; 0 = none."})
    history_file: str = field(default="", metadata={"doc": "File that gets the history when the ledger is dropped."})
    edition: str = field(
        default="community",
        metadata={"doc": "Edition of TimescaleDB, community or apache, that plans assume until the server is there."},
    )
    max_connections: int = field(default=8, metadata={"doc": "Most connections at once."})

    @classmethod
    def from_wire(cls, properties: Mapping[str, Any]) -> ConnectionSettings:
        """From provider properties in camelCase; whatever is not text may come as JSON text (ecosystem.md B1).

        Raises:
            ValueError: a value has the wrong type; it names the property.
        """
        from pydantic.alias_generators import to_camel

        values: dict[str, Any] = {}
        for each in fields(cls):
            name = to_camel(each.name)
            value = properties.get(name)
            if value is None:
                continue
            if each.type != "str" and isinstance(value, str):
                with contextlib.suppress(ValueError):  # told below, with what is wanted
                    value = json.loads(value)
            if each.type == "int" and (isinstance(value, bool) or not isinstance(value, (int, float)) or value % 1):
                raise ValueError(f"provider property {name} must be a whole number")
            if each.type == "bool" and not isinstance(value, bool):
                raise ValueError(f"provider property {name} must be true or false")
            if each.type == "str" and not isinstance(value, str):
                raise ValueError(f"provider property {name} must be text")
            values[each.name] = int(value) if each.type == "int" else value
        if values.get("edition", "community") not in ("community", "apache"):
            raise ValueError("provider property edition must be community or apache")
        if os.environ.get(KEEP_DATA):
            values["disposable"] = False
        return cls(**values)

    def conninfo(self, user: str | None = None) -> dict[str, Any]:
        """Arguments for psycopg."""
        arguments: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": user or self.user,
            "dbname": self.database,
            "application_name": "pulumi-timescaledb",
            "connect_timeout": 10,
        }
        if self.password:
            arguments["password"] = self.password
        if not self.host.startswith("/"):
            arguments["sslmode"] = self.sslmode
            if self.sslrootcert:
                arguments["sslrootcert"] = self.sslrootcert
        return arguments

    def expected(self) -> ServerCapabilities:
        """What a server that cannot be asked yet is planned for."""
        if self.embedded_folder:
            return EMBEDDED
        return ServerCapabilities(community=self.edition == "community")

    def shown(self) -> str:
        """Where this leads, for messages."""
        if self.embedded_folder:
            return "the embedded server"
        return f'database "{self.database}" at {self.host}:{self.port} as "{self.user}"'


class Database:
    """The database behind the provider: opened on first use, at most `max_connections` connections."""

    def __init__(self, settings: ConnectionSettings, *, absent: bool = False) -> None:
        """`absent`: the caller knows that the database was not made yet."""
        self.settings = settings
        self._absent = absent
        self._pool: AsyncConnectionPool[Any] | None = None
        self._opening = asyncio.Lock()
        # One backend serves every client of the embedded server: more connections only add hand-overs.
        self._most = 1 if settings.embedded_folder else max(1, settings.max_connections)
        # Waiting for one's turn may take as long as it takes; waiting for the server may not.
        self._places = asyncio.Semaphore(self._most)
        self._sole = asyncio.Lock()
        self._capabilities: ServerCapabilities | None = None

    def running(self) -> bool:
        """Whether connecting would not have to start a server."""
        return not self.settings.embedded_folder or self._embedded().is_running()

    def gone(self) -> bool:
        """Whether the database was not made yet, as where an embedded server has no data folder: connecting would make
        an empty one."""
        folder = self.settings.embedded_folder
        return self._absent or (bool(folder) and not (Path(folder) / "data").exists())

    def _embedded(self) -> Any:
        from .local.server import EmbeddedServer

        return EmbeddedServer(Path(self.settings.embedded_folder), self.settings.port)

    async def _open(self) -> AsyncConnectionPool[Any]:
        async with self._opening:
            if self._pool is not None:
                return self._pool
            import psycopg
            from psycopg_pool import AsyncConnectionPool

            if self.settings.embedded_folder:
                from .local.process import LocalServerError

                try:
                    await asyncio.to_thread(self._embedded().ensure_running)
                except LocalServerError as error:
                    raise Unreachable(str(error)) from None
            try:
                await self._make_user()
                async with await psycopg.AsyncConnection.connect(**self.settings.conninfo()) as probe:
                    await probe.execute("SELECT 1")  # the first command loads TimescaleDB's library
            except psycopg.errors.UndefinedFile as error:
                raise await self._without_library(str(error)) from None
            except psycopg.OperationalError as error:
                reason = " ".join(str(error).split())
                raise Unreachable(
                    f"cannot connect to {self.settings.shown()}: {reason}. Check host, port, user and password, "
                    "or start the server."
                ) from None
            pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
                kwargs={**self.settings.conninfo(), "autocommit": True, "prepare_threshold": None},
                min_size=0,
                max_size=self._most,
                timeout=CONNECT_PATIENCE,
                configure=_configure,
                open=False,
            )
            await pool.open()
            self._pool = pool
            return pool

    async def _without_library(self, reason: str) -> LibraryMissing:
        """What is wrong where the library cannot be loaded (an image with a newer package), and what is there."""
        import psycopg

        from .render import render

        arguments = {**self.settings.conninfo(), "options": "-c timescaledb.disable_load=on"}
        async with await psycopg.AsyncConnection.connect(**arguments) as connection:
            found = await connection.execute(render("catalog/extension_versions", names=["timescaledb"]).encode())
            names = [column.name for column in found.description or ()]
            row = dict(zip(names, await found.fetchone() or (), strict=False))
        return LibraryMissing(
            self.settings.shown(),
            reason,
            str(row.get("installed_version") or ""),
            str(row.get("default_version") or ""),
            row.get("reachable") or (),
        )

    async def _make_user(self) -> None:
        """The embedded server knows only its first superuser; elsewhere the user exists before we come."""
        if not self.settings.embedded_folder or self.settings.user == ADMIN:
            return
        import psycopg

        from .sqltext import ident, literal

        async with await psycopg.AsyncConnection.connect(**self.settings.conninfo(ADMIN), autocommit=True) as admin:
            found = await admin.execute(f"SELECT FROM pg_roles WHERE rolname = {literal(self.settings.user)}")
            if found.rowcount == 0:
                with contextlib.suppress(psycopg.errors.DuplicateObject):  # another process was faster
                    await admin.execute(f"CREATE ROLE {ident(self.settings.user)} LOGIN SUPERUSER")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection in autocommit mode.

        Raises:
            Unreachable: there is no way to connect.
        """
        async with self._places:
            connection, pool = await self._connected()
            try:
                yield connection
            finally:
                await pool.putconn(connection)

    @asynccontextmanager
    async def session(self, *, alone: bool = False, **settings: Any) -> AsyncIterator[AsyncConnection[Any]]:
        """A new connection in autocommit mode that nobody has used and nobody will use after: for what must be the
        first command of a session, or leaves traces in it. `settings` are the session's from its very start. `alone`:
        there is no other connection of ours meanwhile, and every later one is new.

        Raises:
            psycopg.Error: it cannot be made.
        """
        import psycopg

        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        arguments = {**self.settings.conninfo(), "options": options, "autocommit": True, "prepare_threshold": None}
        async with (
            self._alone() if alone else self._places,
            await psycopg.AsyncConnection.connect(**arguments) as found,
        ):
            yield found

    async def renew(self) -> None:
        """Every later connection is a new one; those in use are waited for. After the extension timescaledb was dropped
        a session that had loaded its library fails at its next DDL: schema "_timescaledb_functions" does not exist."""
        async with self._alone():
            pass

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Holds every place, with the pool closed. One at a time: two that share the places would wait for ever."""
        async with self._sole, contextlib.AsyncExitStack() as places:
            for _ in range(self._most):
                await places.enter_async_context(self._places)
            await self.close()
            yield

    async def _connected(self) -> tuple[AsyncConnection[Any], AsyncConnectionPool[Any]]:
        """A connection and the pool it goes back to. Where none is to be had the server may have died since:
        opening the pool again starts an embedded one, and says what is wrong with any other."""
        from psycopg_pool import PoolClosed, PoolTimeout

        for last in (False, True):
            pool = self._pool or await self._open()
            try:
                return await pool.getconn(), pool
            except (PoolTimeout, PoolClosed) as error:
                if last:
                    raise Unreachable(f"cannot connect to {self.settings.shown()}: {error}") from None
                await self.close()
        raise AssertionError("unreachable")

    async def capabilities(self) -> ServerCapabilities:
        """What the server can do; asked once until `forget_capabilities`."""
        if self._capabilities is None:
            from .executor import query
            from .render import render

            async with self.connection() as connection:
                rows = await query(connection, render("catalog/capabilities"))
            self._capabilities = ServerCapabilities.from_row(rows[0])
        return self._capabilities

    def forget_capabilities(self) -> None:
        """To be called after an extension changed."""
        self._capabilities = None

    async def close(self) -> None:
        """Closes every connection; may be called twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(timeout=3)


async def _configure(connection: AsyncConnection[Any]) -> None:
    """pydantic's JSON reader takes a third of the time of Python's, of which a bulk read has tens of thousands."""
    from psycopg.types.json import set_json_loads
    from pydantic_core import from_json

    set_json_loads(from_json, connection)
