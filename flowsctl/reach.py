"""How a stack's database is reached from its config alone, with the passwords that this takes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from components import place
from components.config import DOCKER, EMBEDDED, EXTERNAL, StackConfig
from components.containers.names import Names
from components.secrets import StackSecrets
from flowsctl.options import Options
from flowsctl.workspace import Workspace
from pulumi_timescaledb.connection import ConnectionSettings, Database

if TYPE_CHECKING:
    import psycopg

UNSEEN = StackSecrets("")
"""The embedded server asks for no password, and finding the root secret out takes a second."""


def connection(options: Options, workspace: Workspace, config: StackConfig) -> ConnectionSettings:
    """As the provider connects. Raises FlowsError where a secret cannot be read."""
    from flowsctl.session import open_engine

    secrets = StackSecrets(open_engine(options).secret("rootSecret")) if config.engine == DOCKER else UNSEEN
    found = place.connection(config, workspace.root, workspace.stack, secrets)
    if config.engine == EXTERNAL and not found.password:
        from flowsctl.engine import ADMIN_PASSWORD_VARIABLE

        given = os.environ.get(ADMIN_PASSWORD_VARIABLE)
        found = replace(found, password=given or open_engine(options).secret("adminPassword"))
    return found


def demand_administrator(options: Options, *, must_answer: bool) -> None:
    """On the engine external: an administrator who may make what a stack consists of. Raises FlowsError where it lacks
    something, or the server does not let it in and `must_answer`."""
    from flowsctl.session import engine_of, read_config

    if engine_of(options) != EXTERNAL:
        return
    from flowsctl import administrator

    workspace, config = read_config(options)
    there = connection(options, workspace, config)
    administrator.demand(there, config, config.server.admin_database, must_answer=must_answer)


def database(workspace: Workspace, config: StackConfig, connection: ConnectionSettings) -> Database:
    """The database behind a connection, which knows whether it was made yet. Raises FlowsError where the Docker daemon
    cannot be asked."""
    return Database(connection, absent=not is_there(workspace, config, connection))


def is_there(workspace: Workspace, config: StackConfig, connection: ConnectionSettings) -> bool:
    """Whether the stack's database was made: what does not answer and was never made is an empty database to come."""
    if config.engine == EMBEDDED:
        return (Path(connection.embedded_folder) / "data").exists()
    if config.engine == DOCKER:
        from flowsctl.containers.host import Host

        names, host = Names(workspace.project_name, workspace.stack), Host(config.server.docker_host)
        try:
            return ("volume", names.volume("data")) in host.found(names.labels("data"))
        finally:
            host.close()
    return _exists(connection, config.server.admin_database)


def server_changes(workspace: Workspace, config: StackConfig) -> bool:
    """Whether the next update puts another server in the place of the one that runs, as with another image. Raises
    FlowsError where the Docker daemon cannot be asked."""
    if config.engine != DOCKER:
        return False
    from flowsctl.containers.host import Host

    host = Host(config.server.docker_host)
    try:
        runs = host.image_of(Names(workspace.project_name, workspace.stack).container("database"))
        return runs not in ("", config.server.image)
    finally:
        host.close()


def _exists(connection: ConnectionSettings, existing: str) -> bool:
    """Whether an external server has the database; it counts as there where the server does not answer."""
    import psycopg

    arguments = replace(connection, database=existing).conninfo()
    try:
        with psycopg.connect(**arguments, autocommit=True) as asked:
            return _has_database(asked, connection.database)
    except psycopg.Error:
        return True


def _has_database(asked: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
    return asked.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", [name]).rowcount > 0
