"""The external engine: any reachable server (Tiger Cloud, a cluster of one's own). The API, if wanted, is a container
here; backups are that server's own business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings

from ..config import EXTERNAL, StackConfig
from ..containers.names import Names
from ..secrets import StackSecrets
from . import Beside, DatabaseServer


@dataclass(frozen=True)
class _Nothing:
    def api(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        return None

    def scheduler(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        return None


@dataclass(frozen=True)
class _Api:
    """PostgREST as a container; loads Docker's provider only where there is one."""

    config: StackConfig
    names: Names
    secrets: StackSecrets
    connection: ConnectionSettings

    def api(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        from ..containers.api import api
        from .docker import daemon

        server, host = self.config.server, daemon(self.config)
        network = host.network(self.names.network, self.names.labels("network"))
        given = self.connection.sslrootcert
        container = api(
            self.names,
            server.api_image,
            server,
            self.secrets,
            self.config.api_port,
            self.config.settings.jwt_aud,
            role_prefix=self.config.settings.role_prefix,
            host=self.connection.host,
            host_port=self.connection.port,
            sslmode=self.connection.sslmode,
            certificate="" if given in ("", "system") else Path(given).read_text("ascii"),
        )
        return host.container("rest-api", container, [network, *after])

    def scheduler(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        return None


def make(config: StackConfig, names: Names, connection: ConnectionSettings, secrets: StackSecrets) -> DatabaseServer:
    """The server is there; nothing of it is made here."""
    if not config.server.api_enabled:
        return DatabaseServer(EXTERNAL, connection, _Nothing())
    beside: Beside = _Api(config, names, secrets, connection)
    return DatabaseServer(EXTERNAL, connection, beside, api_channel="pgrst")
