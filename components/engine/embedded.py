"""The embedded engine: PostgreSQL and TimescaleDB in WebAssembly, a process and a folder. Never for production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.resources import Provider, Server

from .. import rest_api
from ..config import EMBEDDED, StackConfig
from ..secrets import StackSecrets
from . import DatabaseServer


@dataclass(frozen=True)
class _Processes:
    config: StackConfig
    secrets: StackSecrets
    connection: ConnectionSettings
    machine: Provider
    folder: Path

    def api(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        port, settings = self.config.api_port, self.config.settings
        return rest_api.embedded_api(
            self.connection,
            self.machine,
            self.secrets,
            port,
            self.folder,
            settings.jwt_aud,
            settings.role_prefix,
            after,
        )

    def scheduler(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        return None


def make(config: StackConfig, connection: ConnectionSettings, secrets: StackSecrets) -> DatabaseServer:
    """The server that `connection` leads to."""
    # Processes have a provider instance of their own: it needs no database. It is explicit, because a default one makes
    # the engine look for a published version first.
    machine = Provider("machine", ConnectionSettings())
    folder, started_by = connection.embedded_folder, pulumi.ResourceOptions(provider=machine)
    server = Server("server", folder, connection.port, connection.disposable, started_by)
    api_folder = Path(folder) / "api"
    beside = _Processes(config, secrets, connection, machine, api_folder)
    return DatabaseServer(EMBEDDED, connection, beside, (server,), api_folder=str(api_folder))
