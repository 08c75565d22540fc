"""A copy of the cluster of another stack's database container, taken from the running server as a base backup."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from components import place
from components.config import StackConfig
from components.containers.clone import clone
from components.containers.database import ADMIN, database
from components.containers.names import Names
from components.secrets import StackSecrets
from flows.scheduled import jobs
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
SLOTS = "/var/lib/flows/run/jobs"
"""Where the scheduler keeps which of its jobs it has done (components/containers/scripts/scheduler.sh)."""


def copy_cluster(origin: Engine, target: Engine) -> str:
    """The origin's cluster in the target's volume `data`, owned by the target. Returns the id of its ledger.

    The copy's server runs for a moment, without jobs and archive, to be given the target's password and ledger: its own
    container is made by the target's `up`, which finds the volume.

    Raises:
        FlowsError: the origin does not run, or the copy did not work; what was made of it carries the target's labels.
    """
    target.make_stack()
    theirs, source = _config(origin.workspace), _names(origin.workspace)
    with _copy(target) as copy:
        if copy.host.health(source.container("database"))[0] in ("missing", "created", "exited"):
            raise FlowsError(f"the database of stack {source.stack} does not run", "run flowsctl up on it first")
        copying = clone(copy.names, source, theirs.server.image)
        copy.host.provide(copy.names, copying)
        copy.host.run(copying, COPY_SECONDS).checked(f"the copy of stack {source.stack}", "look at its database's log")
        verifier = copy.secrets.scram_verifier(ADMIN)
        with _served(copy, f"ALTER ROLE {ADMIN} PASSWORD '{verifier}'"):
            return _owned(copy, target.workspace)


@contextmanager
def standing(target: Engine) -> Iterator[None]:
    """A copy's server before its `up` makes one, inert. What a scheduler beside that one would do at once, because it
    does not know that the origin's has done it, counts as done.

    Raises:
        FlowsError: it does not start.
    """
    with _copy(target) as copy, _served(copy, "SELECT 1"):
        now = int(time.time())
        done = [f"mkdir -p {SLOTS}"]
        for job in jobs(copy.config.settings):
            done.append(f"echo {(now - job.epoch) // job.seconds} >{SLOTS}/{job.name}")
        command = ["/bin/bash", "-c", "; ".join(done)]
        copy.host.execute(copy.names.container("database"), command).checked("the jobs", "look at the copy's log")
        yield


@dataclass(frozen=True)
class _Copy:
    config: StackConfig
    names: Names
    secrets: StackSecrets
    host: Host


@contextmanager
def _copy(target: Engine) -> Iterator[_Copy]:
    config = _config(target.workspace)
    secrets = StackSecrets(target.secret(stack_file.ROOT_SECRET))
    host = Host(config.server.docker_host)
    try:
        yield _Copy(config, _names(target.workspace), secrets, host)
    finally:
        host.close()


@contextmanager
def _served(copy: _Copy, first: str) -> Iterator[None]:
    """The copy's server, without jobs and archive, after its answer to `first`. Its container and the network go at
    the end: the engine makes its own."""
    host, names = copy.host, copy.names
    server = database(names, copy.config.server.image, copy.config.server, copy.secrets, inert=True)
    host.provide(names, server)
    host.start(replace(server, restart="no"))
    try:
        answer(host, names, first, patient=True)
        yield
    finally:
        host.stop(server.name)
        host.remove_one("container", server.name)
        host.remove_one("network", names.network)


def _owned(copy: _Copy, workspace: Workspace) -> str:
    there = place.connection(copy.config, workspace.root, workspace.stack, copy.secrets)
    try:
        return take_over(there, workspace.owner)
    except ProviderError as error:
        raise FlowsError(f"the copy could not be taken over: {error}", "run flowsctl up on the origin first") from error


def _config(workspace: Workspace) -> StackConfig:
    return StackConfig.read(stack_file.values(workspace, {}))


def _names(workspace: Workspace) -> Names:
    return Names(workspace.project_name, workspace.stack)
