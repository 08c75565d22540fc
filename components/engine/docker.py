"""The docker engine: network, volumes, and containers for database, API and scheduler on one Docker host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker

from flows.scheduled import jobs
from pulumi_timescaledb.connection import ConnectionSettings

from ..config import DOCKER, StackConfig
from ..containers.api import api
from ..containers.database import database
from ..containers.names import Names
from ..containers.scheduler import TimedStatement, scheduler
from ..secrets import StackSecrets
from . import DatabaseServer
from .containers import Host

API_CHANNEL = "pgrst"
"""PostgREST's db-channel."""


@dataclass(frozen=True)
class Containers:
    """What runs beside a database, on one Docker host."""

    config: StackConfig
    names: Names
    secrets: StackSecrets
    host: Host
    needed: tuple[pulumi.Resource, ...]
    """Network and volumes."""

    def api(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        server, settings = self.config.server, self.config.settings
        if not server.api_enabled:
            return None
        container = api(
            self.names,
            server.api_image,
            server,
            self.secrets,
            self.config.api_port,
            settings.jwt_aud,
            role_prefix=settings.role_prefix,
        )
        return self.host.container("rest-api", container, [*self.needed, *after])

    def scheduler(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        server, backup = self.config.server, self.config.backup
        timed = [TimedStatement(job.name, job.seconds, job.epoch, job.sql) for job in jobs(self.config.settings)]
        if not backup.enabled and not timed:
            return None
        container = scheduler(self.names, server.image, server.database_name, self.secrets, backup, timed)
        return self.host.container("scheduler", container, [*self.needed, *after])


def make(config: StackConfig, names: Names, connection: ConnectionSettings, secrets: StackSecrets) -> DatabaseServer:
    """Everything up to a server that answers; roles and the database come next."""
    host = daemon(config)
    network = host.network(names.network, names.labels("network"))
    volumes = [
        host.volume("data", names.volume("data"), names.labels("data"), precious=True),
        host.volume("run", names.volume("run"), names.labels("run"), precious=False),
    ]
    if config.backup.enabled and not config.backup.is_s3:
        volumes.append(host.volume("backup", names.volume("backup"), names.labels("backup"), precious=True))
    needed = (network, *volumes)
    server, image = config.server, config.server.image
    container = database(names, image, server, secrets, config.backup, make_database=False)
    main = host.container("database-server", container, needed)
    replicas = [
        _replica(host, config, names, secrets, f"replica-{n + 1}", (*needed, main)) for n in range(server.replicas)
    ]
    beside = Containers(config, names, secrets, host, needed)
    return DatabaseServer(DOCKER, connection, beside, (main, *replicas), made_of=image, api_channel=API_CHANNEL)


def daemon(config: StackConfig) -> Host:
    """The Docker daemon of the config; an explicit provider, because a default one would be one more for every
    version."""
    where = config.server.docker_host
    return Host(pulumi_docker.Provider("docker", host=where or None), config.disposable)


def _replica(
    host: Host, config: StackConfig, names: Names, secrets: StackSecrets, part: str, needed: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """A hot standby; its volume can be made again from the server at any time."""
    volume = host.volume(part, names.volume(part), names.labels(part), precious=False)
    container = database(names, config.server.image, config.server, secrets, config.backup, part=part)
    return host.container(part, container, [*needed, volume])
