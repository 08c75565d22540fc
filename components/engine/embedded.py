"""The embedded engine: PostgreSQL and TimescaleDB in WebAssembly, a process and a folder. Never for production."""

from __future__ import annotations

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.resources import Provider, Server

from . import DatabaseServer

NAME = "embedded"


def make(settings: ConnectionSettings, opts: pulumi.ResourceOptions | None = None) -> DatabaseServer:
    """The server that `settings` lead to."""
    # Processes have a provider instance of their own: it needs no database. It is explicit, because a default one makes
    # the engine look for a published version first.
    machine = Provider("machine", ConnectionSettings(), opts)
    folder, started_by = settings.embedded_folder, pulumi.ResourceOptions(provider=machine)
    server = Server("server", folder, settings.port, settings.disposable, started_by)
    return DatabaseServer(NAME, settings, (server,), machine=machine)
