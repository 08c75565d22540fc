"""A stack's containers that Pulumi made: started again where they stopped, cleared away where the state is lost."""

from __future__ import annotations

import sys

from components.config import DOCKER, StackConfig
from components.containers import images
from components.containers.names import PROJECT_LABEL, STACK_LABEL, Names
from flowsctl.workspace import Workspace

from . import building
from .host import Host

WAIT_SECONDS = 300
"""As the docker engine gives a new container."""


def start_stopped(workspace: Workspace, docker_host: str) -> list[str]:
    """Start the stack's containers that do not run, and wait until they are healthy; their names.

    A run would otherwise fail for want of a database before it comes to the container. Raises FlowsError where one
    does not start.
    """
    host = Host(docker_host)
    try:
        stopped = [name for kind, name in _found(host, workspace) if kind == "container" and not _runs(host, name)]
        database = Names(workspace.project_name, workspace.stack).container("database")
        stopped.sort(key=lambda name: name != database)  # the others need it
        for name in stopped:
            host.restart(name)
            if name == database:
                host.healthy(name, WAIT_SECONDS)
        return stopped
    finally:
        host.close()


def make_images(config: StackConfig) -> None:
    """Build those images of this repository that the stack names and the host lacks. Raises FlowsError where one cannot
    be built."""
    server, host = config.server, Host(config.server.docker_host)
    wanted = {
        "timescaledb": (config.engine == DOCKER, server.image),
        "postgrest": (server.api_enabled, server.api_image),
    }
    try:
        for name, (is_wanted, image) in wanted.items():
            if is_wanted and image == images.local(name) and not host.has_image(image):
                building.build(host, name, lambda text: print(text, file=sys.stderr, flush=True))
    finally:
        host.close()


def remove_all(workspace: Workspace, docker_host: str) -> list[tuple[str, str]]:
    """Remove everything that carries the stack's labels, data included; what it was."""
    host = Host(docker_host)
    try:
        return host.remove(labels(workspace))
    finally:
        host.close()


def left(workspace: Workspace, docker_host: str) -> list[tuple[str, str]]:
    """(container | volume | network, name) of everything that carries the stack's labels."""
    host = Host(docker_host)
    try:
        return _found(host, workspace)
    finally:
        host.close()


def labels(workspace: Workspace) -> dict[str, str]:
    """What the stack's own things carry."""
    return {PROJECT_LABEL: workspace.project_name, STACK_LABEL: workspace.stack}


def _found(host: Host, workspace: Workspace) -> list[tuple[str, str]]:
    return host.found(labels(workspace))


def _runs(host: Host, name: str) -> bool:
    return str(host.client.containers.get(name).status) == "running"
