"""The embedded engine: PostgreSQL and TimescaleDB in WebAssembly, a process and a folder. Never for production."""

from __future__ import annotations

from pathlib import Path

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.resources import Provider, Server

from . import ADMIN, DatabaseServer

NAME = "embedded"


def make(
    folder: Path, disposable: bool, history_file: Path, opts: pulumi.ResourceOptions | None = None
) -> DatabaseServer:
    """The server in `folder`, listening on a Unix socket whose place follows from the folder."""
    embedded = EmbeddedServer(folder)
    # Processes have a provider instance of their own: it needs no database. It is explicit, because a default one makes
    # the engine look for a published version first.
    machine = Provider("machine", ConnectionSettings(), opts)
    server = Server("server", str(folder), embedded.port, disposable, pulumi.ResourceOptions(provider=machine))
    settings = ConnectionSettings(
        host=str(embedded.socket_dir),
        port=embedded.port,
        user=ADMIN,
        database="postgres",
        embedded_folder=str(folder),
        disposable=disposable,
        history_file=str(history_file),
    )
    return DatabaseServer(NAME, settings, (server,), machine=machine)
