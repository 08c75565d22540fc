"""A copy of the cluster of another stack's database container, taken from the running server as a base backup."""

from __future__ import annotations

from dataclasses import replace

from components import place
from components.config import StackConfig
from components.containers.clone import clone
from components.containers.database import ADMIN, database
from components.containers.names import Names
from components.secrets import StackSecrets
from flowsctl import stack_file
from flowsctl.containers.host import Host
from flowsctl.engine import Engine
from flowsctl.environments.take_over import take_over
from flowsctl.errors import FlowsError
from flowsctl.restoring.making import answer
from flowsctl.workspace import Workspace
from pulumi_timescaledb.errors import ProviderError

COPY_SECONDS = 24 * 3600.0
LEFT = ("docker:", "pulumi:providers:docker")
"""Containers, volumes and network of the origin; roles and database are in the copied cluster."""


def copy_cluster(origin: Engine, target: Engine) -> str:
    """The origin's cluster in the target's volume `data`, owned by the target. Returns the id of its ledger.

    The copy's server runs for a moment, without jobs and archive, to be given the target's password and ledger: its own
    container is made by the target's `up`, which finds the volume.

    Raises:
        FlowsError: the origin does not run, or the copy did not work; what was made of it carries the target's labels.
    """
    target.make_stack()
    theirs, config = _config(origin.workspace), _config(target.workspace)
    source, names = _names(origin.workspace), _names(target.workspace)
    secrets = StackSecrets(target.secret(stack_file.ROOT_SECRET))
    host = Host(config.server.docker_host)
    try:
        if host.health(source.container("database"))[0] in ("missing", "created", "exited"):
            raise FlowsError(f"the database of stack {source.stack} does not run", "run flowsctl up on it first")
        copying = clone(names, source, theirs.server.image)
        host.provide(names, copying)
        host.run(copying, COPY_SECONDS).checked(f"the copy of stack {source.stack}", "look at its database's log")
        ledger = _owned(host, target.workspace, config, names, secrets)
        host.client.networks.get(names.network).remove()  # the engine makes it
        return ledger
    finally:
        host.close()


def _owned(host: Host, workspace: Workspace, config: StackConfig, names: Names, secrets: StackSecrets) -> str:
    server = database(names, config.server.image, config.server, secrets, inert=True)
    host.provide(names, server)
    host.start(replace(server, restart="no"))
    try:
        answer(host, names, f"ALTER ROLE {ADMIN} PASSWORD '{secrets.scram_verifier(ADMIN)}'", patient=True)
        there = place.connection(config, workspace.root, workspace.stack, secrets)
        return take_over(there, workspace.owner)
    except ProviderError as error:
        raise FlowsError(f"the copy could not be taken over: {error}", "run flowsctl up on the origin first") from error
    finally:
        host.stop(server.name)
        host.client.containers.get(server.name).remove(force=True)


def _config(workspace: Workspace) -> StackConfig:
    return StackConfig.read(stack_file.values(workspace, {}))


def _names(workspace: Workspace) -> Names:
    return Names(workspace.project_name, workspace.stack)
