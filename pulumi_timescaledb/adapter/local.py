"""Processes on this machine as resources: the embedded server and its API. No database objects here."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from ..connection import ADMIN, KEEP_DATA
from ..errors import DataWouldBeLost, ProviderError
from ..local import process
from ..local.postgrest import ApiSettings, EmbeddedApi
from ..local.server import EmbeddedServer
from .handler import Call, Difference, Found
from .session import Session
from .wire import bare, changed_paths, marked, secret_keys


class _Process:
    """What the two have in common: inputs are outputs, the folder is the identity."""

    required: tuple[str, ...] = ()

    async def check(self, session: Session, call: Call) -> tuple[dict[str, Any], list[str]]:
        """Required properties."""
        return call.new, [f"{name}: is required" for name in self.required if not bare(call.new.get(name))]

    async def diff(self, session: Session, call: Call) -> Difference:
        """A new folder is a new process; everything else restarts it."""
        paths = dict(changed_paths(bare(call.old), bare(call.new)))
        return Difference(paths, frozenset({"folder"} & paths.keys()))

    async def create(self, session: Session, call: Call) -> tuple[str, dict[str, Any]]:
        """Starts it."""
        if not call.preview:
            await self._start(session, call)
        return bare(call.new["folder"]), call.new

    async def update(self, session: Session, call: Call) -> dict[str, Any]:
        """Restarts it where its settings changed."""
        if not call.preview:
            await self._start(session, call)
        return call.new

    async def _start(self, session: Session, call: Call) -> None:
        raise NotImplementedError


class ServerHandler(_Process):
    """timescaledb:local:Server: the embedded server and its data folder."""

    required = ("folder",)

    def _server(self, properties: dict[str, Any]) -> EmbeddedServer:
        return EmbeddedServer(Path(bare(properties["folder"])), int(bare(properties.get("port")) or 5432))

    async def _start(self, session: Session, call: Call) -> None:
        await session.log.info(call.urn, "starting the embedded server", status=True)
        try:
            await asyncio.to_thread(self._server(call.new).ensure_running)
        except process.LocalServerError as error:
            raise ProviderError(str(error)) from None

    async def update(self, session: Session, call: Call) -> dict[str, Any]:
        """A new port means a new socket."""
        if not call.preview and call.old.get("port") != call.new.get("port"):
            await asyncio.to_thread(self._server(call.old).stop)
        return await super().update(session, call)

    async def diff(self, session: Session, call: Call) -> Difference:
        """The folder is the database: it may be moved, never exchanged. A replacement would start an empty one and
        delete the one with the data."""
        difference = await super().diff(session, call)
        old, new = (bare(each.get("folder")) for each in (call.old, call.new))
        if old == new or not (Path(old) / "data").exists():
            return Difference(difference.paths)
        raise ProviderError(
            f"The embedded server's data is in {old}, and its folder shall be {new}: the database would be left there. "
            "Put the folder back, or stop the server, move its folder there, and run again."
        )

    async def delete(self, session: Session, call: Call) -> None:
        """Stops it and deletes its folder; what is left in it must be disposable or nothing."""
        properties = call.old or call.state
        server = self._server(properties)
        disposable = bare(properties.get("disposable")) and not os.environ.get(KEEP_DATA)
        if (server.folder / "data").exists():
            left, owners = await asyncio.to_thread(_left, server)
            if others := sorted(set(owners) - {call.stack}):
                raise DataWouldBeLost(
                    f"The data folder {server.folder} is kept: it holds objects of {', '.join(others)}. Destroy that "
                    "first, or take this server out of the state (`pulumi state delete`)."
                )
            if left and not disposable:
                raise DataWouldBeLost(
                    f"The data folder {server.folder} is kept: it has {left} tables that this stack did not make. "
                    "Set `disposable` to true and run the update, or delete the folder by hand."
                )
        await asyncio.to_thread(server.remove)

    async def read(self, session: Session, call: Call) -> Found | None:
        """It exists while its data folder does; a process that ended is started again."""
        properties = call.old or call.state or {"folder": call.id}
        server = self._server(properties)
        if not server.folder.exists():
            return None
        await asyncio.to_thread(server.ensure_running)
        return Found(call.id, properties, properties)


def _left(server: EmbeddedServer) -> tuple[int, list[str]]:
    """Tables that no stack made, and the stacks that have objects in the database."""
    import psycopg

    from .. import ledger
    from ..render import render

    server.ensure_running()
    with psycopg.connect(server.dsn(ADMIN), autocommit=True, prepare_threshold=None) as connection:
        tables = connection.execute(render("catalog/tables_left").encode()).fetchone()
        known = connection.execute(ledger.EXISTS.encode()).fetchone()
        owners = connection.execute(render("ledger/owners").encode()).fetchall() if known and known[0] else []
    return (int(tables[0]) if tables else 0), [str(stack) for stack, _ in owners]


class ApiHandler(_Process):
    """timescaledb:local:RestApi: PostgREST before the embedded server."""

    required = ("folder", "port", "dsn", "jwtSecret")

    def _api(self, properties: dict[str, Any]) -> EmbeddedApi:
        return EmbeddedApi(Path(bare(properties["folder"])), int(bare(properties["port"])))

    async def _start(self, session: Session, call: Call) -> None:
        if call.old and call.old.get("port") != call.new.get("port"):
            await asyncio.to_thread(self._api(call.old).stop)
        try:
            await asyncio.to_thread(self._api(call.new).ensure_running, _settings(bare(call.new)))
        except (process.LocalServerError, ValueError) as error:
            raise ProviderError(f"The REST API: {error}") from None

    async def delete(self, session: Session, call: Call) -> None:
        """Stops it."""
        await asyncio.to_thread(self._api(call.old or call.state).stop)

    async def read(self, session: Session, call: Call) -> Found | None:
        """Exists while its process runs; without it the next update starts it again."""
        properties = call.old or call.state
        if not properties or process.recorded(self._api(properties).folder / "api.json") is None:
            return None
        return Found(call.id, marked(properties, secret_keys(properties)), properties)


def _settings(properties: dict[str, Any]) -> ApiSettings:
    return ApiSettings(
        dsn=properties["dsn"],
        schemas=tuple(properties.get("schemas") or ("api",)),
        jwt_secret=properties["jwtSecret"],
        jwt_aud=properties.get("jwtAudience"),
        pre_request=properties.get("preRequest"),
        max_rows=properties.get("maxRows"),
        openapi_url=properties.get("openapiUrl"),
    )
