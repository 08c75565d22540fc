"""The engine that a stack's config names. Each loads what only it needs: Pulumi's docker package alone takes longer to
import than the rest of the program."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.specs import Spec

from ..config import DOCKER, EMBEDDED, StackConfig
from ..containers.names import Names
from ..secrets import StackSecrets
from . import DatabaseServer

SYSTEM_DATABASE = "postgres"


def make(config: StackConfig, names: Names, connection: ConnectionSettings, secrets: StackSecrets) -> DatabaseServer:
    """The server of the stack, without roles and database."""
    if config.engine == EMBEDDED:
        from . import embedded

        return embedded.make(config, connection, secrets)
    if config.engine == DOCKER:
        from . import docker

        return docker.make(config, names, connection, secrets)
    from . import external

    return external.make(config, names, connection, secrets)


def roles_and_database(config: StackConfig, server: DatabaseServer, specs: Iterable[Spec]) -> list[pulumi.Resource]:
    """What pulumi-postgresql makes before our own provider's turn; nothing on the embedded engine."""
    if config.engine == EMBEDDED:
        return []
    from .. import access, cluster

    superuser = config.engine == DOCKER
    existing = SYSTEM_DATABASE if superuser else config.server.admin_database
    name = config.server.database_name
    made_by = cluster.provider(server.settings, existing, superuser=superuser)
    specs = [*specs]
    made = cluster.make(
        specs, None if name == existing else name, made_by, server.resources, disposable=config.disposable
    )
    if superuser:  # a server of the stack's own
        return made
    return [*made, *cluster.connect(name, access.login_roles(specs), made_by, made)]
