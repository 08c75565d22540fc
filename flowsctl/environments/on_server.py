"""Environments on the engine external: where their server is, and what is done there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from components import place
from components.config import EXTERNAL, ConfigError, StackConfig
from components.secrets import StackSecrets
from flowsctl import administrator, stack_file
from flowsctl.engine import ADMIN_PASSWORD_VARIABLE, Engine
from flowsctl.environments import server_claim, server_database
from flowsctl.environments.record import Environment
from flowsctl.environments.server_claim import Label, Session
from flowsctl.environments.take_over import take_over
from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.errors import ProviderError

SYSTEM_DATABASE = "postgres"
OF_SERVER = ("RoleSettings",)
"""Kinds that stand for what a copied database has not: settings and comments of the origin's roles."""
LEFT = (
    "docker:",
    "postgresql:",
    "pulumi:providers:docker",
    "pulumi:providers:postgresql",
    *(f"timescaledb:index:{kind}" for kind in OF_SERVER),
)
"""Resources that stay the origin's alone: its roles, its database, its API."""


def own_config(label: Label) -> dict[str, object]:
    """Config values by key of an environment's stack: its database is there before its `up`, and so is left alone."""
    return {"databaseName": label.database, "adminDatabase": label.database, "rolePrefix": label.prefix}


def label_of(workspace: Workspace, made: Environment) -> Label:
    """The label of an environment's claim."""
    return Label(workspace.project_name, made.stack, made.name, made.expires, made.claim)


def admin_database(config: StackConfig) -> str:
    """A database of a stack's server, besides the stack's own, to make and drop others from."""
    server = config.server
    return server.admin_database if server.admin_database != server.database_name else SYSTEM_DATABASE


def make_database(engine: Engine, made: Environment, origin: Engine, *, disconnect: bool) -> None:
    """Claims the environment's names on its server and makes its database: a copy of the origin's, or an empty one.

    Raises:
        FlowsError: the names are taken, or the database could not be made.
    """
    engine.make_stack()
    label, config = label_of(engine.workspace, made), _config(engine.workspace)
    there = replace(_settings(engine, made.admin_database), database=label.database)
    if made.data == "clone":
        there = replace(there, database=_config(origin.workspace).server.database_name)
    administrator.demand(there, config, made.admin_database, copies=made.data == "clone")
    with _server(engine, made.admin_database) as session:
        server_claim.take(session, label)
        if made.data == "clone":
            server_database.copy(session, label, there.database, disconnect=disconnect)
        else:
            server_database.make(session, label)


def owned(origin: Engine, target: Engine) -> str:
    """Makes the target the owner of its copy, but for what belongs to the origin's roles. Returns its ledger's id.

    Raises:
        FlowsError: there is no ledger in it.
    """
    there = _settings(target, _config(target.workspace).server.database_name)
    try:
        return take_over(there, target.workspace.owner, origin.workspace.owner, OF_SERVER)
    except ProviderError as error:
        raise FlowsError(f"the copy could not be taken over: {error}", "run flowsctl up on the origin first") from error


def extend(engine: Engine, made: Environment) -> None:
    """Writes the environment's new time into its label. Raises FlowsError where its server does not answer."""
    if made.engine == EXTERNAL:
        with _server(engine, made.admin_database) as session:
            server_claim.extend(session, label_of(engine.workspace, made))


def remove(engine: Engine, made: Environment) -> None:
    """What the environment has on its server: nothing where its making did not come that far.

    Raises:
        FlowsError: the server does not answer, or somebody has given its roles something elsewhere.
    """
    if made.engine == EXTERNAL and stack_file.read(engine.workspace.config_file):
        with _server(engine, made.admin_database) as session:
            server_claim.remove(session, label_of(engine.workspace, made))


def labels(engine: Engine) -> list[Label]:
    """Every environment of this project on the server of a stack, whichever working tree has made it. Raises FlowsError
    where it is on another engine, or its server does not answer."""
    with _server(engine, admin_database(_config(engine.workspace))) as session:
        return [*server_claim.every(session, engine.workspace.project_name)]


def remove_label(engine: Engine, label: Label) -> None:
    """Takes an environment away from the server of a stack. Raises FlowsError as `remove`."""
    with _server(engine, admin_database(_config(engine.workspace))) as session:
        server_claim.remove(session, label)


@contextmanager
def _server(engine: Engine, database: str) -> Iterator[Session]:
    with server_claim.connected(_settings(engine, database)) as session:
        yield session


def _settings(engine: Engine, database: str) -> ConnectionSettings:
    workspace, config = engine.workspace, _config(engine.workspace)
    if config.engine != EXTERNAL:
        raise FlowsError(f"stack {workspace.stack} is on engine {config.engine}", f"name one of engine {EXTERNAL}")
    password = os.environ.get(ADMIN_PASSWORD_VARIABLE) or engine.secret("adminPassword")
    there = place.connection(config, Path(workspace.root), workspace.stack, StackSecrets(""))
    return replace(there, database=database, password=password)


def _config(workspace: Workspace) -> StackConfig:
    try:
        return StackConfig.read(stack_file.values(workspace, {}))
    except ConfigError as error:
        raise FlowsError(str(error), "correct the stack file") from None
