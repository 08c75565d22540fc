"""What an environment on the docker engine has on its Docker host, found by the labels of its stack.

Names and labels do not say from which working tree they come. So a name is only claimed while its stack has nothing
there: whatever carries its labels afterwards is that environment's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from components.containers.names import PROJECT_LABEL, STACK_LABEL
from flowsctl import stack_file
from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace

if TYPE_CHECKING:
    from flowsctl.containers.host import Host

DOCKER, EXTERNAL = "docker", "external"


def refuse_foreign(workspace: Workspace, docker_host: str) -> None:
    """Raises FlowsError where the Docker host has things of a stack of that name, or does not answer."""
    with _host(docker_host) as host:
        found = host.found(_labels(workspace))
    if found:
        kind, name = found[0]
        raise FlowsError(
            f"this Docker host has {kind} {name}, which no environment of this working tree has made",
            "it may be another working tree's: destroy it there, or take another name",
        )


def remove_containers(workspace: Workspace) -> None:
    """Containers, volumes and network of a stack that has any.

    Raises:
        FlowsError: the daemon does not answer, or would not remove something.
    """
    if not stack_file.has_containers(workspace, {}):
        return
    with _host(str(stack_file.effective(workspace, "dockerHost", {}) or "")) as host:
        host.remove(_labels(workspace))


def _labels(workspace: Workspace) -> dict[str, str]:
    return {PROJECT_LABEL: workspace.project_name, STACK_LABEL: workspace.stack}


@contextmanager
def _host(url: str) -> Iterator[Host]:
    from flowsctl.containers.host import Host

    host = Host(url)
    try:
        yield host
    finally:
        host.close()
