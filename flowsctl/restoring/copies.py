"""Restored copies on a Docker host: what belongs to one, which there are, taking one away.

A copy is found by labels alone, however far its making came. Its network is made first and removed last, and with its
containers carries `flows.restored-from`. Its volumes carry the labels of any stack's volumes and no more: labels of a
volume cannot be changed, and a promoted copy's volumes become those of a stack.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.containers.names import ORIGIN_LABEL, PROJECT_LABEL, STACK_LABEL, Names
from flowsctl.containers.host import Host
from flowsctl.errors import EXIT_REFUSED, FlowsError, UsageError
from flowsctl.locks import process_start

PROMOTED_LABEL = "flows.promoted"
"""On the containers of a copy that was promoted: it is somebody's database now."""
MAKER_LABEL = "flows.made-by"
"""On the network of a copy: host and process that make it."""
SCRATCH, DRILL = "scratch-", "drill-"
"""How copies are called that exist for one command only."""
DATABASE, RESTORE, SCHEDULER = "database", "restore", "scheduler"


@dataclass(frozen=True)
class Copy:
    """A restored copy."""

    name: str
    origin: str
    state: str
    """unfinished, ready, stopped or promoted."""
    port: int

    def as_json(self) -> dict[str, Any]:
        """The documented form of `restore list --json`."""
        return vars(self).copy()


def labels(names: Names, origin: Names, part: str, *, promoted: bool = False) -> dict[str, str]:
    """Of a container or the network of a copy."""
    more = {PROMOTED_LABEL: "true"} if promoted else {}
    return {**names.labels(part), ORIGIN_LABEL: origin.stack, **more}


def begin(host: Host, names: Names, origin: Names) -> None:
    """Makes the network of a copy, by which it is found from then on."""
    made_by = {MAKER_LABEL: f"{socket.gethostname()}:{os.getpid()}"}
    host.network(names.network, labels(names, origin, "network") | made_by)


def abandoned(host: Host, project: str) -> Iterator[Copy]:
    """Copies that a process of this machine was making, or had made for itself alone, when it died."""
    for each in every(host, project):
        network = host.client.networks.list(names=[Names(project, each.name).network])[0]
        machine, _, number = str((network.attrs["Labels"] or {}).get(MAKER_LABEL, "")).rpartition(":")
        passing = each.state == "unfinished" or each.name.startswith((SCRATCH, DRILL))
        if passing and machine == socket.gethostname() and process_start(int(number)) is None:
            yield each


def refuse_taken(host: Host, names: Names) -> None:
    """Raises FlowsError (refused) where anything of that name is there: a stack, a copy, or what is left of one."""
    taken = host.found({PROJECT_LABEL: names.project, STACK_LABEL: names.stack})
    if taken:
        kinds = ", ".join(f"{kind} {name}" for kind, name in taken[:3])
        raise FlowsError(
            f"{names.stack} is there already: {kinds}",
            f"take another --into; if it is a copy: flowsctl restore discard {names.stack}",
            EXIT_REFUSED,
        )


def every(host: Host, project: str) -> Iterator[Copy]:
    """The copies of a project on this host, by their networks, sorted by name."""
    networks = host.client.networks.list(filters={"label": [f"{PROJECT_LABEL}={project}", ORIGIN_LABEL]})
    for network in sorted(networks, key=lambda each: str(each.name)):
        found = dict(network.attrs["Labels"] or {})
        names = Names(project, found[STACK_LABEL])
        yield Copy(names.stack, found[ORIGIN_LABEL], _state(host, names), _port(host, names))


def existing(host: Host, names: Names) -> Copy:
    """The copy of that name. Raises UsageError where there is none."""
    for each in every(host, names.project):
        if each.name == names.stack:
            return each
    known = ", ".join(each.name for each in every(host, names.project))
    raise UsageError(f"there is no restored copy {names.stack}", f"there is {known}" if known else "there is none")


def remove(host: Host, names: Names) -> None:
    """Takes away everything of a copy: containers, volumes, and last its network. What is gone already is no fault."""
    host.remove({PROJECT_LABEL: names.project, STACK_LABEL: names.stack})


def discard(host: Host, names: Names, *, promoted: bool = False) -> None:
    """Takes a copy away, a promoted one only if that is said.

    Raises:
        FlowsError: there is no copy of that name, or it was promoted.
    """
    found = existing(host, names)
    if found.state == "promoted" and not promoted:
        raise FlowsError(
            f"{names.stack} was promoted: it is a database in use",
            "if it really shall go: flowsctl restore discard NAME --promoted",
            EXIT_REFUSED,
        )
    remove(host, names)


def _state(host: Host, names: Names) -> str:
    import docker.errors

    try:
        container = host.client.containers.get(names.container(DATABASE))
    except docker.errors.NotFound:
        return "unfinished"
    if PROMOTED_LABEL in container.labels:
        return "promoted"
    return "ready" if container.status == "running" else "stopped"


def _port(host: Host, names: Names) -> int:
    try:
        return host.port(names.container(DATABASE), 5432)
    except FlowsError:
        return 0
